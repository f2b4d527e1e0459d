//! Counts the bytes of the requests that wait for the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long the writer waits before it looks again whether the disk has room, at first and at most. Each wait
/// is twice as long as the one before.
pub(crate) const SHORTEST_WAIT: Duration = match cfg!(test) {
    true => Duration::from_millis(20),
    false => Duration::from_secs(1),
};
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Most bytes of requests that wait. One request may always wait, however large it is.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The bytes that wait now.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// How many bytes wait now.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// A place for so many bytes; `None` if too many wait already.
    pub(super) fn enter(&self, bytes: usize) -> Option<Place> {
        let fits = |now: usize| match now {
            0 => Some(bytes),
            now => now.checked_add(bytes).filter(|sum| *sum <= MOST_BYTES),
        };
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.0.fetch_update(success, failure, fits).ok()?;
        Some(Place {
            bytes,
            waiting: self.clone(),
        })
    }
}

/// A place among the bytes that wait, until it is dropped.
pub(super) struct Place {
    bytes: usize,
    waiting: Waiting,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_bytes_wait_than_may_but_one_request_of_any_size_does() {
        let waiting = Waiting::default();
        let large = waiting.enter(MOST_BYTES + 1).unwrap();
        assert!(waiting.enter(1).is_none());
        drop(large);
        let half = waiting.enter(MOST_BYTES / 2).unwrap();
        let other = waiting.enter(MOST_BYTES / 2).unwrap();
        assert!(waiting.enter(1).is_none());
        drop(half);
        assert!(waiting.enter(MOST_BYTES / 2 + 1).is_none());
        assert!(waiting.enter(1).is_some());
        drop(other);
        assert_eq!(waiting.0.load(Ordering::Relaxed), 0);
    }
}
