//! In whose hands a system is.

use std::collections::BTreeSet;

use crate::actor::Actor;
use crate::domain::{Aggregate, World};
use crate::ids::SystemId;
use crate::read_error::ReadError;

/// Everybody who can act as a system: itself, and whoever gave it an identity, because that can be a key
/// of their own.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn hands_of<W: World + ?Sized>(
    world: &W,
    system: SystemId,
) -> Result<BTreeSet<Actor>, ReadError> {
    hands(world, [Actor::System(system)])
}

/// Everybody who can be behind what these do: themselves, and of a system whoever gave it an identity.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn hands<W: World + ?Sized>(
    world: &W,
    of: impl IntoIterator<Item = Actor>,
) -> Result<BTreeSet<Actor>, ReadError> {
    let mut found = BTreeSet::new();
    let mut open: Vec<_> = of.into_iter().collect();
    while let Some(actor) = open.pop() {
        if !found.insert(actor) {
            continue;
        }
        let Actor::System(id) = actor else {
            continue;
        };
        if let Some(Aggregate::System(system)) = world.aggregate(id.into())?.as_deref() {
            let proofs = system.proofs.iter();
            open.extend(proofs.flat_map(|proof| [proof.by].into_iter().chain(proof.on_behalf_of)));
        }
    }
    Ok(found)
}
