//! Streams that were forked: the journal goes on from an event that was not the stream's last.
//!
//! Such a journal was written by a version of planledger whose derived state could fall back to an
//! older one unnoticed. Every event in it is genuine; only, the events of the second branch were
//! decided without those of the first. Both count, in the order of the journal. It is a fault until
//! somebody has looked at it and settled it, and is never hidden.

use std::fmt;

use super::told::Told;
use crate::audit::{Fault, FaultKind};
use crate::ids::{CommandId, Position, Revision, StreamId};

/// An event's place in its stream and in the journal; zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// In its stream.
    pub revision: Revision,
    /// In the journal.
    pub position: Position,
}

/// A part of a stream, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// How many events.
    pub events: u64,
    /// The first.
    pub from: Spot,
    /// The last.
    pub to: Spot,
}

/// A place where a stream goes on from an event that was not its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The stream.
    pub stream: StreamId,
    /// The event that both branches go on from.
    pub common: Spot,
    /// What the stream had after it before it was forked.
    pub first: Branch,
    /// What was recorded as if the first branch were not there. It ends where the stream goes on
    /// from all there is, where it is forked once more, or where the fork was settled.
    pub second: Branch,
    /// Position of the event by which it was settled.
    pub settled: Option<Position>,
}

impl Fork {
    /// The position at which the stream was forked: of the second branch's first event.
    pub const fn position(&self) -> Position {
        self.second.from.position
    }
}

/// A command that changed nothing, and was told a revision that its stream had left behind: it was
/// decided on an older state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleAnswer {
    /// The command.
    pub command: CommandId,
    /// The stream that its receipt names.
    pub stream: StreamId,
    /// The last position before it.
    pub position: Position,
    /// The revision that its receipt names.
    pub said: Revision,
    /// The stream's last revision then.
    pub revision: Revision,
    /// Position of the event by which it was settled.
    pub settled: Option<Position>,
}

/// A stream that was forked, as it is now: all its events count, in the order of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkedStream {
    /// The stream.
    pub stream: StreamId,
    /// Its last event.
    pub last: Spot,
    /// The greatest revision of any branch; the next event has the one after it.
    pub greatest: Revision,
}

/// What became of a journal that was written from an older state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forks {
    /// Where streams were forked, in the order of the journal.
    pub forks: Vec<Fork>,
    /// The streams that were forked, in the order in which they were.
    pub streams: Vec<ForkedStream>,
    /// Commands that were answered from an older state, in the order of the journal.
    pub stale: Vec<StaleAnswer>,
    /// What happened there event by event; only at [`super::Depth::Forks`].
    pub told: Option<Told>,
}

impl Forks {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.forks.is_empty() && self.stale.is_empty()
    }

    /// Streams with something that is not settled, and where.
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
                "{stream} goes on twice from revision {revision} (position {}): ",
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
            "command {} was told that {} has revision {}, but it had {} then: it was decided on an \
             older state, and changed nothing",
            self.command, self.stream, self.said, self.revision
        )
    }
}

impl Forks {
    /// The first that is not settled, as a fault.
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

    /// How many there are, in words.
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
