//! Executing commands.

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

/// Commands of one stream that are on their way at once.
pub const WINDOW: usize = 1_024;
/// How long a stream waits before it hands in a command again that was shed.
const PAUSE: Duration = Duration::from_millis(5);
/// How often it does so before the command is answered with OVERLOADED.
const TRIES: u32 = 400;

type Outcomes = oneshot::Receiver<Result<Vec<Receipt>, ExecuteError>>;

/// What answers a command of a stream: known already, or on its way to the disk.
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
    /// Hands in one command and waits for what comes of it.
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

    /// Hands in one command; what comes of it arrives later.
    fn hand_in(&self, caller: &Caller, envelope: Envelope) -> Result<Outcomes, ExecuteError> {
        let (reply, outcome) = oneshot::channel();
        self.ledger
            .submit(Work::new(caller.actor, vec![envelope], move |result| {
                // A caller that went away does not want to know; the command stays recorded.
                let _ = reply.send(result);
            }))?;
        Ok(outcome)
    }

    /// Takes commands as they come and hands them in without waiting for answers, in order. Reads
    /// no further while too many are on their way.
    async fn pipeline(
        self,
        caller: Caller,
        mut commands: Streaming<ExecuteStreamRequest>,
        answers: mpsc::Sender<Answer>,
    ) {
        let stopping = self.stopping();
        tokio::pin!(stopping);
        loop {
            // A place for the answer first: a command that is handed in is answered.
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

    /// Checks and hands in one command of a stream.
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
            // Later commands must not overtake this one, so it is tried again here.
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

/// What came of a command that was handed in.
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
