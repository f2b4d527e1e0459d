//! Text that people write. Each kind has a length limit, counted in characters, and none may
//! hold a CPR number or control characters. What stands on one line, such as a name, may not hold
//! characters either that nobody sees and that change how the rest is shown. Values deserialised from the journal are not
//! checked again: a rule made stricter later must not make the past unreadable.
//!
//! A text is taken in Unicode's normalization form C, so that "å" is one character whoever typed it.
//! Texts that were recorded before that rule stay as they are, and count as equal to the same text in
//! form C. A carriage return alone, which some programs show as the start of the same line, is taken as
//! a line feed.

mod cpr;
mod normal;
mod unseen;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use self::cpr::made_up_of_cpr;
pub use self::cpr::{CprContext, contains_cpr};
pub use self::normal::composed;
pub(crate) use self::normal::decomposed;
pub use self::unseen::is_unseen;

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
    #[error("contains {}; remove it", control(*character))]
    Control {
        /// The first one.
        character: char,
    },
    /// A name, or another text of one line, holds a character that nobody sees and that changes how the
    /// text is shown.
    #[error("contains {}; remove it", unseen::called(*character))]
    Unseen {
        /// The first one.
        character: char,
    },
    /// Holds what looks like a CPR number, which is never stored.
    #[error("contains something that looks like a CPR number; CPR numbers are never accepted")]
    Cpr,
}

/// What stands in the place of a text that was redacted.
pub const REDACTED: &str = "[redacted]";

/// Texts that may be redacted.
pub(crate) trait Redacted {
    /// What stands in the place of a redacted text.
    fn redacted() -> Self;
}

macro_rules! texts {
    ($($(#[$doc:meta])*
        $name:ident, limit $limit:literal, lines $lines:literal, cpr $cpr:ident;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Most characters.
            pub const LIMIT: usize = $limit;

            /// Where such a text usually stands, which says how CPR numbers are looked for.
            pub const CONTEXT: CprContext = CprContext::$cpr;

            /// Checks and takes `value`; white space at both ends is dropped.
            ///
            /// # Errors
            /// [`TextError`] when empty, too long, or holding what may not be stored.
            pub fn new(value: &str) -> Result<Self, TextError> {
                Self::new_in(value, Self::CONTEXT)
            }

            /// The same for a text that stands somewhere else.
            ///
            /// # Errors
            /// As for [`Self::new`].
            pub fn new_in(value: &str, context: CprContext) -> Result<Self, TextError> {
                let value = normal::composed(value.trim());
                let value = match $lines {
                    true => normal::with_line_feeds(value),
                    false => value,
                };
                check(&value, $limit, $lines, context)?;
                Ok(Self(value.into()))
            }

            /// The same for a text that was published, such as a catalogue's.
            ///
            /// # Errors
            /// As for [`Self::new`].
            pub fn published(value: &str) -> Result<Self, TextError> {
                Self::new_in(value, CprContext::Published)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Redacted for $name {
            fn redacted() -> Self {
                Self(REDACTED.into())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                normal::is_same(&self.0, &other.0)
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                normal::compare(&self.0, &other.0)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                normal::composed(&self.0).hash(state);
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
    Name, limit 200, lines false, cpr PersonText;
    /// A heading, or one level of a scale.
    Title, limit 300, lines false, cpr PersonText;
    /// What people write: goals, comments, status, follow-up, notes of a talk.
    Text, limit 20_000, lines true, cpr PersonText;
    /// A short code from another system, such as an institution number or a grade.
    Code, limit 100, lines false, cpr OrganisationId;
    /// What the operator calls the system that a roster comes from.
    SourceName, limit 64, lines false, cpr OrganisationId;
    /// The id of a person in another system, such as a `sourcedId` or a UNI-Login.
    ExternalId, limit 255, lines false, cpr PersonText;
    /// How a system proves who it is: a name in its certificate, an issuer, a client id.
    IdentityText, limit 255, lines false, cpr OrganisationId;
    /// Why something was done, as a person put it. The code of a refusal is `domain::Reason`.
    ReasonText, limit 1_000, lines true, cpr PersonText;
}

/// What a control character is called: by its number, and by what people know it as.
fn control(character: char) -> String {
    let number = format!("U+{:04X}", u32::from(character));
    match character {
        '\n' | '\r' => format!("a line break ({number})"),
        '\t' => format!("a tab ({number})"),
        _ => format!("the control character {number}"),
    }
}

fn check(value: &str, limit: usize, lines: bool, context: CprContext) -> Result<(), TextError> {
    if value.is_empty() {
        return Err(TextError::Empty);
    }
    // No text has more characters than bytes.
    if value.len() > limit {
        let length = value.chars().count();
        if length > limit {
            return Err(TextError::TooLong { length, limit });
        }
    }
    let allowed = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if let Some(character) = value.chars().find(|c| c.is_control() && !allowed(*c)) {
        return Err(TextError::Control { character });
    }
    if let Some(character) = value.chars().find(|c| !lines && unseen::is_unseen(*c)) {
        return Err(TextError::Unseen { character });
    }
    if contains_cpr(value, context) {
        return Err(TextError::Cpr);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let control = |character| Err(TextError::Control { character });
        assert_eq!(Name::new("a\u{7}b"), control('\u{7}'));
        assert_eq!(Name::new("a\nb"), control('\n'));
        assert!(Text::new("a\nb").is_ok());
    }

    #[test]
    fn a_control_character_is_named_and_a_line_break_only_where_none_may_be() {
        let told = |error: TextError| error.to_string();
        let text = Text::new("a\n\u{c}b").map_err(told);
        let named = "contains the control character U+000C; remove it";
        assert_eq!(text.map(|_| ()), Err(named.to_owned()));
        let name = Name::new("a\nb").map_err(told);
        let named = "contains a line break (U+000A); remove it";
        assert_eq!(name.map(|_| ()), Err(named.to_owned()));
    }

    #[test]
    fn a_name_holds_nothing_that_nobody_sees_and_a_text_may() {
        for character in [
            '\u{202e}',
            '\u{2066}',
            '\u{e0041}',
            '\u{2028}',
            '\u{200b}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{3164}',
        ] {
            let text = format!("Jens{character}nesnaH");
            let unseen = TextError::Unseen { character };
            assert_eq!(Name::new(&text), Err(unseen));
            assert_eq!(Title::new(&text), Err(unseen));
            assert_eq!(Code::new(&text), Err(unseen));
            assert_eq!(ExternalId::new(&text), Err(unseen));
        }
        let told = Name::new("a\u{202e}b").map_err(|error| error.to_string());
        let named = "contains the invisible character U+202E, which changes the direction of what \
                     follows; remove it";
        assert_eq!(told.map(|_| ()), Err(named.to_owned()));
        assert!(Text::new("a\u{202e}b").is_ok());
        // Persian and Hindi names are spelt with these two, and some have marks of direction.
        assert!(Name::new("علی\u{200c}رضا").is_ok());
        assert!(Name::new("क\u{200d}ष").is_ok());
        assert!(Name::new("علی\u{200f}").is_ok());
    }

    #[test]
    fn a_carriage_return_alone_is_taken_as_a_line_feed() {
        let taken = |text: &str| Text::new(text).map(|text| text.as_str().to_owned());
        assert_eq!(taken("one\rtwo\r\rthree").unwrap(), "one\ntwo\n\nthree");
        assert_eq!(taken("one\r\ntwo\n\rthree").unwrap(), "one\r\ntwo\n\nthree");
        assert_eq!(taken("å\rø").unwrap(), "å\nø");
    }

    /// "å" as a Mac may write it: the letter a, and a ring on it.
    const FROM_A_MAC: &str = "Ha\u{30a}ndværk og design";

    fn recorded(text: &str) -> Name {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn a_text_is_taken_in_form_c_and_counted_in_form_c() {
        let taken = Name::new(FROM_A_MAC).unwrap();
        assert_eq!(taken.as_str(), "Håndværk og design");
        assert!(Name::new(&"a\u{30a}".repeat(200)).is_ok());
    }

    #[test]
    fn a_text_that_was_recorded_before_stays_as_it_is_and_equals_the_same_text_in_form_c() {
        let (old, new) = (recorded(FROM_A_MAC), Name::new(FROM_A_MAC).unwrap());
        assert_eq!(old.as_str(), FROM_A_MAC);
        assert_eq!(serde_json::to_value(&old).unwrap(), FROM_A_MAC);
        assert_eq!(old, new);
        assert_eq!(old.cmp(&new), Ordering::Equal);
        let both: std::collections::BTreeSet<_> = [old.clone(), new.clone()].into();
        let hashed: std::collections::HashSet<_> = [old, new].into();
        assert_eq!((both.len(), hashed.len()), (1, 1));
    }

    #[test]
    fn texts_are_in_the_order_of_form_c_whichever_form_they_were_recorded_in() {
        let words = ["a", "ab", "a\u{30a}", "å", "åb", "z", "æ"];
        for (one, other) in words.iter().flat_map(|a| words.iter().map(move |b| (a, b))) {
            let taken = Name::new(one).unwrap().cmp(&Name::new(other).unwrap());
            assert_eq!(recorded(one).cmp(&recorded(other)), taken, "{one} {other}");
        }
    }

    #[test]
    fn each_text_says_where_cpr_numbers_are_looked_for_and_how() {
        let number = "1003264125";
        assert_eq!(Text::new(number), Err(TextError::Cpr));
        assert_eq!(Name::new(number), Err(TextError::Cpr));
        assert_eq!(Title::new(number), Err(TextError::Cpr));
        assert!(Code::new(number).is_ok());
        assert!(Text::published(number).is_ok());
        assert_eq!(Code::new("100326-4125"), Err(TextError::Cpr));
        assert_eq!(Text::published("100326-4125"), Err(TextError::Cpr));
        let grade = Code::new_in(number, CprContext::PersonText);
        assert_eq!(grade, Err(TextError::Cpr));
    }
}
