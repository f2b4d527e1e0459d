//! Whatever is in a key store's file, opening it ends: it is refused, or what is kept is kept
//! again. Looking at it changes nothing.

use std::sync::Arc;

use planledger_core::ids::LedgerId;
use planledger_core::journal::FaultyDisk;
use planledger_core::seal::{KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey, open_with_rescue_key};

const NAME: &str = "keys.log";
const SLOT: usize = 256;
const CHECKED: usize = 224;

pub(crate) fn check(bytes: &[u8]) {
    open(bytes);
    let mut sealed = bytes.to_vec();
    for slot in sealed.chunks_exact_mut(SLOT) {
        let (fields, checksum) = slot.split_at_mut(CHECKED);
        let hash = blake3::derive_key("planledger v1 2026-11-23 key slot", fields);
        checksum.copy_from_slice(&hash);
    }
    open(&sealed);
    let _ = open_with_rescue_key(&sealed, &[9; 32]);
}

fn open(bytes: &[u8]) {
    let disk = FaultyDisk::new();
    disk.put_bytes(NAME, bytes.to_vec());
    // The ledger that the file names, so that more than the header is read.
    let ledger = bytes.get(8..24).and_then(|id| id.try_into().ok());
    let open = |mode| {
        let options = KeyStoreOptions {
            disk: Arc::new(disk.clone()),
            ledger: LedgerId::from_bytes(ledger.unwrap_or_default()),
            master: MasterKey::from_bytes([7; 32]),
            rescue: None,
            mode,
        };
        KeyStore::open(&options).map(|keys| keys.len())
    };
    let looked = open(KeyStoreMode::ReadOnly);
    assert!(
        disk.bytes(NAME).as_deref() == Some(bytes),
        "looking changed the file"
    );
    match (looked, open(KeyStoreMode::Existing)) {
        (Ok(looked), Ok(opened)) => {
            assert_eq!(looked, opened);
            assert_eq!(
                open(KeyStoreMode::Existing).expect("it opens again"),
                opened
            );
        }
        (Err(looked), Err(opened)) => assert_eq!(looked.to_string(), opened.to_string()),
        (looked, opened) => panic!("looked at: {looked:?}; opened: {opened:?}"),
    }
}
