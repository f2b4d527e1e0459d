//! Counts things that may not be more than a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count. It may not exceed the number that it was made with, unless another one is said.
#[derive(Debug, Default)]
pub(super) struct Count {
    now: AtomicUsize,
    most: usize,
}

impl Count {
    pub(super) fn new(most: usize) -> Self {
        let now = AtomicUsize::new(0);
        Self { now, most }
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.now.load(Ordering::Acquire) == 0
    }

    /// One more; the most that there may be if there are as many already.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Counted, usize> {
        self.enter_up_to(self.most)
    }

    /// The same with another number.
    pub(super) fn enter_up_to(self: &Arc<Self>, most: usize) -> Result<Counted, usize> {
        let next = |now: usize| (now < most).then_some(now + 1);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        match self.now.fetch_update(success, failure, next) {
            Ok(_) => Ok(Counted(self.clone())),
            Err(_) => Err(most),
        }
    }
}

/// One of a [`Count`], until it is dropped.
#[derive(Debug)]
pub(super) struct Counted(Arc<Count>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::AcqRel);
    }
}
