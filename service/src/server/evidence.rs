//! The notary of a ledger, and the witnesses that cosign its checkpoints.

use std::sync::Arc;
use std::time::Duration;

use planledger_core::notary::Notary;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::notary::Witnesses;
use crate::wire::Failure;

/// How long a request waits for others that have a checkpoint cosigned.
const PATIENCE: Duration = Duration::from_secs(30);

/// The notary of a ledger, and the witnesses that cosign its checkpoints.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) notary: Arc<Notary>,
    pub(super) witnesses: Arc<Witnesses>,
    turns: Arc<Semaphore>,
}

impl Evidence {
    pub(super) fn new(notary: Arc<Notary>, witnesses: Arc<Witnesses>) -> Self {
        Self {
            notary,
            witnesses,
            turns: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for the turn to have a checkpoint cosigned. Witnesses take seconds, and only one request
    /// after the other can ask them: the others wait here, where they hold no thread that reads need.
    pub(super) async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        if !self.witnesses.are_asked() {
            return Ok(None);
        }
        let turn = self.turns.clone().acquire_owned();
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            // The first means that it is closed, which nobody does.
            Ok(Err(_)) | Err(_) => Err(Failure::overloaded()),
        }
    }
}
