//! Reads the moments that people write: a position, a day or an instant.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use planledger_proto::v1::{AsOf, as_of};

use crate::system::COPENHAGEN;

/// How help texts describe a moment.
pub(super) const HELP: &str = "a position (1234), a day (2026-02-22: its end in Copenhagen) or an \
                               instant (2026-02-22T14:00:00+01:00)";

const DAY: &str = "YYYY-MM-DD";

/// A moment that somebody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// A position.
    Position(u64),
    /// An instant, in nanoseconds since 1970.
    Instant(u64),
}

/// Reads a position, a day or an instant for a command at the directory.
pub(super) fn when(text: &str) -> Result<When, String> {
    Ok(match moment(text)? {
        as_of::Moment::Position(position) => When::Position(position),
        as_of::Moment::Instant(at) => {
            let instant = jiff::Timestamp::new(at.seconds, at.nanos);
            let nanos = instant.map_err(|error| error.to_string())?.as_nanosecond();
            When::Instant(u64::try_from(nanos).map_err(|_| "must be after 1970".to_owned())?)
        }
    })
}

/// Reads a position, a day or an instant. A day means its end in Copenhagen. The machine's own time
/// zone does not matter.
pub(super) fn moment(text: &str) -> Result<as_of::Moment, String> {
    if let Ok(position) = text.parse() {
        return Ok(as_of::Moment::Position(position));
    }
    let wrong = || "must be a position (1234), a day (2026-02-22) or an instant (2026-02-22T14:00:00+01:00)";
    // The library would also read a day from an instant's text and ignore the time. So only a text
    // as long as a day is read as a day.
    let instant = match text.len() == DAY.len() {
        true => end_of(text.parse().map_err(|_| wrong())?)?,
        false => text.parse().map_err(|_| wrong())?,
    };
    Ok(as_of::Moment::Instant(prost_types::Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    }))
}

/// The last nanosecond of a day in Copenhagen.
fn end_of(day: Date) -> Result<jiff::Timestamp, String> {
    let zone = TimeZone::get(COPENHAGEN).map_err(|error| error.to_string())?;
    let next = day.tomorrow().map_err(|error| error.to_string())?;
    let end = next
        .to_zoned_datetime(zone)
        .map_err(|error| error.to_string())?;
    Ok(end.timestamp() - jiff::SignedDuration::from_nanos(1))
}

/// A moment as a message of the API.
pub(super) fn as_of(moment: as_of::Moment) -> AsOf {
    AsOf {
        moment: Some(moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> jiff::Timestamp {
        match moment(text).unwrap() {
            as_of::Moment::Instant(at) => jiff::Timestamp::new(at.seconds, at.nanos).unwrap(),
            as_of::Moment::Position(position) => panic!("{position}"),
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_copenhagen_also_when_the_clocks_change() {
        for (day, end) in [
            ("2021-02-22", "2021-02-22T22:59:59.999999999Z"),
            ("2026-06-30", "2026-06-30T21:59:59.999999999Z"),
            // Clocks go forward: a day of 23 hours, which begins in winter and ends in summer.
            ("2026-03-28", "2026-03-28T22:59:59.999999999Z"),
            ("2026-03-29", "2026-03-29T21:59:59.999999999Z"),
            // Clocks go back: a day of 25 hours.
            ("2026-10-24", "2026-10-24T21:59:59.999999999Z"),
            ("2026-10-25", "2026-10-25T22:59:59.999999999Z"),
            ("2026-12-31", "2026-12-31T22:59:59.999999999Z"),
        ] {
            assert_eq!(instant(day).to_string(), end, "{day}");
        }
        let length = |day: &str, before: &str| instant(day).duration_since(instant(before));
        assert_eq!(length("2026-03-29", "2026-03-28").as_hours(), 23);
        assert_eq!(length("2026-10-25", "2026-10-24").as_hours(), 25);
    }

    #[test]
    fn positions_and_instants_are_taken_as_they_are() {
        assert_eq!(moment("17"), Ok(as_of::Moment::Position(17)));
        let written = "2026-10-25T02:30:00+02:00";
        assert_eq!(instant(written).to_string(), "2026-10-25T00:30:00Z");
        for wrong in [
            "22/2",
            "2026-02-30",
            "2026-10-25T02:30:00",
            "2026-10-25 02:30",
            "-1",
            "",
            "yesterday",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
