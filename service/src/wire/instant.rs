//! Instants and days.

use jiff::civil::Date;
use planledger_core::time::Timestamp;

/// Writes an instant, to the nanosecond.
pub fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    const SECOND: u64 = 1_000_000_000;
    prost_types::Timestamp {
        // Both fit: 64 bits of nanoseconds are 35 bits of seconds, and the rest is below 10^9.
        seconds: i64::try_from(instant.nanos() / SECOND).unwrap_or(i64::MAX),
        nanos: i32::try_from(instant.nanos() % SECOND).unwrap_or(0),
    }
}

/// Reads an instant of the API. `None` if there is none, or if it is before 1970 or after 2554.
pub fn instant(instant: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    read_timestamp(*instant?)
}

/// Reads an instant of the API. `None` if it is before 1970 or after 2554, or if its nanoseconds
/// are out of range.
pub(super) fn read_timestamp(instant: prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = u64::try_from(instant.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    u64::try_from(instant.seconds)
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
        .map(Timestamp::from_nanos)
}

/// Writes a day as `YYYY-MM-DD`.
pub(super) fn write_date(date: Date) -> String {
    date.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_every_nanosecond_to_the_end_of_their_range() {
        for nanos in [0, 1, 999_999_999, 1_000_000_000, u64::MAX] {
            let instant = Timestamp::from_nanos(nanos);
            assert_eq!(read_timestamp(timestamp(instant)), Some(instant));
        }
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
            let instant = prost_types::Timestamp { seconds, nanos };
            assert_eq!(read_timestamp(instant), None);
        }
    }
}
