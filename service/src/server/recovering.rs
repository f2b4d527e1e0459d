//! Runs recoveries. Each recovery has one thread, however many callers ask for it or watch it.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::time::Duration;

use planledger_core::domain::recovery::Recovery;
use planledger_core::ids::RecoveryId;
use planledger_core::recovery::{self, Progress};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::api::Api;
use super::auth::Caller;
use super::recoveries::Update;
use crate::wire::Failure;
use crate::wire::ownership::{Run, Undo};

/// The shortest time between two messages about progress.
const PACE: Duration = Duration::from_millis(100);

impl Api {
    /// Continues the recoveries that were interrupted when an earlier process ended.
    pub(super) async fn resume_recoveries(self) {
        let open = self
            .blocking(|ledger| recovery::open(ledger).map_err(Failure::of_reading))
            .await;
        // If the ledger cannot be read, the error was logged already.
        for id in open.into_iter().flatten() {
            tracing::info!(recovery = %id, "an interrupted recovery continues");
            drop(self.run_recovery_to_its_end(id));
        }
    }

    /// Records that a recovery begins. Nothing happens if it began already.
    pub(super) async fn start_recovery(&self, caller: &Caller, asked: Run) -> Result<(), Failure> {
        let who = (caller.actor, asked.on_behalf_of);
        self.blocking(move |ledger| {
            let begun =
                recovery::start(ledger, who, asked.id, &asked.recovery_request, asked.digest);
            begun.map(drop).map_err(Failure::of_recovery)
        })
        .await
    }

    /// Records that a recovery is undone from now on.
    pub(super) async fn start_undo(&self, caller: &Caller, asked: Undo) -> Result<(), Failure> {
        let who = (caller.actor, asked.on_behalf_of);
        self.blocking(move |ledger| {
            let undone = recovery::undo(ledger, who, asked.id, asked.reason);
            undone.map(drop).map_err(Failure::of_recovery)
        })
        .await
    }

    /// Starts a recovery, unless it runs already. The returned receiver reports the progress.
    pub(super) fn run_recovery_to_its_end(&self, id: RecoveryId) -> watch::Receiver<Update> {
        let running = &self.recoveries.running;
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(update) = running.get(&id)
            && update.has_changed().is_ok()
        {
            return update.clone();
        }
        let (tell, update) = watch::channel(Update::Moving(Progress::default()));
        running.insert(id, update.clone());
        let api = self.clone();
        tokio::task::spawn_blocking(move || {
            let result = recovery::run_until(&api.ledger, id, &mut |progress| {
                tell.send_replace(Update::Moving(progress));
                match api.is_stopping() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            let result = result.map(Box::new).map_err(Failure::of_recovery);
            if let Err(failure) = &result {
                tracing::warn!(recovery = %id, %failure, "a recovery stopped before its end; it \
                    continues when the server starts again");
            }
            // Remove the recovery from the list before reporting the end. A caller who asks after
            // that finds the end in the ledger, or starts the recovery again.
            let running = &api.recoveries.running;
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&id);
            tell.send_replace(Update::Ended(result));
        });
        update
    }

    /// The messages to a client that watches a recovery.
    pub(super) fn watch_recovery<T: Send + 'static>(
        &self,
        mut update: watch::Receiver<Update>,
        message: impl Fn(Result<Progress, Box<Recovery>>) -> T + Send + 'static,
    ) -> ReceiverStream<Result<T, tonic::Status>> {
        let (send, messages) = mpsc::channel(1);
        let stopping = self.stopping();
        tokio::spawn(async move {
            tokio::pin!(stopping);
            loop {
                let now = update.borrow_and_update().clone();
                let (told, last) = match now {
                    Update::Moving(progress) => (Ok(message(Ok(progress))), false),
                    Update::Ended(Ok(recovery)) => (Ok(message(Err(recovery))), true),
                    Update::Ended(Err(failure)) => (Err(failure.into()), true),
                };
                // The recovery continues even if the client no longer listens.
                if send.send(told).await.is_err() || last {
                    return;
                }
                let news = async {
                    tokio::time::sleep(PACE).await;
                    update.changed().await
                };
                let failure = tokio::select! {
                    news = news => match news {
                        Ok(()) => continue,
                        Err(_) => Failure::internal(),
                    },
                    () = &mut stopping => Failure::shutting_down(),
                };
                let _ = send.send(Err(failure.into())).await;
                return;
            }
        });
        ReceiverStream::new(messages)
    }
}
