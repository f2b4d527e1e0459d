//! What became of a connection so far, and so how long it may stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Whether somebody has said who they are on a connection, and what goes on there now.
#[derive(Debug)]
pub(in crate::server) struct Standing {
    began: Instant,
    /// Whether a request came whose sender is known.
    known: AtomicBool,
    /// Requests that are worked on or answered now.
    open: AtomicUsize,
    /// When the last one ended, in milliseconds after the beginning.
    rested: AtomicU64,
    eviction: Notify,
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Overdue {
    /// Nobody has said in time who they are.
    Unknown,
    /// Nothing was asked for a long time.
    Idle,
    /// Somebody else gets its place.
    Evicted,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            known: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            rested: AtomicU64::new(0),
            eviction: Notify::new(),
        }
    }
}

impl Standing {
    /// A request came whose sender is known.
    pub(in crate::server) fn identified(&self) {
        self.known.store(true, Ordering::Release);
    }

    pub(in crate::server) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// A request has come.
    pub(in crate::server) fn begin(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::AcqRel);
        Open(self.clone())
    }

    /// For how long nothing was asked; `None` while something is.
    pub(in crate::server) fn idle(&self) -> Option<Duration> {
        if self.open.load(Ordering::Acquire) > 0 {
            return None;
        }
        let rested = Duration::from_millis(self.rested.load(Ordering::Acquire));
        Some(self.began.elapsed().saturating_sub(rested))
    }

    /// Its place is somebody else's from now on.
    pub(super) fn evict(&self) {
        self.eviction.notify_one();
    }

    /// Is ready when it was evicted.
    pub(in crate::server) async fn evicted(&self) {
        self.eviction.notified().await;
    }

    /// Is ready when the connection has to end. `identify` is how long somebody may take to say who
    /// they are, and `idle` how long nothing may be asked after that.
    pub(in crate::server) async fn overdue(&self, identify: Duration, idle: Duration) -> Overdue {
        tokio::select! {
            () = self.evicted() => Overdue::Evicted,
            why = self.outstayed(identify, idle) => why,
        }
    }

    async fn outstayed(&self, identify: Duration, idle: Duration) -> Overdue {
        tokio::time::sleep(identify.saturating_sub(self.began.elapsed())).await;
        if !self.is_known() {
            return Overdue::Unknown;
        }
        loop {
            let left = match self.idle() {
                Some(now) if now >= idle => return Overdue::Idle,
                Some(now) => idle - now,
                None => idle,
            };
            tokio::time::sleep(left.max(Duration::from_millis(1))).await;
        }
    }
}

/// A request that is worked on or answered, until it is dropped.
pub(in crate::server) struct Open(Arc<Standing>);

impl Drop for Open {
    fn drop(&mut self) {
        let passed = self.0.began.elapsed().as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.0.rested.store(passed, Ordering::Release);
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(5);
    const NEVER: Duration = Duration::from_secs(10_000);

    /// Whether a connection may stay at least for a moment.
    async fn stays(standing: &Standing, identify: Duration, idle: Duration) -> bool {
        let overdue = standing.overdue(identify, idle);
        let moment = Duration::from_millis(100);
        tokio::time::timeout(moment, overdue).await.is_err()
    }

    #[tokio::test]
    async fn whoever_does_not_say_who_they_are_has_to_go_whatever_else_they_ask() {
        let standing = Arc::new(Standing::default());
        let _check = standing.begin();
        assert!(stays(&standing, NEVER, SOON).await);
        assert_eq!(standing.overdue(SOON, NEVER).await, Overdue::Unknown);
    }

    #[tokio::test]
    async fn a_known_connection_stays_while_something_is_asked_and_a_while_after_that() {
        let standing = Arc::new(Standing::default());
        let request = standing.begin();
        standing.identified();
        assert!(stays(&standing, SOON, SOON).await);
        assert_eq!(standing.idle(), None);
        drop(request);
        assert!(stays(&standing, SOON, NEVER).await);
        assert_eq!(standing.overdue(SOON, SOON).await, Overdue::Idle);
    }

    #[tokio::test]
    async fn an_evicted_connection_ends_at_once_even_if_nobody_waited_yet() {
        let standing = Arc::new(Standing::default());
        standing.evict();
        assert_eq!(standing.overdue(NEVER, NEVER).await, Overdue::Evicted);
    }
}
