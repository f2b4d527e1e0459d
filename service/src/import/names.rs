//! From another system's ids to ours: UUIDv5 of a fixed namespace and the name
//! `oneroster:<kind>:<sourcedId>`, `case:document:<identifier>` or `case:item:<identifier>`.
//! So an id is the same in every import, on every machine, and says nothing about the source.
//!
//! Kinds are the standard's own: `org`, `academicSession`, `course`, `class`, `user`,
//! `enrollment`. CASE identifiers that are UUIDs already are kept as they are.

use planledger_core::text;
use uuid::Uuid;

use super::fault::FaultCode;

/// The namespace. Changing it would make every import a new set of people.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x9c7a_5d2e_41b6_4f83_a0d9_6e1f_37c2_58b4);

/// Most characters of another system's id (OneRoster 1.1, GUID).
const LIMIT: usize = 255;

/// The id of what `source` calls `id`.
pub fn derive(source: &str, kind: &str, id: &str) -> Uuid {
    let mut name = String::with_capacity(source.len() + kind.len() + id.len() + 2);
    for part in [source, ":", kind, ":", id] {
        name.push_str(part);
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Refuses ids that may not be used. A hash of a CPR number would hide nothing: there are few
/// enough to try them all.
pub(crate) fn check(id: &str) -> Result<(), FaultCode> {
    if id.is_empty() {
        return Err(FaultCode::ValueMissing);
    }
    if id.len() > LIMIT && id.chars().count() > LIMIT {
        return Err(FaultCode::TextTooLong);
    }
    if id.chars().any(char::is_control) {
        return Err(FaultCode::TextControlCharacter);
    }
    if text::contains_cpr(id) {
        return Err(FaultCode::CprFound);
    }
    Ok(())
}
