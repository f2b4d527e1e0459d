//! The acts are noted under the master key. A ledger that has some gets another one.

use std::fs;
use std::path::Path;

use planledger_core::domain::erasure::Target;
use planledger_core::ledger::{Ledger, OpenError, Options, rewrap_keys};
use planledger_core::seal::{MasterKey, RescueKey, Rewrapping};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, copy};

use super::decide;
use crate::audit::school::{NotarisedSchool, STUDENT};

const ACTS: &str = "erasures/acts.txt";
const NEXT: &str = "erasures/acts.next";
const KEYS: &str = "keys/keys.log";
const NEW: [u8; 32] = [0x4E; 32];
const PRIVATE: [u8; 32] = [9; 32];

fn erased() -> TempLedger {
    let school = NotarisedSchool::new();
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    school.ledger.settle();
    school.close()
}

fn under(dir: &Path, master: [u8; 32]) -> Options {
    Options {
        master: MasterKey::from_bytes(master),
        ..TempLedger::options_in(dir)
    }
}

fn opens(dir: &Path, master: [u8; 32]) {
    let ledger = Ledger::open(under(dir, master)).unwrap();
    assert!(ledger.carry_out_erasures().unwrap().is_empty());
    ledger.settle();
    drop(ledger);
    let found = verify_dir(&under(dir, master), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!(
        fs::read_to_string(dir.join(ACTS)).unwrap().lines().count(),
        1
    );
}

#[test]
fn a_ledger_with_acts_opens_under_a_new_master_key_wherever_the_change_was_interrupted() {
    let place = erased();
    let old = TempLedger::options_in(place.path());
    let (keys, acts) = (place.path().join(KEYS), place.path().join(ACTS));
    let before = (fs::read(&keys).unwrap(), fs::read(&acts).unwrap());
    let how = MasterKey::from_bytes(NEW);
    rewrap_keys(&old, &Rewrapping::MasterKey(&how)).unwrap();
    let after = (fs::read(&keys).unwrap(), fs::read(&acts).unwrap());
    assert_ne!(before.1, after.1);
    assert!(!place.path().join(NEXT).exists());
    // The keys are the old ones still, or the new ones already, and the acts were not renamed.
    for (keys, master) in [(&before.0, *old.master.as_bytes()), (&after.0, NEW)] {
        let dir = tempfile::tempdir().unwrap();
        copy(place.path(), &dir.path().join("copy"));
        let dir = dir.path().join("copy");
        fs::write(dir.join(KEYS), keys).unwrap();
        fs::write(dir.join(ACTS), &before.1).unwrap();
        fs::write(dir.join(NEXT), &after.1).unwrap();
        let _ = fs::remove_dir_all(dir.join("derived"));
        opens(&dir, master);
    }
    opens(place.path(), NEW);
    let refused = Ledger::open(under(place.path(), *old.master.as_bytes()));
    assert!(matches!(refused, Err(OpenError::Keys(_))));
    // A line that somebody changed is still found.
    let mut changed = fs::read(&acts).unwrap();
    changed[70] ^= 1;
    fs::write(&acts, changed).unwrap();
    let refused = Ledger::open(under(place.path(), NEW));
    assert!(matches!(refused, Err(OpenError::Acts { line: 1 })));
}

#[test]
fn after_the_master_key_was_lost_acts_are_noted_again_as_they_are_on_record() {
    let place = erased();
    let old = TempLedger::options_in(place.path());
    let recipient = Rewrapping::Recipient(RescueKey::of(&PRIVATE));
    rewrap_keys(&old, &recipient).unwrap();
    let how = Rewrapping::Recovery { rescue: &PRIVATE };
    rewrap_keys(&under(place.path(), NEW), &how).unwrap();
    opens(place.path(), NEW);
}
