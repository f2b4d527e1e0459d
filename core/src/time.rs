//! Instants. Core never reads a clock: time comes in through [`Clock`].

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Denmark's clock as a fixed rule instead of a table, so that derived state never depends on the
/// tables of a machine. The rule has held since 1996, which is before any ledger.
static COPENHAGEN: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));

/// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds. Runs to the year 2554.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The instant this many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The instant `nanos` later.
    #[must_use]
    pub const fn plus(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// The calendar day in Copenhagen on which the instant falls.
    pub fn day_in_denmark(self) -> Date {
        // jiff can hold every `u64` of nanoseconds.
        let instant = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        COPENHAGEN.to_datetime(instant).date()
    }

    /// The calendar month in Copenhagen in which the instant falls: year and month.
    pub fn month_in_denmark(self) -> (i16, i8) {
        let day = self.day_in_denmark();
        (day.year(), day.month())
    }

    /// The first nanosecond of a calendar day in Copenhagen. A day that began before 1970 has none;
    /// for such a day the answer is the first instant there is.
    pub fn start_of_day_in_denmark(day: Date) -> Self {
        match day.yesterday() {
            Ok(before) if before.year() >= 1970 => Self::last_of_day_in_denmark(before).plus(1),
            Ok(_) | Err(_) => Self::default(),
        }
    }

    /// The last nanosecond of a calendar day in Copenhagen. A day that ends before 1970 has none;
    /// for such a day the answer is the first instant there is.
    pub fn last_of_day_in_denmark(day: Date) -> Self {
        let midnight = |day: Date| COPENHAGEN.to_timestamp(day.to_datetime(Time::midnight()));
        let next = day.tomorrow().and_then(midnight);
        match next {
            Ok(next) => {
                let nanos = next.as_nanosecond() - 1;
                Self(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
            }
            Err(_) => Self(u64::MAX),
        }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(instant) => instant.fmt(f),
            Err(_) => write!(f, "{} ns after the epoch", self.0),
        }
    }
}

/// Tells the time. The ledger keeps `recorded_at` strictly increasing whatever this answers. A
/// closure will do.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

impl<F> Clock for F
where
    F: Fn() -> Timestamp + Send + Sync + 'static,
{
    fn now(&self) -> Timestamp {
        self()
    }
}

/// Fills buffers with unpredictable bytes: keys, nonces, ids. A closure will do.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes`. An error means that the source failed and nothing may be sealed.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

impl<F> Entropy for F
where
    F: Fn(&mut [u8]) -> std::io::Result<()> + Send + Sync + 'static,
{
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_last_instant_of_a_day_is_of_that_day_and_the_next_of_the_next() {
        let mut day = date(2026, 1, 1);
        while day < date(2027, 1, 1) {
            let last = Timestamp::last_of_day_in_denmark(day);
            assert_eq!(last.day_in_denmark(), day);
            assert_eq!(last.plus(1).day_in_denmark(), day + 1.day());
            day += 1.day();
        }
        let first = Timestamp::from_nanos(0);
        assert_eq!(Timestamp::last_of_day_in_denmark(date(1200, 5, 1)), first);
        let end = Timestamp::from_nanos(u64::MAX);
        assert_eq!(Timestamp::last_of_day_in_denmark(Date::MAX), end);
    }
}
