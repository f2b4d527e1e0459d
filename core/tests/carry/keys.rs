//! What still opens is carried over when the key store itself is damaged. What it cannot open any more keeps its
//! place, and is named by stream and person.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use planledger_core::domain::ledger::{LostPlace, PlaceHeld};
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::ledger::RecordedEvent;
use planledger_core::seal::KeyGap;
use planledger_fixtures::place::{TempLedger, copy, events};
use planledger_fixtures::school::{OTHER_PLAN, SCHOOL};

use super::support::*;
use crate::audit::school::{CLASSMATE, OTHERS, PLAN, STUDENT};

const SLOT: usize = 256;

fn path(dir: &Path) -> PathBuf {
    dir.join("keys/keys.log")
}

/// Where in the file the slot of a scope begins.
fn slot_of(bytes: &[u8], kind: u8, id: &[u8; 16]) -> usize {
    let slots = bytes.chunks(SLOT).enumerate().skip(1);
    let mut found = slots.filter(|(_, slot)| slot[5] == kind && slot[6..22] == *id);
    found.next().unwrap().0 * SLOT
}

fn of_person(bytes: &[u8], person: PersonId) -> usize {
    slot_of(bytes, 3, person.as_bytes())
}

/// A ledger, its events, and its key store.
fn school_and_keys() -> (TempLedger, Vec<RecordedEvent>, Vec<u8>) {
    let school = school(false);
    let before = events(&school.ledger);
    let old = school.close();
    let keys = fs::read(path(old.path())).unwrap();
    (old, before, keys)
}

/// Salvages with these bytes as key store. Nothing may be changed by it, and nothing may be dropped.
fn salvaged(
    old: &TempLedger,
    before: &[RecordedEvent],
    keys: &[u8],
) -> (planledger_core::carry::Carried, Vec<RecordedEvent>) {
    let dir = tempfile::tempdir().unwrap();
    copy(old.path(), dir.path());
    fs::write(path(dir.path()), keys).unwrap();
    let to = tempfile::tempdir().unwrap();
    let carried = salvage(dir.path(), to.path()).unwrap();
    assert_eq!(fs::read(path(dir.path())).unwrap(), keys);
    assert_sound(to.path());
    let after = events_in(to.path());
    let places: u64 = carried
        .lost
        .iter()
        .map(|it| it.last.get() + 1 - it.first.get())
        .sum();
    assert_eq!(carried.events + places, before.len() as u64);
    let report = fs::read(to.path().join("origin/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let gaps = report["keysDamaged"].as_array().unwrap();
    assert_eq!(gaps.len(), carried.key_damage.gaps.len());
    (carried, after)
}

/// Whose text it is.
fn is_of(event: &RecordedEvent, streams: &[StreamId]) -> bool {
    streams.contains(&event.stream)
}

/// The texts of these streams are gone, in their places; every other event is as it was.
fn lost_only(before: &[RecordedEvent], after: &[RecordedEvent], streams: &[StreamId]) {
    for (was, is) in before.iter().zip(after) {
        assert_eq!(was.position, is.position);
        if is_of(was, streams) {
            let named = LostPlace {
                stream: Some(was.stream),
                revision: Some(was.revision),
            };
            assert_eq!(held(is), PlaceHeld::Lost(named));
        } else if was.stream.kind != planledger_core::ids::StreamKind::Erasure {
            assert_same(was, is);
        }
    }
}

#[test]
fn the_texts_of_a_lost_key_keep_their_places_and_are_named_by_stream_and_person() {
    let (old, before, keys) = school_and_keys();
    // A byte of the sealed key, of the scope, of the id, and of the checksum.
    for at in [80, 10, 30, 250] {
        let mut damaged = keys.clone();
        let slot = of_person(&keys, CLASSMATE);
        damaged[slot + at] ^= 1;
        let (carried, after) = salvaged(&old, &before, &damaged);
        lost_only(&before, &after, &[OTHERS.into(), CLASSMATE.into()]);
        let (from, to) = (slot as u64, (slot + SLOT) as u64);
        assert_eq!(carried.key_damage.gaps, [KeyGap { from, to }]);
        assert_eq!(carried.persons(), BTreeSet::from([CLASSMATE]));
        let streams: BTreeSet<_> = carried.missing.iter().map(|it| it.stream).collect();
        assert_eq!(streams, BTreeSet::from([OTHERS.into(), CLASSMATE.into()]));
        let texts = before
            .iter()
            .filter(|event| is_of(event, &[OTHERS.into(), CLASSMATE.into()]));
        assert_eq!(carried.missing.len(), texts.count());
        assert!(
            carried
                .missing
                .iter()
                .all(|it| it.unreadable && it.person == Some(CLASSMATE))
        );
    }
}

#[test]
fn every_slot_may_be_lost_and_what_the_others_open_is_carried_over() {
    let (old, before, keys) = school_and_keys();
    for slot in (0..keys.len()).step_by(SLOT) {
        let mut damaged = keys.clone();
        damaged[slot..slot + SLOT].fill(0x5A);
        let (carried, after) = salvaged(&old, &before, &damaged);
        assert_eq!(carried.key_damage.header, slot == 0);
        assert_eq!(carried.is_whole(), slot == 0, "slot {}", slot / SLOT);
        assert_eq!(carried.key_damage.gaps.len(), 1);
        assert!(after.len() > before.len());
    }
}

#[test]
fn the_end_may_be_lost() {
    let (old, before, keys) = school_and_keys();
    let whole = salvaged(&old, &before, &keys).0;
    assert!(whole.is_whole());
    assert_eq!(whole.key_damage, Default::default());
    for cut in [1, 100, SLOT, SLOT + 1, 3 * SLOT] {
        let (carried, _) = salvaged(&old, &before, &keys[..keys.len() - cut]);
        assert!(!carried.is_whole(), "{cut}");
        assert!(carried.missing.iter().all(|it| it.unreadable), "{cut}");
        assert_eq!(carried.key_damage.gaps.len(), usize::from(cut % SLOT != 0));
    }
}

#[test]
fn slots_are_found_again_after_bytes_were_added_or_taken_away() {
    let (old, before, keys) = school_and_keys();
    let slot = slot_of(&keys, 2, SCHOOL.as_bytes());
    // Somewhere before: what follows stands elsewhere, and is sealed together with what it says of itself.
    let added = [&keys[..slot], &[7; 33], &keys[slot..]].concat();
    let (carried, after) = salvaged(&old, &before, &added);
    assert!(carried.is_whole());
    assert_eq!(carried.key_damage.gaps.len(), 1);
    lost_only(&before, &after, &[]);
    let taken_away = [&keys[..slot + 5], &keys[slot + 9..]].concat();
    let (carried, _) = salvaged(&old, &before, &taken_away);
    assert!(!carried.is_whole());
    assert!(
        carried
            .missing
            .iter()
            .all(|it| it.person.is_none() && it.unreadable)
    );
}

#[test]
fn a_key_that_somebody_made_up_opens_nothing() {
    let (old, before, keys) = school_and_keys();
    let slot = of_person(&keys, STUDENT);
    let mut forged = keys.clone();
    // Another scope for the key, and the right checksum.
    forged[slot + 6..slot + 22].copy_from_slice(CLASSMATE.as_bytes());
    let checksum = blake3::derive_key(
        "planledger v1 2026-11-23 key slot",
        &forged[slot..slot + 224],
    );
    forged[slot + 224..slot + SLOT].copy_from_slice(&checksum);
    let (carried, after) = salvaged(&old, &before, &forged);
    lost_only(
        &before,
        &after,
        &[PLAN.into(), OTHER_PLAN.into(), STUDENT.into()],
    );
    assert_eq!(carried.persons(), BTreeSet::from([STUDENT]));
}

#[test]
fn without_any_key_nothing_is_made() {
    let (old, _, keys) = school_and_keys();
    for bytes in [&keys[..SLOT], &[0; 4 * SLOT], &[]] {
        let dir = tempfile::tempdir().unwrap();
        copy(old.path(), dir.path());
        fs::write(path(dir.path()), bytes).unwrap();
        let to = tempfile::tempdir().unwrap();
        salvage(dir.path(), to.path()).unwrap_err();
        assert_eq!(to.path().read_dir().unwrap().count(), 0);
    }
}
