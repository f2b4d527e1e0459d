//! Segments that end with the month, and the removal of the first ones, on a disk that can fail.

use std::sync::Arc;

use planledger_core::ids::{LedgerId, Position};
use planledger_core::journal::conformance::sample_commit;
use planledger_core::journal::{
    CommitLog, Damage, DamageReason, Fault, FaultyDisk, OpenError, OpenMode, PowerCut, ReadError,
    RemoveError, SegmentLog, SegmentOptions, Tail,
};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::START;

use super::removal::day;

const OPTIONS: SegmentOptions = SegmentOptions {
    mode: OpenMode::ReadWrite,
    durable: None,
    segment_bytes: 1 << 20,
    removable: true,
};

fn open(disk: &FaultyDisk) -> Result<SegmentLog, OpenError> {
    SegmentLog::open(Arc::new(disk.clone()), OPTIONS)
}

/// Four months with two commits of two entries each.
fn filled() -> FaultyDisk {
    let disk = FaultyDisk::new();
    let id = LedgerId::from_bytes([3; 16]);
    let log = SegmentLog::create(Arc::new(disk.clone()), id, START, OPTIONS).unwrap();
    for seed in 0..8 {
        let month = 2 + seed / 2;
        let instant = day(&format!("2027-{month:02}-{:02}", 10 + seed));
        let at = Tail {
            recorded_at: instant,
            ..log.tail()
        };
        let commit = sample_commit(&at, seed, &[&[20], &[30]]);
        log.append(&log.tail(), &[commit]).unwrap();
    }
    drop(log);
    disk.restart()
}

/// Every entry that is there, and the root of everything.
fn content(log: &SegmentLog) -> (Vec<u64>, [u8; 32]) {
    let frames = log.read(Position::new(1)).map(Result::unwrap);
    let positions = frames.flat_map(|frame| {
        let entries = frame.entries().map(|entry| entry.position.get());
        entries.collect::<Vec<_>>()
    });
    (
        positions.collect(),
        log.root_at(log.tail().position).unwrap(),
    )
}

fn cuts() -> impl Iterator<Item = PowerCut> {
    [PowerCut::LosesAll, PowerCut::KeepsAll]
        .into_iter()
        .chain((0..12).map(PowerCut::KeepsBlocks))
}

#[test]
fn a_segment_has_one_month() {
    let disk = filled();
    let log = open(&disk).unwrap();
    let starts: Vec<_> = log
        .segments()
        .iter()
        .map(|it| it.first_position.get())
        .collect();
    assert_eq!(starts, [1, 5, 9, 13]);
    let older = |text: &str| log.whole_segments_before(day(text)).position.get();
    assert_eq!(older("2027-02-11"), 0);
    assert_eq!(older("2027-03-01"), 4);
    assert_eq!(older("2027-03-13"), 4);
    assert_eq!(older("2027-04-15"), 8);
    // The last segment is not closed.
    assert_eq!(older("2029-01-01"), 12);
    log.close_segment().unwrap();
    log.close_segment().unwrap();
    assert_eq!(
        log.whole_segments_before(day("2029-01-01")).position.get(),
        16
    );
    assert_eq!(log.segments().len(), 5);
}

#[test]
fn what_is_removed_is_gone_and_everything_else_reads_and_grows_as_before() {
    let disk = filled();
    let log = open(&disk).unwrap();
    let (_, root) = content(&log);
    // In the middle of a segment: only whole ones go.
    log.remove_through(Position::new(11)).unwrap();
    assert_eq!(log.removed().position, Position::new(8));
    for _ in 0..2 {
        let log = open(&disk).unwrap();
        assert_eq!(content(&log), ((9..=16).collect(), root));
        assert!(log.entry(Position::new(9)).unwrap().is_some());
        let gone = log.entry(Position::new(8)).unwrap_err();
        assert!(matches!(
            gone,
            ReadError::Damaged(Damage {
                reason: DamageReason::Removed,
                ..
            })
        ));
        assert_eq!(log.removed_leaves(Position::new(3)).unwrap().len(), 2);
        assert_eq!(log.removed_leaves(Position::new(9)).unwrap().len(), 0);
        log.remove_through(Position::new(8)).unwrap();
    }
    let commit = sample_commit(&log.tail(), 99, &[&[40]]);
    log.append(&log.tail(), &[commit]).unwrap();
    drop(log);
    let log = open(&disk).unwrap();
    assert_eq!(content(&log).0, (9..=17).collect::<Vec<_>>());
    // Even everything, once the last segment is closed.
    log.close_segment().unwrap();
    log.remove_through(log.tail().position).unwrap();
    drop(log);
    let log = open(&disk).unwrap();
    assert!(content(&log).0.is_empty());
    assert_eq!(log.tail().position, Position::new(17));
    let names = disk.names();
    let files = names.iter().filter(|name| name.ends_with(".leaves"));
    assert_eq!((files.count(), names.len()), (4, 5), "{names:?}");
}

#[test]
fn a_crash_at_any_step_removes_all_of_it_or_nothing_and_the_next_try_finishes() {
    let disk = filled();
    let (_, root) = content(&open(&disk).unwrap());
    let steps = {
        let disk = disk.copy();
        let log = open(&disk).unwrap();
        let before = disk.operations();
        log.remove_through(Position::new(8)).unwrap();
        disk.operations() - before
    };
    assert!(steps > 15, "{steps}");
    for step in 0..steps {
        for how in cuts().map(Some).chain([None]) {
            let disk = disk.copy();
            let log = open(&disk).unwrap();
            disk.inject(disk.operations() + step, Fault::Kill);
            assert!(log.remove_through(Position::new(8)).is_err());
            drop(log);
            let disk = match how {
                Some(how) => disk.reboot(how),
                None => disk.restart(),
            };
            let log = open(&disk).unwrap();
            let removed = log.removed().position.get();
            assert!([0, 4, 8].contains(&removed), "{step} {how:?}: {removed}");
            assert_eq!(content(&log), ((removed + 1..=16).collect(), root));
            log.remove_through(Position::new(8)).unwrap();
            drop(log);
            let log = open(&disk).unwrap();
            assert_eq!(content(&log), ((9..=16).collect(), root), "{step} {how:?}");
            for number in [1, 2] {
                for suffix in ["log", "idx", "log.tmp", "leaves.tmp"] {
                    let name = format!("segment-{number:08}.{suffix}");
                    assert_eq!(disk.bytes(&name), None, "{name} {step} {how:?}");
                }
            }
        }
    }
}

#[test]
fn leaves_that_are_changed_or_missing_are_damage() {
    let disk = filled();
    open(&disk)
        .unwrap()
        .remove_through(Position::new(8))
        .unwrap();
    let name = "segment-00000001.leaves";
    let len = disk.bytes(name).unwrap().len();
    for at in 0..len {
        let disk = disk.copy();
        disk.flip_bit(name, at, 3);
        let found = open(&disk).map(|log| log.root_at(Position::new(16)).is_err());
        assert!(found.unwrap_or(true), "byte {at}");
    }
    for changed in [Vec::new(), disk.bytes(name).unwrap()[..len - 32].to_vec()] {
        let disk = disk.copy();
        disk.put_bytes(name, changed);
        assert!(open(&disk).is_err());
    }
    // The first of them is missing.
    let other = FaultyDisk::new();
    for name in disk
        .names()
        .iter()
        .filter(|name| !name.contains("00000001"))
    {
        other.put_bytes(name, disk.bytes(name).unwrap());
    }
    assert!(matches!(open(&other).err(), Some(OpenError::Damaged(_))));
}

/// The journal of a ledger is opened without the option, and misses every segment that it misses.
#[test]
fn segments_of_a_ledgers_journal_are_never_removed() {
    let disk = filled();
    let options = SegmentOptions {
        removable: false,
        ..OPTIONS
    };
    let ledgers = |disk: &FaultyDisk| SegmentLog::open(Arc::new(disk.clone()), options);
    let removed = ledgers(&disk).unwrap().remove_through(Position::new(8));
    assert!(matches!(removed, Err(RemoveError::Unsupported)));
    open(&disk)
        .unwrap()
        .remove_through(Position::new(8))
        .unwrap();
    assert!(matches!(ledgers(&disk).err(), Some(OpenError::Damaged(_))));
}

#[test]
fn a_log_that_was_removed_whole_is_not_made_anew() {
    let disk = filled();
    let log = open(&disk).unwrap();
    log.close_segment().unwrap();
    log.remove_through(Position::new(16)).unwrap();
    drop(log);
    let last = FaultyDisk::new();
    for name in disk.names().iter().filter(|name| name.ends_with(".leaves")) {
        last.put_bytes(name, disk.bytes(name).unwrap());
    }
    assert!(matches!(open(&last).err(), Some(OpenError::Damaged(_))));
    let id = LedgerId::from_bytes([3; 16]);
    let made = SegmentLog::create(Arc::new(last), id, Timestamp::default(), OPTIONS);
    assert!(matches!(made.err(), Some(OpenError::Exists)));
}
