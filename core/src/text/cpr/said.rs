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

/// The beginnings of words that say what a number is. `SECURITY.md` lists them.
const BEGINNINGS: [(&str, Said); 22] = [
    ("cpr", Said::Cpr),
    ("personn", Said::Cpr),
    ("person-n", Said::Cpr),
    ("isbn", Said::Another(Other::Isbn)),
    ("p-n", Said::Another(Other::ProductionUnit)),
    ("pnummer", Said::Another(Other::ProductionUnit)),
    ("produktionsenhed", Said::Another(Other::ProductionUnit)),
    ("tlf", Said::Another(Other::Any)),
    ("telefon", Said::Another(Other::Any)),
    ("mobil", Said::Another(Other::Any)),
    ("phone", Said::Another(Other::Any)),
    ("unix", Said::Another(Other::Any)),
    ("epoch", Said::Another(Other::Any)),
    ("timestamp", Said::Another(Other::Any)),
    ("tidsstempel", Said::Another(Other::Any)),
    ("konto", Said::Another(Other::Any)),
    ("faktura", Said::Another(Other::Any)),
    ("ordre", Said::Another(Other::Any)),
    ("binær", Said::Another(Other::Any)),
    ("binary", Said::Another(Other::Any)),
    ("ean", Said::Another(Other::Any)),
    ("cvr", Said::Another(Other::Any)),
];

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
        BEGINNINGS
            .iter()
            .find(|(beginning, _)| word.starts_with(beginning))
            .map_or(Self::Nothing, |(_, said)| *said)
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
