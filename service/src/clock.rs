//! The clock of a ledger's instants. What is recorded once with a wrong time stays so, and every later
//! event has a later time. So a clock that is wrong by years is noticed before anything is recorded.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use planledger_core::time::{Clock, Timestamp};
use rustix::time::{ClockId, clock_gettime};

use crate::system::SystemClock;

const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;
/// How far the system's clock may move away from the time that has passed since the start.
const MOST_JUMP: u64 = 30 * DAY;
/// How much later than the newest event the clock may be at the start.
const MOST_LATER: u64 = 400 * DAY;
/// How much earlier than the newest event the clock may be before a warning.
const EARLIER: u64 = DAY;
/// 2025-01-01, before which there was no ledger.
const FIRST: Timestamp = Timestamp::from_nanos(1_735_689_600_000_000_000);
/// 2200-01-01. Instants run to the year 2554, and nobody must come near.
const LAST: Timestamp = Timestamp::from_nanos(7_258_118_400_000_000_000);

/// The clock of a server that runs. A jump of more than 30 days, forward or back, is not followed until
/// the next start: the time that has passed since the start is added to the time at the start.
pub struct LedgerClock {
    started: Timestamp,
    /// How long the machine had run at the start, in nanoseconds.
    ran: u64,
    has_jumped: AtomicBool,
}

/// Why the system's clock cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The clock shows a time at which no ledger runs.
    #[error("the clock of this machine says {0}: set it right, and start again")]
    Impossible(Timestamp),
    /// The clock is much later than the newest event.
    #[error(
        "the clock of this machine says {now}, and the newest event of the ledger is of {newest}, more \
         than 400 days before. If the clock is wrong, set it right: what is recorded with a wrong time \
         keeps it for ever. If nothing was recorded for so long, say so once with --accept-clock"
    )]
    Later {
        /// What the clock says.
        now: Timestamp,
        /// When the newest event was recorded.
        newest: Timestamp,
    },
}

impl LedgerClock {
    /// Starts with what the system's clock says now.
    ///
    /// # Errors
    /// [`ClockError::Impossible`]
    pub fn start() -> Result<Self, ClockError> {
        let started = SystemClock.now();
        match started < FIRST || started > LAST {
            true => Err(ClockError::Impossible(started)),
            false => Ok(Self {
                started,
                ran: running(),
                has_jumped: AtomicBool::new(false),
            }),
        }
    }
}

impl fmt::Debug for LedgerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerClock").field(&self.started).finish()
    }
}

impl Clock for LedgerClock {
    fn now(&self) -> Timestamp {
        let passed = running().saturating_sub(self.ran);
        let wall = SystemClock.now();
        let (now, jumped) = steady(wall, self.started.plus(passed));
        if jumped != self.has_jumped.swap(jumped, Ordering::Relaxed) {
            match jumped {
                true => tracing::error!(
                    clock = %wall, used = %now,
                    "the clock of this machine has jumped by more than 30 days and is not followed; set it \
                     right, or start the server again if it is right now"
                ),
                false => tracing::info!("the clock of this machine is right again"),
            }
        }
        now
    }
}

/// The time to use, and whether the clock has moved away too far from what is expected.
fn steady(wall: Timestamp, expected: Timestamp) -> (Timestamp, bool) {
    match wall.nanos().abs_diff(expected.nanos()) > MOST_JUMP {
        true => (expected, true),
        false => (wall, false),
    }
}

/// How long the machine has run, also while it was suspended, in nanoseconds.
fn running() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Compares the clock with the newest event of a ledger that is opened to record something.
///
/// # Errors
/// [`ClockError::Later`]
pub fn check_after(newest: Timestamp, now: Timestamp) -> Result<(), ClockError> {
    if now > newest.plus(MOST_LATER) {
        return Err(ClockError::Later { now, newest });
    }
    if newest > now.plus(EARLIER) {
        tracing::warn!(
            clock = %now, newest = %newest,
            "the newest event is of a later time than the clock of this machine; until the clock has passed \
             it, each new event gets a time just after the one before"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u64) -> Timestamp {
        FIRST.plus(days * DAY)
    }

    #[test]
    fn the_bounds_are_the_days_that_they_say() {
        assert_eq!(FIRST.to_string(), "2025-01-01T00:00:00Z");
        assert_eq!(LAST.to_string(), "2200-01-01T00:00:00Z");
    }

    #[test]
    fn a_clock_that_jumps_by_months_is_not_followed_and_one_that_is_set_right_is() {
        for (wall, used, jumped) in [
            (at(100), at(100), false),
            (at(129), at(129), false),
            (at(71), at(71), false),
            (at(131), at(100), true),
            (at(69), at(100), true),
            (Timestamp::from_nanos(0), at(100), true),
            (Timestamp::from_nanos(u64::MAX), at(100), true),
        ] {
            assert_eq!(steady(wall, at(100)), (used, jumped), "{wall}");
        }
    }

    #[test]
    fn a_clock_that_is_years_after_the_newest_event_is_refused_at_the_start() {
        assert_eq!(check_after(at(0), at(400)), Ok(()));
        let refused = check_after(at(0), at(401)).unwrap_err();
        assert!(refused.to_string().contains("--accept-clock"), "{refused}");
        // An earlier one only makes new events wait for no longer than they must.
        assert_eq!(check_after(at(900), at(0)), Ok(()));
        assert_eq!(check_after(Timestamp::from_nanos(u64::MAX), at(0)), Ok(()));
    }

    #[test]
    fn it_goes_with_the_clock_of_the_system() {
        let clock = LedgerClock::start().unwrap();
        let (before, now, after) = (SystemClock.now(), clock.now(), SystemClock.now());
        assert!(before <= now && now <= after);
    }
}
