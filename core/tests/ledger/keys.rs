//! The key store of a ledger at work: what refused commands leave, and other keys to it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger_core::entry::{self, Entry};
use planledger_core::ids::{Position, Revision};
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::{
    ExecuteError, Ledger, OpenError, Options, keys_summary, rewrap_keys,
};
use planledger_core::seal::{
    self, EventKey, KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions, MasterKey, RescueKey,
    Rewrapping, ScopeKey, SealError,
};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, copy, dump, events};
use planledger_fixtures::school::SYSTEM;

use crate::ledger::support::put_institution;

const KEYS: &str = "keys/keys.log";
const SLOT: usize = 256;
const PRIVATE: [u8; 32] = [9; 32];

/// 60 refused batches once left 15 MB of keys that nothing uses.
#[test]
fn refused_batches_leave_the_key_store_as_it_was() {
    let place = TempLedger::new();
    let ledger = place.open();
    let keys = || fs::read(place.path().join(KEYS)).unwrap();
    ledger.execute(SYSTEM, put_institution(1, 1, "A")).unwrap();
    let before = keys();
    for batch in 1..20 {
        let numbers = (0..50).map(|number| 1_000 * batch + number);
        let mut envelopes: Vec<_> = numbers.map(|n| put_institution(n, n, "B")).collect();
        envelopes.last_mut().unwrap().expected_revision = Some(Revision::new(9));
        let refused = ledger.execute_batch(SYSTEM, envelopes);
        assert!(matches!(refused, Err(ExecuteError::Conflict { .. })));
    }
    // A commit stores its own keys and none of those.
    ledger.execute(SYSTEM, put_institution(2, 2, "C")).unwrap();
    let after = keys();
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + SLOT);
    // What was refused can be done later, and is there after a restart.
    ledger
        .execute(SYSTEM, put_institution(3, 1_000, "D"))
        .unwrap();
    assert_eq!(keys().len(), before.len() + 2 * SLOT);
    let documents = dump(&ledger);
    drop(ledger);
    let ledger = place.open();
    assert_eq!(dump(&ledger), documents);
    assert_eq!(events(&ledger).len(), 3);
    let again = put_institution(3, 1_000, "D");
    assert!(ledger.execute(SYSTEM, again).unwrap().replayed);
}

/// The second event of a ledger, its payload, and the key that it is sealed under.
fn second(dir: &Path) -> (Entry, Vec<u8>, ScopeKey) {
    let disk = |folder| Arc::new(OsDisk::new(dir.join(folder)).unwrap());
    let log = SegmentLog::open(disk("journal"), SegmentOptions::default()).unwrap();
    let stored = log.entry(Position::new(2)).unwrap().unwrap();
    let entry = Entry::decode(&stored.entry).unwrap();
    let keys = KeyStore::open(&KeyStoreOptions {
        disk: disk("keys"),
        ledger: log.ledger_id(),
        master: TempLedger::options_in(dir).master,
        rescue: None,
        mode: KeyStoreMode::ReadOnly,
    });
    let key = keys.unwrap().by_id(entry.key).unwrap();
    (entry, stored.sealed.unwrap(), key)
}

/// A bundle disclosed the key of an event. A backup from before it was put back, and another event took
/// its place, at the same revision of the same stream.
#[test]
fn a_key_that_was_disclosed_does_not_open_what_is_recorded_there_after_a_restore() {
    let place = TempLedger::new();
    let first = put_institution(1, 1, "A");
    place.open().execute(SYSTEM, first).unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(place.path(), backup.path());
    for (dir, command, name) in [(place.path(), 2, "B"), (backup.path(), 3, "C")] {
        let ledger = TempLedger::open_in(dir);
        let put = put_institution(command, 1, name);
        ledger.execute(SYSTEM, put).unwrap();
    }
    let (before, _, key) = second(place.path());
    let (after, sealed, _) = second(backup.path());
    let place_of = |entry: &Entry| (entry.stream, entry.revision, entry.key);
    assert_eq!(place_of(&before), place_of(&after));
    let open = |key: &EventKey| {
        let bytes = after.encode();
        seal::open(key, &after.nonce, entry::prefix(&bytes), &sealed)
    };
    assert_eq!(open(&key.key_of(&before)), Err(SealError::Forged));
    open(&key.key_of(&after)).unwrap();
}

fn under(place: &TempLedger, master: [u8; 32]) -> Options {
    Options {
        master: MasterKey::from_bytes(master),
        ..place.options()
    }
}

fn is_refused(place: &TempLedger, master: [u8; 32]) {
    let error = Ledger::open(under(place, master)).err().unwrap();
    assert!(
        matches!(error, OpenError::Keys(KeyStoreError::WrongMasterKey)),
        "{error}"
    );
}

/// From a ledger without a rescue recipient to one whose master key was lost: the journal stays as it
/// is, byte for byte.
#[test]
fn a_ledger_is_put_under_a_new_master_key_and_got_back_when_that_is_lost() {
    let place = TempLedger::new();
    let (new, newest) = ([0x11; 32], [0x22; 32]);
    let ledger = place.open();
    for n in 1..5 {
        ledger.execute(SYSTEM, put_institution(n, n, "A")).unwrap();
    }
    let (documents, recorded) = (dump(&ledger), events(&ledger));
    let locked = rewrap_keys(
        &place.options(),
        &Rewrapping::MasterKey(&MasterKey::from_bytes(new)),
    );
    assert!(matches!(locked, Err(OpenError::Locked { .. })));
    drop(ledger);
    let journal = || fs::read(place.path().join("journal/segment-00000001.log")).unwrap();
    let before = journal();
    let old = *place.options().master.as_bytes();

    let found = rewrap_keys(
        &place.options(),
        &Rewrapping::MasterKey(&MasterKey::from_bytes(new)),
    );
    assert_eq!(found.unwrap().keys, 5);
    is_refused(&place, old);
    let recipient = RescueKey::of(&PRIVATE);
    rewrap_keys(&under(&place, new), &Rewrapping::Recipient(recipient)).unwrap();
    let summary = keys_summary(&under(&place, new)).unwrap();
    assert_eq!((summary.keys, summary.rescue), (5, Some(recipient)));

    // The master key is lost.
    let how = Rewrapping::Recovery { rescue: &PRIVATE };
    rewrap_keys(&under(&place, newest), &how).unwrap();
    is_refused(&place, new);
    assert_eq!(journal(), before);
    let found = verify_dir(&under(&place, newest), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(
        found.faults().all(|(part, _)| part.is_derived()),
        "{found:?}"
    );
    let ledger = Ledger::open(under(&place, newest)).unwrap();
    assert_eq!((dump(&ledger), events(&ledger)), (documents, recorded));
    ledger.execute(SYSTEM, put_institution(9, 9, "B")).unwrap();
    drop(ledger);
    let found = verify_dir(&under(&place, newest), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!(keys_summary(&under(&place, newest)).unwrap().keys, 6);
}

#[test]
fn a_directory_without_a_ledger_has_no_keys_and_gets_none() {
    let dir = tempfile::tempdir().unwrap();
    let options = TempLedger::options_in(dir.path());
    assert!(matches!(
        keys_summary(&options),
        Err(OpenError::Missing { .. })
    ));
    let how = Rewrapping::Recipient(RescueKey::of(&PRIVATE));
    assert!(matches!(
        rewrap_keys(&options, &how),
        Err(OpenError::Missing { .. })
    ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
