//! What each character is to somebody who reads a number.

/// A dash of any length, or a minus.
pub(super) const DASH: u8 = 1;
/// A space of any width, or a line break.
pub(super) const BLANK: u8 = 2;
/// A dot, a slash or an underscore, of any shape.
pub(super) const MARK: u8 = 4;

/// What a character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Char {
    /// A decimal digit of any script.
    Digit(u8),
    /// Something that people write between the digits of a number: [`DASH`], [`BLANK`] or
    /// [`MARK`].
    Separator(u8),
    /// Nothing that is seen by itself, so that digits on both sides look as if they stood together.
    Unseen,
    /// A letter, or any other character.
    Other,
}

impl Char {
    pub(super) fn of(c: char) -> Self {
        if c.is_ascii() {
            return match c {
                '0'..='9' => Self::Digit(value(c, '0')),
                '-' => Self::Separator(DASH),
                ' ' | '\t'..='\r' => Self::Separator(BLANK),
                '.' | '/' | '\\' | '_' => Self::Separator(MARK),
                _ => Self::Other,
            };
        }
        if let Some(digit) = digit(c) {
            return Self::Digit(digit);
        }
        match c {
            _ if is_unseen(c) => Self::Unseen,
            _ if is_dash(c) => Self::Separator(DASH),
            _ if c.is_whitespace() || c == '\u{2800}' => Self::Separator(BLANK),
            _ if is_mark(c) => Self::Separator(MARK),
            _ => Self::Other,
        }
    }
}

/// The zeros of every script's decimal digits (general category Nd of Unicode 16.0). The nine
/// characters after each are its digits 1 to 9.
const ZEROS: [char; 70] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{10d40}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{116d0}',
    '\u{116da}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11bf0}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11f50}',
    '\u{16130}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{16d70}',
    '\u{1ccf0}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e5f1}',
    '\u{1e950}',
    '\u{1fbf0}',
];

fn digit(c: char) -> Option<u8> {
    match c {
        '\u{b9}' => return Some(1),
        '\u{b2}' => return Some(2),
        '\u{b3}' => return Some(3),
        '\u{2070}' | '\u{2074}'..='\u{2079}' => return Some(value(c, '\u{2070}')),
        '\u{2080}'..='\u{2089}' => return Some(value(c, '\u{2080}')),
        '\u{24ea}' => return Some(0),
        '\u{2460}'..='\u{2468}' => return Some(value(c, '\u{245f}')),
        // Bold, double-struck and the like: five times ten digits.
        '\u{1d7ce}'..='\u{1d7ff}' => return Some(value(c, '\u{1d7ce}') % 10),
        _ => {}
    }
    // The zero nearest below, if it is less than ten away.
    let place = ZEROS.partition_point(|zero| *zero <= c);
    let zero = ZEROS.get(place.checked_sub(1)?)?;
    Some(value(c, *zero)).filter(|digit| *digit < 10)
}

/// How far a character lies behind another one of the same digits.
fn value(c: char, zero: char) -> u8 {
    u8::try_from(u32::from(c).saturating_sub(u32::from(zero))).unwrap_or(u8::MAX)
}

/// Whether nothing of a character is seen by itself: what Unicode says may be ignored where it cannot
/// be shown, and marks that stand on the character before them.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Dashes (general category Pd), minuses, and what looks like them.
const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{207b}'
                | '\u{208b}'
                | '\u{2212}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{2e40}'
                | '\u{2e5d}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{10d6e}'
                | '\u{10ead}'
                | '\u{2d7}'
    )
}

/// Dots, slashes and underscores.
const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{b7}'
            | '\u{387}'
            | '\u{203f}'
            | '\u{2022}'
            | '\u{2024}'
            | '\u{2027}'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{2219}'
            | '\u{22c5}'
            | '\u{3002}'
            | '\u{30fb}'
            | '\u{fe33}'
            | '\u{fe34}'
            | '\u{fe4d}'
            ..='\u{fe4f}'
                | '\u{fe52}'
                | '\u{fe68}'
                | '\u{ff0e}'
                | '\u{ff0f}'
                | '\u{ff3c}'
                | '\u{ff3f}'
    )
}
