//! Streams that were forked: the journal goes on from an event that was not the stream's last.
//!
//! Such a journal was written by a version of planledger whose derived state could fall back to an
//! older one unnoticed. Every event in it is genuine; only, the events of the second branch were
//! decided without those of the first. Both count, in the order of the journal. It is a fault until
//! somebody has looked at it and settled it, and is never hidden.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use super::journal::Stop;
use super::told::Told;
use crate::audit::{Broken, Fault, FaultKind, Place, continues};
use crate::entry::{self, Entry};
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::journal::{CommandRecord, CommitLog};

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

/// What is known of forked streams while the journal is read. Takes memory for those only.
#[derive(Default)]
pub(super) struct Forking {
    /// The place of each in what was found.
    streams: HashMap<StreamId, usize>,
    /// Which fork's second branch each is on.
    on: Vec<Option<usize>>,
    found: Forks,
}

impl Forking {
    /// An event that follows the one before it in its stream.
    pub(super) fn followed(&mut self, position: Position, entry: &Entry) {
        if !self.streams.is_empty()
            && let Some(at) = self.streams.get(&entry.stream).copied()
        {
            self.reached(at, position, entry);
            let fork = self.on.get(at).copied().flatten();
            let fork = fork.and_then(|fork| self.found.forks.get_mut(fork));
            if let Some(fork) = fork.filter(|fork| fork.settled.is_none()) {
                fork.second.events += 1;
                fork.second.to = spot(position, entry);
            }
        }
    }

    /// An event that does not follow the one before it in its stream. It is a fork, or goes on
    /// after one, or it is a fault.
    pub(super) fn broken(
        &mut self,
        log: &dyn CommitLog,
        position: Position,
        back: Position,
        entry: &Entry,
        broken: Broken,
    ) -> Result<(), Stop> {
        let Broken { fault, before } = broken;
        let Some(before) = before else {
            return Err(fault.into());
        };
        let at = self.streams.get(&entry.stream).copied();
        let forked = at.and_then(|at| self.found.streams.get(at));
        if let (Some(at), Some(forked)) = (at, forked) {
            let last = Place {
                revision: forked.greatest,
                ..before
            };
            if continues(position, back, entry, &last).is_ok() {
                self.reached(at, position, entry);
                self.be_on(at, None);
                return Ok(());
            }
        }
        let common = match earlier(log, back, entry)? {
            Some(common) if continues(position, back, entry, &common).is_ok() => common,
            Some(_) | None => return Err(fault.into()),
        };
        let fork = Fork {
            stream: entry.stream,
            common: Spot {
                revision: common.revision,
                position: common.position,
            },
            first: since(log, common.position, &before)?,
            second: Branch {
                events: 1,
                from: spot(position, entry),
                to: spot(position, entry),
            },
            settled: None,
        };
        let at = at.unwrap_or_else(|| self.add(fork.stream, before.revision));
        self.reached(at, position, entry);
        self.be_on(at, Some(self.found.forks.len()));
        self.found.forks.push(fork);
        Ok(())
    }

    fn add(&mut self, stream: StreamId, greatest: Revision) -> usize {
        let at = self.found.streams.len();
        self.streams.insert(stream, at);
        self.on.push(None);
        self.found.streams.push(ForkedStream {
            stream,
            last: Spot::default(),
            greatest,
        });
        at
    }

    fn reached(&mut self, at: usize, position: Position, entry: &Entry) {
        if let Some(forked) = self.found.streams.get_mut(at) {
            forked.last = spot(position, entry);
            forked.greatest = forked.greatest.max(entry.revision);
        }
    }

    fn be_on(&mut self, at: usize, fork: Option<usize>) {
        if let Some(on) = self.on.get_mut(at) {
            *on = fork;
        }
    }

    /// A command without events that names a revision other than `last`, its stream's. Says whether
    /// the stream has had that one.
    pub(super) fn answered(
        &mut self,
        position: Position,
        command: &CommandRecord,
        last: Revision,
    ) -> bool {
        let at = self.streams.get(&command.stream);
        let forked = at.and_then(|at| self.found.streams.get(*at));
        let greatest = forked.map_or(last, |forked| forked.greatest);
        if command.revision < greatest {
            self.found.stale.push(StaleAnswer {
                command: command.id,
                stream: command.stream,
                position,
                said: command.revision,
                revision: last,
                settled: None,
            });
        }
        command.revision <= greatest
    }

    /// The event at a position says that somebody settled forks.
    pub(super) fn settle(
        &mut self,
        position: Position,
        stream: StreamId,
        forks: &BTreeSet<Position>,
    ) -> Result<(), Fault> {
        for settled in forks {
            let fork = self.found.forks.iter_mut();
            let fork = fork.filter(|fork| (fork.stream, fork.position()) == (stream, *settled));
            let stale = self.found.stale.iter_mut();
            let stale = stale.filter(|stale| (stale.stream, stale.position) == (stream, *settled));
            let marks = fork.map(|fork| &mut fork.settled);
            let mut marks = marks
                .chain(stale.map(|stale| &mut stale.settled))
                .peekable();
            if marks.peek().is_none() {
                let what =
                    format!("it settles a fork of {stream} at {settled}, where there is none");
                return Err(Fault::new(position, FaultKind::Event, what));
            }
            marks.for_each(|mark| *mark = mark.or(Some(position)));
        }
        Ok(())
    }

    /// What there is.
    pub(super) fn finish(self) -> Forks {
        self.found
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

fn spot(position: Position, entry: &Entry) -> Spot {
    Spot {
        revision: entry.revision,
        position,
    }
}

/// The event that another one of its stream points back to: what was before its stream, if it says
/// that it is the first.
fn earlier(log: &dyn CommitLog, back: Position, entry: &Entry) -> Result<Option<Place>, Stop> {
    if back == Position::ZERO {
        return Ok(Some(Place {
            position: Position::ZERO,
            revision: Revision::ZERO,
            link: [0; 32],
            key: entry.key,
        }));
    }
    let Some(stored) = log.entry(back)? else {
        return Ok(None);
    };
    let decoded = Entry::decode(&stored.entry).ok();
    let same = decoded.filter(|found| found.stream == entry.stream);
    Ok(same.map(|found| Place {
        position: back,
        revision: found.revision,
        link: entry::link(&stored.entry),
        key: found.key,
    }))
}

/// What a stream had after a position, up to its last event.
fn since(log: &dyn CommitLog, after: Position, last: &Place) -> Result<Branch, Stop> {
    let to = Spot {
        revision: last.revision,
        position: last.position,
    };
    let mut branch = Branch {
        events: 0,
        from: to,
        to,
    };
    let mut next = last.position;
    while next > after
        && let Some(stored) = log.entry(next)?
    {
        branch.events += 1;
        if let Ok(entry) = Entry::decode(&stored.entry) {
            branch.from = Spot {
                revision: entry.revision,
                position: next,
            };
        }
        next = stored.back;
    }
    Ok(branch)
}
