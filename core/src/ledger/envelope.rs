//! Commands on their way in, receipts on their way out.

use serde::Serialize;

use super::ExecuteError;
use crate::domain::{Actor, Command};
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::time::Timestamp;

/// A command with what its sender says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Chosen by the sender. Sending the same id with the same content again gives the first
    /// receipt; with other content it is an error.
    pub id: CommandId,
    /// The revision that the command's stream must have, if the sender cares; 0 is "not there".
    pub expected_revision: Option<Revision>,
    /// For whom the actor acts, if for somebody else.
    pub on_behalf_of: Option<Actor>,
    /// When the command changes nothing, do not even record that it was asked. For imports, whose
    /// commands have fresh ids each time.
    pub discard_if_unchanged: bool,
    /// The command.
    pub command: Command,
}

impl Envelope {
    /// A command with nothing special about it.
    pub fn new(id: CommandId, command: Command) -> Self {
        Self {
            id,
            expected_revision: None,
            on_behalf_of: None,
            discard_if_unchanged: false,
            command,
        }
    }

    /// Everything that makes it the same command when it is sent again, as bytes.
    pub(super) fn content(&self, actor: Actor) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Content<'a> {
            actor: Actor,
            on_behalf_of: Option<Actor>,
            expected_revision: Option<Revision>,
            command: &'a Command,
        }
        serde_json::to_vec(&Content {
            actor,
            on_behalf_of: self.on_behalf_of,
            expected_revision: self.expected_revision,
            command: &self.command,
        })
    }
}

/// The promise that a command is durable (P2), and where it ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The command.
    pub command: CommandId,
    /// The stream that it changed. For [`crate::domain::plan::PlanCommand::Open`] it may be the
    /// plan that was there already.
    pub stream: StreamId,
    /// The ledger's position after it. A read at or after it sees the change.
    pub position: Position,
    /// The stream's revision after it.
    pub revision: Revision,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How many events it led to; 0 if there was nothing to change.
    pub events: u32,
    /// Whether this is the receipt of an earlier delivery of the same command.
    pub replayed: bool,
}

type Reply = Box<dyn FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send>;

/// Commands that are carried out all or none, and who waits for them.
pub struct Request {
    pub(super) work: Work,
    pub(super) reply: Reply,
}

/// What is asked of the writer.
pub(super) enum Work {
    /// To carry out commands.
    Execute {
        actor: Actor,
        envelopes: Vec<Envelope>,
    },
    /// To record nothing more at or before an instant, and to reply when all that has been
    /// decided is durable.
    Pass(Timestamp),
}

impl Request {
    /// A request on behalf of `actor`. `reply` is called once, from another thread; it must not
    /// block.
    pub fn new(
        actor: Actor,
        envelopes: Vec<Envelope>,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        Self {
            work: Work::Execute { actor, envelopes },
            reply: Box::new(reply),
        }
    }

    /// See [`Work::Pass`].
    pub(super) fn pass(
        instant: Timestamp,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        Self {
            work: Work::Pass(instant),
            reply: Box::new(reply),
        }
    }
}
