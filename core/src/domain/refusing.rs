//! Refusals that many rules give.

use std::fmt::Display;

use super::field::Field;
use super::refusal::{Reason, Refusal};
use super::world::Stop;

/// The answer that the rules refuse the command. Nothing is recorded.
pub(in crate::domain) fn refuse<T>(refusal: Refusal) -> Result<T, Stop> {
    Err(Stop::Refused(refusal))
}

/// The refusal of a command that names something that does not exist.
pub(in crate::domain) fn not_found(
    reason: Reason,
    what: &str,
    key: &'static str,
    id: impl Display,
    field: Field,
) -> Stop {
    let message = format!("there is no {what} {id}");
    Refusal::new(reason, message)
        .field(field)
        .with(key, id)
        .into()
}

/// The refusal of a command that would create something that exists already.
pub(in crate::domain) fn exists<T>(
    what: &str,
    key: &'static str,
    id: impl Display,
    field: Field,
) -> Result<T, Stop> {
    let message = format!("{what} {id} already exists");
    refuse(
        Refusal::new(Reason::AlreadyExists, message)
            .field(field)
            .with(key, id),
    )
}
