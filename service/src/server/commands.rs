//! Carries out commands.

use std::time::Duration;

use planledger_core::ids::CommandId;
use planledger_core::ledger::{Envelope, ExecuteError, Receipt, Request as Work};
use tokio::sync::oneshot;

use super::api::Api;
use super::auth::{Access, Caller};
use crate::wire::{BadRequest, Failure};

/// How long a request stream waits before it submits a command again that the ledger refused as
/// overloaded.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a request stream submits a command again before it answers OVERLOADED.
const TRIES: u32 = 400;

type Outcome = Result<Vec<Receipt>, ExecuteError>;

/// A command that was submitted and that the ledger has perhaps not written yet.
pub(super) struct Submitted {
    envelope: Envelope,
    outcome: oneshot::Receiver<Outcome>,
}

impl Submitted {
    pub(super) fn id(&self) -> CommandId {
        self.envelope.id
    }

    /// Waits for the result of the command.
    pub(super) async fn receipt(self) -> Result<Receipt, Failure> {
        let receipts = self
            .outcome
            .await
            .unwrap_or(Err(ExecuteError::Closed))
            .map_err(|error| failure(error, self.envelope))?;
        receipts
            .into_iter()
            .next()
            .ok_or_else(Failure::shutting_down)
    }
}

fn failure(error: ExecuteError, envelope: Envelope) -> Failure {
    Failure::of_execution(error, &[envelope])
}

impl Api {
    /// Passes a command on that was read without a fault and that the caller may have executed.
    pub(super) fn permitted(
        &self,
        caller: &Caller,
        read: Result<Envelope, BadRequest>,
    ) -> Result<Envelope, Failure> {
        let envelope = read?;
        self.permit(caller, Access::Execute(&envelope))?;
        Ok(envelope)
    }

    /// Submits one command and waits for its result.
    pub(super) async fn carry_out(
        &self,
        caller: &Caller,
        envelope: Envelope,
    ) -> Result<Receipt, Failure> {
        match self.hand_in(caller, envelope.clone()) {
            Ok(outcome) => Submitted { envelope, outcome }.receipt().await,
            Err(error) => Err(failure(error, envelope)),
        }
    }

    /// Submits several commands, which are carried out together or not at all, and waits for their
    /// results.
    pub(super) async fn carry_out_batch(
        &self,
        caller: &Caller,
        envelopes: Vec<Envelope>,
    ) -> Result<Vec<Receipt>, Failure> {
        let (reply, outcome) = oneshot::channel();
        let work = Work::new(caller.actor, envelopes.clone(), move |result| {
            let _ = reply.send(result);
        });
        let result = match self.ledger.submit(work) {
            Ok(()) => outcome.await.unwrap_or(Err(ExecuteError::Closed)),
            Err(error) => Err(error),
        };
        result.map_err(|error| Failure::of_batch(error, &envelopes))
    }

    /// Submits one command of a request stream. While the ledger is overloaded, it tries again here,
    /// because later commands must not overtake this one.
    pub(super) async fn submit_in_turn(
        &self,
        caller: &Caller,
        envelope: Envelope,
    ) -> Result<Submitted, Failure> {
        let mut tries = 0;
        loop {
            match self.hand_in(caller, envelope.clone()) {
                Ok(outcome) => return Ok(Submitted { envelope, outcome }),
                Err(ExecuteError::Overloaded) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(failure(error, envelope)),
            }
        }
    }

    /// Submits one command. The result arrives later.
    fn hand_in(
        &self,
        caller: &Caller,
        envelope: Envelope,
    ) -> Result<oneshot::Receiver<Outcome>, ExecuteError> {
        let (reply, outcome) = oneshot::channel();
        self.ledger
            .submit(Work::new(caller.actor, vec![envelope], move |result| {
                // The caller may be gone, and then nobody receives the result. The command stays
                // recorded.
                let _ = reply.send(result);
            }))?;
        Ok(outcome)
    }
}
