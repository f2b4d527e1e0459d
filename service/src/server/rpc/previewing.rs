//! The preview of commands: what they would do.

use std::future::ready;

use planledger_proto::v1::preview_stream_response::Outcome;
use planledger_proto::v1::{PreviewStreamRequest, PreviewStreamResponse};
use prost::Message;
use tokio_stream::StreamExt;
use tonic::{Status, Streaming};

use super::commands::WINDOW;
use crate::server::api::Api;
use crate::server::auth::Caller;
use crate::server::in_request;
use crate::server::outlet::{Answers, Flow};
use crate::server::previewing::{Answered, Asked};
use crate::wire::{self, Failure};

/// Most commands that are looked at in one go. A go takes a thread, so that reads from disk keep no
/// other request waiting.
const GO: usize = 128;
/// Most bytes of commands that are looked at in one go. The last one may exceed it.
const GO_BYTES: usize = 1 << 20;

type Answer = Result<PreviewStreamResponse, Status>;

impl Api {
    /// Answers the commands of a call in order. Reads no more commands while too many answers wait
    /// for the client.
    pub(super) fn previews(
        self,
        caller: Caller,
        commands: Streaming<PreviewStreamRequest>,
    ) -> Flow<Answer> {
        let (answers, answered) = self.room.open(WINDOW);
        in_request::spawn(async move {
            match self.preview_all(&caller, commands, &answers).await {
                Ok(None) => {}
                Ok(Some(status)) => answers.finish(Err(status)),
                Err(failure) => answers.fail(failure, Err),
            }
        });
        answered
    }

    async fn preview_all(
        &self,
        caller: &Caller,
        mut commands: Streaming<PreviewStreamRequest>,
        answers: &Answers<PreviewStreamResponse>,
    ) -> Result<Option<Status>, Failure> {
        let stopping = self.stopping();
        tokio::pin!(stopping);
        let mut previewing = self.begin_preview();
        loop {
            let first = tokio::select! {
                request = commands.next() => request,
                () = &mut stopping => return Err(Failure::shutting_down()),
            };
            let Some(first) = first else {
                return Ok(None);
            };
            let mut bytes = 0;
            let mut ids = Vec::new();
            let mut checked = Vec::new();
            let mut end = None;
            let mut next = Some(first);
            while let Some(request) = next.take() {
                match request {
                    Ok(request) => {
                        bytes += request.encoded_len();
                        let command = request.command.unwrap_or_default();
                        ids.push(command.command_id.clone());
                        checked.push(match request.suggestions {
                            true => Asked::Leavers,
                            false => Asked::command(wire::command(command).map_err(Failure::from)),
                        });
                    }
                    Err(status) => {
                        end = Some(status);
                        break;
                    }
                }
                if ids.len() < GO && bytes < GO_BYTES {
                    // Whatever has arrived joins.
                    next = tokio::select! {
                        biased;
                        request = commands.next() => request,
                        () = ready(()) => None,
                    };
                }
            }
            let looked = self.look(caller, previewing, checked).await?;
            previewing = looked.previewing;
            for (id, answer) in ids.into_iter().zip(looked.answers) {
                let answer = response(id, answer);
                let bytes = answer.encoded_len();
                answers.place(bytes).await?.send(Ok(answer), bytes);
            }
            if let Some(status) = looked.end.map(Status::from).or(end) {
                return Ok(Some(status));
            }
        }
    }
}

fn response(command_id: String, result: Result<Answered, Failure>) -> PreviewStreamResponse {
    let outcome = match result {
        Ok(Answered::Command(foreseen)) => Outcome::Preview(wire::preview(foreseen)),
        Ok(Answered::Leavers(found)) => Outcome::Suggestions(wire::suggestions_preview(&found)),
        Err(failure) => Outcome::Error(failure.command_error()),
    };
    PreviewStreamResponse {
        command_id,
        outcome: Some(outcome),
    }
}
