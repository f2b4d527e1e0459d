//! Carries out commands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use planledger_core::ids::{CommandId, Position};
use planledger_core::ledger::{Envelope, ExecuteError, Receipt, Request as Work};
use tokio::sync::{Notify, oneshot};

use super::api::Api;
use super::auth::{Access, Caller, Naming};
use super::erasing::approves;
use super::identity::adopt;
use super::writing::{Turn, Writing};
use crate::wire::{BadRequest, Failure};

/// How long a request stream waits before it submits a command again that the ledger refused as
/// overloaded.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a request stream submits a command again before it answers OVERLOADED.
const TRIES: u32 = 400;

type Outcome = Result<Vec<Receipt>, ExecuteError>;

/// A command that was submitted and that the ledger has perhaps not written yet.
pub(super) struct Submitted {
    id: CommandId,
    /// The one command. The ledger has it too, until it is decided.
    envelopes: Arc<Vec<Envelope>>,
    outcome: oneshot::Receiver<Outcome>,
}

/// A command that was read, or what is wrong with it, and how many bytes it has as it came in.
pub(super) struct Read {
    pub(super) envelope: Result<Envelope, BadRequest>,
    pub(super) bytes: usize,
}

impl Submitted {
    pub(super) fn id(&self) -> CommandId {
        self.id
    }

    /// Waits for the result of the command.
    pub(super) async fn receipt(&mut self) -> Result<Receipt, Failure> {
        let outcome = (&mut self.outcome).await;
        self.receipt_of(outcome.unwrap_or(Err(ExecuteError::Closed)))
    }

    /// The result of the command if it is there; `None` if it has to be waited for.
    pub(super) fn receipt_now(&mut self) -> Option<Result<Receipt, Failure>> {
        let outcome = match self.outcome.try_recv() {
            Ok(outcome) => outcome,
            Err(oneshot::error::TryRecvError::Empty) => return None,
            Err(oneshot::error::TryRecvError::Closed) => Err(ExecuteError::Closed),
        };
        Some(self.receipt_of(outcome))
    }

    fn receipt_of(&self, outcome: Outcome) -> Result<Receipt, Failure> {
        let receipts = outcome.map_err(|error| Failure::of_execution(error, &self.envelopes))?;
        receipts
            .into_iter()
            .next()
            .ok_or_else(Failure::shutting_down)
    }
}

/// The commands of one request stream that were handed in, and which of them have been answered.
#[derive(Default)]
pub(super) struct Line {
    handed_in: u64,
    answered: Arc<Answered>,
}

#[derive(Default)]
struct Answered {
    count: AtomicU64,
    /// The position of the last that was written. It rises before the count.
    position: AtomicU64,
    /// Only the stream itself waits.
    more: Notify,
}

impl Line {
    fn is_answered(&self) -> bool {
        self.answered.count.load(Ordering::Acquire) >= self.handed_in
    }

    /// Waits until all have been answered. Returns the position of the last one that was written.
    async fn answered(&self) -> Position {
        while !self.is_answered() {
            self.answered.more.notified().await;
        }
        Position::new(self.answered.position.load(Ordering::Acquire))
    }

    fn listener(&self) -> impl FnOnce(&Outcome) + Send + use<> {
        let answered = self.answered.clone();
        move |outcome: &Outcome| {
            let receipts = outcome.iter().flatten();
            let position = receipts.map(|receipt| receipt.position).max();
            let position = position.unwrap_or_default().get();
            answered.position.fetch_max(position, Ordering::AcqRel);
            answered.count.fetch_add(1, Ordering::AcqRel);
            answered.more.notify_one();
        }
    }
}

impl Api {
    /// Passes a command on that was read without a fault and that the caller may have executed. It says
    /// what of it the caller may not see.
    pub(super) async fn permitted(
        &self,
        caller: &Caller,
        read: Result<Envelope, BadRequest>,
    ) -> Result<Envelope, Failure> {
        let mut envelope = read?;
        adopt(caller, &mut envelope)?;
        let answered = self.answered(caller, envelope, |gate, envelope| {
            let before = &[];
            gate.require(&Access::Execute { envelope, before })?;
            gate.unseen(Naming::Command(envelope))
        });
        let (envelope, unseen) = answered.await?;
        Ok(Envelope { unseen, ..envelope })
    }

    /// Passes a batch on if the caller may have each of its commands executed.
    pub(super) async fn permitted_batch(
        &self,
        caller: &Caller,
        mut envelopes: Vec<Envelope>,
    ) -> Result<Vec<Envelope>, Failure> {
        for (index, envelope) in envelopes.iter_mut().enumerate() {
            let id = envelope.id;
            adopt(caller, envelope).map_err(|failure| failure.in_batch(index, id))?;
        }
        let answered = self.answered_to_many(caller, envelopes, |gate, envelopes| {
            let mut unseen = Vec::with_capacity(envelopes.len());
            for (index, envelope) in envelopes.iter().enumerate() {
                let before = envelopes.get(..index).unwrap_or_default();
                gate.require(&Access::Execute { envelope, before })
                    .map_err(|failure| failure.in_batch(index, envelope.id))?;
                unseen.push(gate.unseen(Naming::Command(envelope))?);
            }
            Ok(unseen)
        });
        let (mut envelopes, unseen) = answered.await?;
        for (envelope, unseen) in envelopes.iter_mut().zip(unseen) {
            envelope.unseen = unseen;
        }
        Ok(envelopes)
    }

    /// Submits one command, of so many bytes as it came in, and waits for its result.
    pub(super) async fn carry_out(
        &self,
        caller: &Caller,
        writing: &Writing,
        envelope: Envelope,
        bytes: usize,
    ) -> Result<Receipt, Failure> {
        let turn = Arc::new(writing.single(1, bytes).await?);
        let envelopes = Arc::new(vec![envelope]);
        match self.hand_in(caller, &envelopes, bytes, turn, |_| {}) {
            Ok(mut submitted) => submitted.receipt().await,
            Err(error) => Err(Failure::of_execution(error, &envelopes)),
        }
    }

    /// Submits several commands, which are carried out together or not at all, and waits for their
    /// results.
    pub(super) async fn carry_out_batch(
        &self,
        caller: &Caller,
        writing: &Writing,
        envelopes: Vec<Envelope>,
        bytes: usize,
    ) -> Result<Vec<Receipt>, Failure> {
        let turn = writing.single(envelopes.len(), bytes).await?;
        let (reply, outcome) = oneshot::channel();
        let approved = approves(&envelopes).then(|| self.approved.clone());
        let envelopes = Arc::new(envelopes);
        let work = Work::sharing(caller.actor, envelopes.clone(), move |result| {
            if let Some(approved) = approved {
                approved.notify_one();
            }
            drop(turn);
            let _ = reply.send(result);
        })
        .weighing(bytes);
        let result = match self.ledger.submit(work) {
            Ok(()) => outcome.await.unwrap_or(Err(ExecuteError::Closed)),
            Err(error) => Err(error),
        };
        result.map_err(|error| Failure::of_batch(error, &envelopes))
    }

    /// Submits one command of a request stream, if the caller may have it executed now. It waits here
    /// until it is the caller's turn, and while the ledger is overloaded, because later commands must
    /// not overtake this one.
    pub(super) async fn submit_in_turn(
        &self,
        caller: &Caller,
        writing: &Writing,
        read: Read,
        line: &mut Line,
    ) -> Result<Submitted, Failure> {
        let bytes = read.bytes;
        let envelope = read.envelope?;
        let turn = Arc::new(writing.of_stream(bytes).await?);
        let envelope = self.permitted_in_turn(caller, envelope, line).await?;
        let envelopes = Arc::new(vec![envelope]);
        let mut tries = 0;
        loop {
            let turn = turn.clone();
            match self.hand_in(caller, &envelopes, bytes, turn, line.listener()) {
                Ok(submitted) => {
                    line.handed_in += 1;
                    return Ok(submitted);
                }
                Err(ExecuteError::Overloaded) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(Failure::of_execution(error, &envelopes)),
            }
        }
    }

    /// Whether a command of a request stream may be carried out can depend on one before it, such as
    /// the one that creates its team. So nothing is denied, and nothing is taken as unseen, before those have
    /// been answered.
    async fn permitted_in_turn(
        &self,
        caller: &Caller,
        envelope: Envelope,
        line: &Line,
    ) -> Result<Envelope, Failure> {
        if self.is_open() || line.is_answered() {
            return self.permitted(caller, Ok(envelope)).await;
        }
        if let Ok(permitted) = self.permitted(caller, Ok(envelope.clone())).await
            && permitted.unseen.is_empty()
        {
            return Ok(permitted);
        }
        let answered = tokio::time::timeout(self.limits.patience, line.answered());
        if let Ok(position) = answered.await {
            self.reached(position.get()).await?;
        }
        self.permitted(caller, Ok(envelope)).await
    }

    /// Submits one command. The result arrives later; `told` hears of it first.
    fn hand_in(
        &self,
        caller: &Caller,
        envelopes: &Arc<Vec<Envelope>>,
        bytes: usize,
        turn: Arc<Turn>,
        told: impl FnOnce(&Outcome) + Send + 'static,
    ) -> Result<Submitted, ExecuteError> {
        let (reply, outcome) = oneshot::channel();
        let approved = approves(envelopes).then(|| self.approved.clone());
        let work = Work::sharing(caller.actor, envelopes.clone(), move |result| {
            if let Some(approved) = approved {
                approved.notify_one();
            }
            drop(turn);
            told(&result);
            // The caller may be gone, and then nobody receives the result. The command stays
            // recorded.
            let _ = reply.send(result);
        });
        self.ledger.submit(work.weighing(bytes))?;
        let first = envelopes.first().ok_or(ExecuteError::Closed)?;
        Ok(Submitted {
            id: first.id,
            envelopes: envelopes.clone(),
            outcome,
        })
    }
}
