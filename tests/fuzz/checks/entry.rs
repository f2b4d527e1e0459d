//! No bytes bring the entry reader down, and what decodes encodes to the same bytes.

use planledger_core::entry::{ENTRY_LEN, Entry};

pub(crate) fn check(bytes: &[u8]) {
    let mut entry = [0; ENTRY_LEN];
    let given = bytes.len().min(ENTRY_LEN);
    entry[..given].copy_from_slice(&bytes[..given]);
    decodes_alike(&entry);
    // The length and version that nobody guesses.
    entry[..3].copy_from_slice(&[0, 228, 1]);
    decodes_alike(&entry);
}

fn decodes_alike(bytes: &[u8; ENTRY_LEN]) {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode(), *bytes);
    }
}
