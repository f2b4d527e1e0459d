//! Days that are not written as 2026-08-10, in the columns that hold days.
//!
//! - A time of day after the day is left out: `2026-08-10T00:00:00.000Z` is 10 August 2026. The day as
//!   it is written counts; it is not moved to another time zone.
//! - `8/10/2026` is read only if the whole column leaves no doubt whether the month or the day comes
//!   first. A number above 12 in one of the two places, in any row, says so. This takes a pass of its own
//!   over the table, which only a table with such days costs.

use std::collections::BTreeMap;
use std::io;

use csv::ByteRecord;
use jiff::civil::Date;

use super::form::Reader;
use super::header::Header;
use super::layout::Column;
use super::table::ROW_LIMIT;
use crate::import::fault::{FaultCode, Problem};

impl Column {
    /// Whether it holds days.
    pub(crate) fn holds_days(self) -> bool {
        self.header().ends_with("Date")
    }
}

/// A day as somebody wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    numbers: Numbers,
    time: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// The year comes first.
    Day(Date),
    /// Two numbers and the year.
    Two(i8, i8, i16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    None,
    Midnight,
    Other,
}

/// What all cells of a column say together.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    year_first: u64,
    /// Only the month can be the first number, or only the day can be.
    month_first: u64,
    day_first: u64,
    timed: u64,
    other_than_midnight: u64,
}

/// Which of the two numbers is the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    MonthFirst,
    DayFirst,
}

impl Seen {
    fn add(&mut self, written: Written) {
        match written.numbers {
            Numbers::Day(_) => self.year_first += 1,
            Numbers::Two(first, second, _) => {
                self.day_first += u64::from(first > 12);
                self.month_first += u64::from(second > 12);
            }
        }
        self.timed += u64::from(written.time != Time::None);
        self.other_than_midnight += u64::from(written.time == Time::Other);
    }

    fn order(&self) -> Option<Order> {
        match (self.month_first, self.day_first) {
            (1.., 0) => Some(Order::MonthFirst),
            (0, 1..) => Some(Order::DayFirst),
            _ => None,
        }
    }
}

/// How the days of a table are written, by column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    columns: BTreeMap<&'static str, Seen>,
}

/// What a cell says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// This day.
    Day(Date),
    /// No day, or one that does not exist.
    None,
    /// One of two days, and the column does not say which.
    Doubt,
}

impl Days {
    /// Reads a table to its end.
    pub(super) fn find<R: io::Read>(mut reader: Reader<R>, header: &Header) -> io::Result<Self> {
        let columns: Vec<_> = places(header).collect();
        let mut days = Self::default();
        let mut record = ByteRecord::new();
        loop {
            reader.get_mut().allow_row(ROW_LIMIT);
            match reader.read_byte_record(&mut record) {
                Ok(false) => return Ok(days),
                Ok(true) => {}
                Err(error) => {
                    return Err(match error.into_kind() {
                        csv::ErrorKind::Io(error) => error,
                        _ => io::ErrorKind::InvalidData.into(),
                    });
                }
            }
            for (column, place) in &columns {
                let cell = record.get(*place).unwrap_or_default();
                let written = std::str::from_utf8(cell).ok().and_then(parse);
                if let Some(written) = written {
                    days.columns
                        .entry(column.header())
                        .or_default()
                        .add(written);
                }
            }
        }
    }

    /// The day in a cell of a column.
    pub(super) fn read(&self, column: Column, text: &str) -> Reading {
        let Some(written) = parse(text) else {
            return Reading::None;
        };
        let seen = self
            .columns
            .get(column.header())
            .copied()
            .unwrap_or_default();
        let (first, second, year) = match written.numbers {
            Numbers::Day(day) => return Reading::Day(day),
            Numbers::Two(first, second, year) => (first, second, year),
        };
        let (month, day) = match seen.order() {
            Some(Order::MonthFirst) => (first, second),
            Some(Order::DayFirst) => (second, first),
            // Among days that are right, one that is wrong is wrong by itself.
            None if seen.year_first > 0 => return Reading::None,
            None => return Reading::Doubt,
        };
        Date::new(year, month, day).map_or(Reading::None, Reading::Day)
    }

    /// What people should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (column, seen) in &self.columns {
            let order = match seen.order() {
                Some(Order::MonthFirst) => Some("month/day/year"),
                Some(Order::DayFirst) => Some("day/month/year"),
                None => None,
            };
            notes.extend(order.map(|order| format!("{column} read as {order}")));
            if seen.other_than_midnight > 0 {
                notes.push(format!(
                    "{column} holds times of day, some of them not midnight; the day as it is \
                     written counts"
                ));
            } else if seen.timed > 0 {
                notes.push(format!("{column} holds times of day, which are left out"));
            }
        }
        notes
    }
}

/// Where the columns that hold days stand.
pub(super) fn places(header: &Header) -> impl Iterator<Item = (Column, usize)> {
    let columns = header.layout().columns.iter().copied();
    let columns = columns.filter(|column| column.holds_days());
    columns.filter_map(|column| Some((column, header.place(column)?)))
}

/// Whether a cell is empty or written as 2026-08-10.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.is_empty() || (text.len() == 10 && text.bytes().enumerate().all(plain))
}

/// The problem of a column whose days can be read in two ways.
pub(super) fn doubt() -> Problem {
    FaultCode::DatesAmbiguous.into()
}

fn parse(text: &str) -> Option<Written> {
    let text = text.trim();
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let time = match rest.get(1..) {
        None => Time::None,
        Some(time) => parse_time(time.trim())?,
    };
    let numbers = parse_numbers(day)?;
    Some(Written { numbers, time })
}

fn parse_numbers(text: &str) -> Option<Numbers> {
    let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_compact {
        let (year, month, day) = (text.get(..4)?, text.get(4..6)?, text.get(6..)?);
        return date(year, month, day).map(Numbers::Day);
    }
    let separator = text.chars().find(|character| !character.is_ascii_digit())?;
    if !matches!(separator, '/' | '-' | '.') {
        return None;
    }
    let parts: Vec<&str> = text.splitn(4, separator).collect();
    let [first, second, third] = parts.try_into().ok()?;
    let is_short = |part: &str| matches!(part.len(), 1 | 2) && is_number(part);
    match (first.len(), third.len()) {
        (4, _) if is_short(second) && is_short(third) => {
            date(first, second, third).map(Numbers::Day)
        }
        (_, 4) if is_short(first) && is_short(second) && is_number(third) => Some(Numbers::Two(
            first.parse().ok()?,
            second.parse().ok()?,
            third.parse().ok()?,
        )),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    if !is_number(year) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `00:00`, `00:00:00.000Z`, `12:00:00 AM`, `00:00:00+02:00`.
fn parse_time(text: &str) -> Option<Time> {
    let text = text.to_ascii_uppercase();
    let (text, half) = match text.strip_suffix("AM").or(text.strip_suffix("PM")) {
        Some(clock) => (clock.trim_end(), text.get(clock.len()..)),
        None => (text.as_str(), None),
    };
    let text = match text.strip_suffix('Z') {
        Some(clock) => clock,
        None => text.split(['+', '-']).next().unwrap_or_default(),
    };
    let parts: Vec<&str> = text.split([':', '.', ',']).collect();
    let (hour, rest) = parts.split_first()?;
    if !(1..=3).contains(&rest.len())
        || parts.iter().any(|part| part.is_empty() || !is_number(part))
    {
        return None;
    }
    let hour: u8 = hour.parse().ok()?;
    let is_zero = |part: &&str| part.bytes().all(|byte| byte == b'0');
    let at_start = match half {
        Some("AM") => hour == 12,
        Some(_) => false,
        None => hour == 0,
    };
    Some(match at_start && rest.iter().all(is_zero) {
        true => Time::Midnight,
        false => Time::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<(String, bool)> {
        let written = parse(text)?;
        let text = match written.numbers {
            Numbers::Day(day) => day.to_string(),
            Numbers::Two(first, second, year) => format!("{first}|{second}|{year}"),
        };
        Some((text, written.time == Time::Other))
    }

    #[test]
    fn a_day_is_read_with_and_without_a_time() {
        for (text, expected) in [
            ("2026-08-10", "2026-08-10"),
            ("2026-8-1", "2026-08-01"),
            ("2026/08/10", "2026-08-10"),
            ("20260810", "2026-08-10"),
            ("2026-08-10T00:00:00.000Z", "2026-08-10"),
            ("2026-08-10T00:00:00+02:00", "2026-08-10"),
            ("2026-08-10T00:00:00-0200", "2026-08-10"),
            ("2026-08-10 00:00", "2026-08-10"),
            ("8/10/2026", "8|10|2026"),
            ("08-10-2026", "8|10|2026"),
            ("8/10/2026 12:00:00 AM", "8|10|2026"),
        ] {
            assert_eq!(day(text), Some((expected.to_owned(), false)), "{text}");
        }
        let late = Some(("2026-08-09".to_owned(), true));
        assert_eq!(day("2026-08-09T22:00:00Z"), late);
        assert_eq!(day("2026-08-09 12:00:00 PM"), late);
    }

    #[test]
    fn what_is_no_day_is_not_read() {
        for text in [
            "",
            "i går",
            "8/10/26",
            "2026-02-30",
            "2026-08",
            "8/10-2026",
            "2026-08-10T",
            "1/2/3/2026",
            "2026-08-10Tnoon",
            "2026-08-10 kl. 8",
            "+026-08-10",
            "8//2026",
            "46244",
            "æ/ø/2026",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
