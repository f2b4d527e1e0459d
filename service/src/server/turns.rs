//! The turns of those who read events for clients.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::wire::Failure;

/// How many chunks of events are read and opened at once. However many clients read, doing so for them takes no more
/// threads than these, and those of [`super::together`] for what is new to clients that follow. A client that reads what is
/// recorded may have several of them.
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
