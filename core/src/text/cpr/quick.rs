//! What is seen of a text without reading it as a person would.

use uuid::Uuid;

use super::chars::Char;

/// Digits of the day, and of the serial number.
const DAY: usize = 6;
const SERIAL: usize = 4;

/// The UUID that a text is, with its dashes and nothing else.
pub(super) fn lone_uuid(text: &str) -> Option<Uuid> {
    const LENGTH: usize = 36;
    match text.len() == LENGTH {
        true => Uuid::try_parse(text).ok(),
        false => None,
    }
}

/// Whether somewhere in a text of ASCII six digits and four have nothing but separators between them, and
/// a dash among these.
pub(super) fn has_dashed_digits(text: &[u8]) -> bool {
    // The digits of this group and of the one before it, and whether a dash stands between the two.
    let (mut digits, mut before, mut dashed) = (0, 0, false);
    for byte in text {
        match Char::of(char::from(*byte)) {
            Char::Digit(_) => {
                digits += 1;
                if digits == SERIAL && before >= DAY && dashed {
                    return true;
                }
            }
            Char::Separator(_) => {
                if digits > 0 {
                    (digits, before, dashed) = (0, digits, false);
                }
                dashed |= *byte == b'-';
            }
            Char::Unseen | Char::Other => (digits, before, dashed) = (0, 0, false),
        }
    }
    false
}
