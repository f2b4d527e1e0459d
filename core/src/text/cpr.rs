//! CPR numbers: the numbers of Denmark's civil registration, DDMMYY and four digits. They are never
//! stored. What counts as one depends on where the text stands. `SECURITY.md` says exactly what is
//! caught and what is not; its table is the test of this module.

mod chars;
mod date;
mod quick;
mod said;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;

use std::ops::Range;

use uuid::Uuid;

use self::chars::Char;
use self::date::Birth;
use self::said::Said;

/// Where a text stands. This decides which ways of writing a CPR number are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CprContext {
    /// What somebody writes, or is called, and the ids of persons: every way in which a person
    /// would read a CPR number.
    PersonText,
    /// The number or code of an institution, team or course. Production unit numbers
    /// (*P-numre*) have ten digits too, so only `DDMMYY-NNNN` counts.
    OrganisationId,
    /// What was published, such as a catalogue of goals. It is about nobody, and whoever imports it
    /// cannot change it, so only `DDMMYY-NNNN` counts.
    Published,
}

/// Digits of a CPR number.
const SHORT: usize = 10;
/// Digits of a CPR number whose year has four.
const LONG: usize = 12;

/// Whether a text holds a CPR number. Takes time linear in its length, and allocates nothing unless
/// it has found digits that could be one.
pub fn contains_cpr(value: &str, context: CprContext) -> bool {
    has_digits_enough(value.as_bytes())
        && verdict_at_once(value, context).unwrap_or_else(|| Scan::new(value, context).finds())
}

/// The verdict of [`Scan`] on texts that rosters are full of: ids that are a UUID and nothing else, and
/// ids of organisations in ASCII. `None` if the text has to be read.
fn verdict_at_once(text: &str, context: CprContext) -> Option<bool> {
    match context {
        CprContext::PersonText => quick::lone_uuid(text).map(|uuid| {
            let mut last = text.bytes().rev().take(LONG);
            last.all(|byte| byte.is_ascii_digit()) && made_of_cpr(&uuid)
        }),
        CprContext::OrganisationId | CprContext::Published => {
            let cannot = text.is_ascii() && !quick::has_dashed_digits(text.as_bytes());
            cannot.then_some(false)
        }
    }
}

/// Whether a UUID in a text was made of a CPR number: it is [`made_up_of_cpr`], or its last group is `00`
/// and a CPR number, although the rest may be random. One random UUID in 1,110,000 looks so by chance.
fn made_of_cpr(uuid: &Uuid) -> bool {
    let nibbles = nibbles(uuid);
    let (before, last) = nibbles.split_at(nibbles.len() - SHORT);
    // Others than random ones come from hashes, clocks and network cards, which nobody chooses.
    let is_random = uuid.get_version_num() == 4 && is_of_standard(uuid);
    made_up_of_cpr(uuid)
        || (is_random
            && before.ends_with(&[0, 0])
            && is_varied(last)
            && Birth::read_usual(last).is_some())
}

/// Whether a UUID was made up of a CPR number: its last ten digits are one, and what stands before them
/// is no UUID's. Of random UUIDs fewer than one in a billion look so. Ids of the API are asked this and
/// no more: clients make millions of random ones, and each has to be taken.
pub(crate) fn made_up_of_cpr(uuid: &Uuid) -> bool {
    const MOST_DIFFERENT: u32 = 6;
    let nibbles = nibbles(uuid);
    let (before, last) = nibbles.split_at(nibbles.len() - SHORT);
    is_varied(last)
        && (!is_of_standard(uuid) || different(before) <= MOST_DIFFERENT)
        && Birth::read(last).is_some_and(|birth| birth.may_be_in_ledger(last))
}

/// Whether a UUID has a version and variant of RFC 9562.
fn is_of_standard(uuid: &Uuid) -> bool {
    (1..=8).contains(&uuid.get_version_num()) && uuid.get_variant() == uuid::Variant::RFC4122
}

/// Whether these are digits, and not repeated ones, such as `1111…`, which somebody makes up who writes
/// an example.
fn is_varied(nibbles: &[u8]) -> bool {
    const LEAST_DIFFERENT: u32 = 3;
    nibbles.iter().all(|nibble| *nibble <= 9) && different(nibbles) >= LEAST_DIFFERENT
}

fn different(nibbles: &[u8]) -> u32 {
    let seen = nibbles.iter().fold(0u16, |seen, nibble| seen | 1 << nibble);
    seen.count_ones()
}

fn nibbles(uuid: &Uuid) -> [u8; 32] {
    let mut nibbles = [0; 32];
    for (pair, byte) in nibbles.chunks_exact_mut(2).zip(uuid.as_bytes()) {
        pair.copy_from_slice(&[byte >> 4, byte & 15]);
    }
    nibbles
}

/// Looks at bytes alone, so that nearly every text is done with after this.
fn has_digits_enough(bytes: &[u8]) -> bool {
    let possible = |byte: &u8| may_begin_digit(*byte);
    bytes.len() >= SHORT && bytes.iter().filter(|byte| possible(byte)).count() >= SHORT
}

/// Whether a digit may begin with a byte. A digit of another script begins with a byte from 0xD9 on,
/// or is a superscript, which begins with 0xC2.
const fn may_begin_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte >= 0xd9 || byte == 0xc2
}

/// What stands between a digit and the digit before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// Nothing that is seen.
    None,
    /// Separators: [`chars::DASH`], [`chars::BLANK`] and [`chars::MARK`], those that there are.
    Separators(u8),
    /// Something else, so that a run of digits begins here.
    Begins(Before),
}

/// What stands directly before a run of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// A letter: the digits are part of a code.
    Letter,
    /// A plus: an international telephone number.
    Plus,
    /// Anything else.
    Other,
}

impl Before {
    fn of(c: char) -> Self {
        match c {
            '+' => Self::Plus,
            _ if c.is_alphanumeric() => Self::Letter,
            _ => Self::Other,
        }
    }
}

/// What stands directly after a group of digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Letter,
    Separator,
    Other,
}

#[derive(Clone, Copy)]
struct Digit {
    value: u8,
    /// Its first byte in the text. No text is so long that this is too short.
    at: u32,
    gap: Gap,
}

/// Reads a text once, and remembers the last digits of the run of digits and separators that it is
/// in.
struct Scan<'a> {
    text: &'a str,
    context: CprContext,
    /// The last digits, oldest first. Only those of the present run count.
    last: [Digit; LONG],
    /// How many digits the present run has.
    length: usize,
    /// The separators since the last digit.
    separators: u8,
    before: Before,
}

impl<'a> Scan<'a> {
    const fn new(text: &'a str, context: CprContext) -> Self {
        const NO_DIGIT: Digit = Digit {
            value: 0,
            at: 0,
            gap: Gap::None,
        };
        Self {
            text,
            context,
            last: [NO_DIGIT; LONG],
            length: 0,
            separators: 0,
            before: Before::Other,
        }
    }

    fn finds(mut self) -> bool {
        let mut at = 0;
        while let Some(c) = self.next(&mut at) {
            let found = match Char::of(c) {
                Char::Unseen => false,
                Char::Digit(value) => {
                    self.digit(value, at);
                    false
                }
                Char::Separator(kind) => {
                    let found = self.separators == 0 && self.group_ends(After::Separator);
                    self.separators |= kind;
                    self.before = Before::Other;
                    found
                }
                Char::Other => self.run_ends(c),
            };
            if found {
                return true;
            }
            at += c.len_utf8();
        }
        self.ends(After::Other)
    }

    /// The character at a place. Outside of a run of digits the place moves on to the next byte that
    /// may begin a digit.
    fn next(&mut self, at: &mut usize) -> Option<char> {
        let rest = self.text.as_bytes().get(*at..)?;
        if self.length == 0 {
            let skipped = rest.iter().position(|byte| may_begin_digit(*byte))?;
            let skipped = self.text.get(*at..*at + skipped)?;
            *at += skipped.len();
            let mut seen = skipped.chars().rev();
            if let Some(c) = seen.find(|c| Char::of(*c) != Char::Unseen) {
                self.before = Before::of(c);
            }
        }
        self.text.get(*at..)?.chars().next()
    }

    fn digit(&mut self, value: u8, at: usize) {
        let gap = match (self.length, self.separators) {
            (0, _) => Gap::Begins(self.before),
            (_, 0) => Gap::None,
            (_, separators) => Gap::Separators(separators),
        };
        self.last.copy_within(1.., 0);
        if let Some(last) = self.last.last_mut() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            *last = Digit { value, at, gap };
        }
        self.length += 1;
        self.separators = 0;
    }

    fn run_ends(&mut self, by: char) -> bool {
        let before = Before::of(by);
        let after = match before {
            Before::Letter => After::Letter,
            Before::Plus | Before::Other => After::Other,
        };
        let found = self.ends(after);
        (self.length, self.separators, self.before) = (0, 0, before);
        found
    }

    /// Whether what ends here is a CPR number: the last group if it is not closed yet, or the run.
    fn ends(&self, after: After) -> bool {
        let after = match self.separators {
            0 => after,
            _ => After::Other,
        };
        (self.separators == 0 && self.group_ends(after)) || self.is_cpr_by_itself(after)
    }

    /// Whether the digits up to here are a CPR number in one of the usual forms, whatever other
    /// numbers stand beside it.
    fn group_ends(&self, after: After) -> bool {
        if self.length < SHORT {
            return false;
        }
        [SHORT, LONG].into_iter().any(|count| {
            self.candidate(count, after)
                .is_some_and(|found| found.is_usual() && found.is_cpr())
        }) || self.ends_in_uuid_of_cpr()
    }

    /// Whether all digits of the run are a CPR number, however they are divided.
    fn is_cpr_by_itself(&self, after: After) -> bool {
        self.candidate(self.length, after)
            .is_some_and(|found| found.is_cpr())
    }

    /// The last `count` digits, if they are as many as a CPR number has and begin with a group.
    fn candidate(&self, count: usize, after: After) -> Option<Candidate<'_>> {
        if !matches!(count, SHORT | LONG) || self.length < count {
            return None;
        }
        let digits = self.last.get(LONG - count..)?;
        let first = digits.first().filter(|digit| digit.gap != Gap::None)?;
        Some(Candidate {
            digits,
            before: match first.gap {
                Gap::Begins(before) => before,
                Gap::None | Gap::Separators(_) => Before::Other,
            },
            after,
            text: self.text.get(..first.at as usize).unwrap_or_default(),
            whole: self.text,
            context: self.context,
        })
    }

    fn ends_in_uuid_of_cpr(&self) -> bool {
        const BEFORE: usize = 24;
        if self.context != CprContext::PersonText || self.length < LONG {
            return false;
        }
        let Some(first) = self.last.first() else {
            return false;
        };
        let rest_is_joined = self.last.iter().skip(1).all(|digit| digit.gap == Gap::None);
        let at = first.at as usize;
        let place = at.checked_sub(BEFORE).zip(at.checked_add(LONG));
        rest_is_joined
            && place
                .and_then(|(from, to)| self.text.get(from..to))
                .and_then(|text| Uuid::parse_str(text).ok())
                .is_some_and(|uuid| made_of_cpr(&uuid))
    }
}

/// As many digits as a CPR number has, and what stands around them.
struct Candidate<'a> {
    digits: &'a [Digit],
    before: Before,
    after: After,
    /// The text before the first digit.
    text: &'a str,
    /// The whole text.
    whole: &'a str,
    context: CprContext,
}

impl Candidate<'_> {
    /// The separators before the digit with this number, from 0; 0 if there are none.
    fn gap(&self, index: usize) -> u8 {
        match self.digits.get(index).map(|digit| digit.gap) {
            Some(Gap::Separators(kinds)) => kinds,
            Some(Gap::None | Gap::Begins(_)) | None => 0,
        }
    }

    /// Whether the digits are divided here: after the first digit at the places named, and nowhere
    /// else. The place before the last four digits may be divided or not.
    fn is_divided_at(&self, places: &[usize]) -> bool {
        let serial = self.serial();
        (1..self.digits.len())
            .filter(|index| *index != serial)
            .all(|index| (self.gap(index) != 0) == places.contains(&index))
    }

    /// The number of the first of the last four digits.
    const fn serial(&self) -> usize {
        self.digits.len() - 4
    }

    /// Whether date and serial number are written as people do: `DDMMYY`, `DD MM YY`, `DDMMYYYY` or
    /// `DD MM YYYY`, then four digits.
    fn is_usual(&self) -> bool {
        let apart = self.gap(self.serial()) != 0;
        self.is_divided_at(&[2, 4])
            || (self.is_divided_at(&[]) && (apart || self.digits.len() == SHORT))
    }

    /// Whether it is `DDMMYY-NNNN`.
    fn is_dashed(&self) -> bool {
        self.digits.len() == SHORT
            && self.is_divided_at(&[])
            && self.gap(self.serial()) & chars::DASH != 0
    }

    fn is_cpr(&self) -> bool {
        let Some(birth) = self.birth() else {
            return false;
        };
        match self.context {
            CprContext::OrganisationId | CprContext::Published => {
                self.is_dashed() && self.before != Before::Letter
            }
            CprContext::PersonText => self.is_cpr_in_text(birth),
        }
    }

    fn is_cpr_in_text(&self, birth: Birth) -> bool {
        if self.is_part_of_uuid() {
            return false;
        }
        if self.is_dashed() {
            // Whatever stands before it, and also directly after a letter: people read it.
            return true;
        }
        let said = match self.before {
            Before::Letter => Said::by_word_joined_to(self.text),
            Before::Plus | Before::Other => Said::by_words_before(self.text),
        };
        match said {
            Said::Cpr => true,
            _ if self.before == Before::Letter => false,
            _ if self.before == Before::Plus || self.after == After::Letter => false,
            _ if self.is_day_and_more() => false,
            Said::Nothing => self.is_written_as_cpr() || birth.may_be_in_ledger(&self.values()),
            Said::Another(other) => !other.fits(&self.values()),
        }
    }

    /// Whether it stands within a UUID. Of the whole UUID [`made_of_cpr`] decides.
    fn is_part_of_uuid(&self) -> bool {
        const LENGTH: usize = 36;
        /// Where the last group of a UUID begins.
        const LAST: usize = 24;
        (0..=LAST).any(|skipped| {
            let place = self.text.len().checked_sub(skipped);
            let uuid = place.and_then(|from| self.whole.get(from..from + LENGTH));
            uuid.is_some_and(|text| Uuid::parse_str(text).is_ok())
        })
    }

    /// Whether a gap shows which digits are the date and which the serial number.
    fn is_written_as_cpr(&self) -> bool {
        self.is_usual() && self.gap(self.serial()) != 0
    }

    /// Whether it is a day, and then a year or a time of day: `01.02.03 2003`, `01.02.03 13.30`.
    fn is_day_and_more(&self) -> bool {
        let serial = self.serial();
        let (month, year) = (self.gap(2), self.gap(4));
        let is_day = month != 0
            && year != 0
            && (month | year) & chars::BLANK == 0
            && [1, 3, 5].into_iter().all(|index| self.gap(index) == 0)
            && (6..serial).all(|index| self.gap(index) == 0);
        if !is_day || self.gap(serial) != chars::BLANK {
            return false;
        }
        match [1, 2, 3].map(|index| self.gap(serial + index)) {
            [0, 0, 0] => self.ends_in_year(),
            [0, chars::MARK, 0] => {
                self.number(serial..serial + 2) < 24 && self.number(serial + 2..serial + 4) < 60
            }
            _ => false,
        }
    }

    /// Whether the last four digits are a year.
    fn ends_in_year(&self) -> bool {
        (1900..2100).contains(&self.number(self.serial()..self.digits.len()))
    }

    fn number(&self, places: Range<usize>) -> u32 {
        let digits = self.digits.get(places).unwrap_or_default();
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit.value))
    }

    fn values(&self) -> Vec<u8> {
        self.digits.iter().map(|digit| digit.value).collect()
    }

    /// The birth that the number says; `None` if it says none. Between a day with its full year and
    /// four digits a dash says enough, whatever century the seventh digit says.
    fn birth(&self) -> Option<Birth> {
        let values = self.values();
        let is_dashed = self.is_usual() && self.gap(self.serial()) & chars::DASH != 0;
        Birth::read(&values).or_else(|| {
            (is_dashed && values.len() == LONG && !self.ends_in_year())
                .then(|| Birth::read_as_written(&values))?
        })
    }
}
