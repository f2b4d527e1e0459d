//! Commands as they come in, and receipts as they go out.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::ExecuteError;
use super::own::{Ids, OwnCommand};
use super::waiting::Place;
use crate::domain::{Actor, Command, RosterFact};
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::time::Timestamp;

/// A command, with what its sender says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The id of the command, chosen by the sender. The same id with the same content gives the
    /// first receipt again. The same id with other content is an error, and so is an id of the
    /// ledger's own: see [`CommandId::is_of_ledger`].
    pub id: CommandId,
    /// The revision that the command's stream must have; 0 means that the stream must not exist
    /// yet. `None` if any revision will do.
    pub expected_revision: Option<Revision>,
    /// The person or system for whom the actor acts; `None` if the actor acts for itself.
    pub on_behalf_of: Option<Actor>,
    /// If the command changes nothing, not even the command itself is recorded. This is for
    /// imports, which send commands with fresh ids each time.
    pub discard_if_unchanged: bool,
    /// What the command names and its sender may not see. It is decided as if that did not exist:
    /// see [`crate::access::unseen`]. Empty if the sender sees everything, or if nobody asks.
    pub unseen: BTreeSet<StreamId>,
    /// The command itself.
    pub command: Command,
}

impl Envelope {
    /// A command without an expected revision, which the actor sends for itself.
    pub fn new(id: CommandId, command: Command) -> Self {
        Self {
            id,
            expected_revision: None,
            on_behalf_of: None,
            discard_if_unchanged: false,
            unseen: BTreeSet::new(),
            command,
        }
    }

    /// The bytes that have to be equal for two commands to count as the same command, sent again.
    pub(super) fn content(&self, actor: Actor) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Content<'a> {
            actor: Actor,
            on_behalf_of: Option<Actor>,
            expected_revision: Option<Revision>,
            command: &'a Command,
        }
        let mut bytes = Vec::with_capacity(512);
        let content = Content {
            actor,
            on_behalf_of: self.on_behalf_of,
            expected_revision: self.expected_revision,
            command: &self.command,
        };
        serde_json::to_writer(&mut bytes, &content)?;
        Ok(bytes)
    }
}

/// The promise that a command is durable (P2), and where in the journal it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the command.
    pub command: CommandId,
    /// The stream that the command changed. After [`crate::domain::plan::PlanCommand::Open`] it may
    /// be a plan that existed already.
    pub stream: StreamId,
    /// The ledger's position after the command. A read at this position or later sees the change.
    pub position: Position,
    /// The revision of the stream after the command.
    pub revision: Revision,
    /// The instant at which the command was recorded.
    pub recorded_at: Timestamp,
    /// How many events the command recorded; 0 if there was nothing to change.
    pub events: u32,
    /// Whether the command had been carried out before. The receipt is then the one of that time.
    pub replayed: bool,
    /// What a command of an import left as it is, because a person decided it. The receipt of a
    /// command that had been carried out before does not repeat this.
    pub kept: Vec<RosterFact>,
    /// The links that a command of an import ended: roles at institutions, guardianships, places in
    /// teams. The receipt of a command that had been carried out before does not repeat this.
    pub dropped: Vec<RosterFact>,
}

type Reply = Box<dyn FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send>;

/// Commands that are carried out all together or not at all, and the reply to whoever sent them.
pub struct Request {
    pub(super) work: Work,
    pub(super) reply: Reply,
    /// How many bytes it counts for while it waits.
    pub(super) weight: usize,
    /// Its place among the bytes that wait, until the writer takes it.
    pub(super) place: Option<Place>,
}

/// How many bytes a request counts for if nobody says how large it is.
const USUAL_WEIGHT: usize = 1 << 10;

/// What the writer is asked to do.
pub(super) enum Work {
    /// To carry out commands.
    Execute {
        actor: Actor,
        envelopes: Arc<Vec<Envelope>>,
        ids: Ids,
    },
    /// To record nothing more at or before this instant. The reply comes when all that has been
    /// decided is durable.
    Pass(Timestamp),
}

impl Request {
    /// A request that `actor` makes. `reply` is called once, from another thread, and must not
    /// block.
    pub fn new(
        actor: Actor,
        envelopes: Vec<Envelope>,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        Self::sharing(actor, Arc::new(envelopes), reply)
    }

    /// The same, with commands that whoever asks keeps too, to tell what a refusal is about.
    pub fn sharing(
        actor: Actor,
        envelopes: Arc<Vec<Envelope>>,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        let ids = Ids::Clients;
        Self::for_work(
            Work::Execute {
                actor,
                envelopes,
                ids,
            },
            reply,
        )
    }

    /// A request that the ledger makes itself, in the name of an actor: otherwise like
    /// [`Request::new`].
    pub(crate) fn own(
        actor: Actor,
        command: OwnCommand,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        let (envelope, ids) = command.envelope();
        Self::for_work(
            Work::Execute {
                actor,
                envelopes: Arc::new(vec![envelope]),
                ids,
            },
            reply,
        )
    }

    fn for_work(
        work: Work,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        Self {
            work,
            reply: Box::new(reply),
            weight: USUAL_WEIGHT,
            place: None,
        }
    }

    /// Says how many bytes the commands have as they came in.
    #[must_use]
    pub fn weighing(self, bytes: usize) -> Self {
        let weight = bytes.max(USUAL_WEIGHT);
        Self { weight, ..self }
    }

    /// A request to record nothing more at or before an instant: see [`Work::Pass`].
    pub(super) fn pass(
        instant: Timestamp,
        reply: impl FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send + 'static,
    ) -> Self {
        Self::for_work(Work::Pass(instant), reply)
    }
}
