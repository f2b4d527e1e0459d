//! Who has read what is on record, and stays so (P7).

mod evidence;
mod loss;
mod removal;
mod segments;

use std::sync::{Arc, mpsc};

use planledger_core::access_log::{
    AccessLog, AccessLogError, OpenError, Read, Recorded, Seen, Shown, Wanted, log_id,
};
use planledger_core::domain::Actor;
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::Viewer;
use planledger_core::ids::{PersonId, Position};
use planledger_core::journal::{CommitLog, Fault, FaultyDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_core::time::Timestamp;
use planledger_fixtures::founding;
use planledger_fixtures::place::{Random, START, TempLedger, command_id, copy, files};
use planledger_fixtures::school::{CLASSMATE, GUARDIAN, PLAN, STUDENT, TEACHER};

/// A ledger that knows some people.
fn founded(place: &TempLedger) -> Ledger {
    let ledger = place.open();
    let people = founding::people(&[
        (STUDENT, "En elev", Role::Student),
        (CLASSMATE, "En kammerat", Role::Student),
    ]);
    let asked = founding::school("Skolen").into_iter().chain(people);
    for (n, (actor, command)) in (1..).zip(asked) {
        ledger
            .execute(actor, Envelope::new(command_id(n), command))
            .unwrap();
    }
    ledger
}

fn open(place: &TempLedger, ledger: &Ledger) -> AccessLog {
    AccessLog::open(ledger.clone(), place.path(), Arc::new(Random)).unwrap()
}

/// The instant of the nth read: later than everything that is done before.
fn instant(n: u64) -> Timestamp {
    START.plus(1_000_000_000 + n * 1_000)
}

/// The nth read of a student's plans, by a guardian.
fn read(student: PersonId, n: u64) -> Read {
    Read {
        student,
        actor: Actor::Person(GUARDIAN),
        on_behalf_of: Some(Actor::Person(TEACHER)),
        at: instant(n),
        seen: Seen {
            shown: Shown::Plan,
            method: "GetPlan".to_owned(),
            plan: Some(PLAN),
            viewer: Some(Viewer::Audience(Audience::Guardians)),
            position: Position::new(n),
            events: 0,
            purpose: None,
        },
    }
}

fn page(after: Option<Position>, limit: usize) -> Wanted {
    Wanted {
        after,
        since: None,
        until: None,
        limit,
    }
}

fn all(log: &AccessLog, student: PersonId) -> Vec<Recorded> {
    let found = log.records(student, &page(None, 1_000)).unwrap();
    assert_eq!(found.next, None);
    found.records
}

/// The positions of the ledger that were read, newest first.
fn numbers(records: &[Recorded]) -> Vec<u64> {
    let seen = records.iter().map(|record| record.seen.as_ref().unwrap());
    seen.map(|seen| seen.position.get()).collect()
}

fn fill(log: &AccessLog) {
    for n in 1..=30 {
        let student = if n % 3 == 0 { CLASSMATE } else { STUDENT };
        log.hand_in(vec![read(student, n)], None).unwrap();
    }
    log.settle().unwrap();
}

#[test]
fn a_read_is_found_as_it_was_handed_in() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let log = open(&place, &ledger);
    let both = vec![read(STUDENT, 1), read(CLASSMATE, 2)];
    log.hand_in(both, None).unwrap();
    log.settle().unwrap();
    let found = all(&log, STUDENT);
    let asked = read(STUDENT, 1);
    assert_eq!(
        found,
        [Recorded {
            position: Position::new(1),
            student: STUDENT,
            actor: asked.actor,
            on_behalf_of: asked.on_behalf_of,
            at: asked.at,
            seen: Some(asked.seen),
        }]
    );
    assert_eq!(numbers(&all(&log, CLASSMATE)), [2]);
    assert_eq!(all(&log, TEACHER), []);
}

#[test]
fn instants_increase_also_if_the_clock_does_not() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let log = open(&place, &ledger);
    for _ in 0..5 {
        log.hand_in(vec![read(STUDENT, 7), read(STUDENT, 3)], None)
            .unwrap();
    }
    log.settle().unwrap();
    let found = all(&log, STUDENT);
    assert!(found.windows(2).all(|pair| pair[0].at > pair[1].at));
    assert_eq!(found.len(), 10);
}

#[test]
fn pages_follow_each_other_while_more_is_read() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let log = open(&place, &ledger);
    fill(&log);
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let found = log.records(STUDENT, &page(after, 3)).unwrap();
        pages.extend(numbers(&found.records));
        log.hand_in(vec![read(STUDENT, 99)], None).unwrap();
        log.settle().unwrap();
        match found.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let expected: Vec<u64> = (1..=30).rev().filter(|n| n % 3 != 0).collect();
    assert_eq!(pages, expected);
    // A token of another student's list leads nowhere.
    let other = all(&log, CLASSMATE)[0].position;
    assert_eq!(
        log.records(STUDENT, &page(Some(other), 3)).unwrap().records,
        []
    );
}

#[test]
fn a_span_of_time_holds_its_beginning_and_not_its_end() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let log = open(&place, &ledger);
    fill(&log);
    let wanted = Wanted {
        since: Some(instant(10)),
        until: Some(instant(14)),
        ..page(None, 100)
    };
    let found = log.records(STUDENT, &wanted).unwrap();
    assert_eq!(numbers(&found.records), [13, 11, 10]);
}

#[test]
fn it_goes_on_where_it_was_after_any_end_and_without_what_is_derived() {
    let place = TempLedger::new();
    let heads = place.path().join("access/heads");
    let ledger = founded(&place);
    fill(&open(&place, &ledger));
    let before = {
        let log = open(&place, &ledger);
        all(&log, STUDENT)
    };
    assert_eq!(before.len(), 20);
    let kept = std::fs::read(&heads).unwrap();
    // Not there, of an earlier time, and with a wrong byte.
    for round in 0..3 {
        match round {
            0 => std::fs::remove_file(&heads).unwrap(),
            1 => std::fs::write(&heads, &kept).unwrap(),
            _ => {
                let mut bytes = std::fs::read(&heads).unwrap();
                bytes[70] ^= 1;
                std::fs::write(&heads, bytes).unwrap();
            }
        }
        let log = open(&place, &ledger);
        let found = all(&log, STUDENT);
        assert_eq!(found[found.len() - before.len()..], before);
        log.hand_in(vec![read(STUDENT, 50)], None).unwrap();
        log.settle().unwrap();
        assert_eq!(all(&log, STUDENT).len(), 21 + round);
    }
}

#[test]
fn what_was_read_stands_in_no_file_that_can_be_read() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    fill(&open(&place, &ledger));
    let plan = PLAN.to_string();
    for (path, bytes) in files(&place.path().join("access")) {
        for text in ["GetPlan", "guardians", plan.as_str()] {
            let found = bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes());
            assert!(!found, "{text} in {}", path.display());
        }
    }
}

#[test]
fn the_access_log_of_another_ledger_is_refused() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    fill(&open(&place, &ledger));
    let other = TempLedger::new();
    let ledger = founded(&other);
    copy(&place.path().join("access"), &other.path().join("access"));
    let opened = AccessLog::open(ledger, other.path(), Arc::new(Random));
    assert!(matches!(opened.err(), Some(OpenError::Foreign { .. })));
}

#[test]
fn a_journal_that_lost_its_end_is_found_out() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    fill(&open(&place, &ledger));
    let segment = place.path().join("access/journal/segment-00000001.log");
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &bytes[..bytes.len() - 100]).unwrap();
    let opened = AccessLog::open(ledger, place.path(), Arc::new(Random));
    assert!(matches!(opened.err(), Some(OpenError::Journal(_))));
}

/// An access log on a disk that fails when it is told to.
fn on(disk: &FaultyDisk, ledger: &Ledger) -> (AccessLog, Arc<SegmentLog>) {
    let id = log_id(ledger.status().ledger);
    let options = SegmentOptions::default();
    let log = SegmentLog::create(Arc::new(disk.clone()), id, ledger.now(), options).unwrap();
    let log = Arc::new(log);
    let home = Arc::new(FaultyDisk::new());
    let opened = AccessLog::open_on(ledger.clone(), log.clone(), home, Arc::new(Random));
    (opened.unwrap(), log)
}

#[test]
fn who_waits_is_told_after_the_sync_and_not_before() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let disk = FaultyDisk::new();
    let (log, journal) = on(&disk, &ledger);
    for n in 1..=5 {
        let (told, answer) = mpsc::channel();
        let seen = journal.clone();
        let told = move |result| told.send((result, seen.tail().position)).unwrap();
        log.hand_in(vec![read(STUDENT, n)], Some(Box::new(told)))
            .unwrap();
        let (result, position) = answer.recv().unwrap();
        assert_eq!(result, Ok(()));
        assert_eq!(position, Position::new(n));
        // It would survive a power cut.
        let rest = disk
            .fork()
            .reboot(planledger_core::journal::PowerCut::LosesAll);
        let again = SegmentLog::open(Arc::new(rest), SegmentOptions::default()).unwrap();
        assert_eq!(again.tail().position, Position::new(n));
    }
}

#[test]
fn after_a_failed_sync_nothing_is_recorded_any_more_and_everybody_is_told() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let disk = FaultyDisk::new();
    let (log, _) = on(&disk, &ledger);
    log.hand_in(vec![read(STUDENT, 1)], None).unwrap();
    log.settle().unwrap();
    // First come two looks at where the journal ends, then the write, and after it the sync.
    disk.inject(disk.operations() + 3, Fault::Fail);
    let (told, answer) = mpsc::channel();
    let told = move |result| told.send(result).unwrap();
    log.hand_in(vec![read(STUDENT, 2)], Some(Box::new(told)))
        .unwrap();
    let failed = answer.recv().unwrap();
    assert!(matches!(failed, Err(AccessLogError::Failed(_))));
    let again = log.hand_in(vec![read(STUDENT, 3)], None);
    assert!(matches!(again, Err(AccessLogError::Failed(_))));
    assert!(log.failed().is_some());
    // What was recorded before is still told.
    assert_eq!(numbers(&all(&log, STUDENT)), [1]);
}
