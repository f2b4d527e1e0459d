//! Asks a server what commands would do, without doing it.

use planledger_proto::v1::preview_stream_response::Outcome;
use planledger_proto::v1::{Command, CommandError, Preview, PreviewStreamRequest};
use tokio_stream::wrappers::ReceiverStream;

use super::{Leaving, Source, Subject, UploadError, start};
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
    told: impl FnMut(Looked),
) -> Result<(), UploadError> {
    ask(client, commands, None, told).await.map(drop)
}

/// Like [`preview`]. Also asks who would look as if they had left once the commands are carried out.
/// `None` if the caller may not know, or if the server cannot tell.
///
/// # Errors
/// [`UploadError`]
pub async fn preview_with_leaving(
    client: &Client,
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    told: impl FnMut(Looked),
) -> Result<Option<Leaving>, UploadError> {
    let question = PreviewStreamRequest {
        command: None,
        suggestions: true,
    };
    ask(client, commands, Some(question), told).await
}

/// Asks what commands would do, and then a last question, if there is one.
async fn ask(
    client: &Client,
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    last: Option<PreviewStreamRequest>,
    mut told: impl FnMut(Looked),
) -> Result<Option<Leaving>, UploadError> {
    let request = |command| PreviewStreamRequest {
        command: Some(command),
        suggestions: false,
    };
    let (outgoing, feed) = start(commands, Subject::of, request, last);
    let mut asking = client.commands();
    let call = asking.preview_stream(ReceiverStream::new(outgoing));
    let mut responses = call.await.map_err(UploadError::Call)?.into_inner();
    let (mut answered, mut leaving) = (0, None);
    while let Some(response) = responses.message().await.map_err(UploadError::Call)? {
        // The last question is about no command. Whoever may not ask it gets an error.
        let Ok(subject) = feed.subjects.try_recv() else {
            if let Some(Outcome::Suggestions(found)) = response.outcome {
                leaving = Some(found.into());
            }
            continue;
        };
        let outcome = match response.outcome {
            Some(Outcome::Preview(preview)) => Ok(preview),
            Some(Outcome::Suggestions(_)) => continue,
            Some(Outcome::Error(error)) => Err(error),
            None => Err(CommandError::default()),
        };
        told(Looked { subject, outcome });
        answered += 1;
    }
    feed.finished(answered)?;
    Ok(leaving)
}
