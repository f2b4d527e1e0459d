//! What is said of a fork, event by event, and of commands that were executed more than once.

use crate::domain::{Actor, EventType};
use crate::ids::{CommandId, CommitSeq, PersonId, Position, Revision, StreamId, YearPlanId};
use crate::journal::Digest16;
use crate::time::Timestamp;
#[cfg(doc)]
use crate::verify::Forks;

/// An event's place in its stream and in the journal. Both are 0 before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The event's place in its stream.
    pub revision: Revision,
    /// The event's place in the journal.
    pub position: Position,
}

/// What happened where streams were forked, and which commands were executed more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The events of both branches of each fork, in the order of [`Forks::forks`].
    pub branches: Vec<Branches>,
    /// Whose plan each forked stream is, in the order of [`Forks::streams`]. `None` if the stream
    /// is not a plan.
    pub plans: Vec<Option<PlanNow>>,
    /// The commands that were executed more than once, sorted by the last time.
    pub repeated: Vec<Repeated>,
}

/// The events of both branches of a fork.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branches {
    /// The first branch: the events that were there when the stream was forked.
    pub first: Vec<BranchEvent>,
    /// The second branch: the events that were recorded as if the first branch did not exist.
    pub second: Vec<BranchEvent>,
}

/// An event of a branch, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchEvent {
    /// The event's place in its stream and in the journal.
    pub at: Spot,
    /// When the event was recorded.
    pub recorded_at: Timestamp,
    /// The type of the event. `None` if this version does not know it.
    pub event_type: Option<EventType>,
    /// The person or system that acted.
    pub actor: Actor,
    /// The person or system for whom the actor acted. `None` if the actor acted for itself.
    pub on_behalf_of: Option<Actor>,
    /// The command that led to the event.
    pub command: CommandId,
}

/// Whose plan it is and where it belongs, after all events of both branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanNow {
    /// The student whose plan it is.
    pub student: PersonId,
    /// The year plan that the plan belongs to.
    pub year_plan: YearPlanId,
    /// The owner of the plan.
    pub owner: PersonId,
}

/// A command id that is in the journal more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The command id.
    pub command: CommandId,
    /// The outcome of each time, in order. There are at least two.
    pub outcomes: Vec<Outcome>,
}

impl Repeated {
    /// Whether the command was the same each time.
    pub fn is_same_command(&self) -> bool {
        let mut digests = self.outcomes.iter().map(|outcome| outcome.digest);
        let first = digests.next();
        digests.all(|digest| Some(digest) == first)
    }
}

/// What one execution of a command led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many commands the journal has before this one.
    pub ordinal: u64,
    /// The commit that holds the command.
    pub commit: CommitSeq,
    /// When the commit was recorded.
    pub recorded_at: Timestamp,
    /// The digest of the command. Equal digests mean the same command.
    pub digest: Digest16,
    /// The stream that the receipt names.
    pub stream: StreamId,
    /// The revision that the receipt names.
    pub revision: Revision,
    /// The journal's last position after the command.
    pub position: Position,
    /// How many events the command led to.
    pub events: u32,
}
