//! Records that are lost: what goes on, and how the loss comes to stand on record.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger_core::access_log::{settle_loss, verifier_of};
use planledger_core::domain::Actor;
use planledger_core::domain::ledger::NotedReads;
use planledger_core::ids::{CommandId, PersonId, Position};
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_core::verify::{FoundLoss, PartName, find_loss};
use planledger_fixtures::place::{TempLedger, copy, numbered};
use planledger_fixtures::school::{CLASSMATE, LEADER, STUDENT};

use super::evidence::signer;
use super::removal::{day, decided, filled, found, notary, place, record};
use super::{all, numbers, open};

/// Makes a checkpoint of the access log, and notes in the ledger how far it has come.
fn note(place: &TempLedger, ledger: &Ledger) {
    let log = Arc::new(open(place, ledger));
    let signed = notary(place, &log).checkpoint().unwrap().unwrap();
    let ledgers = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    let noted = NotedReads {
        records: Position::new(signed.checkpoint.size),
        root: signed.checkpoint.root,
    };
    ledgers.note_access_log(noted).unwrap();
    ledgers.checkpoint().unwrap();
}

fn loss(dir: &Path) -> Option<FoundLoss> {
    find_loss(&found(dir))
}

/// Puts what a check finds on record.
fn settle(place: &TempLedger) -> FoundLoss {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let loss = loss(place.path()).unwrap();
    let ledger = place.open();
    let id = CommandId::from_bytes(numbered(0x5E, NEXT.fetch_add(1, Ordering::Relaxed)));
    let sent = (id, Actor::Person(LEADER));
    let reason = "Disken gik i stykker".parse().unwrap();
    settle_loss(&ledger, place.path(), loss.kept, sent, reason).unwrap();
    loss
}

/// Reads from after the loss, in two months.
fn go_on(place: &TempLedger, ledger: &Ledger) {
    let log = open(place, ledger);
    record(&log, STUDENT, 11, day("2029-01-05"));
    record(&log, CLASSMATE, 12, day("2029-01-06"));
    record(&log, STUDENT, 13, day("2029-02-07"));
    record(&log, STUDENT, 14, day("2029-02-08"));
    log.settle().unwrap();
}

fn there(place: &TempLedger, ledger: &Ledger, student: PersonId) -> Vec<u64> {
    numbers(&all(&open(place, ledger), student))
}

/// A ledger whose access log of six records is noted, and gone with all that is beside it.
fn gone() -> TempLedger {
    let (place, ledger) = place();
    drop(filled(&place, &ledger));
    note(&place, &ledger);
    drop(ledger);
    assert_eq!(loss(place.path()), None);
    fs::remove_dir_all(place.path().join("access")).unwrap();
    place
}

#[test]
fn an_access_log_that_is_gone_is_no_fault_any_more_once_that_is_on_record() {
    let place = gone();
    assert_eq!(settle(&place).kept, Position::ZERO);
    assert_eq!(loss(place.path()), None);
    let ledger = place.open();
    go_on(&place, &ledger);
    assert_eq!(there(&place, &ledger, STUDENT), [14, 13, 11]);
    let since = open(&place, &ledger).complete_since();
    assert_eq!(since, Some(day("2029-01-01")));
    // What it goes on with is another log, and has a name of its own.
    note(&place, &ledger);
    let log = Arc::new(open(&place, &ledger));
    let key = notary(&place, &log).verifier();
    assert_eq!(key.name(), "ledger.example/test/access/2");
    assert_eq!(key, verifier_of(&signer().verifier(), 1).unwrap());
    drop((log, ledger));
    let after = found(place.path());
    assert!(after.is_sound(), "{:?}", after.parts);
    let part = after.part(PartName::AccessLog).unwrap();
    assert_eq!(part.checked, 4);
    assert!(
        part.note.as_ref().unwrap().contains("on record"),
        "{part:?}"
    );
    // It is missed again if it goes again.
    fs::remove_dir_all(place.path().join("access/journal")).unwrap();
    assert!(loss(place.path()).is_some());
    settle(&place);
    assert!(found(place.path()).is_sound());
    let ledger = place.open();
    go_on(&place, &ledger);
    note(&place, &ledger);
    drop(ledger);
    assert!(found(place.path()).is_sound());
}

#[test]
fn what_a_backup_still_has_stays_and_only_the_rest_is_lost() {
    let (place, ledger) = place();
    let log = open(&place, &ledger);
    record(&log, STUDENT, 1, day("2027-01-11"));
    record(&log, CLASSMATE, 2, day("2027-02-11"));
    log.settle().unwrap();
    drop(log);
    note(&place, &ledger);
    let backup = tempfile::tempdir().unwrap();
    copy(&place.path().join("access"), backup.path());
    let log = open(&place, &ledger);
    record(&log, STUDENT, 3, day("2027-03-11"));
    log.settle().unwrap();
    drop(log);
    note(&place, &ledger);
    drop(ledger);
    let folder = place.path().join("access");
    fs::remove_dir_all(&folder).unwrap();
    copy(backup.path(), &folder);
    assert_eq!(settle(&place).kept, Position::new(2));
    assert!(folder.join("lost-1/checkpoints/checkpoints.txt").is_file());
    let ledger = place.open();
    go_on(&place, &ledger);
    assert_eq!(there(&place, &ledger, STUDENT), [14, 13, 11, 1]);
    note(&place, &ledger);
    drop(ledger);
    assert!(found(place.path()).is_sound());
}

#[test]
fn nothing_stays_of_an_access_log_that_was_damaged_or_exchanged() {
    for exchanged in [false, true] {
        let (place, ledger) = place();
        drop(filled(&place, &ledger));
        note(&place, &ledger);
        let folder = place.path().join("access");
        match exchanged {
            false => {
                let segment = folder.join("journal/segment-00000001.log");
                let mut bytes = fs::read(&segment).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&segment, bytes).unwrap();
            }
            // Another one that is longer, in the place of the one that was noted.
            true => {
                fs::remove_dir_all(&folder).unwrap();
                go_on(&place, &ledger);
                go_on(&place, &ledger);
            }
        }
        drop(ledger);
        let settled = settle(&place);
        assert_eq!(settled.kept, Position::ZERO, "{settled:?}");
        assert!(folder.join("lost-1/journal/segment-00000001.log").is_file());
        let ledger = place.open();
        go_on(&place, &ledger);
        assert_eq!(there(&place, &ledger, STUDENT), [14, 13, 11]);
        note(&place, &ledger);
        drop(ledger);
        assert!(found(place.path()).is_sound());
    }
}

/// An act that removed records of a lost log says nothing of those that have their numbers now.
#[test]
fn an_act_of_before_a_loss_removes_nothing_of_what_was_recorded_after_it() {
    for carried_out in [false, true] {
        let (place, ledger, log) = decided("2027-03-15");
        if carried_out {
            log.carry_out_removals().unwrap();
        }
        drop(log);
        fs::remove_dir_all(place.path().join("access")).unwrap();
        // The start is not stopped, whether the loss is on record or not.
        go_on(&place, &ledger);
        assert_eq!(there(&place, &ledger, STUDENT), [14, 13, 11]);
        assert_eq!(there(&place, &ledger, CLASSMATE), [12]);
        drop(ledger);
        if carried_out {
            settle(&place);
            let ledger = place.open();
            go_on(&place, &ledger);
            assert_eq!(there(&place, &ledger, STUDENT), [14, 13, 11]);
        }
        assert_eq!(loss(place.path()), None, "{carried_out}");
    }
}

/// What is removed by an act stays removed, also of an older copy that has fewer records than the act
/// removes.
#[test]
fn an_older_copy_with_nothing_but_removed_records_loses_them_all_again() {
    let (place, ledger) = place();
    let log = open(&place, &ledger);
    record(&log, CLASSMATE, 1, day("2027-01-10"));
    log.settle().unwrap();
    drop(log);
    let older = tempfile::tempdir().unwrap();
    copy(&place.path().join("access"), older.path());
    let log = open(&place, &ledger);
    record(&log, STUDENT, 2, day("2027-01-11"));
    record(&log, STUDENT, 3, day("2027-04-11"));
    log.settle().unwrap();
    super::removal::decide(&ledger, "2027-03-01");
    assert_eq!(log.carry_out_removals().unwrap().len(), 1);
    drop(log);
    let folder = place.path().join("access");
    fs::remove_dir_all(&folder).unwrap();
    copy(older.path(), &folder);
    assert_eq!(there(&place, &ledger, CLASSMATE), [] as [u64; 0]);
}
