use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A calendar day in Copenhagen, as the number `YYYYMMDD`: sorting the numbers sorts the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(u32);

/// A calendar month in Copenhagen, as the number of months since the beginning of year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(u32);

impl Day {
    /// The day in Copenhagen on which an instant falls.
    pub fn of(instant: Timestamp) -> Self {
        instant.day_in_denmark().into()
    }

    /// The day with this number.
    pub(crate) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The day's number: `YYYYMMDD`.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The month that the day belongs to.
    pub const fn month(self) -> Month {
        Month(self.0 / 10_000 * 12 + (self.0 / 100 % 100).saturating_sub(1))
    }
}

impl From<Date> for Day {
    /// Every day before year 0 counts as one of year 0: no record is as old as that.
    fn from(date: Date) -> Self {
        let part = |number: i8| u32::from(number.unsigned_abs());
        let year = u32::try_from(date.year()).unwrap_or(0);
        Self(year * 10_000 + part(date.month()) * 100 + part(date.day()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Month {
    /// The month that lies `months` months before this one.
    #[must_use]
    pub const fn earlier(self, months: u32) -> Self {
        Self(self.0.saturating_sub(months))
    }
}

/// Finds the day of an instant and remembers the last answer, because many events in a row fall on
/// the same day.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// The last answer. The number says for which quarter of an hour since 1970 it holds.
    last: Option<(u64, Day)>,
}

impl Calendar {
    /// A day ends, and clocks change, at the end of a whole quarter of an hour (in nanoseconds).
    const QUARTER: u64 = 900 * NANOS_PER_SECOND;

    /// The day in Copenhagen on which an instant falls.
    pub(crate) fn day(&mut self, instant: Timestamp) -> Day {
        let quarter = instant.nanos() / Self::QUARTER;
        match self.last {
            Some((known, day)) if known == quarter => day,
            _ => {
                let day = Day::of(instant);
                self.last = Some((quarter, day));
                day
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        let instant: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_nanos(u64::try_from(instant.as_nanosecond()).unwrap())
    }

    #[test]
    fn a_day_ends_at_midnight_in_copenhagen_in_winter_in_summer_and_when_the_clocks_change() {
        for (last_of, day, next) in [
            ("2026-01-15T22:59:59.999999999Z", "2026-01-15", "2026-01-16"),
            ("2026-06-30T21:59:59.999999999Z", "2026-06-30", "2026-07-01"),
            ("2026-03-28T22:59:59.999999999Z", "2026-03-28", "2026-03-29"),
            ("2026-03-29T21:59:59.999999999Z", "2026-03-29", "2026-03-30"),
            ("2026-10-24T21:59:59.999999999Z", "2026-10-24", "2026-10-25"),
            ("2026-10-25T22:59:59.999999999Z", "2026-10-25", "2026-10-26"),
            ("2026-12-31T22:59:59.999999999Z", "2026-12-31", "2027-01-01"),
        ] {
            let last = instant(last_of);
            let mut calendar = Calendar::default();
            for _ in 0..2 {
                assert_eq!(calendar.day(last).to_string(), day);
                assert_eq!(calendar.day(last.plus(1)).to_string(), next);
            }
        }
    }

    #[test]
    fn days_and_months_are_in_order_and_a_month_is_found_from_either() {
        let day = |text: &str| Day::from(text.parse::<Date>().unwrap());
        assert!(day("2026-12-31") < day("2027-01-01"));
        assert_eq!(
            day("2027-01-01").month().earlier(1),
            day("2026-12-31").month()
        );
        assert_eq!(
            day("2027-01-31").month().earlier(13),
            day("2025-12-01").month()
        );
        assert_ne!(day("2026-11-30").month(), day("2026-12-01").month());
    }
}
