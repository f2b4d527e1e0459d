//! Which system somebody is, by what they proved.

use crate::domain::system::{System, SystemIdentity};
use crate::domain::{Aggregate, World};
use crate::ids::{StreamKind, SystemId};
use crate::read_error::ReadError;

/// The system that proves who it is in one of these ways. A revoked one is among the answers: the
/// caller sees it in the state. If the ways lead to different systems, there is no answer, because
/// nobody can tell which one it is.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn system_of<W: World + ?Sized>(
    world: &W,
    shown: &[SystemIdentity],
) -> Result<Option<(SystemId, System)>, ReadError> {
    let mut found: Option<(SystemId, System)> = None;
    for stream in world.all(StreamKind::System)? {
        let state = world.aggregate(stream)?;
        let Some(Aggregate::System(system)) = state.as_deref() else {
            continue;
        };
        if !shown
            .iter()
            .any(|shown| system.details.identities.contains(shown))
        {
            continue;
        }
        match &found {
            // An identity can pass from a revoked system to another one.
            Some((_, before)) if !before.revoked && !system.revoked => return Ok(None),
            Some((_, before)) if !before.revoked => {}
            Some(_) | None => found = Some((SystemId::from_uuid(stream.id), system.clone())),
        }
    }
    Ok(found)
}

/// The system whose certificate shows these names: its SPIFFE ids, its DNS names and its fingerprint.
///
/// # Errors
/// As for [`system_of`].
pub fn system_of_certificate<W: World + ?Sized>(
    world: &W,
    shown: &[SystemIdentity],
) -> Result<Option<(SystemId, System)>, ReadError> {
    let of_certificate = |shown: &&SystemIdentity| match shown {
        SystemIdentity::Spiffe(_) | SystemIdentity::Dns(_) | SystemIdentity::Fingerprint(_) => true,
        SystemIdentity::Client { .. } => false,
    };
    let shown: Vec<_> = shown.iter().filter(of_certificate).cloned().collect();
    system_of(world, &shown)
}

/// The system whose token is of this client of this issuer.
///
/// # Errors
/// As for [`system_of`].
pub fn system_of_client<W: World + ?Sized>(
    world: &W,
    issuer: &crate::text::IdentityText,
    client: &crate::text::IdentityText,
) -> Result<Option<(SystemId, System)>, ReadError> {
    let (issuer, client) = (issuer.clone(), client.clone());
    system_of(world, &[SystemIdentity::Client { issuer, client }])
}
