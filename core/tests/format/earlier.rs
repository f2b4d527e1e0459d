//! Derived state that an earlier version of the program left. It is never taken up, whatever it holds, and
//! never in the way: the ledger opens, verifies and goes on with what comes of the journal.

use std::fs;
use std::path::Path;

use planledger_core::ledger::Ledger;
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place;

use crate::format::fixture::Fixture;
use crate::format::golden::options;
use crate::format::story;

/// Where the register has its version, and the one that it has now.
const VERSION_AT: usize = 24;
const VERSION: u8 = 13;

fn register(dir: &Path) -> std::path::PathBuf {
    dir.join("derived/000001/register")
}

/// A ledger with derived state of this version, on which something was changed.
fn left_by(change: impl Fn(&Path)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    Ledger::open(options(dir.path())).unwrap().settle();
    change(dir.path());
    dir
}

/// It opens and verifies, its documents are those of the fixture, what was there is set aside, and it
/// knows its commands again and takes more.
fn opens_and_goes_on(dir: &Path, what: &str) {
    let ledger = Ledger::open(options(dir)).unwrap();
    ledger.settle();
    assert!(
        place::dump(&ledger) == Fixture::read().documents(),
        "{what}"
    );
    for (actor, envelopes) in story::commits() {
        let receipts = ledger.execute_batch(actor, envelopes).unwrap();
        assert!(receipts.iter().all(|receipt| receipt.replayed), "{what}");
    }
    drop(ledger);
    let found = verify_dir(&options(dir), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{what}: {found:?}");
}

#[test]
fn derived_state_of_every_earlier_version_is_made_again() {
    for version in (1..VERSION).chain([VERSION + 1]) {
        let dir = left_by(|dir| {
            let mut bytes = fs::read(register(dir)).unwrap();
            assert_eq!(bytes[VERSION_AT], VERSION);
            bytes[VERSION_AT] = version;
            fs::write(register(dir), bytes).unwrap();
        });
        opens_and_goes_on(dir.path(), &format!("version {version}"));
        assert!(
            dir.path().join("derived.set-aside").exists(),
            "version {version}"
        );
    }
}

/// The first versions had no register, and sled's files right in the folder.
#[test]
fn derived_state_without_a_register_is_made_again() {
    let dir = left_by(|dir| {
        let derived = dir.join("derived");
        fs::rename(derived.join("000001/sled"), dir.join("sled")).unwrap();
        fs::remove_dir_all(&derived).unwrap();
        fs::rename(dir.join("sled"), &derived).unwrap();
    });
    opens_and_goes_on(dir.path(), "without a register");
}
