//! Forked streams: the journal continues a stream from an event that was not the stream's last.
//!
//! An earlier version of planledger wrote such journals. Its derived state could fall back to an
//! older one, and nobody noticed. Every event in such a journal is genuine, but the events of the
//! second branch were decided without those of the first. The events of both branches count, in the
//! order of the journal. A fork is a fault until somebody has looked at it and settled it. It is
//! never hidden.

use std::fmt;

use super::branches::{Spot, Told};
use crate::audit::{Fault, FaultKind};
use crate::ids::{CommandId, Position, Revision, StreamId};

/// A part of a stream without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// How many events the part has.
    pub events: u64,
    /// The first event.
    pub from: Spot,
    /// The last event.
    pub to: Spot,
}

/// A fork: a stream continues from an event that was not its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The stream.
    pub stream: StreamId,
    /// The last event before the two branches.
    pub common: Spot,
    /// The first branch: the events that the stream already had when it was forked.
    pub first: Branch,
    /// The second branch: the events that were recorded as if the first branch did not exist. It
    /// ends where the stream continues from the events of both branches, where it is forked again,
    /// or where the fork was settled.
    pub second: Branch,
    /// The position of the event that settled the fork. `None` if nobody has settled it.
    pub settled: Option<Position>,
}

impl Fork {
    /// The position where the stream was forked: the position of the second branch's first event.
    pub const fn position(&self) -> Position {
        self.second.from.position
    }
}

/// A receipt with an outdated revision. The command changed nothing, and was decided on an older
/// state of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleAnswer {
    /// The command.
    pub command: CommandId,
    /// The stream that the receipt names.
    pub stream: StreamId,
    /// The last position before the command.
    pub position: Position,
    /// The revision that the receipt names.
    pub said: Revision,
    /// The revision that the stream really had then.
    pub revision: Revision,
    /// The position of the event that settled it. `None` if nobody has settled it.
    pub settled: Option<Position>,
}

/// The present end of a forked stream. The events of all branches count, in the order of the
/// journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkedStream {
    /// The stream.
    pub stream: StreamId,
    /// The last event of the stream.
    pub last: Spot,
    /// The highest revision of any branch. The next event gets the revision after it.
    pub greatest: Revision,
}

/// All forks of a journal, and all receipts with outdated revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forks {
    /// The forks, in the order of the journal.
    pub forks: Vec<Fork>,
    /// The forked streams, in the order in which they were first forked.
    pub streams: Vec<ForkedStream>,
    /// The receipts with outdated revisions, in the order of the journal.
    pub stale: Vec<StaleAnswer>,
    /// What happened, event by event. `None` except at [`super::Depth::Forks`].
    pub told: Option<Told>,
}

impl Forks {
    /// Whether there are neither forks nor outdated receipts.
    pub fn is_empty(&self) -> bool {
        self.forks.is_empty() && self.stale.is_empty()
    }

    /// Each fork and outdated receipt that nobody has settled: its stream and its position.
    pub fn unsettled(&self) -> impl Iterator<Item = (StreamId, Position)> {
        let forks = self.forks.iter().filter(|fork| fork.settled.is_none());
        let stale = self.stale.iter().filter(|stale| stale.settled.is_none());
        let forks = forks.map(|fork| (fork.stream, fork.position()));
        forks.chain(stale.map(|stale| (stale.stream, stale.position)))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, from, to } = self;
        match events {
            1 => write!(f, "revision {} (position {})", from.revision, from.position),
            _ => write!(
                f,
                "revisions {} to {} (positions {} to {})",
                from.revision, to.revision, from.position, to.position
            ),
        }
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stream,
            common,
            first,
            second,
            ..
        } = self;
        match common.revision {
            Revision::ZERO => write!(f, "{stream} begins twice: ")?,
            revision => write!(
                f,
                "{stream} continues twice from revision {revision} (position {}): ",
                common.position
            )?,
        }
        write!(f, "first with {first}, then with {second}")
    }
}

impl fmt::Display for StaleAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the receipt of command {} says that {} has revision {}, but it had revision {} then: \
            the command was decided on an older state, and changed nothing",
            self.command, self.stream, self.said, self.revision
        )
    }
}

impl Forks {
    /// The first fork or outdated receipt that nobody has settled, as a fault.
    pub(super) fn fault(&self) -> Option<Fault> {
        let fork = self.forks.iter().find(|fork| fork.settled.is_none());
        let stale = self.stale.iter().find(|stale| stale.settled.is_none());
        let fork = fork.map(|fork| (fork.position(), FaultKind::Fork, fork.to_string()));
        let stale = stale.map(|stale| (stale.position, FaultKind::Command, stale.to_string()));
        let (position, kind, mut what) = fork
            .into_iter()
            .chain(stale)
            .min_by_key(|(position, ..)| *position)?;
        match self.unsettled().count() {
            0 | 1 => {}
            count => what = format!("{what}; and {} more", count - 1),
        }
        Some(Fault::new(position, kind, what))
    }

    /// The numbers of forks and outdated receipts, in words.
    pub(super) fn note(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let unsettled = self.unsettled().count();
        let settled = self.forks.len() + self.stale.len() - unsettled;
        let forks = match self.forks.len() {
            0 => None,
            1 => Some("1 fork of a stream".to_owned()),
            count => Some(format!("{count} forks of streams")),
        };
        let stale = match self.stale.len() {
            0 => None,
            1 => Some("1 answer from an older state".to_owned()),
            count => Some(format!("{count} answers from an older state")),
        };
        let both: Vec<_> = forks.into_iter().chain(stale).collect();
        let mut note = both.join(", ");
        note += &match unsettled {
            0 => ", settled".to_owned(),
            _ => format!(": {settled} settled, {unsettled} not"),
        };
        Some(note)
    }
}
