//! When the writer makes derived state again, and when it waits.

use std::time::{Duration, Instant};

use super::envelope::Request;
use crate::turns;

/// What the writer remembers about making derived state again.
#[derive(Default)]
pub(super) struct Restoring {
    /// A request that met faulty derived state. It is carried out after derived state has been made
    /// again.
    pub(super) postponed: Option<Request>,
    /// How often derived state was made again since something was last written to the journal.
    pub(super) in_vain: u32,
    /// How long to wait after the next failure; `None` before the first.
    pub(super) pause: Option<Duration>,
    /// Derived state is not made again before this instant, because the last attempt failed.
    pub(super) not_before: Option<Instant>,
}

impl Restoring {
    pub(super) fn put_off(&mut self) {
        let pause = self.pause.unwrap_or(PAUSE);
        self.not_before = Some(turns::now() + pause);
        self.pause = Some((2 * pause).min(LONGEST_PAUSE));
    }
}

/// Derived state is made again this many times without a pause. If it is wrong each time, the cause
/// is somewhere else.
pub(super) const AT_ONCE: u32 = 3;
/// How long to wait after a failure, because of a full disk for example. Each wait is twice as long
/// as the one before.
pub(super) const PAUSE: Duration = match cfg!(test) {
    true => Duration::from_millis(100),
    false => Duration::from_secs(10),
};
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(600);
