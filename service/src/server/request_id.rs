//! The id of a request: every line that is logged for the request has it, and the answer too.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::codegen::http::{HeaderMap, HeaderValue};

/// The header in which a client may give the id, and finds it in the answer.
pub(super) const HEADER: &str = "x-request-id";
/// A UUID: 36 characters with its hyphens.
const UUID_LEN: usize = 36;
/// Where a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Fewest and most hexadecimal digits of an id that is no UUID.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=64;

/// The id of a request: the one that its client gave, if it is well-formed, or else a new one.
pub(super) fn of(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(HEADER);
    let given = given.filter(|value| is_well_formed(value.as_bytes()));
    given.cloned().unwrap_or_else(new)
}

/// Whether this is a UUID, or 16 to 64 hexadecimal digits. No name can be written so, and no CPR number,
/// which has ten digits. So what a client gives can stand in the log.
fn is_well_formed(id: &[u8]) -> bool {
    let digits = |id: &[u8]| id.iter().all(u8::is_ascii_hexdigit);
    match id.len() {
        UUID_LEN => {
            id.iter()
                .enumerate()
                .all(|(at, byte)| match HYPHENS.contains(&at) {
                    true => *byte == b'-',
                    false => byte.is_ascii_hexdigit(),
                })
                || digits(id)
        }
        length => DIGITS.contains(&length) && digits(id),
    }
}

/// A new id, which no other request of this process has: 16 hexadecimal digits.
fn new() -> HeaderValue {
    /// Where the numbers of this process begin, so that two processes do not give the same ids.
    static FIRST: LazyLock<u64> = LazyLock::new(|| {
        let mut bytes = [0; 8];
        // Without randomness ids begin at 0. They are to tell requests apart, not to be secret.
        let _ = getrandom::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    });
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // An odd factor maps every number to another one, and neighbours far apart.
    let id = FIRST.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let text = format!("{id:016x}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("0000000000000000"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn given(id: &str) -> HeaderValue {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(id.as_bytes()).unwrap());
        of(&headers)
    }

    #[test]
    fn a_well_formed_id_is_kept() {
        for id in [
            "6f0c41d3-93d5-4a5b-8d0a-0d6b5e6f3a11",
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            "00f067aa0ba902b7",
            &"a".repeat(36),
            &"a".repeat(64),
        ] {
            assert_eq!(given(id), id);
        }
    }

    #[test]
    fn what_could_be_a_name_or_a_number_of_a_person_is_replaced() {
        for id in [
            "",
            "010203-1234",
            "0102031234",
            "Inge Holm",
            "inge.holm@example.dk",
            "Mærkelig",
            &"a".repeat(65),
            &"g".repeat(32),
            "6f0c41d3-93d5-4a5b-8d0a-0d6b5e6f3a1",
            "6f0c41d3x93d5-4a5b-8d0a-0d6b5e6f3a11",
        ] {
            let id_of = given(id);
            assert_ne!(id_of.as_bytes(), id.as_bytes());
            assert!(is_well_formed(id_of.as_bytes()), "{id_of:?}");
        }
    }

    #[test]
    fn no_two_requests_get_the_same_id() {
        let ids: HashSet<_> = (0..10_000).map(|_| new()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
