use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use planledger_core::derived::testing;
use planledger_core::domain::Aggregate;
use planledger_core::ids::Position;
use planledger_core::ledger::rebuild;
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, copy, dump, files};
use planledger_fixtures::school::SYSTEM;

use crate::ledger::support::{institution, put_institution};

fn filled(place: &TempLedger) -> Vec<(Vec<u8>, Vec<u8>)> {
    let ledger = place.open();
    for n in 1..=300 {
        ledger
            .execute(SYSTEM, put_institution(n, n % 3, &format!("Skole {n}")))
            .unwrap();
    }
    dump(&ledger)
}

fn name_at(ledger: &planledger_core::ledger::Ledger, id: u64, position: u64) -> Option<String> {
    let position = Position::new(position);
    let read = ledger.read_at(position, |reading| reading.stream(institution(id)));
    read.unwrap().0.map(|(state, _)| match &*state {
        Aggregate::Institution(found) => found.details.name.to_string(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_rebuild_gives_the_same_bytes() {
    let place = TempLedger::new();
    let before = filled(&place);
    assert!(before.len() > 6);
    rebuild(place.options()).unwrap();
    assert_eq!(dump(&place.open()), before);
}

#[test]
fn derived_state_that_is_missing_or_broken_is_rebuilt() {
    let place = TempLedger::new();
    let before = filled(&place);
    std::fs::remove_dir_all(place.derived()).unwrap();
    assert_eq!(dump(&place.open()), before);
    let sled = testing::sled_folder(&place.derived()).unwrap();
    for file in std::fs::read_dir(sled).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.iter_mut().for_each(|byte| *byte ^= 0x5A);
            std::fs::write(&path, bytes).unwrap();
        }
    }
    assert_eq!(dump(&place.open()), before);
}

/// Taken for new, it had every event folded into a state that was there already.
#[test]
fn derived_state_that_lost_how_far_it_had_come_is_rebuilt() {
    let place = TempLedger::new();
    let before = filled(&place);
    let db = sled::open(testing::sled_folder(&place.derived()).unwrap()).unwrap();
    db.remove([0]).unwrap().unwrap();
    drop(db);
    assert_eq!(dump(&place.open()), before);
    assert!(place.path().join("derived.set-aside").is_dir());
}

#[test]
fn derived_state_that_is_behind_catches_up() {
    let place = TempLedger::new();
    let ledger = place.open();
    ledger
        .execute(SYSTEM, put_institution(1_000, 1, "A"))
        .unwrap();
    ledger.settle();
    drop(ledger);
    let old = tempfile::tempdir().unwrap();
    copy(&place.derived(), &old.path().join("derived"));
    let before = filled(&place);
    std::fs::remove_dir_all(place.derived()).unwrap();
    copy(&old.path().join("derived"), &place.derived());
    assert_eq!(dump(&place.open()), before);
}

#[test]
fn derived_state_of_another_ledger_is_set_aside() {
    let place = TempLedger::new();
    let before = filled(&place);
    let other = TempLedger::new();
    other
        .open()
        .execute(SYSTEM, put_institution(1, 1, "A"))
        .unwrap();
    std::fs::remove_dir_all(place.derived()).unwrap();
    copy(&other.derived(), &place.derived());
    assert_eq!(dump(&place.open()), before);
    assert!(place.path().join("derived.set-aside").exists());
}

#[test]
fn the_past_reads_as_it_was() {
    let place = TempLedger::new();
    filled(&place);
    let ledger = place.open();
    for position in 1..=300 {
        for id in 0..3 {
            // Institution `n % 3` got its name at position n.
            let last = (1..=position).rev().find(|n| n % 3 == id);
            let expected = last.map(|n| format!("Skole {n}"));
            assert_eq!(
                name_at(&ledger, id, position),
                expected,
                "{id} at {position}"
            );
        }
    }
    let (_, entry) = (
        0,
        ledger
            .history(institution(1).into(), None, 1)
            .unwrap()
            .remove(0),
    );
    assert_eq!(
        ledger.position_at(entry.recorded_at).unwrap(),
        entry.position
    );
}

#[test]
fn a_journal_verifies_and_a_changed_byte_does_not() {
    let place = TempLedger::new();
    filled(&place);
    let root = place.open().status().root;
    let check = || verify_dir(&place.options(), Depth::Full, &|_, _, _| {});
    let found = check().unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!((found.events, found.root), (Position::new(300), root));
    assert_eq!(found.streams, 3);
    let path = place.path().join("journal/segment-00000001.log");
    let whole = std::fs::read(&path).unwrap();
    for at in (128..whole.len() - 2_000).step_by(997) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(!check().unwrap().is_sound(), "byte {at}");
    }
}

#[test]
fn checking_changes_nothing() {
    let place = TempLedger::new();
    filled(&place);
    // What crashes leave: half a key, half a frame, half a segment.
    let append = |file: &str| {
        let path = place.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap_or_default();
        bytes.extend_from_slice(&[0; 100]);
        std::fs::write(path, bytes).unwrap();
    };
    append("keys/keys.log");
    append("journal/segment-00000001.log");
    append("journal/segment-00000002.log.tmp");
    let before = files(place.path());
    let found = verify_dir(&place.options(), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!(found.unfinished, 100);
    assert_eq!(files(place.path()), before);
}

#[test]
fn what_others_could_read_of_a_ledger_is_its_owners_alone_once_it_is_opened() {
    let place = TempLedger::new();
    filled(&place);
    let dir = place.options().dir;
    let journal = dir.join("journal");
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let segment = std::fs::read_dir(&journal).unwrap().next().unwrap();
    let segment = segment.unwrap().path();
    let keys = dir.join("keys/keys.log");
    set(&journal, 0o755);
    set(&segment, 0o644);
    set(&keys, 0o664);
    drop(place.open());
    let found = [&journal, &segment, &keys].map(|path| mode(path));
    assert_eq!(found, [0o700, 0o600, 0o600]);
}
