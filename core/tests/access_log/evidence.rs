//! Checkpoints of the access log, and what a check of the directory finds (P5).

use std::fs;
use std::sync::Arc;

use planledger_core::access_log::{AccessLog, AccessNotary, verifier_of};
use planledger_core::audit::FaultKind;
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::{Algorithm, SignedCheckpoint, Signer};
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};
use planledger_fixtures::place::TempLedger;
use planledger_fixtures::school::STUDENT;

use super::{fill, founded, open, read};

pub(super) fn signer() -> Signer {
    Signer::new("ledger.example/test", Algorithm::Ed25519, [9; 32]).unwrap()
}

fn notary(place: &TempLedger, log: AccessLog) -> Result<AccessNotary, NotaryError> {
    AccessNotary::open(Arc::new(log), place.path(), &signer())
}

/// A ledger with a checkpoint, and an access log of thirty records with one.
fn checked() -> (TempLedger, Ledger, SignedCheckpoint) {
    let place = TempLedger::new();
    let ledger = founded(&place);
    Notary::open(ledger.clone(), place.path(), signer())
        .unwrap()
        .checkpoint()
        .unwrap();
    let log = open(&place, &ledger);
    fill(&log);
    let signed = notary(&place, log).unwrap().checkpoint().unwrap().unwrap();
    (place, ledger, signed)
}

/// What a check finds. Nobody may have the ledger open.
fn found(place: &TempLedger) -> Verification {
    verify_dir(&place.options(), Depth::Full, &|_, _, _| {}).unwrap()
}

/// The kind of fault of each of the two parts.
fn faults(place: &TempLedger) -> [Option<FaultKind>; 2] {
    let found = found(place);
    [PartName::AccessLog, PartName::AccessCheckpoints].map(|name| {
        let part = found.part(name).unwrap();
        part.fault.as_ref().map(|fault| fault.kind)
    })
}

#[test]
fn a_checkpoint_has_a_name_of_its_own_and_is_made_once() {
    let (place, ledger, signed) = checked();
    assert_eq!(signed.checkpoint.size, 30);
    assert_eq!(signed.checkpoint.origin, "ledger.example/test/access");
    let key = verifier_of(&signer().verifier(), 0).unwrap();
    signed.verify([&key]).unwrap();
    assert!(signed.verify([&signer().verifier()]).is_err());
    let published = fs::read(place.path().join("access/tlog/checkpoint")).unwrap();
    assert_eq!(SignedCheckpoint::parse(&published).unwrap(), signed);
    let again = notary(&place, open(&place, &ledger)).unwrap();
    assert_eq!(again.checkpoint().unwrap(), Some(signed));
    assert_eq!(again.verifier(), key);
}

#[test]
fn a_sound_access_log_is_found_sound_record_by_record() {
    let (place, ledger, _) = checked();
    drop(ledger);
    let found = found(&place);
    assert!(found.is_sound(), "{found:?}");
    let checked = |name| found.part(name).unwrap().checked;
    assert_eq!(checked(PartName::AccessLog), 30);
    assert_eq!(checked(PartName::AccessCheckpoints), 1);
}

#[test]
fn a_ledger_without_an_access_log_is_checked_as_before() {
    let place = TempLedger::new();
    drop(founded(&place));
    let found = found(&place);
    assert!(found.is_sound());
    assert_eq!(found.part(PartName::AccessLog), None);
}

#[test]
fn every_byte_that_is_changed_is_found() {
    let (place, ledger, _) = checked();
    drop(ledger);
    let segment = place.path().join("access/journal/segment-00000001.log");
    let bytes = fs::read(&segment).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&segment, changed).unwrap();
        assert_ne!(faults(&place), [None, None], "byte {at}");
    }
}

#[test]
fn an_end_that_is_gone_is_found_and_not_signed_on() {
    let (place, ledger, _) = checked();
    let journal = place.path().join("access/journal");
    // The log of before, as if only the first five reads had been.
    fs::remove_dir_all(&journal).unwrap();
    fs::remove_file(place.path().join("access/heads")).unwrap();
    let log = open(&place, &ledger);
    for n in 1..=5 {
        log.hand_in(vec![read(STUDENT, n)], None).unwrap();
    }
    log.settle().unwrap();
    let opened = notary(&place, log);
    assert!(matches!(opened.err(), Some(NotaryError::RolledBack { .. })));
    drop(ledger);
    assert_eq!(faults(&place), [None, Some(FaultKind::Checkpoint)]);
    fs::remove_dir_all(&journal).unwrap();
    assert_eq!(faults(&place)[0], Some(FaultKind::Missing));
}

#[test]
fn another_history_of_the_same_length_is_found() {
    let (place, ledger, _) = checked();
    for folder in ["journal", "tlog"] {
        fs::remove_dir_all(place.path().join("access").join(folder)).unwrap();
    }
    fs::remove_file(place.path().join("access/heads")).unwrap();
    let log = open(&place, &ledger);
    for n in 1..=30 {
        log.hand_in(vec![read(STUDENT, n)], None).unwrap();
    }
    log.settle().unwrap();
    let opened = notary(&place, log);
    assert!(matches!(opened.err(), Some(NotaryError::Forked { .. })));
    drop(ledger);
    assert_eq!(faults(&place), [None, Some(FaultKind::Checkpoint)]);
}

#[test]
fn a_checkpoint_by_another_key_is_found() {
    let (place, ledger, _) = checked();
    let log = open(&place, &ledger);
    log.hand_in(vec![read(STUDENT, 99)], None).unwrap();
    log.settle().unwrap();
    let other = Signer::new("ledger.example/test", Algorithm::Ed25519, [8; 32]).unwrap();
    let forger = AccessNotary::open(Arc::new(log), place.path(), &other).unwrap();
    forger.checkpoint().unwrap();
    drop((forger, ledger));
    assert_eq!(faults(&place), [None, Some(FaultKind::Signature)]);
}

#[test]
fn an_access_log_that_was_never_written_to_is_sound() {
    let place = TempLedger::new();
    let ledger = founded(&place);
    let log = notary(&place, open(&place, &ledger)).unwrap();
    assert_eq!(log.checkpoint().unwrap(), None);
    drop((log, ledger));
    assert!(found(&place).is_sound());
}
