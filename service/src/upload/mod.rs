//! Sends many commands to a server without waiting for each answer. As many commands wait for
//! answers as the server allows, and answers are read as they arrive.

mod absent;
mod foresight;
mod known;
mod leaving;
mod links;
mod preview;
mod stop;
mod subject;
mod unrecorded;

use std::sync::mpsc as blocking;
use std::thread;

use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{Command, CommandError, ExecuteStreamRequest, RosterFact};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

pub use self::absent::{Absences, Absent, Classless, is_after_notes};
pub use self::foresight::{Counts, Foresight, Line, Listing, Share, turn};
pub use self::known::KnownInstitutions;
pub use self::leaving::{Leaving, Suggested};
pub use self::links::{MissingLink, MissingLinks};
pub use self::preview::{Looked, preview, preview_with_leaving};
pub use self::stop::{Bounds, Halt, HaltCode, halts};
pub use self::subject::{Kind, Subject};
pub use self::unrecorded::Unrecorded;
use crate::client::Client;
use crate::import::ImportFault;

/// How many commands may wait between the thread that reads the files and the connection.
const WINDOW: usize = 1_024;
/// How many of anything are listed for people. Later ones are only counted.
pub const LISTED: usize = 20;
/// How many links that end or are missing with somebody who is absent, facts that stay as a person
/// decided them, and commands that are refused, are kept one by one.
/// Later ones are only counted. All of them are told to whoever writes them down.
pub const LINKS: usize = 10_000;

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
    pub kept_facts: Vec<StatedFact>,
    /// How many links ended, because the files no longer name them.
    pub dropped: u64,
    /// The first of these links.
    pub dropped_facts: Vec<StatedFact>,
}

/// A fact that an upload left as it is, because a person decided it, or a link that it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StatedFact {
    /// The row of the files that says it, or that no longer does.
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
/// `told` hears how far the upload has come.
///
/// # Errors
/// [`UploadError`]
pub async fn upload(
    client: &Client,
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    mut told: impl Told,
) -> Result<Uploaded, UploadError> {
    let request = |command| ExecuteStreamRequest {
        command: Some(command),
    };
    // Whose command it was, the receipt says.
    let (outgoing, feed) = start(commands, |_, source| source, request, None);
    let mut sending = client.commands();
    let call = sending.execute_stream(ReceiverStream::new(outgoing));
    let mut responses = call.await.map_err(UploadError::Call)?.into_inner();
    let mut uploaded = Uploaded::default();
    while let Some(response) = responses.message().await.map_err(UploadError::Call)? {
        let source = feed.subjects.try_recv().unwrap_or_default();
        match response.outcome {
            Some(Outcome::Receipt(receipt)) => {
                let stated = |fact| StatedFact {
                    source: source.clone(),
                    stream: receipt.stream.clone(),
                    fact,
                };
                for fact in receipt.kept.into_iter().map(stated) {
                    uploaded.kept += 1;
                    told.kept(&fact);
                    if uploaded.kept_facts.len() < LINKS {
                        uploaded.kept_facts.push(fact);
                    }
                }
                for fact in receipt.dropped.into_iter().map(stated) {
                    uploaded.dropped += 1;
                    told.dropped(&fact);
                    if uploaded.dropped_facts.len() < LINKS {
                        uploaded.dropped_facts.push(fact);
                    }
                }
                uploaded.position = uploaded.position.max(receipt.position);
                uploaded.events += u64::from(receipt.event_count);
                match receipt.unchanged {
                    true => uploaded.unchanged += 1,
                    false => uploaded.recorded += 1,
                }
            }
            Some(Outcome::Error(error)) => refuse(&mut uploaded, source, error, &mut told),
            None => refuse(&mut uploaded, source, CommandError::default(), &mut told),
        }
        told.answered(uploaded.answered());
    }
    feed.finished(uploaded.answered())?;
    Ok(uploaded)
}

fn refuse(uploaded: &mut Uploaded, source: Source, error: CommandError, told: &mut impl Told) {
    uploaded.refused += 1;
    told.refused(&source, &error);
    if uploaded.refusals.len() < LINKS {
        uploaded.refusals.push((source, error));
    }
}

/// Hears how far an upload has come.
pub trait Told {
    /// This many commands have been answered so far.
    fn answered(&mut self, commands: u64);

    /// A link has ended, because the files no longer name it.
    fn dropped(&mut self, _link: &StatedFact) {}

    /// A fact stays as a person decided it.
    fn kept(&mut self, _fact: &StatedFact) {}

    /// The server refused the command of this row.
    fn refused(&mut self, _source: &Source, _error: &CommandError) {}
}

impl<F: FnMut(u64)> Told for F {
    fn answered(&mut self, commands: u64) {
        self(commands);
    }
}

/// Another thread, which reads the files and turns rows into messages while the connection sends.
struct Feed<A> {
    /// What each message is about, in order.
    subjects: blocking::Receiver<A>,
    reader: thread::JoinHandle<Result<(), ImportFault>>,
}

/// Starts the thread that reads. `about` says what of a command is remembered until it is answered;
/// `request` makes the message of a command; `last` is sent after all
/// of them.
fn start<R: Send + 'static, A: Send + 'static>(
    commands: impl FnOnce(&mut dyn FnMut(Command, Source) -> bool) -> Result<(), ImportFault>
    + Send
    + 'static,
    about: impl Fn(&Command, Source) -> A + Send + 'static,
    request: impl Fn(Command) -> R + Send + 'static,
    last: Option<R>,
) -> (mpsc::Receiver<R>, Feed<A>) {
    let (requests, outgoing) = mpsc::channel(WINDOW);
    let (sent, subjects) = blocking::channel();
    let reader = thread::spawn(move || {
        commands(&mut |command, source| {
            // Both fail only when the call has ended, and the call's status says why.
            sent.send(about(&command, source)).is_ok()
                && requests.blocking_send(request(command)).is_ok()
        })?;
        if let Some(last) = last {
            // It fails only when the call has ended.
            let _ = requests.blocking_send(last);
        }
        Ok(())
    });
    (outgoing, Feed { subjects, reader })
}

impl<A> Feed<A> {
    /// Fails unless everything was read and answered. So many commands were answered.
    fn finished(self, answered: u64) -> Result<(), UploadError> {
        if self.subjects.try_recv().is_ok() {
            return Err(UploadError::CutShort(answered));
        }
        match self.reader.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(UploadError::Fault(fault)),
            Err(_) => Err(UploadError::CutShort(answered)),
        }
    }
}
