//! Text that people write. Each kind has a length limit, counted in characters, and none may
//! hold a CPR number or control characters. Values deserialised from the journal are not
//! checked again: a rule made stricter later must not make the past unreadable.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is not accepted. Never repeats the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than its kind allows.
    #[error("has {length} characters, but at most {limit} are allowed")]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Holds a control character; line feed and tab are allowed in longer texts only.
    #[error("contains a control character; remove it")]
    Control,
    /// Holds what looks like a CPR number, which is never stored.
    #[error("contains something that looks like a CPR number; CPR numbers are never accepted")]
    Cpr,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, limit $limit:literal, lines $lines:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Most characters.
            pub const LIMIT: usize = $limit;

            /// Checks and takes `value`; white space at both ends is dropped.
            ///
            /// # Errors
            /// [`TextError`] when empty, too long, or holding what may not be stored.
            pub fn new(value: &str) -> Result<Self, TextError> {
                check(value.trim(), $limit, $lines).map(|text| Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(value: &str) -> Result<Self, TextError> {
                Self::new(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// Shows the length only, so that no personal text reaches a log by accident.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} chars)"), self.0.chars().count())
            }
        }
    )*};
}

texts! {
    /// A person's, institution's or subject's name.
    Name, limit 200, lines false;
    /// A heading, or one level of a scale.
    Title, limit 300, lines false;
    /// What people write: goals, comments, status, follow-up, notes of a talk.
    Text, limit 20_000, lines true;
    /// A short code from another system, such as an institution number or a grade.
    Code, limit 100, lines false;
    /// Why something was done, as a person put it. The code of a refusal is `domain::Reason`.
    ReasonText, limit 1_000, lines true;
}

fn check(value: &str, limit: usize, lines: bool) -> Result<&str, TextError> {
    if value.is_empty() {
        return Err(TextError::Empty);
    }
    let length = value.chars().count();
    if length > limit {
        return Err(TextError::TooLong { length, limit });
    }
    let allowed = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if value.chars().any(|c| c.is_control() && !allowed(c)) {
        return Err(TextError::Control);
    }
    if contains_cpr(value) {
        return Err(TextError::Cpr);
    }
    Ok(value)
}

/// Whether `value` holds a civil registration number: DDMMYY and four digits, with or without a
/// hyphen or space between, standing alone, where DDMM is a day of the year. Replacement numbers,
/// whose day is 60 higher, count too. No checksum is asked for: since 2007 numbers without it
/// are issued.
pub fn contains_cpr(value: &str) -> bool {
    let chars: Vec<char> = value.chars().collect();
    (0..chars.len()).any(|start| {
        let before = start.checked_sub(1).and_then(|i| chars.get(i));
        let starts_alone = !before.is_some_and(|c| c.is_alphanumeric());
        starts_alone && chars.get(start..).is_some_and(starts_with_cpr)
    })
}

fn starts_with_cpr(chars: &[char]) -> bool {
    let mut digits = [0u32; 10];
    let mut rest = chars.iter().copied().peekable();
    for (index, slot) in digits.iter_mut().enumerate() {
        if index == 6 && rest.next_if(|c| is_separator(*c)).is_some() {
            // "010203 - 1234" is written too.
            while rest.next_if(|c| is_separator(*c)).is_some() {}
        }
        match rest.next().and_then(|c| c.to_digit(10)) {
            Some(digit) => *slot = digit,
            None => return false,
        }
    }
    if rest.peek().is_some_and(|c| c.is_alphanumeric()) {
        return false;
    }
    let [d1, d2, m1, m2, ..] = digits;
    let day = d1 * 10 + d2;
    let day = if day > 60 { day - 60 } else { day };
    let longest = match m1 * 10 + m2 {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=longest).contains(&day)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | ' ' | '\u{a0}' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpr_numbers_are_found_however_they_are_written() {
        for text in [
            "010203-1234",
            "0102031234",
            "CPR: 311299 4321.",
            "se 010203 - 1234",
            "(610203-1234)",
            "290200\u{2013}1234",
        ] {
            assert!(contains_cpr(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not_taken_for_cpr_numbers() {
        for text in [
            "320203-1234",
            "011303-1234",
            "A0102031234",
            "00102031234",
            "0102031234 5".replace(' ', "").as_str(),
            "tlf. 33 66 33 66",
            "2026-11-23",
            "7f9c0102-0304-4506-8708-010203040506",
        ] {
            assert!(!contains_cpr(text), "{text}");
        }
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(Name::new(&"å".repeat(200)).is_ok());
        assert_eq!(
            Name::new(&"å".repeat(201)),
            Err(TextError::TooLong {
                length: 201,
                limit: 200
            })
        );
        assert_eq!(Name::new("  \t"), Err(TextError::Empty));
        assert_eq!(Name::new("a\u{7}b"), Err(TextError::Control));
        assert_eq!(Name::new("a\nb"), Err(TextError::Control));
        assert!(Text::new("a\nb").is_ok());
    }
}
