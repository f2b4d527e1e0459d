//! The tests that every implementation of a commit log must pass.
//!
//! Call [`conforms`] from a test.

// This is a suite of tests, and a failed test panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Barrier;
use std::time::Duration;

use super::commit::{CommandRecord, Commit, CommitError, Limit, NewEntry};
use super::error::AppendError;
use super::frame::Frame;
use super::layout::{MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN};
use super::log::CommitLog;
use super::tail::Tail;
use crate::domain::Actor;
use crate::entry::{Entry, sealed_hash};
use crate::ids::{CommandId, CommitSeq, KeyId, PersonId, PlanId, Position, Revision, SystemId};
use crate::time::Timestamp;

/// Makes a commit that can be appended directly after `tail`. Each item of `commands` becomes one
/// command; its numbers are the lengths of its entries' payloads in bytes, each at least 16. The
/// same arguments give the same commit, and another `seed` gives other ids and payloads.
pub fn sample_commit(tail: &Tail, seed: u64, commands: &[&[usize]]) -> Commit {
    let recorded_at = tail.recorded_at.plus(1_000);
    let mut commit = Commit {
        recorded_at,
        commands: Vec::new(),
        entries: Vec::new(),
    };
    for (number, lengths) in (0_u64..).zip(commands) {
        let id = |kind: u64| {
            let hash = [kind, seed, tail.commit.get(), number]
                .map(u64::to_be_bytes)
                .concat();
            *blake3::hash(&hash).as_bytes().first_chunk::<16>().unwrap()
        };
        let stream = PlanId::from_bytes(id(1)).into();
        let command = CommandId::from_bytes(id(2));
        commit.commands.push(CommandRecord {
            id: command,
            digest: id(3),
            stream,
            revision: Revision::new(lengths.len() as u64),
            entries: lengths.len() as u32,
        });
        for (nth, len) in (0_u64..).zip(*lengths) {
            let mut sealed = vec![0; *len];
            blake3::Hasher::new()
                .update(&id(4 + nth))
                .finalize_xof()
                .fill(&mut sealed);
            let entry = Entry {
                stream,
                revision: Revision::new(nth + 1),
                previous_link: [9; 32],
                event_type: 0x0601,
                schema: 1,
                command,
                actor: Actor::Person(PersonId::from_bytes([1; 16])),
                on_behalf_of: Some(Actor::System(SystemId::from_bytes([2; 16]))),
                recorded_at: recorded_at.plus(commit.entries.len() as u64),
                key: KeyId::from_bytes([3; 16]),
                key_commitment: [4; 32],
                nonce: [5; 24],
                sealed_len: *len as u32,
                sealed_hash: sealed_hash(&sealed),
            }
            .encode();
            let position = tail.position.plus(commit.entries.len() as u64 + 1);
            let back = if nth == 0 { 0 } else { position.get() - 1 };
            let back = Position::new(back);
            commit.entries.push(NewEntry::new(back, entry, sealed));
        }
    }
    commit
}

/// Makes commits that can be appended together directly after `tail`. Each of them is made as
/// [`sample_commit`] makes one.
pub fn sample_group(tail: &Tail, seed: u64, commits: &[&[&[usize]]]) -> Vec<Commit> {
    let mut tail = *tail;
    let mut group = Vec::new();
    for commands in commits {
        let commit = sample_commit(&tail, seed, commands);
        tail.commit = tail.commit.next();
        tail.position = tail.position.plus(commit.entries.len() as u64);
        tail.recorded_at = commit.latest_instant();
        group.push(commit);
    }
    group
}

/// Checks that a frame holds the commands and entries of `commit`, and nothing else.
///
/// # Panics
/// When they differ.
pub fn assert_holds(frame: &Frame, commit: &Commit) {
    assert_eq!(frame.header().recorded_at, commit.recorded_at);
    assert_eq!(frame.commands().collect::<Vec<_>>(), commit.commands);
    let first = frame.header().first_position;
    let mut count = 0;
    for (entry, given) in frame.entries().zip(&commit.entries) {
        assert_eq!(entry.position, first.plus(count));
        assert_eq!((entry.back, entry.leaf), (given.back, &given.leaf));
        assert_eq!(
            (entry.entry, entry.sealed),
            (&given.entry, given.sealed.as_slice())
        );
        assert!(entry.leaf_is_sound() && entry.payload_is_sound() && !entry.is_redacted());
        count += 1;
    }
    assert_eq!(count, commit.entries.len() as u64);
}

/// Runs all tests. `make` must return a new, empty log at each call.
///
/// # Panics
/// When the log breaks a rule of commit logs.
pub fn conforms(make: impl Fn() -> Box<dyn CommitLog>) {
    an_empty_log_has_nothing(make().as_ref());
    what_is_appended_is_read(make().as_ref());
    an_append_at_another_tail_changes_nothing(make().as_ref());
    a_commit_beyond_its_limits_is_refused(make().as_ref());
    a_commit_that_contradicts_itself_is_refused(make().as_ref());
    a_reader_goes_on_where_it_was(make().as_ref());
    one_of_two_writers_is_fenced(make().as_ref());
    readers_never_see_beyond_the_tail(make().as_ref());
    a_follower_wakes_up(make().as_ref());
}

const WAIT: Duration = Duration::from_secs(60);

fn frames_from(log: &dyn CommitLog, from: u64) -> Vec<Frame> {
    log.read(Position::new(from)).map(Result::unwrap).collect()
}

fn commits_from(log: &dyn CommitLog, from: u64) -> Vec<u64> {
    let frames = log.read_commits(CommitSeq::new(from));
    frames.map(|frame| frame.unwrap().commit().get()).collect()
}

fn append_one(log: &dyn CommitLog, commands: &[&[usize]]) -> Commit {
    let tail = log.tail();
    let commit = sample_commit(&tail, 0, commands);
    let new_tail = log.append(&tail, std::slice::from_ref(&commit)).unwrap();
    assert_eq!(new_tail, log.tail());
    commit
}

fn an_empty_log_has_nothing(log: &dyn CommitLog) {
    let tail = log.tail();
    assert_eq!(tail, Tail::empty(tail.recorded_at));
    assert_eq!(frames_from(log, 0).len() + frames_from(log, 1).len(), 0);
    assert_eq!(commits_from(log, 0), [0; 0]);
    assert_eq!(log.entry(Position::ZERO).unwrap(), None);
    assert_eq!(log.entry(Position::new(1)).unwrap(), None);
    assert_eq!(log.follow(CommitSeq::ZERO, Duration::ZERO), tail);
    assert_eq!(log.append(&tail, &[]).unwrap(), tail);
}

fn what_is_appended_is_read(log: &dyn CommitLog) {
    let mut given = Vec::new();
    given.push(append_one(log, &[&[]]));
    given.push(append_one(log, &[&[16]]));
    let group: [&[&[usize]]; 3] = [&[&[40, 17], &[], &[3_000]], &[&[]], &[&[200; 100]]];
    let tail = log.tail();
    let commits = sample_group(&tail, 7, &group);
    log.append(&tail, &commits).unwrap();
    given.extend(commits);
    given.push(append_one(log, &[&[], &[30]]));
    given.push(append_one(log, &[&[]]));

    let tail = log.tail();
    let entries: Vec<_> = given.iter().flat_map(|commit| &commit.entries).collect();
    assert_eq!(tail.commit, CommitSeq::new(given.len() as u64));
    assert_eq!(tail.position, Position::new(entries.len() as u64));
    assert_eq!(tail.recorded_at, given.last().unwrap().recorded_at);

    let frames: Vec<Frame> = log
        .read_commits(CommitSeq::new(1))
        .map(Result::unwrap)
        .collect();
    assert_eq!(frames.len(), given.len());
    let mut previous = Tail::empty(Timestamp::default());
    for (frame, commit) in frames.iter().zip(&given) {
        assert_holds(frame, commit);
        assert_eq!(frame.detached().bytes(), frame.bytes());
        previous = previous.after(frame).unwrap();
    }
    assert_eq!(previous, tail);
    let starts: Vec<u64> = frames
        .iter()
        .map(|frame| frame.header().group_start.get())
        .collect();
    assert_eq!(starts, [1, 2, 3, 3, 3, 6, 7]);

    for from in 0..=given.len() as u64 + 2 {
        let expected: Vec<u64> = (from.max(1)..=given.len() as u64).collect();
        assert_eq!(commits_from(log, from), expected);
    }
    for from in 0..=entries.len() as u64 + 2 {
        let found = frames_from(log, from);
        let holds = |frame: &&Frame| {
            frame.header().entries > 0 && frame.header().last_position().get() >= from
        };
        let expected: Vec<_> = frames.iter().skip_while(|frame| !holds(frame)).collect();
        assert_eq!(found.len(), expected.len(), "from {from}");
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| a.bytes() == b.bytes())
        );
    }
    for (position, given) in (1..).zip(entries) {
        let stored = log.entry(Position::new(position)).unwrap().unwrap();
        assert_eq!(stored.position.get(), position);
        assert_eq!((stored.back, stored.leaf), (given.back, given.leaf));
        assert_eq!(
            (&stored.entry, stored.sealed.as_ref()),
            (&given.entry, Some(&given.sealed))
        );
    }
    assert_eq!(log.entry(tail.position.next()).unwrap(), None);
}

fn an_append_at_another_tail_changes_nothing(log: &dyn CommitLog) {
    let empty = log.tail();
    append_one(log, &[&[16]]);
    let tail = log.tail();
    let others = [
        empty,
        Tail {
            commit: tail.commit.next(),
            ..tail
        },
        Tail {
            position: Position::ZERO,
            ..tail
        },
        Tail {
            checksum: [1; 16],
            ..tail
        },
    ];
    for other in others {
        let commit = sample_commit(&tail, 1, &[&[16]]);
        let answer = log.append(&other, &[commit]);
        let is_conflict = matches!(
            answer,
            Err(AppendError::Conflict { expected, actual }) if expected == other && actual == tail
        );
        assert!(is_conflict, "{answer:?}");
        assert!(matches!(
            log.append(&other, &[]),
            Err(AppendError::Conflict { .. })
        ));
    }
    assert_eq!(log.tail(), tail);
    assert_eq!(commits_from(log, 1), [1]);
}

fn assert_rejected(log: &dyn CommitLog, commit: Commit, is_right: impl Fn(CommitError) -> bool) {
    let tail = log.tail();
    // A good commit goes first. The log must refuse the whole group, not only the bad commit.
    let good = sample_commit(&tail, 5, &[&[]]);
    let mut bad = commit;
    bad.recorded_at = bad.recorded_at.plus(10);
    match log.append(&tail, &[good, bad]) {
        Err(AppendError::Rejected { index: 1, error }) => assert!(is_right(error), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(log.tail(), tail);
    assert_eq!(commits_from(log, tail.commit.get() + 1), [0; 0]);
}

fn a_commit_beyond_its_limits_is_refused(log: &dyn CommitLog) {
    let tail = log.tail();
    let too_large = |wanted: Limit| {
        move |error| {
            matches!(error, CommitError::TooLarge { limit, actual, allowed }
                if limit == wanted && actual > allowed)
        }
    };
    let commands = vec![&[] as &[usize]; MAX_COMMANDS + 1];
    assert_rejected(
        log,
        sample_commit(&tail, 0, &commands),
        too_large(Limit::Commands),
    );
    let frame = sample_commit(&tail, 0, &[&[MAX_FRAME_LEN - 72 - 64 - 274 - 32 + 1]]);
    assert_rejected(log, frame, too_large(Limit::FrameBytes));
    let mut entries = sample_commit(&tail, 0, &[&[16]]);
    let entry = entries.entries.pop().unwrap();
    entries.entries = vec![entry; MAX_ENTRIES + 1];
    assert_rejected(log, entries, too_large(Limit::Entries));
    let commits = [&[&[MAX_FRAME_LEN - 1_000] as &[usize]] as &[&[usize]]; 5];
    let answer = log.append(&tail, &sample_group(&tail, 0, &commits));
    let Err(AppendError::Rejected { index: 4, error }) = answer else {
        panic!("{answer:?}")
    };
    assert!(too_large(Limit::GroupBytes)(error), "{error}");
    let largest = append_one(log, &[&[MAX_FRAME_LEN - 72 - 64 - 274 - 32]]);
    assert_holds(&frames_from(log, 1)[0], &largest);
}

fn a_commit_that_contradicts_itself_is_refused(log: &dyn CommitLog) {
    let tail = append_one(log, &[&[16, 16]]);
    let (tail, sample) = (
        log.tail(),
        sample_commit(&log.tail(), tail.entries.len() as u64, &[&[16]]),
    );
    let mut commit = sample.clone();
    commit.commands[0].entries = 2;
    let unaccounted = |error| {
        matches!(
            error,
            CommitError::Unaccounted {
                claimed: 2,
                actual: 1
            }
        )
    };
    assert_rejected(log, commit, unaccounted);
    let empty = Commit {
        commands: Vec::new(),
        entries: Vec::new(),
        ..sample.clone()
    };
    assert_rejected(log, empty, |error| {
        matches!(error, CommitError::Unaccounted { .. })
    });
    let is_entry = |error| matches!(error, CommitError::Entry(0));
    let mut commit = sample.clone();
    commit.entries[0].back = tail.position.next();
    assert_rejected(log, commit, is_entry);
    let mut commit = sample.clone();
    commit.entries[0].sealed.push(1);
    assert_rejected(log, commit, is_entry);
    let mut commit = sample.clone();
    commit.entries[0].sealed = vec![0; 16];
    assert_rejected(log, commit, is_entry);
    let mut late = sample;
    late.recorded_at = tail.recorded_at;
    let answer = log.append(&tail, &[late]);
    let error = match answer {
        Err(AppendError::Rejected { index: 0, error }) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error, CommitError::NotLater { given, previous } if given == previous));
}

fn a_reader_goes_on_where_it_was(log: &dyn CommitLog) {
    let mut all = log.read_commits(CommitSeq::ZERO);
    let mut later = log.read(Position::new(3));
    assert!(all.next().is_none() && later.next().is_none());
    append_one(log, &[&[16, 16]]);
    assert_eq!(all.next().unwrap().unwrap().commit().get(), 1);
    assert!(all.next().is_none() && later.next().is_none());
    append_one(log, &[&[]]);
    append_one(log, &[&[16]]);
    assert_eq!(all.next().unwrap().unwrap().commit().get(), 2);
    assert_eq!(all.next().unwrap().unwrap().commit().get(), 3);
    assert!(all.next().is_none());
    assert_eq!(later.next().unwrap().unwrap().commit().get(), 3);
    append_one(log, &[&[]]);
    assert_eq!(later.next().unwrap().unwrap().commit().get(), 4);
    assert!(later.next().is_none());
}

fn one_of_two_writers_is_fenced(log: &dyn CommitLog) {
    const ROUNDS: u64 = 50;
    let barrier = Barrier::new(2);
    let write = |seed| {
        let (mut won, mut lost) = (0, 0);
        for _ in 0..ROUNDS {
            let tail = log.tail();
            // Both writers read the same tail before either appends.
            barrier.wait();
            match log.append(&tail, &[sample_commit(&tail, seed, &[&[16]])]) {
                Ok(after) => {
                    assert_eq!(after.commit, tail.commit.next());
                    won += 1;
                }
                Err(AppendError::Conflict { actual, .. }) => {
                    assert_eq!(actual.commit, tail.commit.next());
                    lost += 1;
                }
                Err(error) => panic!("{error}"),
            }
            barrier.wait();
        }
        (won, lost)
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| write(2));
        (write(1), other.join().unwrap())
    });
    assert_eq!((one.0 + other.0, one.1 + other.1), (ROUNDS, ROUNDS));
    assert_eq!(commits_from(log, 1), (1..=ROUNDS).collect::<Vec<_>>());
}

fn readers_never_see_beyond_the_tail(log: &dyn CommitLog) {
    const COMMITS: u64 = 300;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut frames = log.read_commits(CommitSeq::new(1));
                let mut seen = 0;
                while seen < COMMITS {
                    let tail = log.follow(CommitSeq::new(seen), WAIT);
                    assert!(tail.commit.get() > seen, "nothing came in time");
                    for frame in frames.by_ref() {
                        let frame = frame.unwrap();
                        seen += 1;
                        assert_eq!(frame.commit().get(), seen);
                        assert!(log.tail().commit.get() >= seen);
                        let last = frame.header().last_position();
                        assert_eq!(log.entry(last).unwrap().unwrap().position, last);
                    }
                    assert!(seen >= tail.commit.get());
                }
            });
        }
        while log.tail().commit.get() < COMMITS {
            let tail = log.tail();
            let group = sample_group(&tail, 0, &[&[&[16, 50]], &[&[300]], &[&[16]]]);
            log.append(&tail, &group).unwrap();
        }
    });
}

fn a_follower_wakes_up(log: &dyn CommitLog) {
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| log.follow(CommitSeq::ZERO, WAIT));
        append_one(log, &[&[]]);
        assert_eq!(follower.join().unwrap().commit.get(), 1);
    });
    // A follower that asks for a commit that exists gets an answer at once.
    assert_eq!(log.follow(CommitSeq::ZERO, WAIT).commit.get(), 1);
    assert_eq!(
        log.follow(CommitSeq::new(1), Duration::from_millis(1))
            .commit
            .get(),
        1
    );
}
