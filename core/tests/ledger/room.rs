//! The disk has no room for the next segment of the journal. Nothing is written there, so nothing is in
//! doubt: the ledger is read from, refuses commands, and goes on by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use planledger_core::ids::{LedgerId, Position};
use planledger_core::journal::{CommitLog, FaultyDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::{ExecuteError, Ledger};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::TempLedger;
use planledger_fixtures::school::SYSTEM;

use crate::ledger::support::{institution, put_institution};

/// Each commit gets a segment of its own.
const OPTIONS: fn() -> SegmentOptions = || SegmentOptions {
    segment_bytes: 1,
    ..SegmentOptions::default()
};

fn ledger_on(place: &TempLedger, disk: &FaultyDisk) -> Ledger {
    let id = LedgerId::from_bytes([0x4c; 16]);
    let begun = Timestamp::from_nanos(1);
    let log = SegmentLog::create(Arc::new(disk.clone()), id, begun, OPTIONS());
    Ledger::open_on(place.options(), Arc::new(log.unwrap())).unwrap()
}

#[test]
fn a_ledger_without_room_is_read_from_and_goes_on_when_there_is_room() {
    let (place, disk) = (TempLedger::new(), FaultyDisk::new());
    let ledger = ledger_on(&place, &disk);
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    disk.limit_space(0);
    // The first one is decided before it is known that there is no room.
    for number in [2, 3, 4] {
        let refused = ledger.execute(SYSTEM, put_institution(number, number, "A"));
        let Err(ExecuteError::Waiting(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(
            why.contains("segment-00000002.log cannot be begun"),
            "{why}"
        );
    }
    assert!(!ledger.status().writable);
    assert!(ledger.waits_for_room());
    assert!(ledger.why_not_writable().is_some());
    assert_eq!(ledger.position(), Position::new(1));
    let there = |number| ledger.history(institution(number).into(), None, 1);
    assert_eq!(there(1).unwrap().len(), 1);
    assert!(there(2).unwrap().is_empty(), "it is shown and not durable");

    disk.limit_space(1 << 20);
    let until = Instant::now() + Duration::from_secs(60);
    while ledger.waits_for_room() {
        assert!(Instant::now() < until, "the ledger does not go on");
        std::thread::sleep(Duration::from_millis(20));
    }
    // What was decided is recorded, what was refused before is not.
    let again = ledger.execute(SYSTEM, put_institution(2, 2, "A")).unwrap();
    assert!(again.replayed);
    let again = ledger.execute(SYSTEM, put_institution(3, 3, "A")).unwrap();
    assert!(!again.replayed);
    assert!(ledger.status().writable);
    assert_eq!(ledger.why_not_writable(), None);
    assert_eq!(ledger.position(), Position::new(3));
}

#[test]
fn a_ledger_that_waits_for_room_can_be_closed_and_has_lost_nothing_with_a_receipt() {
    let (place, disk) = (TempLedger::new(), FaultyDisk::new());
    let ledger = ledger_on(&place, &disk);
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    disk.limit_space(0);
    ledger
        .execute(SYSTEM, put_institution(2, 2, "A"))
        .unwrap_err();
    let begun = Instant::now();
    drop(ledger);
    assert!(begun.elapsed() < Duration::from_secs(20));
    let log = SegmentLog::open(Arc::new(disk.restart()), OPTIONS()).unwrap();
    assert_eq!(log.tail().position, Position::new(1));
}
