//! Says what happened where streams were forked, event by event, so that somebody can judge it. It
//! holds ids, times and types of events, and no texts.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::branches::{BranchEvent, Branches, Outcome, PlanNow, Repeated, Spot, Told};
use super::forks::{Fork, ForkedStream, Forks};
use crate::domain::plan::Plan;
use crate::domain::{Aggregate, EventType};
use crate::entry::Entry;
use crate::ids::{CommandId, CommitSeq, Position, StreamKind};
use crate::journal::{CommandRecord, CommitLog, Frame};
use crate::ledger::history::{stored, stored_record};
use crate::ledger::opener::{Opener, Rests};
use crate::ledger::stream_fold::StreamFold;
use crate::ledger::{OpenError, ReadError};
use crate::seal::KeyStore;

/// Describes the forks, and finds commands that were executed twice, up to a position. It takes
/// some bytes of memory for each command.
pub(super) fn tell(
    log: &dyn CommitLog,
    keys: &KeyStore,
    forks: &Forks,
    last: Position,
    progress: &dyn Fn(u64, u64),
) -> Result<Told, OpenError> {
    let branches = forks.forks.iter().map(|fork| branches(log, fork));
    let plans = forks.streams.iter();
    let opener = Opener {
        log,
        keys,
        rests: &Rests::default(),
        up_to_damage: true,
    };
    let plans = plans.map(|forked| plan_now(&opener, &forks.forks, forked));
    Ok(Told {
        branches: branches.collect::<Result<_, ReadError>>()?,
        plans: plans.collect::<Result<_, ReadError>>()?,
        repeated: repeated(log, last, progress)?,
    })
}

fn branches(log: &dyn CommitLog, fork: &Fork) -> Result<Branches, ReadError> {
    let walk = |last: Position, after: Position| -> Result<Vec<BranchEvent>, ReadError> {
        let mut events = Vec::new();
        let mut next = last;
        while next > after {
            let (stored, entry) = stored(log, next)?;
            events.push(branch_event(next, &entry));
            next = stored.back;
        }
        events.reverse();
        Ok(events)
    };
    let Fork {
        common,
        first,
        second,
        ..
    } = fork;
    Ok(Branches {
        first: walk(first.to.position, common.position)?,
        // The second branch's first event points back to the event before the fork, so the walk
        // ends there.
        second: walk(second.to.position, first.to.position)?,
    })
}

fn branch_event(position: Position, entry: &Entry) -> BranchEvent {
    BranchEvent {
        at: Spot {
            revision: entry.revision,
            position,
        },
        recorded_at: entry.recorded_at,
        event_type: EventType::from_code(entry.event_type),
        actor: entry.actor,
        on_behalf_of: entry.on_behalf_of,
        command: entry.command,
    }
}

/// Folds all events of a plan, in the order of the journal.
fn plan_now(
    opener: &Opener<'_>,
    forks: &[Fork],
    forked: &ForkedStream,
) -> Result<Option<PlanNow>, ReadError> {
    let ForkedStream { stream, last, .. } = *forked;
    if stream.kind != StreamKind::Plan {
        return Ok(None);
    }
    let before: HashMap<Position, Position> = forks
        .iter()
        .map(|fork| (fork.position(), fork.first.to.position))
        .collect();
    let mut events = Vec::new();
    let mut next = last.position;
    while next != Position::ZERO {
        let (stored, entry) = stored(opener.log, next)?;
        let back = before.get(&next).copied().unwrap_or(stored.back);
        events.push((next, stored, entry));
        next = back;
    }
    let mut folded = StreamFold::new(stream);
    for (position, stored, entry) in events.iter().rev() {
        folded.take(&stored_record(*position, stored, entry), opener)?;
    }
    Ok(match folded.state().map(|state| &**state) {
        Some(Aggregate::Plan(Plan {
            student,
            year_plan,
            owner,
            ..
        })) => Some(PlanNow {
            student: *student,
            year_plan: *year_plan,
            owner: *owner,
        }),
        Some(_) | None => None,
    })
}

/// Finds command ids that are in the journal more than once. It reads the journal twice, so that
/// the second reading needs memory only for ids that may be repeated.
fn repeated(
    log: &dyn CommitLog,
    last: Position,
    progress: &dyn Fn(u64, u64),
) -> Result<Vec<Repeated>, ReadError> {
    let hasher = RandomState::new();
    let (mut once, mut twice) = (HashSet::new(), HashSet::new());
    each_command(log, last, |_, command, _, position| {
        let hash = hasher.hash_one(command.id);
        if !once.insert(hash) {
            twice.insert(hash);
        }
        progress(position.get() / 2, last.get());
    })?;
    drop(once);
    let mut all: HashMap<CommandId, Vec<Outcome>> = HashMap::new();
    each_command(log, last, |frame, command, ordinal, position| {
        if twice.contains(&hasher.hash_one(command.id)) {
            let outcomes = all.entry(command.id).or_default();
            outcomes.push(outcome(frame, command, ordinal, position));
        }
        progress((last.get() + position.get()) / 2, last.get());
    })?;
    let all = all.into_iter().filter(|(_, outcomes)| outcomes.len() > 1);
    let mut repeated: Vec<_> = all
        .map(|(command, outcomes)| Repeated { command, outcomes })
        .collect();
    repeated.sort_by_key(|repeated| repeated.outcomes.last().map(|last| last.ordinal));
    progress(last.get(), last.get());
    Ok(repeated)
}

fn outcome(frame: &Frame, command: &CommandRecord, ordinal: u64, position: Position) -> Outcome {
    Outcome {
        ordinal,
        commit: frame.commit(),
        recorded_at: frame.header().recorded_at,
        digest: command.digest,
        stream: command.stream,
        revision: command.revision,
        position,
        events: command.entries,
    }
}

/// Calls `take` with every command, the number of commands before it, and the last position after
/// it.
fn each_command(
    log: &dyn CommitLog,
    last: Position,
    mut take: impl FnMut(&Frame, &CommandRecord, u64, Position),
) -> Result<(), ReadError> {
    let mut ordinal = 0;
    for frame in log.read_commits(CommitSeq::ZERO.next()) {
        let frame = frame?;
        let mut position = frame.header().first_position.get() - 1;
        if frame.header().last_position() > last {
            break;
        }
        for command in frame.commands() {
            position += u64::from(command.entries);
            take(&frame, &command, ordinal, Position::new(position));
            ordinal += 1;
        }
    }
    Ok(())
}
