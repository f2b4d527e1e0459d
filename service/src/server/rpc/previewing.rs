//! The preview of commands: what they would do.

use std::future::ready;

use planledger_proto::v1::preview_stream_response::Outcome;
use planledger_proto::v1::{PreviewStreamRequest, PreviewStreamResponse};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::commands::WINDOW;
use crate::server::api::Api;
use crate::server::auth::Caller;
use crate::server::previewing::{Answered, Asked};
use crate::wire::{self, Failure};

/// Most commands that are looked at in one go. A go takes a thread, so that reads from disk keep no
/// other request waiting.
const GO: usize = 128;

type Answer = Result<PreviewStreamResponse, Status>;

impl Api {
    /// Answers the commands of a call in order. Reads no more commands while too many answers wait
    /// for the client.
    pub(super) fn previews(
        self,
        caller: Caller,
        commands: Streaming<PreviewStreamRequest>,
    ) -> ReceiverStream<Answer> {
        let (answers, answered) = mpsc::channel(WINDOW);
        tokio::spawn(async move {
            if let Err(status) = self.preview_all(&caller, commands, &answers).await {
                // It fails when the client is gone, who then needs no status.
                let _ = answers.send(Err(status)).await;
            }
        });
        ReceiverStream::new(answered)
    }

    async fn preview_all(
        &self,
        caller: &Caller,
        mut commands: Streaming<PreviewStreamRequest>,
        answers: &mpsc::Sender<Answer>,
    ) -> Result<(), Status> {
        let stopping = self.stopping();
        tokio::pin!(stopping);
        let mut previewing = self.begin_preview();
        loop {
            let first = tokio::select! {
                request = commands.next() => request,
                () = &mut stopping => return Err(Failure::shutting_down().into()),
            };
            let Some(first) = first else { return Ok(()) };
            let mut ids = Vec::new();
            let mut checked = Vec::new();
            let mut end = None;
            let mut next = Some(first);
            while let Some(request) = next.take() {
                match request {
                    Ok(request) => {
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
                if ids.len() < GO {
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
                if answers.send(Ok(answer)).await.is_err() {
                    return Ok(());
                }
            }
            if let Some(status) = looked.end.map(Status::from).or(end) {
                return Err(status);
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
