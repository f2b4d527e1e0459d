//! Asks a server what commands would do, without doing it.

use planledger_proto::v1::preview_stream_response::Outcome;
use planledger_proto::v1::{Command, CommandError, Preview, PreviewStreamRequest};
use tokio_stream::wrappers::ReceiverStream;

use super::{Source, Subject, UploadError, start};
use crate::client::Client;
use crate::import::ImportFault;

/// What one command would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// What the command is about, and where it comes from.
    pub subject: Subject,
    /// What it would do; an error if it would be refused.
    pub outcome: Result<Preview, CommandError>,
}

impl Looked {
    /// Whether the command changes nothing, and nobody needs to hear of it.
    pub fn is_settled(&self) -> bool {
        let quiet = |preview: &Preview| {
            preview.event_types.is_empty() && preview.kept.is_empty() && preview.dropped.is_empty()
        };
        self.outcome.as_ref().is_ok_and(quiet)
    }
}

/// Asks what commands would do, one after another, and records nothing. `commands` is as for
/// [`upload`](super::upload). `told` is called once for each command, in order.
///
/// # Errors
/// [`UploadError`]
pub async fn preview(
    client: &Client,
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    mut told: impl FnMut(Looked),
) -> Result<(), UploadError> {
    let (outgoing, feed) = start(commands, |command| PreviewStreamRequest {
        command: Some(command),
    });
    let mut asking = client.commands();
    let call = asking.preview_stream(ReceiverStream::new(outgoing));
    let mut responses = call.await.map_err(UploadError::Call)?.into_inner();
    let mut answered = 0;
    while let Some(response) = responses.message().await.map_err(UploadError::Call)? {
        let subject = feed.subjects.try_recv().unwrap_or_default();
        let outcome = match response.outcome {
            Some(Outcome::Preview(preview)) => Ok(preview),
            Some(Outcome::Error(error)) => Err(error),
            None => Err(CommandError::default()),
        };
        told(Looked { subject, outcome });
        answered += 1;
    }
    feed.finished(answered)
}
