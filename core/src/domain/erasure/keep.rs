//! From when on and how long something is kept, in the units of the calendar.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// From which day on the time counts for which something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// From the student's last day.
    Departure,
    /// From the last day of the last school year in which the student has a plan; from the last day of
    /// a student who has none.
    LastSchoolYear,
    /// From the later of the two.
    Later,
}

/// The time of a retention class: whoever is to be erased by the class is not before it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionTerm {
    /// From which day on it counts.
    pub start: Start,
    /// How long it is.
    pub keep: Keep,
}

/// How long something is kept: years, months and days of the calendar, at least a day and at most 200
/// years. Written as in `5y`, `18mo`, `10y 6mo` or `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    years: i64,
    months: i64,
    days: i64,
}

/// The text is not a time for which something can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from a day to 200 years, such as 5y, 18mo, 10y 6mo or 90d")]
pub struct KeepError;

const MOST_YEARS: i64 = 200;
const MOST_DAYS: i64 = MOST_YEARS * 366;

impl Keep {
    /// The last day on which it is kept, if it counts from a day. `None` if the calendar ends before.
    /// From 29 February, years lead to 28 February where there is no other: no day is skipped, and none
    /// is counted twice.
    pub fn end(self, from: Date) -> Option<Date> {
        from.checked_add(self.span()?).ok()
    }

    fn span(self) -> Option<Span> {
        let span = Span::new().try_years(self.years).ok()?;
        span.try_months(self.months).ok()?.try_days(self.days).ok()
    }
}

impl FromStr for Keep {
    type Err = KeepError;

    fn from_str(text: &str) -> Result<Self, KeepError> {
        let span: Span = text.parse().map_err(|_| KeepError)?;
        let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let of_days = span
            .hours(0)
            .minutes(0)
            .seconds(0)
            .milliseconds(0)
            .microseconds(0)
            .nanoseconds(0);
        let whole = of_days.fieldwise() == span.fieldwise();
        let bounded = (0..=MOST_YEARS).contains(&years)
            && (0..=MOST_YEARS * 12).contains(&months)
            && (0..=MOST_DAYS).contains(&days);
        match whole && bounded && years + months + days > 0 {
            true => Ok(Self {
                years,
                months,
                days,
            }),
            false => Err(KeepError),
        }
    }
}

/// As it is written: `10y 6mo`.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.years, "y"), (self.months, "mo"), (self.days, "d")];
        let mut parts = parts.into_iter().filter(|(count, _)| *count > 0);
        if let Some((count, unit)) = parts.next() {
            write!(f, "{count}{unit}")?;
        }
        parts.try_for_each(|(count, unit)| write!(f, " {count}{unit}"))
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(keep: &str, from: &str) -> String {
        let keep: Keep = keep.parse().unwrap();
        keep.end(from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_calendar_says_when_a_term_ends() {
        for (keep, from, until) in [
            ("5y", "2019-06-28", "2024-06-28"),
            ("1y", "2024-02-29", "2025-02-28"),
            ("4y", "2024-02-29", "2028-02-29"),
            ("1mo", "2025-01-31", "2025-02-28"),
            ("1y 1mo", "2023-01-31", "2024-02-29"),
            ("18 months", "2025-08-31", "2027-02-28"),
            ("2w", "2025-12-24", "2026-01-07"),
            ("P10Y", "2020-01-01", "2030-01-01"),
            ("1d", "2025-03-30", "2025-03-31"),
        ] {
            assert_eq!(end(keep, from), until, "{keep} from {from}");
        }
    }

    #[test]
    fn what_is_no_time_of_the_calendar_is_refused() {
        for text in [
            "", "5", "0y", "0d", "-5y", "5y ago", "12h", "5y 1s", "201y", "2401mo", "always",
        ] {
            assert_eq!(text.parse::<Keep>(), Err(KeepError), "{text}");
        }
    }

    #[test]
    fn it_is_shown_as_it_can_be_written() {
        for (text, shown) in [("P5Y6M", "5y 6mo"), ("2w", "14d"), ("1y 90d", "1y 90d")] {
            let keep: Keep = text.parse().unwrap();
            assert_eq!(keep.to_string(), shown);
            assert_eq!(shown.parse(), Ok(keep));
        }
    }

    #[test]
    fn a_term_that_the_calendar_does_not_hold_has_no_end() {
        let keep: Keep = "200y".parse().unwrap();
        assert_eq!(keep.end(Date::MAX), None);
    }
}
