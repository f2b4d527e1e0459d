//! A fold that follows a whole log from its entries alone.

use planledger_core::audit::{Fault, FaultKind, LogFold};
use planledger_core::domain::Event;
use planledger_core::domain::ledger::{LedgerEvent, RecordedHeads};
use planledger_core::entry::Entry;
use planledger_core::heads::StreamHead;
use planledger_core::ids::{KeyId, Position, Revision};
use planledger_core::time::Timestamp;

use crate::audit::forge::{Log, heads_tree};
use crate::audit::school::{NotarisedSchool, OTHERS, PLAN, SECOND};

/// A log with several records of heads.
fn log() -> Log {
    let mut school = NotarisedSchool::new();
    for text in ["læser", "skriver", "regner"] {
        school.checkpoint();
        school.write(PLAN, text);
        school.write(SECOND, text);
    }
    Log::of(&school)
}

fn record_of(event: &Event) -> Option<RecordedHeads> {
    match event {
        Event::Ledger(LedgerEvent::HeadsRecorded { through, root }) => Some(RecordedHeads {
            through: *through,
            root: *root,
        }),
        _ => None,
    }
}

/// Follows a log up to a size, with every record of heads.
fn follow(fold: &mut LogFold, log: &Log, to: u64) -> Result<(), Fault> {
    for at in fold.size()..to {
        let written = &log.events[at as usize];
        if let Some(recorded) = record_of(&written.event) {
            fold.check_heads(Position::new(at + 1), &recorded)?;
        }
        fold.take(written.bytes())?;
    }
    Ok(())
}

fn folded(log: &Log, to: u64) -> LogFold {
    let mut fold = LogFold::new();
    follow(&mut fold, log, to).unwrap();
    fold
}

fn sorted(fold: &LogFold) -> Vec<StreamHead> {
    let mut streams: Vec<_> = fold.streams().collect();
    streams.sort_unstable();
    streams
}

#[test]
fn a_fold_of_a_real_ledger_has_its_roots_and_finds_every_record_of_heads_right() {
    let log = log();
    let mut fold = LogFold::new();
    let mut records = 0;
    for size in 1..=log.size() {
        let before = Position::new(size - 1);
        follow(&mut fold, &log, size).unwrap();
        let written = &log.events[size as usize - 1];
        if let Some(recorded) = record_of(&written.event) {
            records += 1;
            assert_eq!(recorded.through, before);
        }
        let heads = log.heads(Position::new(size));
        assert_eq!(fold.heads_root(), heads_tree(&heads).root());
        assert_eq!(sorted(&fold), heads);
        assert_eq!(fold.stream_count(), heads.len() as u64);
        assert_eq!(fold.last_time(), Some(written.entry.recorded_at));
    }
    assert_eq!(records, 4);
    assert_eq!(fold.root(), log.checkpoint().root);
    assert_eq!(fold.frontier().size(), log.size());
}

/// The place of an entry, what is found in it, and what was changed.
type Case<'a> = (usize, FaultKind, &'a dyn Fn(&mut Entry));

#[test]
fn an_entry_that_does_not_follow_is_refused_and_changes_nothing() {
    let log = log();
    let at = log.of_stream(PLAN)[2];
    let first = log.of_stream(OTHERS)[0];
    let cases: [Case<'_>; 7] = [
        (at, FaultKind::Time, &|entry| {
            entry.recorded_at = log.events[at - 1].entry.recorded_at;
        }),
        (at, FaultKind::Time, &|entry| {
            entry.recorded_at = Timestamp::default();
        }),
        // A second event at one revision, a gap, and a stream that does not begin.
        (at, FaultKind::Revision, &|entry| {
            entry.revision = Revision::new(2);
        }),
        (at, FaultKind::Revision, &|entry| {
            entry.revision = Revision::new(4);
        }),
        (first, FaultKind::Revision, &|entry| {
            entry.revision = Revision::new(2);
        }),
        (at, FaultKind::Link, &|entry| entry.previous_link[0] ^= 1),
        (at, FaultKind::Key, &|entry| {
            entry.key = KeyId::from_bytes([1; 16]);
        }),
    ];
    for (at, kind, change) in cases {
        let mut fold = folded(&log, at as u64);
        let before = (fold.root(), fold.heads_root(), sorted(&fold));
        let mut entry = log.events[at].entry.clone();
        change(&mut entry);
        let fault = fold.take(&entry.encode()).unwrap_err();
        assert_eq!(
            (fault.kind, fault.position),
            (kind, Position::new(at as u64 + 1))
        );
        let after = (fold.root(), fold.heads_root(), sorted(&fold));
        assert_eq!(after, before);
        follow(&mut fold, &log, log.size()).unwrap();
        assert_eq!(fold.root(), log.checkpoint().root);
    }
    let mut fold = folded(&log, at as u64);
    let fault = fold.take(&[0; 230]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Entry);
    // The first event of a stream follows nothing.
    let mut fold = folded(&log, first as u64);
    let mut entry = log.events[first].entry.clone();
    entry.previous_link = [1; 32];
    assert_eq!(
        fold.take(&entry.encode()).unwrap_err().kind,
        FaultKind::Link
    );
}

/// The record that stands at `at` says where streams ended at `through`.
fn as_of(log: &Log, through: u64) -> RecordedHeads {
    let through = Position::new(through);
    RecordedHeads {
        through,
        root: heads_tree(&log.heads(through)).root(),
    }
}

#[test]
fn a_record_of_heads_is_right_as_of_a_position_between_the_last_record_and_itself() {
    let log = log();
    let records: Vec<u64> = (1..)
        .zip(&log.events)
        .filter(|(_, written)| record_of(&written.event).is_some())
        .map(|(position, _)| position)
        .collect();
    let [.., before, last] = records.as_slice() else {
        panic!("there are several records");
    };
    let (before, last) = (*before, *last);
    assert!(last - before > 2);
    let check = |recorded: &RecordedHeads, behind: usize| {
        let mut fold = LogFold::remembering(behind);
        follow(&mut fold, &log, last - 1).unwrap();
        let heads = fold.heads_root();
        let checked = fold.check_heads(Position::new(last), recorded);
        // Looking back changes nothing.
        assert_eq!(fold.heads_root(), heads);
        checked.map_err(|fault| {
            assert_eq!(fault.position, Position::new(last));
            fault.kind
        })
    };
    let head = Err(FaultKind::Head);
    for through in before..last {
        let recorded = as_of(&log, through);
        assert_eq!(check(&recorded, LogFold::BEHIND), Ok(()), "{through}");
        let behind = (last - 1 - through) as usize;
        assert_eq!(check(&recorded, behind), Ok(()));
        if let Some(fewer) = behind.checked_sub(1) {
            assert_eq!(check(&recorded, fewer), head);
        }
        // The newest events are left off.
        let lying = RecordedHeads {
            through: Position::new(through + 1),
            ..recorded
        };
        assert_eq!(check(&lying, LogFold::BEHIND), head);
    }
    // As of before the record before it, of a position that did not exist, in another place.
    assert_eq!(check(&as_of(&log, before - 1), LogFold::BEHIND), head);
    for through in [last, last + 1, u64::MAX] {
        let recorded = RecordedHeads {
            through: Position::new(through),
            ..as_of(&log, last - 1)
        };
        assert_eq!(check(&recorded, LogFold::BEHIND), head);
    }
    let mut fold = folded(&log, last - 1);
    let elsewhere = fold.check_heads(Position::new(last + 1), &as_of(&log, last - 1));
    assert_eq!(elsewhere.unwrap_err().kind, FaultKind::Order);
}

#[test]
fn a_fold_goes_on_from_where_it_was_saved() {
    let log = log();
    for size in 0..=log.size() {
        let saved = folded(&log, size);
        let peaks = saved.frontier().peaks().to_vec();
        let again = |size, peaks: &[_], last, streams: Vec<StreamHead>| {
            LogFold::of_streams(size, peaks.to_vec(), last, streams)
        };
        let (last, streams) = (saved.last_time(), sorted(&saved));
        let mut fold = again(size, &peaks, last, streams.clone()).unwrap();
        assert_eq!(fold.size(), size);
        follow(&mut fold, &log, log.size()).unwrap();
        let mut whole = folded(&log, log.size());
        assert_eq!(fold.root(), whole.root());
        assert_eq!(fold.heads_root(), whole.heads_root());
        assert_eq!(sorted(&fold), sorted(&whole));
        // Parts that do not fit each other.
        assert!(again(size + 1, &peaks, last, streams.clone()).is_none());
        let Some(one) = streams.first().copied() else {
            continue;
        };
        assert!(again(size, &peaks, None, streams.clone()).is_none());
        assert!(again(size, &peaks[1..], last, streams.clone()).is_none());
        assert!(again(size, &peaks, last, streams[1..].to_vec()).is_none());
        let mut twice = streams.clone();
        twice.push(one);
        assert!(again(size + one.revision.get(), &peaks, last, twice).is_none());
        let mut empty = streams;
        empty.push(StreamHead {
            stream: planledger_core::ids::PlanId::from_bytes([9; 16]).into(),
            revision: Revision::ZERO,
            ..one
        });
        assert!(again(size, &peaks, last, empty).is_none());
    }
}
