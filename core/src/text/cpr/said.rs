//! What the words before a number say about it.

/// How many words before a number are looked at.
const WORDS: usize = 3;
/// How many bytes before a number are looked at.
const REACH: usize = 64;

/// What the words before a number say that it is. The nearest word that says something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// They say nothing about it.
    Nothing,
    /// A CPR number.
    Cpr,
    /// Another sort of number.
    Another(Other),
}

/// Numbers that are no CPR numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// An International Standard Book Number of ten digits. Its last digit checks the others.
    Isbn,
    /// A production unit number (*P-nummer*). It begins with 1.
    ProductionUnit,
    /// A telephone number, an instant, an account and the like, about which nothing is known.
    Any,
}

impl Other {
    /// Whether these digits can be such a number.
    pub(super) fn fits(self, digits: &[u8]) -> bool {
        match self {
            Self::Isbn => {
                let weights = (1..=10u32).rev();
                let sum: u32 = digits
                    .iter()
                    .zip(weights)
                    .map(|(d, w)| u32::from(*d) * w)
                    .sum();
                digits.len() == 10 && sum.is_multiple_of(11)
            }
            Self::ProductionUnit => digits.len() == 10 && digits.first() == Some(&1),
            Self::Any => true,
        }
    }
}

/// The beginnings of words that say that a number is a CPR number. `SECURITY.md` lists them.
const CPR: [&str; 3] = ["cpr", "personn", "person-n"];
/// Words that say that a number is another one. Each counts by itself and with one of [`ENDINGS`]:
/// "konto" and "kontonr", but not "kontoret". `SECURITY.md` lists them.
const OTHERS: [(&str, Other); 31] = [
    ("isbn", Other::Isbn),
    ("isbn-10", Other::Isbn),
    ("isbn10", Other::Isbn),
    ("p", Other::ProductionUnit),
    ("produktionsenhed", Other::ProductionUnit),
    ("produktionsenheds", Other::ProductionUnit),
    ("tlf", Other::Any),
    ("telefon", Other::Any),
    ("mobil", Other::Any),
    ("mobiltelefon", Other::Any),
    ("mobiltlf", Other::Any),
    ("phone", Other::Any),
    ("unix", Other::Any),
    ("unixtid", Other::Any),
    ("unix-tid", Other::Any),
    ("unixtime", Other::Any),
    ("unix-time", Other::Any),
    ("epoch", Other::Any),
    ("timestamp", Other::Any),
    ("tidsstempel", Other::Any),
    ("konto", Other::Any),
    ("faktura", Other::Any),
    ("ordre", Other::Any),
    ("binær", Other::Any),
    ("binært", Other::Any),
    ("binære", Other::Any),
    ("binærtal", Other::Any),
    ("binærtallet", Other::Any),
    ("binary", Other::Any),
    ("ean", Other::Any),
    ("cvr", Other::Any),
];
/// What may end a word that says what a number is.
const ENDINGS: [&str; 6] = ["nr", "nummer", "-nr", "-nummer", "number", "no"];

impl Said {
    /// What the words before a number say, of which `before` is the text.
    pub(super) fn by_words_before(before: &str) -> Self {
        let nearest = words(before).take(WORDS);
        nearest
            .map(|word| Self::by_word(&word))
            .find(|said| *said != Self::Nothing)
            .unwrap_or(Self::Nothing)
    }

    /// What the word says that a number is written together with: `cpr0102031234`. Only a CPR number
    /// is told so; any other word makes the number part of a code.
    pub(super) fn by_word_joined_to(before: &str) -> Self {
        match words(before).next() {
            Some(word) if Self::by_word(&word) == Self::Cpr || word.ends_with("cpr") => Self::Cpr,
            Some(_) | None => Self::Nothing,
        }
    }

    fn by_word(word: &str) -> Self {
        if CPR.iter().any(|beginning| word.starts_with(beginning)) {
            return Self::Cpr;
        }
        OTHERS
            .iter()
            .find(|(name, _)| is_called(word, name))
            .map_or(Self::Nothing, |(_, other)| Self::Another(*other))
    }
}

/// Whether a word is this name, or the name with an ending that says "number". A name of one letter
/// needs such an ending.
fn is_called(word: &str, name: &str) -> bool {
    match word.strip_prefix(name) {
        Some("") => name.len() > 1,
        Some(ending) => ENDINGS.contains(&ending),
        None => false,
    }
}

/// The words at the end of a text in small letters, the last first.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut from = text.len().saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\u{2010}' | '\u{2011}');
    text.get(from..)
        .unwrap_or_default()
        .rsplit(move |c| !inside(c))
        .map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .map(|word| word.replace(['\u{2010}', '\u{2011}'], "-"))
        .filter(|word| !word.is_empty())
}
