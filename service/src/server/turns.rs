//! The turns of those who read events for clients.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::wire::Failure;

/// How many times at once events are read or opened; a client that reads what is recorded takes up to three of them. However many clients follow, doing so for them takes
/// no more threads than these.
const TURNS: usize = 8;

/// The turns of readers.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TURNS)))
    }
}

impl Turns {
    /// Waits for one.
    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit, Failure> {
        // It would fail if they were closed, which nobody does.
        let turn = self.0.clone().acquire_owned().await;
        turn.map_err(|_| Failure::shutting_down())
    }
}
