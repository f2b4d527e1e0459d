//! Sends many commands to a server without waiting for each answer. As many commands wait for
//! answers as the server allows, and answers are read as they arrive.

use std::sync::mpsc as blocking;
use std::thread;

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{Command, CommandError, ExecuteStreamRequest, RosterFact};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::client::Client;
use crate::import::ImportFault;

/// How many commands may wait between the thread that reads the files and the connection.
const WINDOW: usize = 1_024;
/// How many refusals, and how many facts that a person decided, are listed in full. Later ones are
/// only counted.
const LISTED: usize = 20;

/// The place in a file that a command comes from, for people: `users.csv:12`.
pub type Source = String;

/// The result of an upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uploaded {
    /// Commands that changed something.
    pub recorded: u64,
    /// Commands that changed nothing, because the state was already as they asked.
    pub unchanged: u64,
    /// Commands that were refused.
    pub refused: u64,
    /// Events that were recorded.
    pub events: u64,
    /// The ledger's position after the last command.
    pub position: u64,
    /// The first refusals, each with the source of its command.
    pub refusals: Vec<(Source, CommandError)>,
    /// How many facts stayed as they are, because a person decided them.
    pub kept: u64,
    /// The first of these facts.
    pub kept_facts: Vec<KeptFact>,
}

/// A fact that a person decided and that an upload left as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFact {
    /// Where in the files something else is said.
    pub source: Source,
    /// The person or team that the fact is about: "team/…".
    pub stream: String,
    /// The fact.
    pub fact: RosterFact,
}

impl Uploaded {
    /// How many commands were answered.
    pub fn answered(&self) -> u64 {
        self.recorded + self.unchanged + self.refused
    }
}

/// Why an upload did not finish. The commands that were answered before stay recorded. The same
/// upload can be run again: it changes nothing twice, and so continues from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The call failed.
    #[error("{}: {}", .0.code(), .0.message())]
    Call(Status),
    /// A file changed while it was read.
    #[error("{0}")]
    Fault(ImportFault),
    /// The server ended the call before everything was answered.
    #[error("the server ended the call after {0} commands; run the same import again to continue")]
    CutShort(u64),
}

/// Sends commands that change nothing when they are sent twice. `commands` runs on its own thread
/// and passes each command to its argument; when that returns `false`, `commands` should stop.
/// `told` is called with the number of commands answered so far.
///
/// # Errors
/// [`UploadError`]
pub async fn upload(
    client: &Client,
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    mut told: impl FnMut(u64),
) -> Result<Uploaded, UploadError> {
    let (requests, outgoing) = mpsc::channel(WINDOW);
    let (sources, source_of) = blocking::channel();
    // Another thread reads the files and turns rows into messages while the connection sends.
    let reader = thread::spawn(move || {
        commands(&mut |command, source| {
            let command = Some(command);
            // Both fail only when the call has ended, and the call's status says why.
            sources.send(source).is_ok()
                && requests
                    .blocking_send(ExecuteStreamRequest { command })
                    .is_ok()
        })
    });
    let mut sending = client.commands();
    let call = sending.execute_stream(ReceiverStream::new(outgoing));
    let mut responses = call.await.map_err(UploadError::Call)?.into_inner();
    let mut uploaded = Uploaded::default();
    while let Some(response) = responses.message().await.map_err(UploadError::Call)? {
        let source = source_of.try_recv().unwrap_or_default();
        match response.outcome {
            Some(Outcome::Receipt(receipt)) => {
                uploaded.kept += receipt.kept.len() as u64;
                for fact in receipt.kept {
                    if uploaded.kept_facts.len() < LISTED {
                        let (source, stream) = (source.clone(), receipt.stream.clone());
                        uploaded.kept_facts.push(KeptFact {
                            source,
                            stream,
                            fact,
                        });
                    }
                }
                uploaded.position = uploaded.position.max(receipt.position);
                uploaded.events += u64::from(receipt.event_count);
                match receipt.unchanged {
                    true => uploaded.unchanged += 1,
                    false => uploaded.recorded += 1,
                }
            }
            Some(Outcome::Error(error)) => {
                uploaded.refused += 1;
                if uploaded.refusals.len() < LISTED {
                    uploaded.refusals.push((source, error));
                }
            }
            None => uploaded.refused += 1,
        }
        told(uploaded.answered());
    }
    if source_of.try_recv().is_ok() {
        return Err(UploadError::CutShort(uploaded.answered()));
    }
    match reader.join() {
        Ok(Ok(())) => Ok(uploaded),
        Ok(Err(fault)) => Err(UploadError::Fault(fault)),
        Err(_) => Err(UploadError::CutShort(uploaded.answered())),
    }
}
