//! Which institution carries on for one that is closed: asked of any world.

use std::collections::BTreeSet;

use super::{Aggregate, World};
use crate::ids::InstitutionId;
use crate::read_error::ReadError;

/// The institution that carries on for another one now: the last of those that succeeded each other. It
/// is the institution itself if nobody has succeeded it, or if they lead back to it, which only happens
/// when a merger is undone after others.
pub(crate) fn successor_of<W: World + ?Sized>(
    world: &W,
    institution: InstitutionId,
) -> Result<InstitutionId, ReadError> {
    let mut seen = BTreeSet::from([institution]);
    let mut now = institution;
    loop {
        let next = match world.aggregate(now.into())?.as_deref() {
            Some(Aggregate::Institution(found)) => found.succeeded_by,
            Some(_) | None => None,
        };
        match next {
            None => return Ok(now),
            Some(next) if seen.insert(next) => now = next,
            Some(_) => return Ok(institution),
        }
    }
}
