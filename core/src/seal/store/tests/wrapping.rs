//! For whom keys are wrapped: the header, and wrapping anew.

use super::*;

/// Points of low order, from the appendix of RFC 7748's security considerations as libraries list them:
/// whatever secret is used, what is agreed with them is zeros.
const WEAK: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
const OTHER: [u8; 32] = [6; 32];
const NEXT_PRIVATE: [u8; 32] = [10; 32];

/// Changes the header, and makes its checksum right again, as whoever can write the file can.
fn forge_header(disk: &FaultyDisk, change: impl Fn(&mut [u8])) {
    let mut bytes = disk.bytes(NAME).unwrap();
    change(&mut bytes);
    let hash = blake3::derive_key("planledger v1 2026-11-23 key slot", &bytes[..224]);
    bytes[224..256].copy_from_slice(&hash);
    disk.put_bytes(NAME, bytes);
}

/// A store as versions before the tag wrote it.
fn without_tag(disk: &FaultyDisk) {
    forge_header(disk, |bytes| bytes[89..121].fill(0));
}

fn with_recipient(bytes: &mut [u8], recipient: RescueKey) {
    bytes[56] = 1;
    bytes[57..89].copy_from_slice(&recipient.0);
}

fn opened(
    disk: &FaultyDisk,
    master: [u8; 32],
    rescue: Option<RescueKey>,
) -> Result<KeyStore, KeyStoreError> {
    KeyStore::open(&asked(disk, master, rescue))
}

fn asked(disk: &FaultyDisk, master: [u8; 32], rescue: Option<RescueKey>) -> KeyStoreOptions {
    KeyStoreOptions {
        master: MasterKey::from_bytes(master),
        rescue,
        ..options(disk, KeyStoreMode::Existing)
    }
}

fn ours() -> Option<RescueKey> {
    Some(RescueKey::of(&PRIVATE))
}

/// Whoever can write the file could once name a recipient of their own, and every key that was made
/// later was wrapped for them.
#[test]
fn a_planted_recipient_is_named_and_refused() {
    let (disk, _) = filled(&[2]);
    let planted = RescueKey::of(&[77; 32]);
    let whole = disk.bytes(NAME).unwrap();
    for (tag, settings) in [
        (true, ours()),
        (true, Some(planted)),
        (false, ours()),
        (false, None),
    ] {
        disk.put_bytes(NAME, whole.clone());
        forge_header(&disk, |bytes| with_recipient(bytes, planted));
        if !tag {
            without_tag(&disk);
        }
        let error = opened(&disk, [5; 32], settings).err().unwrap();
        assert!(
            matches!(error, KeyStoreError::Unvouched { recipient } if recipient == planted),
            "{error}"
        );
        let said = error.to_string();
        assert!(
            said.contains(&format!("add-rescue-recipient {planted}")),
            "{said}"
        );
    }
    // Nor can one be taken out, or the tag alone be changed.
    for change in [
        |bytes: &mut [u8]| bytes[56..89].fill(0),
        |bytes: &mut [u8]| bytes[100] ^= 1,
    ] {
        disk.put_bytes(NAME, whole.clone());
        forge_header(&disk, change);
        assert!(opened(&disk, [5; 32], ours()).is_err());
    }
}

#[test]
fn a_store_of_an_earlier_version_gets_its_tag_when_it_is_opened_for_writing() {
    for rescue in [None, ours()] {
        let disk = FaultyDisk::new();
        let create = KeyStoreOptions {
            rescue,
            ..options(&disk, KeyStoreMode::Create)
        };
        let made = make(&KeyStore::open(&create).unwrap(), &[2, 1]);
        let tagged = disk.bytes(NAME).unwrap();
        without_tag(&disk);
        let before = disk.bytes(NAME).unwrap();
        assert_ne!(before, tagged);
        let looking = KeyStoreOptions {
            mode: KeyStoreMode::ReadOnly,
            ..asked(&disk, [5; 32], rescue)
        };
        assert_holds(&KeyStore::open(&looking).unwrap(), &made);
        assert_eq!(disk.bytes(NAME).unwrap(), before);
        assert_holds(&opened(&disk, [5; 32], rescue).unwrap(), &made);
        assert_eq!(disk.bytes(NAME).unwrap(), tagged);
        // From now on the settings need not name it.
        assert_holds(&opened(&disk, [5; 32], None).unwrap(), &made);
    }
    // A crash while it is written leaves a store that opens.
    let (disk, made) = filled(&[2, 1]);
    without_tag(&disk);
    let undisturbed = disk.copy();
    open(&undisturbed).unwrap();
    for at in 0..undisturbed.operations() {
        for how in POWER_CUTS {
            let crashing = disk.copy();
            crashing.inject(at, Fault::Kill);
            assert!(open(&crashing).is_err());
            assert_holds(&open(&crashing.reboot(how)).unwrap(), &made);
        }
    }
}

/// Without its recipient and its tag a header looks as one of an earlier version. Keys that are made then
/// would be lost with the master key.
#[test]
fn a_recipient_that_the_settings_name_cannot_be_taken_out_with_the_tag() {
    let (disk, made) = filled(&[2]);
    forge_header(&disk, |bytes| bytes[56..121].fill(0));
    let taken_out = disk.bytes(NAME).unwrap();
    for mode in [KeyStoreMode::ReadOnly, KeyStoreMode::Existing] {
        let asked = KeyStoreOptions {
            mode,
            ..asked(&disk, [5; 32], ours())
        };
        let error = KeyStore::open(&asked).err().unwrap();
        let said = error.to_string();
        assert!(
            matches!(error, KeyStoreError::RecipientGone { recipient } if Some(recipient) == ours()),
            "{said}"
        );
        assert!(said.contains("keys add-rescue-recipient"), "{said}");
        assert_eq!(disk.bytes(NAME).unwrap(), taken_out);
    }
    let next = MasterKey::from_bytes(OTHER);
    let entropy = Counting::from(50);
    let how = Rewrapping::MasterKey(&next);
    assert!(rewrap(&asked(&disk, [5; 32], ours()), &how, &entropy).is_err());
    // The command that the message names puts it right.
    let how = Rewrapping::Recipient(RescueKey::of(&PRIVATE));
    rewrap(&asked(&disk, [5; 32], ours()), &how, &entropy).unwrap();
    let store = opened(&disk, [5; 32], ours()).unwrap();
    assert_eq!(store.summary().rescue, ours());
    assert_holds(&store, &made);
    // Where the settings name nobody, nothing tells such a header from one of an earlier version.
    disk.put_bytes(NAME, taken_out);
    assert_holds(&opened(&disk, [5; 32], None).unwrap(), &made);
}

#[test]
fn a_point_of_low_order_is_no_recipient() {
    for weak in WEAK {
        let weak = RescueKey(crate::hex::decode(weak).unwrap());
        let refused = |error: KeyStoreError| {
            let found =
                matches!(error, KeyStoreError::WeakRecipient { recipient } if recipient == weak);
            assert!(found, "{error}");
        };
        assert!(weak.is_weak());
        let disk = FaultyDisk::new();
        let create = KeyStoreOptions {
            rescue: Some(weak),
            ..options(&disk, KeyStoreMode::Create)
        };
        refused(KeyStore::open(&create).err().unwrap());
        assert_eq!(disk.names(), [""; 0]);
        let (disk, _) = filled(&[1]);
        let how = Rewrapping::Recipient(weak);
        let entropy = Counting::from(50);
        refused(rewrap(&asked(&disk, [5; 32], None), &how, &entropy).unwrap_err());
        forge_header(&disk, |bytes| with_recipient(bytes, weak));
        without_tag(&disk);
        refused(opened(&disk, [5; 32], Some(weak)).err().unwrap());
    }
    assert!(!RescueKey::of(&PRIVATE).is_weak());
}

#[test]
fn under_a_new_master_key_every_key_is_as_before_and_the_old_one_opens_nothing() {
    let (disk, made) = filled(&[2, 1, 3]);
    let (before, old) = (
        open(&disk).unwrap().first(u64::MAX),
        disk.bytes(NAME).unwrap(),
    );
    let next = MasterKey::from_bytes(OTHER);
    let how = Rewrapping::MasterKey(&next);
    let found = rewrap(&asked(&disk, [5; 32], None), &how, &Counting::from(50)).unwrap();
    let expected = KeyStoreSummary {
        keys: 6,
        rescue: ours(),
    };
    assert_eq!(found, expected);
    let wrong = opened(&disk, [5; 32], None);
    assert!(matches!(wrong, Err(KeyStoreError::WrongMasterKey)));
    let store = opened(&disk, OTHER, None).unwrap();
    assert_holds(&store, &made);
    assert_eq!((store.first(u64::MAX), store.summary()), (before, expected));
    // Nothing of the old wrapping is left, and the recipient opens every key as before.
    let new = disk.bytes(NAME).unwrap();
    for (old, new) in old.chunks(SLOT).zip(new.chunks(SLOT)).skip(1) {
        assert_eq!((&old[..46], &old[198..206]), (&new[..46], &new[198..206]));
        // What follows the nonce, which the randomness of a test makes alike.
        let pairs = old[70..198].iter().zip(&new[70..198]);
        assert!(pairs.filter(|(old, new)| old == new).count() < 20);
    }
    let found = open_with_rescue_key(&new, &PRIVATE);
    assert_eq!(found.len(), 6);
    // It goes on.
    let later = make(&store, &[7]);
    assert_eq!(later.len(), 7);
    assert_holds(&opened(&disk, OTHER, None).unwrap(), &later);
}

#[test]
fn keys_that_were_made_before_there_was_a_recipient_are_wrapped_for_it_too() {
    let disk = FaultyDisk::new();
    let create = KeyStoreOptions {
        rescue: None,
        ..options(&disk, KeyStoreMode::Create)
    };
    let made = make(&KeyStore::open(&create).unwrap(), &[2, 1]);
    for private in [PRIVATE, NEXT_PRIVATE] {
        let how = Rewrapping::Recipient(RescueKey::of(&private));
        rewrap(&asked(&disk, [5; 32], None), &how, &Counting::from(50)).unwrap();
        let bytes = disk.bytes(NAME).unwrap();
        assert_eq!(open_with_rescue_key(&bytes, &private).len(), 3);
        assert_holds(&opened(&disk, [5; 32], None).unwrap(), &made);
    }
    // The one before opens nothing any more.
    let bytes = disk.bytes(NAME).unwrap();
    assert!(open_with_rescue_key(&bytes, &PRIVATE).is_empty());
    // A planted one is replaced by the same command.
    forge_header(&disk, |bytes| {
        with_recipient(bytes, RescueKey::of(&[77; 32]))
    });
    let how = Rewrapping::Recipient(RescueKey::of(&PRIVATE));
    rewrap(&asked(&disk, [5; 32], None), &how, &Counting::from(90)).unwrap();
    assert_eq!(
        opened(&disk, [5; 32], None).unwrap().summary().rescue,
        ours()
    );
}

#[test]
fn when_the_master_key_is_lost_the_private_half_puts_every_key_under_a_new_one() {
    let (disk, made) = filled(&[2, 1]);
    let recover = |private: &[u8; 32]| {
        let how = Rewrapping::Recovery { rescue: private };
        rewrap(&asked(&disk, OTHER, None), &how, &Counting::from(50))
    };
    let wrong = recover(&[8; 32]).unwrap_err();
    assert!(matches!(wrong, KeyStoreError::NotRecipient { found, .. } if found == ours()));
    recover(&PRIVATE).unwrap();
    let store = opened(&disk, OTHER, None).unwrap();
    assert_holds(&store, &made);
    assert_eq!(store.summary().rescue, ours());
    assert_eq!(
        open_with_rescue_key(&disk.bytes(NAME).unwrap(), &PRIVATE).len(),
        3
    );
}

/// Wrapping anew once means to hold every key of the ledger in one file that is being replaced.
#[test]
fn a_crash_while_keys_are_wrapped_anew_leaves_the_old_store_or_the_new_one() {
    let (disk, made) = filled(&[2, 3]);
    let next = MasterKey::from_bytes(OTHER);
    let ways = [
        (Rewrapping::MasterKey(&next), [5; 32], OTHER),
        (
            Rewrapping::Recipient(RescueKey::of(&NEXT_PRIVATE)),
            [5; 32],
            [5; 32],
        ),
        (Rewrapping::Recovery { rescue: &PRIVATE }, OTHER, OTHER),
    ];
    for (how, with, after) in ways {
        let go = |disk: &FaultyDisk| rewrap(&asked(disk, with, None), &how, &Counting::from(50));
        let undisturbed = disk.copy();
        go(&undisturbed).unwrap();
        for at in 0..undisturbed.operations() {
            for fault in [Fault::Kill, Fault::Fail, Fault::Short] {
                let crashing = disk.copy();
                crashing.inject(at, fault);
                let done = go(&crashing).is_ok();
                let restarted = std::iter::once(crashing.fork().restart());
                let rebooted = POWER_CUTS.iter().map(|how| crashing.fork().reboot(*how));
                for next in restarted.chain(rebooted) {
                    let store = match opened(&next, after, None) {
                        Err(KeyStoreError::WrongMasterKey) if !done => opened(&next, [5; 32], None),
                        found => found,
                    };
                    assert_holds(&store.unwrap(), &made);
                    // Once more, as somebody would who does not know how far it came.
                    match go(&next) {
                        Ok(_) | Err(KeyStoreError::WrongMasterKey) => {}
                        Err(error) => panic!("{fault:?} at {at}: {error}"),
                    }
                    assert_holds(&opened(&next, after, None).unwrap(), &made);
                }
            }
        }
    }
}

#[test]
fn a_damaged_slot_stops_wrapping_anew_before_anything_is_changed() {
    let (disk, _) = filled(&[2, 1]);
    disk.flip_bit(NAME, 2 * SLOT + 80, 3);
    let before = disk.bytes(NAME).unwrap();
    let next = MasterKey::from_bytes(OTHER);
    let how = Rewrapping::MasterKey(&next);
    let error = rewrap(&asked(&disk, [5; 32], None), &how, &Counting::from(50));
    assert!(matches!(error, Err(KeyStoreError::Damaged { slot: 2 })));
    assert_eq!(disk.bytes(NAME).unwrap(), before);
    assert_eq!(disk.names(), [NAME]);
}

#[test]
fn a_key_that_was_drafted_for_nothing_is_gone_and_one_that_was_kept_is_stored() {
    let (disk, made) = filled(&[1]);
    let store = open(&disk).unwrap();
    let before = disk.bytes(NAME).unwrap();
    let entropy = Counting::from(70);
    let draft = |n| {
        let key = store.active_or_draft(person(n), Timestamp::from_nanos(2), &entropy);
        key.unwrap()
    };
    let (first, second) = (draft(1), draft(2));
    assert_eq!(draft(1).id, first.id);
    store.sync().unwrap();
    assert_eq!(disk.bytes(NAME).unwrap(), before);
    store.drop_drafts();
    assert!(store.by_id(first.id).is_none() && store.active(person(2)).is_none());
    assert_eq!((store.len(), store.slot_of(second.id)), (1, 0));
    let kept = draft(1);
    assert_ne!(kept.id, first.id);
    store.keep_drafts().unwrap();
    draft(2);
    store.sync().unwrap();
    store.drop_drafts();
    let all = [made, vec![kept]].concat();
    assert_holds(&store, &all);
    let again = open(&disk).unwrap();
    assert_eq!(again.len(), 2);
    assert_holds(&again, &all);
    assert_eq!(again.first(9), store.first(9));
}
