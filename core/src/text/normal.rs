//! Unicode's normalization form C: one way to write what looks the same.
//!
//! Every text that comes in is brought to form C. Events that were recorded before keep their bytes, so
//! comparing goes by form C too. A text that is in form C already, as nearly all are, costs one look
//! at its bytes.

use std::borrow::Cow;
use std::cmp::Ordering;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text in Unicode's normalization form C.
pub fn composed(text: &str) -> Cow<'_, str> {
    match is_surely_composed(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// The text with a line feed for each carriage return that no line feed follows.
pub(super) fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    // Between two that belong together, nothing may be put or changed.
    let lines = text.split("\r\n").map(|lines| lines.replace('\r', "\n"));
    Cow::Owned(lines.collect::<Vec<_>>().join("\r\n"))
}

/// Whether two texts are the same in form C.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || compare(one, other) == Ordering::Equal
}

/// The order of two texts in form C.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    match is_surely_composed(one) && is_surely_composed(other) {
        // The order of UTF-8's bytes is the order of the characters.
        true => one.cmp(other),
        false => one.nfc().cmp(other.nfc()),
    }
}

/// UTF-8 in form D; `None` if it is the same in every form, or no UTF-8.
pub(crate) fn decomposed(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.is_ascii())?;
    Some(text.nfd().collect::<String>().into_bytes())
}

fn is_surely_composed(text: &str) -> bool {
    // The greatest byte, without an early end, takes a few instructions for sixteen bytes.
    let greatest = text.bytes().fold(0, u8::max);
    greatest < FIRST_COMBINING || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// No character below U+0300 combines with another one, and each of them is in form C. In UTF-8 their
/// bytes are all less than this, the first byte of U+0300. Danish has no other characters.
const FIRST_COMBINING: u8 = 0xCC;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_text_of_characters_before_the_first_combining_one_is_in_form_c() {
        let before: String = ('\0'..'\u{300}').collect();
        assert!(before.bytes().all(|byte| byte < FIRST_COMBINING));
        assert_eq!(is_nfc_quick(before.chars()), IsNormalized::Yes);
        assert_eq!(before.nfc().collect::<String>(), before);
        assert_eq!("\u{300}".as_bytes()[0], FIRST_COMBINING);
        assert!(!is_surely_composed("a\u{30a}"));
    }

    proptest! {
        #[test]
        fn form_c_of_form_c_is_the_same(text in "[a-zåæøé\u{300}-\u{30f}\u{3300}-\u{3310}가-각ᄀ-라-ᅦ]{0,12}") {
            let once = composed(&text).into_owned();
            prop_assert_eq!(composed(&once).into_owned(), once.clone());
            prop_assert!(is_same(&once, &text));
        }

        #[test]
        fn texts_compare_as_their_forms_c_do(
            one in "[aeå\u{300}-\u{304}\u{30a}b]{0,5}",
            other in "[aeå\u{300}-\u{304}\u{30a}b]{0,5}",
        ) {
            let expected = composed(&one).cmp(&composed(&other));
            prop_assert_eq!(compare(&one, &other), expected);
            prop_assert_eq!(is_same(&one, &other), expected == Ordering::Equal);
        }
    }
}
