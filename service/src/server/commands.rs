//! The command service: executes commands.

use std::pin::Pin;
use std::time::Duration;

use planledger_core::ledger::{Envelope, ExecuteError, Receipt, Request as Work};
use planledger_proto::v1::command_service_server::CommandService;
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{
    ExecuteBatchRequest, ExecuteBatchResponse, ExecuteRequest, ExecuteResponse,
    ExecuteStreamRequest, ExecuteStreamResponse, RevertPlanRequest, RevertPlanResponse,
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::api::{Api, Rpc};
use super::auth::{Access, Caller};
use crate::wire::{self, Failure};

/// How many commands of one request stream may wait for their answers at the same time.
pub const WINDOW: usize = 1_024;
/// How long a request stream waits before it submits a command again that the ledger refused as
/// overloaded.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a request stream submits a command again before it answers OVERLOADED.
const TRIES: u32 = 400;

type Outcomes = oneshot::Receiver<Result<Vec<Receipt>, ExecuteError>>;

/// The answer to a command of a request stream: known already, or pending until the ledger has
/// written it.
enum Answer {
    Known(ExecuteStreamResponse),
    Pending(Envelope, Outcomes),
    Ended(Status),
}

#[tonic::async_trait]
impl CommandService for Api {
    async fn execute(&self, request: Request<ExecuteRequest>) -> Rpc<ExecuteResponse> {
        let caller = self.caller(request.metadata())?;
        let command = request.into_inner().command.unwrap_or_default();
        let envelope = wire::command(command).map_err(Failure::from)?;
        self.permit(&caller, Access::Execute(&envelope))?;
        let receipt = self.carry_out(&caller, envelope).await?;
        let receipt = Some(wire::receipt(receipt));
        Ok(Response::new(ExecuteResponse { receipt }))
    }

    async fn execute_batch(
        &self,
        request: Request<ExecuteBatchRequest>,
    ) -> Rpc<ExecuteBatchResponse> {
        let caller = self.caller(request.metadata())?;
        let envelopes = wire::batch(request.into_inner()).map_err(Failure::from)?;
        for (index, envelope) in envelopes.iter().enumerate() {
            self.permit(&caller, Access::Execute(envelope))
                .map_err(|failure| failure.in_batch(index, envelope.id))?;
        }
        let (reply, outcome) = oneshot::channel();
        let work = Work::new(caller.actor, envelopes.clone(), move |result| {
            let _ = reply.send(result);
        });
        let result = match self.ledger.submit(work) {
            Ok(()) => outcome.await.unwrap_or(Err(ExecuteError::Closed)),
            Err(error) => Err(error),
        };
        let receipts = result.map_err(|error| Failure::of_batch(error, &envelopes))?;
        let receipts = receipts.into_iter().map(wire::receipt).collect();
        Ok(Response::new(ExecuteBatchResponse { receipts }))
    }

    type ExecuteStreamStream =
        Pin<Box<dyn Stream<Item = Result<ExecuteStreamResponse, Status>> + Send>>;

    async fn execute_stream(
        &self,
        request: Request<Streaming<ExecuteStreamRequest>>,
    ) -> Rpc<Self::ExecuteStreamStream> {
        let caller = self.caller(request.metadata())?;
        let (answers, answered) = mpsc::channel(WINDOW);
        tokio::spawn(self.clone().pipeline(caller, request.into_inner(), answers));
        let responses = ReceiverStream::new(answered).then(|answer| async {
            match answer {
                Answer::Known(response) => Ok(response),
                Answer::Pending(envelope, outcome) => {
                    let result = settled(&envelope, outcome.await);
                    Ok(response(envelope.id.to_string(), result))
                }
                Answer::Ended(status) => Err(status),
            }
        });
        Ok(Response::new(Box::pin(responses)))
    }

    async fn revert_plan(&self, request: Request<RevertPlanRequest>) -> Rpc<RevertPlanResponse> {
        let caller = self.caller(request.metadata())?;
        let asked = wire::revert::revert_plan(request.into_inner())?;
        let outcome = self.revert(&caller, asked).await?;
        let (changes, stays) = wire::revert::reverting(outcome.reverting);
        Ok(Response::new(RevertPlanResponse {
            receipt: outcome.receipt.map(wire::receipt),
            to_position: outcome.to.get(),
            revision: outcome.revision.get(),
            changes,
            stays,
        }))
    }
}

impl Api {
    /// Submits one command and waits for its result.
    pub(super) async fn carry_out(
        &self,
        caller: &Caller,
        envelope: Envelope,
    ) -> Result<Receipt, Failure> {
        match self.hand_in(caller, envelope.clone()) {
            Ok(outcome) => settled(&envelope, outcome.await),
            Err(error) => Err(Failure::of_execution(
                error,
                std::slice::from_ref(&envelope),
            )),
        }
    }

    /// Submits one command. The result arrives later.
    fn hand_in(&self, caller: &Caller, envelope: Envelope) -> Result<Outcomes, ExecuteError> {
        let (reply, outcome) = oneshot::channel();
        self.ledger
            .submit(Work::new(caller.actor, vec![envelope], move |result| {
                // The caller may be gone, and then nobody receives the result. The command stays
                // recorded.
                let _ = reply.send(result);
            }))?;
        Ok(outcome)
    }

    /// Submits commands in the order in which they arrive, without waiting for their answers. Reads
    /// no more commands while too many wait for answers.
    async fn pipeline(
        self,
        caller: Caller,
        mut commands: Streaming<ExecuteStreamRequest>,
        answers: mpsc::Sender<Answer>,
    ) {
        let stopping = self.stopping();
        tokio::pin!(stopping);
        loop {
            // Reserve a place for the answer first, so that every submitted command is answered.
            let Ok(place) = answers.reserve().await else {
                return;
            };
            let request = tokio::select! {
                request = commands.next() => request,
                () = &mut stopping => {
                    place.send(Answer::Ended(Failure::shutting_down().into()));
                    return;
                }
            };
            match request {
                Some(Ok(request)) => place.send(self.take(&caller, request).await),
                Some(Err(status)) => {
                    place.send(Answer::Ended(status));
                    return;
                }
                None => return,
            }
        }
    }

    /// Checks and submits one command of a request stream.
    async fn take(&self, caller: &Caller, request: ExecuteStreamRequest) -> Answer {
        let command = request.command.unwrap_or_default();
        let id = command.command_id.clone();
        let checked = wire::command(command).map_err(Failure::from);
        let checked = checked.and_then(|envelope| {
            self.permit(caller, Access::Execute(&envelope))?;
            Ok(envelope)
        });
        let envelope = match checked {
            Ok(envelope) => envelope,
            Err(failure) => return Answer::Known(response(id, Err(failure))),
        };
        let mut tries = 0;
        loop {
            // Later commands must not overtake this one, so the stream tries again here.
            match self.hand_in(caller, envelope.clone()) {
                Ok(outcome) => return Answer::Pending(envelope, outcome),
                Err(ExecuteError::Overloaded) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    let failure = Failure::of_execution(error, &[envelope]);
                    return Answer::Known(response(id, Err(failure)));
                }
            }
        }
    }
}

/// The answer to a submitted command.
fn settled(
    envelope: &Envelope,
    outcome: Result<Result<Vec<Receipt>, ExecuteError>, oneshot::error::RecvError>,
) -> Result<Receipt, Failure> {
    let receipts = outcome
        .unwrap_or(Err(ExecuteError::Closed))
        .map_err(|error| Failure::of_execution(error, std::slice::from_ref(envelope)))?;
    receipts
        .into_iter()
        .next()
        .ok_or_else(Failure::shutting_down)
}

fn response(command_id: String, result: Result<Receipt, Failure>) -> ExecuteStreamResponse {
    let outcome = match result {
        Ok(receipt) => Outcome::Receipt(wire::receipt(receipt)),
        Err(failure) => Outcome::Error(failure.command_error()),
    };
    ExecuteStreamResponse {
        command_id,
        outcome: Some(outcome),
    }
}
