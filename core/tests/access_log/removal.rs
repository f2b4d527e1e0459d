//! Old records are removed if and only if two people have decided it, and everything else stays and
//! can be checked.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use planledger_core::access_log::{AccessLog, AccessNotary, OpenError};
use planledger_core::audit::FaultKind;
use planledger_core::domain::erasure::{Erasure, ErasureCommand, Phase, Target};
use planledger_core::domain::ledger::NotedReads;
use planledger_core::domain::{Actor, Aggregate, Command};
use planledger_core::ids::{CommandId, ErasureId, PersonId, Position};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_core::notary::Notary;
use planledger_core::time::Timestamp;
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};
use planledger_fixtures::place::{Random, StandingClock, TempLedger, copy, files, numbered};
use planledger_fixtures::school::{CLASSMATE, CLERK, LEADER, STUDENT};
use proptest::prelude::*;

use super::evidence::signer;
use super::{all, founded, numbers, open, read};

/// The first instant of a day in Copenhagen.
pub(super) fn day(text: &str) -> Timestamp {
    Timestamp::start_of_day_in_denmark(text.parse().unwrap())
}

fn target(before: &str) -> Target {
    let before: Date = before.parse().unwrap();
    Target::Reads { before }
}

fn send(ledger: &Ledger, who: PersonId, target: Target, command: ErasureCommand) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = CommandId::from_bytes(numbered(0x5B, NEXT.fetch_add(1, Ordering::Relaxed)));
    let command = Command::Erasure(ErasureId::of(target), command);
    let sent = ledger.execute(Actor::Person(who), Envelope::new(id, command));
    sent.unwrap();
}

fn request(ledger: &Ledger, before: &str) {
    let target = target(before);
    let request = ErasureCommand::Request {
        target,
        basis: "Sletteregler".parse().unwrap(),
        reason: "Over to år gamle".parse().unwrap(),
        retention: None,
    };
    send(ledger, LEADER, target, request);
}

fn approve(ledger: &Ledger, before: &str) {
    let approve = ErasureCommand::Approve { reason: None };
    send(ledger, CLERK, target(before), approve);
}

pub(super) fn decide(ledger: &Ledger, before: &str) {
    request(ledger, before);
    approve(ledger, before);
}

fn act(ledger: &Ledger, before: &str) -> Erasure {
    let id = ErasureId::of(target(before));
    let found = ledger.read(|now| now.stream(id)).unwrap().0.unwrap();
    match &*found.0 {
        Aggregate::Erasure(act) => act.clone(),
        other => panic!("{other:?}"),
    }
}

/// A ledger in the first days of 2027, whose clock then goes to 2029.
pub(super) fn place() -> (TempLedger, Ledger) {
    let clock = StandingClock::at(day("2027-01-02"));
    let place = TempLedger::with_clock(clock.clone());
    let ledger = founded(&place);
    drop(open(&place, &ledger));
    clock.set(day("2029-01-01"));
    (place, ledger)
}

pub(super) fn record(log: &AccessLog, student: PersonId, number: u64, at: Timestamp) {
    let mut read = read(student, number);
    read.at = at;
    log.hand_in(vec![read], None).unwrap();
}

/// Four months with reads of each: January with both students, February and March, and April.
pub(super) fn filled(place: &TempLedger, ledger: &Ledger) -> AccessLog {
    let log = open(place, ledger);
    record(&log, CLASSMATE, 1, day("2027-01-10"));
    record(&log, STUDENT, 2, day("2027-01-11"));
    record(&log, STUDENT, 3, day("2027-02-11"));
    record(&log, STUDENT, 4, day("2027-03-01"));
    record(&log, STUDENT, 5, day("2027-03-31"));
    record(&log, STUDENT, 6, day("2027-04-02"));
    log.settle().unwrap();
    log
}

/// What a check finds. Nobody may have the ledger open.
pub(super) fn found(dir: &Path) -> Verification {
    let options = TempLedger::options_in(dir);
    verify_dir(&options, Depth::Full, &|_, _, _| {}).unwrap()
}

fn fault(dir: &Path) -> Option<(FaultKind, String)> {
    let found = found(dir);
    let part = found.part(PartName::AccessLog).unwrap();
    part.fault
        .as_ref()
        .map(|fault| (fault.kind, fault.what.clone()))
}

pub(super) fn notary(place: &TempLedger, log: &Arc<AccessLog>) -> AccessNotary {
    AccessNotary::open(log.clone(), place.path(), &signer()).unwrap()
}

/// A ledger with a key on record, an access log with a checkpoint, and an act that two people have
/// decided and nobody has carried out.
pub(super) fn decided(before: &str) -> (TempLedger, Ledger, AccessLog) {
    let (place, ledger) = place();
    let ledgers = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    ledgers.checkpoint().unwrap();
    let log = Arc::new(filled(&place, &ledger));
    notary(&place, &log).checkpoint().unwrap().unwrap();
    decide(&ledger, before);
    (place, ledger, Arc::into_inner(log).unwrap())
}

#[test]
fn whole_months_go_and_what_was_signed_before_can_still_be_checked() {
    let (place, ledger, log) = decided("2027-03-15");
    assert_eq!(log.removable("2027-03-15".parse().unwrap()), 3);
    assert_eq!(log.complete_since(), Some(day("2027-01-02")));
    assert_eq!(log.carry_out_removals().unwrap().len(), 1);
    assert_eq!(log.carry_out_removals().unwrap(), []);
    let act = act(&ledger, "2027-03-15");
    assert!(matches!(act.phase, Phase::CarriedOut { .. }));
    let reads = act.reads.unwrap();
    assert_eq!((reads.through, reads.records), (Position::new(3), 3));
    assert_eq!(reads.until, day("2027-02-11"));
    for again in [false, true] {
        let log = match again {
            false => &log,
            true => &open(&place, &ledger),
        };
        assert_eq!(numbers(&all(log, STUDENT)), [6, 5, 4]);
        assert_eq!(all(log, CLASSMATE), []);
        assert_eq!(log.complete_since(), Some(reads.until.plus(1)));
        if !again {
            // A student of whom nothing is left begins anew, and the others go on.
            record(log, CLASSMATE, 7, day("2027-05-01"));
            record(log, STUDENT, 8, day("2027-05-02"));
            log.settle().unwrap();
            assert_eq!(numbers(&all(log, CLASSMATE)), [7]);
            assert_eq!(numbers(&all(log, STUDENT)), [8, 6, 5, 4]);
            break;
        }
    }
    drop(log);
    // Without what is derived too.
    fs::remove_dir_all(place.path().join("access/tlog")).unwrap();
    let log = Arc::new(open(&place, &ledger));
    assert_eq!(numbers(&all(&log, STUDENT)), [8, 6, 5, 4]);
    let signed = notary(&place, &log).checkpoint().unwrap().unwrap();
    assert_eq!(signed.checkpoint.size, 8);
    drop((log, ledger));
    let found = found(place.path());
    assert!(found.is_sound(), "{:?}", found.parts);
    let part = found.part(PartName::AccessLog).unwrap();
    assert_eq!(part.checked, 8);
    assert!(part.note.as_ref().unwrap().contains("up to 3"), "{part:?}");
    assert_eq!(found.part(PartName::AccessCheckpoints).unwrap().checked, 2);
}

#[test]
fn nothing_of_a_removed_record_stays_in_any_file_of_the_access_log() {
    let (place, ledger, log) = decided("2027-02-01");
    let folder = place.path().join("access");
    let holds = |person: PersonId| {
        let bytes = files(&folder);
        let has = |bytes: &Vec<u8>| bytes.windows(16).any(|part| part == person.as_bytes());
        let found = bytes.iter().filter(|(_, bytes)| has(bytes));
        found.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    drop(log);
    // Heads were stored by the stop.
    assert!(holds(CLASSMATE).len() > 1);
    let log = open(&place, &ledger);
    log.carry_out_removals().unwrap();
    assert_eq!(holds(CLASSMATE), [] as [std::path::PathBuf; 0]);
    drop(log);
    assert_eq!(holds(CLASSMATE), [] as [std::path::PathBuf; 0]);
    assert!(!holds(STUDENT).is_empty());
}

#[test]
fn an_act_that_one_person_wants_removes_nothing() {
    let (place, ledger) = place();
    let log = filled(&place, &ledger);
    request(&ledger, "2027-03-01");
    assert_eq!(log.carry_out_removals().unwrap(), []);
    drop(log);
    let log = open(&place, &ledger);
    assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4, 3, 2]);
    approve(&ledger, "2027-03-01");
    log.carry_out_removals().unwrap();
    assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4]);
}

#[test]
fn an_act_with_nothing_old_enough_is_carried_out_and_removes_nothing() {
    let (place, ledger, log) = decided("2027-01-05");
    log.carry_out_removals().unwrap();
    let reads = act(&ledger, "2027-01-05").reads.unwrap();
    assert_eq!((reads.through, reads.records), (Position::ZERO, 0));
    assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4, 3, 2]);
    // Another one goes further, and a later one does not bring anything back.
    for before in ["2027-04-01", "2027-02-01"] {
        decide(&ledger, before);
        log.carry_out_removals().unwrap();
        assert_eq!(numbers(&all(&log, STUDENT)), [6]);
    }
    assert_eq!(act(&ledger, "2027-02-01").reads.unwrap().records, 0);
    drop((log, ledger));
    assert!(found(place.path()).is_sound());
}

#[test]
fn everything_goes_if_everything_is_old_and_the_log_goes_on() {
    let (place, ledger, log) = decided("2028-01-01");
    log.carry_out_removals().unwrap();
    assert_eq!(all(&log, STUDENT), []);
    assert_eq!(log.position(), Position::new(6));
    drop(log);
    let log = Arc::new(open(&place, &ledger));
    record(&log, STUDENT, 7, day("2028-02-01"));
    log.settle().unwrap();
    assert_eq!(numbers(&all(&log, STUDENT)), [7]);
    notary(&place, &log).checkpoint().unwrap().unwrap();
    drop((log, ledger));
    let found = found(place.path());
    assert!(found.is_sound(), "{:?}", found.parts);
}

/// What each crash leaves, put together by hand: the act is settled and nothing is removed, some is,
/// and all is but it is not on record.
#[test]
fn a_removal_that_a_crash_interrupted_is_finished_by_the_next_start() {
    let (place, ledger, log) = decided("2027-03-01");
    let before = tempfile::tempdir().unwrap();
    copy(&place.path().join("access"), before.path());
    log.carry_out_removals().unwrap();
    drop((log, ledger));
    let journal = place.path().join("access/journal");
    for back in [&[1, 2][..], &[2]] {
        for name in back {
            let log = format!("segment-{name:08}.log");
            fs::copy(before.path().join("journal").join(&log), journal.join(&log)).unwrap();
        }
        fs::copy(
            before.path().join("heads"),
            place.path().join("access/heads"),
        )
        .ok();
        if back.len() == 2 {
            // They were removed, and an older copy was put back.
            let (kind, what) = fault(place.path()).unwrap();
            assert_eq!(kind, FaultKind::Event, "{what}");
        }
        let ledger = place.open();
        let log = open(&place, &ledger);
        assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4]);
        assert!(!journal.join("segment-00000001.log").exists());
        assert!(!journal.join("segment-00000002.log").exists());
        drop((log, ledger));
        let found = found(place.path());
        assert!(found.is_sound(), "{:?}", found.parts);
    }
    // It is approved, and the process was killed before it began.
    let (place, ledger, log) = decided("2027-03-01");
    drop((log, ledger));
    assert!(found(place.path()).is_sound());
    let ledger = place.open();
    let log = open(&place, &ledger);
    assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4]);
    assert!(act(&ledger, "2027-03-01").is_carried_out());
}

#[test]
fn segments_that_are_missing_without_an_act_are_a_fault_and_the_log_does_not_open() {
    let (place, ledger, log) = decided("2027-03-01");
    log.carry_out_removals().unwrap();
    drop((log, ledger));
    let with_act = place.path().join("access/journal");
    // Another ledger's directory with the same log, in which nobody has decided anything.
    let (other, ledger) = self::place();
    let log = filled(&other, &ledger);
    drop(log);
    let journal = other.path().join("access/journal");
    let first = journal.join("segment-00000001.log");
    let kept = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    assert!(AccessLog::open(ledger.clone(), other.path(), Arc::new(Random)).is_err());
    drop(ledger);
    assert_eq!(fault(other.path()).unwrap().0, FaultKind::Missing);
    // Its leaves, as a removal would have left them.
    fs::write(&first, &kept).unwrap();
    forge(&journal);
    fs::remove_file(&first).unwrap();
    let (kind, what) = fault(other.path()).unwrap();
    assert_eq!(kind, FaultKind::Missing);
    assert!(what.contains("no act on record"), "{what}");
    let ledger = other.open();
    let opened = AccessLog::open(ledger, other.path(), Arc::new(Random));
    assert!(matches!(opened.err(), Some(OpenError::Unrecorded { .. })));
    // More than the act removes.
    forge(&with_act);
    fs::remove_file(with_act.join("segment-00000003.log")).unwrap();
    assert_eq!(fault(place.path()).unwrap().0, FaultKind::Missing);
    let opened = AccessLog::open(place.open(), place.path(), Arc::new(Random));
    assert!(matches!(opened.err(), Some(OpenError::Unrecorded { .. })));
}

/// Makes the files of leaves of every closed segment, as somebody could who has the program.
fn forge(journal: &Path) {
    use planledger_core::journal::{OsDisk, SegmentLog, SegmentOptions};
    let options = SegmentOptions {
        removable: true,
        ..SegmentOptions::default()
    };
    let disk = Arc::new(OsDisk::new(journal).unwrap());
    let log = SegmentLog::open(disk, options).unwrap();
    log.keep_leaves(Position::new(100)).unwrap();
}

#[test]
fn leaves_of_removed_records_that_are_changed_are_found() {
    let (place, ledger, log) = decided("2027-03-01");
    log.carry_out_removals().unwrap();
    drop((log, ledger));
    let leaves = place.path().join("access/journal/segment-00000001.leaves");
    let bytes = fs::read(&leaves).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&leaves, changed).unwrap();
        assert!(fault(place.path()).is_some(), "byte {at}");
    }
}

#[test]
fn an_access_log_that_is_gone_with_everything_about_it_is_missed() {
    let (place, ledger) = place();
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    let log = Arc::new(filled(&place, &ledger));
    let signed = self::notary(&place, &log).checkpoint().unwrap().unwrap();
    let noted = NotedReads {
        records: Position::new(signed.checkpoint.size),
        root: signed.checkpoint.root,
    };
    notary.note_access_log(noted).unwrap();
    notary.note_access_log(noted).unwrap();
    notary.checkpoint().unwrap();
    drop((log, notary, ledger));
    assert!(found(place.path()).is_sound());
    fs::remove_dir_all(place.path().join("access")).unwrap();
    assert_eq!(fault(place.path()).unwrap().0, FaultKind::Missing);
    // A new one in its place is not the one that was, however long it is.
    for count in [3, 20] {
        let ledger = place.open();
        let log = open(&place, &ledger);
        for n in 0..count {
            record(&log, STUDENT, n, day("2028-02-01").plus(n));
        }
        log.settle().unwrap();
        drop((log, ledger));
        let (kind, what) = fault(place.path()).unwrap();
        let expected = match count {
            3 => FaultKind::Missing,
            _ => FaultKind::Checkpoint,
        };
        assert_eq!(kind, expected, "{what}");
    }
}

/// A removal is noted beside the journal too, so an older copy of the ledger knows it.
#[test]
fn an_older_copy_of_the_ledger_is_told_what_was_removed() {
    let (place, ledger, log) = decided("2027-03-01");
    drop((log, ledger));
    let older = tempfile::tempdir().unwrap();
    copy(place.path(), older.path());
    // Take the approval away: the copy was made before it.
    let (undecided, ledger) = self::place();
    let log = filled(&undecided, &ledger);
    drop(log);
    let before = tempfile::tempdir().unwrap();
    ledger.settle();
    drop(ledger);
    copy(undecided.path(), before.path());
    let ledger = undecided.open();
    let log = open(&undecided, &ledger);
    decide(&ledger, "2027-03-01");
    log.carry_out_removals().unwrap();
    drop((log, ledger));
    for file in ["erasures", "access"] {
        fs::remove_dir_all(before.path().join(file)).ok();
        copy(&undecided.path().join(file), &before.path().join(file));
    }
    let refused = Ledger::open(TempLedger::options_in(before.path()));
    assert!(refused.is_err());
    let options = planledger_core::ledger::Options {
        undone: planledger_core::ledger::Undone::CarryOutAgain,
        ..TempLedger::options_in(before.path())
    };
    let ledger = Ledger::open(options).unwrap();
    let log = AccessLog::open(ledger.clone(), before.path(), Arc::new(Random)).unwrap();
    assert_eq!(numbers(&all(&log, STUDENT)), [6, 5, 4]);
    drop((log, ledger));
    let found = found(before.path());
    assert!(found.is_sound(), "{:?}", found.parts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Reads on random days, and acts with random days that one or two people want: a record is gone if
    /// and only if its whole segment is older than a day of an act that two people decided.
    #[test]
    fn a_record_is_removed_iff_it_is_recorded_and_older(
        reads in prop::collection::vec((0_u64..360, any::<bool>()), 1..40),
        acts in prop::collection::vec((0_u64..400, any::<bool>()), 0..4),
    ) {
        const DAY: u64 = 86_400_000_000_000;
        let (place, ledger) = place();
        let mut reads = reads;
        reads.sort_unstable();
        // The segments as they have to be: which reads are in which, with the instant of the last.
        let mut there: Vec<(u64, Timestamp, PersonId)> = Vec::new();
        let log = open(&place, &ledger);
        let start = day("2027-01-03");
        for (number, (after, classmate)) in (1..).zip(&reads) {
            let at = start.plus(after * DAY + number);
            let student = if *classmate { CLASSMATE } else { STUDENT };
            record(&log, student, number, at);
            there.push((number, at, student));
        }
        log.settle().unwrap();
        let mut wanted = std::collections::BTreeSet::new();
        for (after, two_people) in &acts {
            let before = start.plus(after * DAY).day_in_denmark();
            if !wanted.insert(before) {
                continue;
            }
            request(&ledger, &before.to_string());
            if *two_people {
                approve(&ledger, &before.to_string());
            }
            log.carry_out_removals().unwrap();
            if *two_people {
                let bound = Timestamp::start_of_day_in_denmark(before);
                let month = |at: &Timestamp| at.month_in_denmark();
                let newest = |of: (i16, i8)| {
                    let instants = there.iter().map(|it| it.1);
                    instants.filter(|at| month(at) == of).max().unwrap()
                };
                let goes = |at: &Timestamp| newest(month(at)) < bound;
                let kept = there.iter().filter(|(_, at, _)| !goes(at)).copied().collect();
                there = kept;
            }
            for student in [STUDENT, CLASSMATE] {
                let expected: Vec<u64> = there.iter().rev().filter(|it| it.2 == student).map(|it| it.0).collect();
                prop_assert_eq!(numbers(&all(&log, student)), expected);
            }
        }
        drop(log);
        let log = open(&place, &ledger);
        let left = all(&log, STUDENT).len() + all(&log, CLASSMATE).len();
        prop_assert_eq!(left, there.len());
        drop((log, ledger));
        let found = found(place.path());
        prop_assert!(found.is_sound(), "{:?}", found.parts);
    }
}
