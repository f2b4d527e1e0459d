mod destroying;
mod wrapping;

use std::sync::Arc;

use x25519_dalek::{PublicKey, StaticSecret};

use super::*;
use crate::counting::Counting;
use crate::disk::{Fault, FaultyDisk, PowerCut};
use crate::ids::{LedgerId, PersonId};

const PRIVATE: [u8; 32] = [9; 32];

fn options(disk: &FaultyDisk, mode: KeyStoreMode) -> KeyStoreOptions {
    let private = StaticSecret::from(PRIVATE);
    KeyStoreOptions {
        disk: Arc::new(disk.clone()),
        ledger: LedgerId::from_bytes([1; 16]),
        master: MasterKey::from_bytes([5; 32]),
        rescue: Some(RescueKey(*PublicKey::from(&private).as_bytes())),
        mode,
    }
}

fn open(disk: &FaultyDisk) -> Result<KeyStore, KeyStoreError> {
    KeyStore::open(&options(disk, KeyStoreMode::Existing))
}

fn person(n: u8) -> KeyScope {
    KeyScope::Person(PersonId::from_bytes([n; 16]))
}

/// Makes keys for persons numbered from 0, in groups of the given sizes. Returns the keys that were
/// synced.
fn make(store: &KeyStore, groups: &[u8]) -> Vec<ScopeKey> {
    let entropy = Counting::from(1);
    let mut synced = Vec::new();
    let mut next = 0;
    for group in groups {
        let mut made = Vec::new();
        for _ in 0..*group {
            let now = Timestamp::from_nanos(1);
            match store.active_or_new(person(next), now, &entropy) {
                Ok(key) => made.push(key),
                Err(_) => return synced,
            }
            next += 1;
        }
        match store.sync() {
            Ok(()) => synced.extend(made),
            Err(_) => return synced,
        }
    }
    synced
}

fn filled(groups: &[u8]) -> (FaultyDisk, Vec<ScopeKey>) {
    let disk = FaultyDisk::new();
    let store = KeyStore::open(&options(&disk, KeyStoreMode::Create)).unwrap();
    let made = make(&store, groups);
    (disk, made)
}

fn assert_holds(store: &KeyStore, keys: &[ScopeKey]) {
    for (n, key) in (0..).zip(keys) {
        let found = store.active(person(n)).expect("a key is lost");
        assert_eq!((found.id, found.secret), (key.id, key.secret));
    }
}

#[test]
fn keys_are_there_after_opening_again() {
    let (disk, made) = filled(&[2, 1]);
    let store = open(&disk).unwrap();
    assert_eq!(store.len(), 3);
    assert_holds(&store, &made);
}

#[test]
fn another_master_key_or_ledger_is_refused() {
    let (disk, _) = filled(&[1]);
    let existing = || options(&disk, KeyStoreMode::Existing);
    let wrong = KeyStore::open(&KeyStoreOptions {
        master: MasterKey::from_bytes([6; 32]),
        ..existing()
    });
    assert!(matches!(wrong, Err(KeyStoreError::WrongMasterKey)));
    let foreign = KeyStore::open(&KeyStoreOptions {
        ledger: LedgerId::from_bytes([2; 16]),
        ..existing()
    });
    assert!(matches!(foreign, Err(KeyStoreError::Foreign)));
    let missing = open(&FaultyDisk::new());
    assert!(matches!(missing, Err(KeyStoreError::Missing)));
}

#[test]
fn the_rescue_key_opens_every_key() {
    let (disk, made) = filled(&[3]);
    let bytes = disk.bytes(NAME).unwrap();
    let found = open_with_rescue_key(&bytes, &PRIVATE);
    assert_eq!(found.len(), 3);
    for ((_, found), made) in found.iter().zip(&made) {
        assert_eq!((found.id, found.secret), (made.id, made.secret));
    }
    assert!(open_with_rescue_key(&bytes, &[8; 32]).is_empty());
}

#[test]
fn what_a_crash_left_unfinished_is_set_aside() {
    let (disk, made) = filled(&[1, 2]);
    let whole = disk.bytes(NAME).unwrap();
    for length in SLOT..whole.len() {
        let torn = disk.copy();
        torn.put_bytes(NAME, whole[..length].to_vec());
        let store = open(&torn).unwrap();
        assert_eq!(store.len(), length / SLOT - 1);
        assert_holds(&store, &made[..store.len()]);
        let aside = torn.bytes(TORN).unwrap_or_default();
        assert_eq!(aside, whole[length / SLOT * SLOT..length]);
    }
    // The blocks of one write can reach the disk in any order.
    let mut bytes = whole.clone();
    bytes[2 * SLOT..3 * SLOT].fill(0);
    disk.put_bytes(NAME, bytes.clone());
    assert_eq!(open(&disk).unwrap().len(), 1);
    assert_eq!(disk.bytes(TORN).unwrap(), bytes[2 * SLOT..]);
}

/// A flipped bit in a key of the last write once counted as a torn tail. The key was cut off, and
/// the ledger went on without it.
#[test]
fn a_changed_slot_is_damage_wherever_it_is() {
    let (disk, _) = filled(&[1, 2]);
    let whole = disk.bytes(NAME).unwrap();
    for at in SLOT..whole.len() {
        let changed = disk.copy();
        changed.flip_bit(NAME, at, at as u32);
        let slot = (at / SLOT) as u64;
        let error = open(&changed).err();
        assert!(
            matches!(error, Some(KeyStoreError::Damaged { slot: found }) if found == slot),
            "byte {at}: {error:?}"
        );
        assert_eq!(changed.names(), [NAME]);
    }
    // A later write proves that the zeros here had been a synced slot.
    let mut bytes = whole.clone();
    bytes[SLOT..2 * SLOT].fill(0);
    disk.put_bytes(NAME, bytes);
    let error = open(&disk).err();
    assert!(matches!(error, Some(KeyStoreError::Damaged { slot: 1 })));
    // A slot was taken out. The slot after it says how many there were.
    let mut bytes = whole.clone();
    bytes.drain(SLOT..2 * SLOT);
    disk.put_bytes(NAME, bytes);
    let error = open(&disk).err();
    assert!(matches!(error, Some(KeyStoreError::Damaged { slot: 1 })));
}

#[test]
fn reading_only_changes_nothing_and_makes_no_keys() {
    let (disk, made) = filled(&[1, 2]);
    let mut bytes = disk.bytes(NAME).unwrap();
    bytes.truncate(3 * SLOT + 10);
    disk.put_bytes(NAME, bytes.clone());
    let store = KeyStore::open(&options(&disk, KeyStoreMode::ReadOnly)).unwrap();
    assert_holds(&store, &made[..2]);
    let entropy = Counting::from(9);
    let new = store.active_or_new(person(9), Timestamp::from_nanos(1), &entropy);
    assert!(matches!(new, Err(KeyStoreError::ReadOnly)));
    assert_eq!(disk.bytes(NAME).unwrap(), bytes);
    assert_eq!(disk.names(), [NAME]);
}

const POWER_CUTS: [PowerCut; 6] = [
    PowerCut::LosesAll,
    PowerCut::KeepsAll,
    PowerCut::KeepsBytes(300),
    PowerCut::KeepsBlocks(1),
    PowerCut::KeepsBlocks(2),
    PowerCut::KeepsBlocks(3),
];

/// Keys that are found after a failure are used without being written again, so they must stay. A
/// process was killed before its sync, or its sync failed, and left keys in memory that looked
/// stored. The next process sealed receipted events with them, and a power cut removed them (P1).
#[test]
fn a_key_that_was_synced_or_found_is_there_whatever_happens() {
    let groups = [2, 1, 3];
    let undisturbed = filled(&groups).0.operations();
    for at in 0..undisturbed {
        for fault in [Fault::Kill, Fault::Fail, Fault::Short] {
            let disk = FaultyDisk::new();
            disk.inject(at, fault);
            let opened = KeyStore::open(&options(&disk, KeyStoreMode::Create));
            let synced = opened.map_or(Vec::new(), |store| make(&store, &groups));
            let restarted = std::iter::once(disk.fork().restart());
            let rebooted = POWER_CUTS.iter().map(|how| disk.fork().reboot(*how));
            for next in restarted.chain(rebooted) {
                let mode = match synced.is_empty() {
                    true => KeyStoreMode::Create,
                    false => KeyStoreMode::Existing,
                };
                let store = KeyStore::open(&options(&next, mode))
                    .unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
                assert_holds(&store, &synced);
                let found: Vec<_> = (0..)
                    .map_while(|number| store.active(person(number)))
                    .collect();
                assert_eq!(found.len(), store.len());
                for how in POWER_CUTS {
                    let later = open(&next.fork().reboot(how))
                        .unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
                    assert_holds(&later, &found);
                }
            }
        }
    }
}
