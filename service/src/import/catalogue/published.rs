//! Control characters in published texts. A program that escaped `\\frac` once too little makes a form feed
//! of its first two letters, and no publisher meant it. Such a text is shown as the text that is left, and
//! whoever imports it is told, because the publisher has to mend it.

use std::borrow::Cow;

use planledger_core::text::is_unseen;

/// A text without control characters but line breaks and tabs, and without invisible ones that change how
/// the rest is shown; and the first one that it held. A form feed and a vertical tab part words, so they
/// become a blank; the others have no place.
pub(super) fn clean(text: &str) -> (Cow<'_, str>, Option<char>) {
    let is_damage = |character: char| {
        let control = character.is_control() && !matches!(character, '\n' | '\r' | '\t');
        control || is_unseen(character)
    };
    let Some(first) = text.chars().find(|character| is_damage(*character)) else {
        return (Cow::Borrowed(text), None);
    };
    let cleaned = text.chars().filter_map(|character| match character {
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        character => (!is_damage(character)).then_some(character),
    });
    (Cow::Owned(cleaned.collect()), Some(first))
}

/// A text of one line: what was broken into several, or set apart with tabs, is joined with blanks.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    let parts_words = ['\n', '\r', '\t'];
    if !text.contains(parts_words) {
        return Cow::Borrowed(text);
    }
    let words = text.split(parts_words).map(str::trim);
    let words: Vec<&str> = words.filter(|words| !words.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// Which elements of a package held control characters in their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// How many elements.
    pub count: u64,
    /// The first of them: its identifier and the first control character of its texts.
    pub first: Vec<(String, char)>,
    last: Option<String>,
}

impl Damage {
    /// How many elements are told by their identifiers.
    const FIRST: usize = 3;

    /// Notes an element. Its texts come one after the other.
    pub(super) fn note(&mut self, identifier: &str, character: char) {
        if self.last.as_deref() == Some(identifier) {
            return;
        }
        self.last = Some(identifier.to_owned());
        self.count += 1;
        if self.first.len() < Self::FIRST {
            self.first.push((identifier.to_owned(), character));
        }
    }

    /// Adds those that were found elsewhere.
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        let room = Self::FIRST.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }

    /// What people should know of it.
    pub fn notes(&self) -> Vec<String> {
        let first = self.first.iter();
        let mut notes: Vec<String> = first
            .map(|(identifier, character)| {
                format!(
                    "{}: the text held a control character U+{:04X}; it may be damaged at the source",
                    identifier.escape_debug(),
                    u32::from(*character)
                )
            })
            .collect();
        let more = self.count - self.first.len() as u64;
        if more > 0 {
            notes.push(format!("and {more} more items with such a text"));
        }
        notes
    }
}
