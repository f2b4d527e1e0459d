//! Finds forks while the journal is read.

use std::collections::{BTreeSet, HashMap};

use super::branches::Spot;
use super::forks::{Branch, Fork, ForkedStream, Forks, StaleAnswer};
use super::halt::Halt;
use crate::audit::{Broken, Fault, FaultKind, StreamPlace, continues};
use crate::entry::{self, Entry};
use crate::ids::{Position, Revision, StreamId};
use crate::journal::{CommandRecord, CommitLog};

/// What is known about forked streams while the journal is read. Streams without a fork take no
/// memory here.
#[derive(Default)]
pub(super) struct Forking {
    /// For each forked stream, its index in [`Forks::streams`].
    streams: HashMap<StreamId, usize>,
    /// For each forked stream, the index of the fork whose second branch it is on. `None` if it is
    /// on none.
    on: Vec<Option<usize>>,
    found: Forks,
}

impl Forking {
    /// Takes an event that follows the previous event of its stream.
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

    /// Takes an event that does not follow the previous event of its stream. The event begins a
    /// fork, or it continues the stream after a fork. Anything else is a fault.
    pub(super) fn broken(
        &mut self,
        log: &dyn CommitLog,
        position: Position,
        back: Position,
        entry: &Entry,
        broken: Broken,
    ) -> Result<(), Halt> {
        let Broken { fault, before } = broken;
        let Some(before) = before else {
            return Err(fault.into());
        };
        let at = self.streams.get(&entry.stream).copied();
        let forked = at.and_then(|at| self.found.streams.get(at));
        if let (Some(at), Some(forked)) = (at, forked) {
            let last = StreamPlace {
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

    /// Takes a command without events whose receipt names another revision than `last`, the last
    /// revision of its stream. Returns whether the stream ever had the revision that the receipt
    /// names.
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

    /// Takes the event at `position`, which says that somebody settled these forks.
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
                let what = format!(
                    "it settles a fork of {stream} at position {settled}, but there is no fork at \
                    that position"
                );
                return Err(Fault::new(position, FaultKind::Event, what));
            }
            marks.for_each(|mark| *mark = mark.or(Some(position)));
        }
        Ok(())
    }

    /// Everything that was found.
    pub(super) fn finish(self) -> Forks {
        self.found
    }
}

fn spot(position: Position, entry: &Entry) -> Spot {
    Spot {
        revision: entry.revision,
        position,
    }
}

/// Finds the event that another event of its stream points back to. If that one says that it is the
/// first, the answer is the place before the stream's first event.
fn earlier(
    log: &dyn CommitLog,
    back: Position,
    entry: &Entry,
) -> Result<Option<StreamPlace>, Halt> {
    if back == Position::ZERO {
        return Ok(Some(StreamPlace {
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
    Ok(same.map(|found| StreamPlace {
        position: back,
        revision: found.revision,
        link: entry::link(&stored.entry),
        key: found.key,
    }))
}

/// The part of a stream after a position, up to the stream's last event.
fn since(log: &dyn CommitLog, after: Position, last: &StreamPlace) -> Result<Branch, Halt> {
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
