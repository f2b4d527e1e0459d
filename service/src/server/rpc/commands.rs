//! The command service: executes commands.

use std::pin::Pin;

use planledger_proto::v1::command_service_server::CommandService;
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{
    ExecuteBatchRequest, ExecuteBatchResponse, ExecuteRequest, ExecuteResponse,
    ExecuteStreamRequest, ExecuteStreamResponse, PreviewStreamRequest, PreviewStreamResponse,
    Receipt, RevertPlanRequest, RevertPlanResponse,
};
use prost::Message;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::server::api::{Api, Rpc};
use crate::server::auth::Caller;
use crate::server::commands::{Line, Read, Submitted};
use crate::server::in_request;
use crate::server::outlet::Outlet;
use crate::server::writing::Writing;
use crate::wire::{self, Failure};

/// How many commands of one request stream may wait for their answers at the same time.
pub const WINDOW: usize = 1_024;
/// What a command that waits for its answer takes in memory beside its bytes, about.
const BESIDE: usize = 512;

/// Who sends a stream of commands.
struct Sender {
    caller: Caller,
    /// Its share of what waits for the writer.
    writing: Writing,
}

/// The answer to a command of a request stream: known already, or pending until the ledger has
/// written it.
enum Answer {
    Known(ExecuteStreamResponse),
    Pending(Submitted),
    Ended(Status),
}

#[tonic::async_trait]
impl CommandService for Api {
    async fn execute(&self, request: Request<ExecuteRequest>) -> Rpc<ExecuteResponse> {
        let caller = self.caller(request.extensions())?;
        let writing = self.writing(request.extensions());
        let command = request.into_inner().command.unwrap_or_default();
        let bytes = command.encoded_len();
        let envelope = self.permitted(&caller, wire::command(command)).await?;
        let receipt = self.carry_out(&caller, &writing, envelope, bytes).await?;
        let receipt = Some(wire::receipt(receipt));
        Ok(Response::new(ExecuteResponse { receipt }))
    }

    async fn execute_batch(
        &self,
        request: Request<ExecuteBatchRequest>,
    ) -> Rpc<ExecuteBatchResponse> {
        let caller = self.caller(request.extensions())?;
        let writing = self.writing(request.extensions());
        let request = request.into_inner();
        let bytes = request.encoded_len();
        let envelopes = wire::batch(request).map_err(Failure::from)?;
        let envelopes = self.permitted_batch(&caller, envelopes).await?;
        let carried_out = self.carry_out_batch(&caller, &writing, envelopes, bytes);
        let receipts = carried_out.await?;
        let receipts = receipts.into_iter().map(wire::receipt).collect();
        Ok(Response::new(ExecuteBatchResponse { receipts }))
    }

    type ExecuteStreamStream =
        Pin<Box<dyn Stream<Item = Result<ExecuteStreamResponse, Status>> + Send>>;

    async fn execute_stream(
        &self,
        request: Request<Streaming<ExecuteStreamRequest>>,
    ) -> Rpc<Self::ExecuteStreamStream> {
        let caller = self.caller(request.extensions())?;
        let (answers, answered) = self.room.open(WINDOW);
        let sender = Sender {
            writing: self.writing(request.extensions()),
            caller,
        };
        in_request::spawn(self.clone().pipeline(sender, request.into_inner(), answers));
        let busy = answered.busy();
        let responses = answered.then(move |answer| {
            let busy = busy.clone();
            async move {
                match answer {
                    Answer::Known(response) => Ok(response),
                    Answer::Pending(mut submitted) => {
                        let id = submitted.id().to_string();
                        let receipt = match submitted.receipt_now() {
                            Some(receipt) => receipt,
                            None => {
                                busy.set(true);
                                let receipt = submitted.receipt().await;
                                busy.set(false);
                                receipt
                            }
                        };
                        Ok(response(id, receipt.map(wire::receipt)))
                    }
                    Answer::Ended(status) => Err(status),
                }
            }
        });
        Ok(Response::new(Box::pin(responses)))
    }

    type PreviewStreamStream =
        Pin<Box<dyn Stream<Item = Result<PreviewStreamResponse, Status>> + Send>>;

    async fn preview_stream(
        &self,
        request: Request<Streaming<PreviewStreamRequest>>,
    ) -> Rpc<Self::PreviewStreamStream> {
        let caller = self.caller(request.extensions())?;
        let answers = self.clone().previews(caller, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn revert_plan(&self, request: Request<RevertPlanRequest>) -> Rpc<RevertPlanResponse> {
        let caller = self.caller(request.extensions())?;
        let writing = self.writing(request.extensions());
        let asked = wire::revert::revert_plan(request.into_inner())?;
        let outcome = self.revert(&caller, &writing, asked).await?;
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
    /// Submits commands in the order in which they arrive, without waiting for their answers. Reads
    /// no more commands while too many wait for answers.
    async fn pipeline(
        self,
        sender: Sender,
        mut commands: Streaming<ExecuteStreamRequest>,
        answers: Outlet<Answer>,
    ) {
        if let Err(failure) = self.answer_all(&sender, &mut commands, &answers).await {
            answers.fail(failure, Answer::Ended);
        }
    }

    async fn answer_all(
        &self,
        sender: &Sender,
        commands: &mut Streaming<ExecuteStreamRequest>,
        answers: &Outlet<Answer>,
    ) -> Result<(), Failure> {
        let stopping = self.stopping();
        tokio::pin!(stopping);
        let mut line = Line::default();
        loop {
            // Nothing is read that there is no place for, and every submitted command is answered.
            answers.has_room().await?;
            let request = tokio::select! {
                request = commands.next() => request,
                () = &mut stopping => return Err(Failure::shutting_down()),
            };
            match request {
                Some(Ok(request)) => {
                    let bytes = request.encoded_len() + BESIDE;
                    let place = answers.place(bytes).await?;
                    place.send(self.take(sender, request, &mut line).await, bytes);
                }
                Some(Err(status)) => {
                    answers.place(0).await?.send(Answer::Ended(status), 0);
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
    }

    /// Checks and submits one command of a request stream.
    async fn take(
        &self,
        sender: &Sender,
        request: ExecuteStreamRequest,
        line: &mut Line,
    ) -> Answer {
        let command = request.command.unwrap_or_default();
        let id = command.command_id.clone();
        let read = Read {
            bytes: command.encoded_len(),
            envelope: wire::command(command),
        };
        let (caller, writing) = (&sender.caller, &sender.writing);
        match self.submit_in_turn(caller, writing, read, line).await {
            Ok(submitted) => Answer::Pending(submitted),
            Err(failure) => Answer::Known(response(id, Err(failure))),
        }
    }
}

fn response(command_id: String, result: Result<Receipt, Failure>) -> ExecuteStreamResponse {
    let outcome = match result {
        Ok(receipt) => Outcome::Receipt(receipt),
        Err(failure) => Outcome::Error(failure.command_error()),
    };
    ExecuteStreamResponse {
        command_id,
        outcome: Some(outcome),
    }
}
