//! Makes our ids from the ids of other systems. An id is the UUIDv5 of a fixed namespace and the
//! name `oneroster:<kind>:<sourcedId>`, `case:document:<identifier>` or `case:item:<identifier>`.
//! So an id is the same in every import and on every machine, and it tells nothing about the
//! other system. An id is taken in Unicode's form C: a Mac may write `4å` in one table in form D, and
//! another program in form C in the next.
//!
//! The kinds of OneRoster are the standard's own: `org`, `academicSession`, `course`, `class`,
//! `user`, `enrollment`. CASE identifiers that are UUIDs are kept as they are.

use planledger_core::text::{self, CprContext};
use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::fault::{FaultCode, Problem};

/// The namespace. If it changed, every import would bring new people.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x9c7a_5d2e_41b6_4f83_a0d9_6e1f_37c2_58b4);

/// The most characters of another system's id (OneRoster 1.1, GUID).
const LIMIT: usize = 255;

/// The id that stands for `id` of the given kind in the given standard.
pub fn derive(standard: &str, kind: &str, id: &str) -> Uuid {
    let id = text::composed(id);
    version_5(NAMESPACE, [standard, ":", kind, ":", &*id])
}

/// The version 5 UUID of a name, which is given in parts. A large city needs a million of them, and
/// most processors have instructions for this hash.
pub(crate) fn version_5<P: AsRef<[u8]>>(
    namespace: Uuid,
    name: impl IntoIterator<Item = P>,
) -> Uuid {
    let start = Sha1::new_with_prefix(namespace.as_bytes());
    let whole = name
        .into_iter()
        .fold(start, |hash, part| hash.chain_update(part));
    let hash: [u8; 20] = whole.finalize().into();
    let start = hash.first_chunk::<16>().copied().unwrap_or_default();
    uuid::Builder::from_sha1_bytes(start).into_uuid()
}

/// Refuses ids that may not be used. An id that holds a CPR number is refused although it is
/// hashed: there are so few CPR numbers that anybody can try them all.
pub(crate) fn check(id: &str) -> Result<(), Problem> {
    check_in(id, CprContext::PersonText)
}

/// The same, for ids that stand in another context.
pub(crate) fn check_in(id: &str, context: CprContext) -> Result<(), Problem> {
    if id.is_empty() {
        return Err(FaultCode::ValueMissing.into());
    }
    if id.len() > LIMIT && id.chars().count() > LIMIT {
        return Err(Problem::new(
            FaultCode::TextTooLong,
            format!("the id has more than {LIMIT} characters; use a shorter id"),
        ));
    }
    if let Some(character) = id.chars().find(|character| character.is_control()) {
        return Err(Problem::control(character));
    }
    if text::contains_cpr(id, context) {
        return Err(Problem::new(
            FaultCode::CprFound,
            "the id looks like a CPR number, and planledger never stores one; use an id that \
             holds none",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_5_uuid_is_that_of_the_standard() {
        for length in [0, 1, 7, 38, 39, 40, 55, 56, 200] {
            let name: Vec<u8> = (0..length).collect();
            let expected = Uuid::new_v5(&NAMESPACE, &name);
            assert_eq!(version_5(NAMESPACE, [&name]), expected, "{length} bytes");
            assert_eq!(
                version_5(NAMESPACE, name.chunks(3)),
                expected,
                "{length} bytes"
            );
        }
    }

    #[test]
    fn an_id_that_is_written_in_another_form_of_unicode_is_the_same_id() {
        let (composed, decomposed) = ("4\u{e5}", "4a\u{30a}");
        let of = |id| derive("oneroster", "class", id);
        assert_eq!(of(composed), of(decomposed));
        // Of an id in form C, as nearly all are, the name is that of its own bytes.
        let name = format!("oneroster:class:{composed}");
        assert_eq!(of(composed), Uuid::new_v5(&NAMESPACE, name.as_bytes()));
    }
}
