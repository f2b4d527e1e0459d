//! No bytes bring the frame reader down, also when their hashes are right; and what decodes can be
//! asked for everything that it says it holds.

use std::sync::Arc;

use planledger_core::entry::Entry;
use planledger_core::journal::{Frame, HEADER_LEN, Header};

pub(crate) fn check(bytes: &[u8]) {
    decode(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    decode(sealed);
}

/// Makes magic, header hash and checksum of a frame right, as far as its lengths allow. Gives how
/// long the frame is.
pub(crate) fn seal(bytes: &mut [u8]) -> Option<usize> {
    bytes.get_mut(..4)?.copy_from_slice(b"PLF1");
    let hash = blake3::derive_key("planledger v1 2026-11-23 frame header", bytes.get(..68)?);
    bytes.get_mut(68..HEADER_LEN)?.copy_from_slice(&hash[..4]);
    let header = Header::decode(bytes).ok()?;
    let end = HEADER_LEN + header.records_len as usize;
    let checksum = blake3::derive_key("planledger v1 2026-11-23 frame", bytes.get(..end)?);
    bytes.get_mut(end..end + 32)?.copy_from_slice(&checksum);
    Some(header.frame_len() as usize)
}

fn decode(bytes: Vec<u8>) {
    let buffer = Arc::new(bytes);
    let Ok(frame) = Frame::decode(&buffer, 0) else {
        return;
    };
    let header = *frame.header();
    assert!(buffer.starts_with(frame.bytes()));
    assert_eq!(frame.bytes().len() as u64, header.frame_len());
    assert_eq!(frame.commands().count() as u32, header.commands);
    assert_eq!(frame.entries().count() as u32, header.entries);
    let sound = frame.check_payloads().is_ok();
    for entry in frame.entries() {
        assert!(!sound || entry.is_redacted() || entry.payload_is_sound());
        let _ = (entry.leaf_is_sound(), Entry::decode(entry.entry));
    }
    let kept = frame.detached();
    assert_eq!(kept.bytes(), frame.bytes());
    assert_eq!(kept.checksum(), frame.checksum());
}
