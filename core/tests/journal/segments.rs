//! Segment files from outside: opening, closing, indexes and options.

use std::sync::Arc;
use std::time::Duration;

use planledger_core::ids::{CommitSeq, Position};
use planledger_core::journal::conformance::{sample_commit, sample_group};
use planledger_core::journal::{
    AppendError, CommitLog, DurableHint, FaultyDisk, OpenError, OpenMode, OsDisk, SegmentLog,
    SegmentOptions,
};

use crate::journal::support::{CREATED, LEDGER, create, open, small_segments};

/// Appends `count` groups of three commits each.
pub(crate) fn fill(log: &SegmentLog, count: u64) {
    for seed in 0..count {
        let tail = log.tail();
        let shape: [&[&[usize]]; 3] = [&[&[40, 17], &[]], &[&[]], &[&[300]]];
        log.append(&tail, &sample_group(&tail, seed, &shape))
            .unwrap();
    }
}

fn all_bytes(log: &SegmentLog) -> Vec<Vec<u8>> {
    let frames = log.read_commits(CommitSeq::new(1));
    frames
        .map(|frame| frame.unwrap().bytes().to_vec())
        .collect()
}

#[test]
fn a_journal_opens_as_it_was_closed() {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    for round in 0..10 {
        let (tail, frames) = (log.tail(), all_bytes(&log));
        let again = open(&disk, small_segments()).unwrap();
        assert_eq!(again.tail(), tail);
        assert_eq!(again.ledger_id(), LEDGER);
        assert_eq!(all_bytes(&again), frames);
        assert_eq!(again.segments(), log.segments());
        assert_eq!(again.cut(), None);
        fill(&log, 1 + round % 2);
    }
    assert!(log.segments().len() > 3);
}

/// Two processes that both write, because somebody took the lock away. The one whose end is no longer
/// the end of the journal stops, and what the other has receipted stays.
#[test]
fn a_writer_that_finds_an_end_it_did_not_write_stops_for_good() {
    for theirs in [1, 12] {
        let disk = FaultyDisk::new();
        let ours = create(&disk, small_segments()).unwrap();
        fill(&ours, 1);
        let other = open(&disk, small_segments()).unwrap();
        fill(&other, theirs);
        let receipted = all_bytes(&other);
        let tail = ours.tail();
        let refused = ours.append(&tail, &sample_group(&tail, 9, &[&[&[40]]]));
        let Err(AppendError::Io { source, .. }) = refused else {
            panic!("it wrote: {refused:?}")
        };
        assert!(source.to_string().contains("somebody else"), "{source}");
        let again = ours.append(&tail, &sample_group(&tail, 9, &[&[&[40]]]));
        assert!(matches!(again, Err(AppendError::Poisoned)));
        let opened = open(&disk, small_segments()).unwrap();
        assert_eq!(all_bytes(&opened), receipted);
    }
}

#[test]
fn an_opened_journal_is_appended_to() {
    let disk = FaultyDisk::new();
    drop(create(&disk, small_segments()).unwrap());
    let mut commits = 0;
    for _ in 0..20 {
        let log = open(&disk, small_segments()).unwrap();
        fill(&log, 1);
        commits += 3;
        assert_eq!(all_bytes(&log).len(), commits);
    }
}

#[test]
fn opening_nothing_and_creating_twice_are_refused() {
    let disk = FaultyDisk::new();
    assert!(matches!(
        open(&disk, SegmentOptions::default()),
        Err(OpenError::Empty)
    ));
    assert!(disk.names().is_empty());
    drop(create(&disk, SegmentOptions::default()).unwrap());
    let again = create(&disk, SegmentOptions::default());
    assert!(matches!(again, Err(OpenError::Exists)));
}

#[test]
fn a_journal_open_for_reading_changes_nothing() {
    let disk = FaultyDisk::new();
    fill(&create(&disk, small_segments()).unwrap(), 5);
    let last = disk
        .names()
        .into_iter()
        .rfind(|name| name.ends_with(".log"))
        .unwrap();
    let mut torn = disk.bytes(&last).unwrap();
    torn.truncate(torn.len() - 1);
    disk.put_bytes(&last, torn);
    for name in disk.names().iter().filter(|name| name.ends_with(".idx")) {
        disk.put_bytes(name, vec![1, 2, 3]);
    }
    let before: Vec<_> = disk.names().iter().map(|name| disk.bytes(name)).collect();
    let options = SegmentOptions {
        mode: OpenMode::ReadOnly,
        ..small_segments()
    };
    let log = open(&disk, options).unwrap();
    assert!(log.cut().is_some());
    assert_eq!(log.tail().commit.get(), 14);
    assert_eq!(all_bytes(&log).len(), 14);
    for position in 1..=log.tail().position.get() {
        assert!(log.entry(Position::new(position)).unwrap().is_some());
    }
    let tail = log.tail();
    let answer = log.append(&tail, &[sample_commit(&tail, 0, &[&[16]])]);
    assert!(matches!(answer, Err(AppendError::ReadOnly)));
    let after: Vec<_> = disk.names().iter().map(|name| disk.bytes(name)).collect();
    assert_eq!(after, before);
}

#[test]
fn indexes_that_are_missing_or_wrong_are_built_again() {
    let disk = FaultyDisk::new();
    fill(&create(&disk, small_segments()).unwrap(), 8);
    let indexes: Vec<String> = disk
        .names()
        .into_iter()
        .filter(|name| name.ends_with(".idx"))
        .collect();
    assert!(indexes.len() > 2);
    let good: Vec<_> = indexes
        .iter()
        .map(|name| disk.bytes(name).unwrap())
        .collect();
    let changes: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[24..].fill(0),
        |bytes| bytes[24..].rotate_left(4),
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() - 1),
    ];
    for change in changes {
        for (name, bytes) in indexes.iter().zip(&good) {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            disk.put_bytes(name, bytes);
        }
        let log = open(&disk, small_segments()).unwrap();
        for position in 1..=log.tail().position.get() {
            let position = Position::new(position);
            assert_eq!(log.entry(position).unwrap().unwrap().position, position);
            let frame = log.read(position).next().unwrap().unwrap();
            assert!(frame.entries().any(|entry| entry.position == position));
        }
        let repaired: Vec<_> = indexes
            .iter()
            .map(|name| disk.bytes(name).unwrap())
            .collect();
        assert_eq!(repaired, good);
    }
}

#[test]
fn segments_cut_the_journal_into_parts_that_can_be_read_apart() {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    fill(&log, 12);
    let starts = log.segments();
    let mut parts = Vec::new();
    for (start, next) in starts.iter().zip(starts.iter().skip(1)) {
        let frames = log.read_commits(start.first_commit).map(Result::unwrap);
        let part: Vec<_> = frames
            .take_while(|frame| frame.commit() < next.first_commit)
            .collect();
        assert_eq!(part[0].header().first_position, start.first_position);
        parts.extend(part);
    }
    let last = starts.last().unwrap().first_commit;
    parts.extend(log.read_commits(last).map(Result::unwrap));
    let parts: Vec<_> = parts.iter().map(|frame| frame.bytes().to_vec()).collect();
    assert_eq!(parts, all_bytes(&log));
}

#[test]
fn a_journal_that_ends_before_what_was_derived_from_it_is_refused() {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    fill(&log, 2);
    let tail = log.tail();
    let at = |commit: u64, position: u64| SegmentOptions {
        durable: Some(DurableHint {
            ledger: LEDGER,
            commit: CommitSeq::new(commit),
            position: Position::new(position),
        }),
        ..small_segments()
    };
    let (commit, position) = (tail.commit.get(), tail.position.get());
    assert!(open(&disk, at(commit, position)).is_ok());
    assert!(open(&disk, at(commit - 1, position - 1)).is_ok());
    for (commit, position) in [(commit + 1, position + 1), (commit, position + 1)] {
        let Err(OpenError::Damaged(damage)) = open(&disk, at(commit, position)) else {
            panic!("the loss went unnoticed");
        };
        assert_eq!(damage.position, tail.position.next());
    }
    let Err(OpenError::Damaged(damage)) = open(&FaultyDisk::new(), at(1, 1)) else {
        panic!("the loss of everything went unnoticed");
    };
    assert_eq!((damage.segment, damage.offset), (1, 0));
}

#[test]
fn a_reader_crosses_into_segments_that_were_begun_after_it() {
    let disk = FaultyDisk::new();
    let log = create(&disk, small_segments()).unwrap();
    let mut frames = log.read_commits(CommitSeq::new(1));
    let mut seen = 0;
    for _ in 0..10 {
        assert!(frames.next().is_none());
        fill(&log, 2);
        for frame in frames.by_ref() {
            seen += 1;
            assert_eq!(frame.unwrap().commit().get(), seen);
        }
        assert_eq!(seen, log.tail().commit.get());
    }
    assert!(log.segments().len() > 4);
}

#[test]
fn the_system_disk_keeps_what_was_appended() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Arc::new(OsDisk::new(directory.path().join("a/b")).unwrap());
    let log = SegmentLog::create(disk.clone(), LEDGER, CREATED, small_segments()).unwrap();
    fill(&log, 6);
    let (tail, bytes) = (log.tail(), all_bytes(&log));
    drop(log);
    let log = SegmentLog::open(disk, small_segments()).unwrap();
    assert_eq!((log.tail(), all_bytes(&log)), (tail, bytes));
    assert_eq!(log.follow(CommitSeq::ZERO, Duration::ZERO), tail);
}
