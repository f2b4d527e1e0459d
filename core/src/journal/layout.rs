//! Lengths and places in a frame, and its limits, for all code that writes, reads or refuses
//! frames.

use crate::entry::{ENTRY_LEN, EntryBytes};
use crate::fields::Fields;
use crate::hash::{Hash32, first};
use crate::time::Timestamp;

/// The first sixteen bytes of a hash.
pub type Digest16 = [u8; 16];

/// Length of a frame's header.
pub const HEADER_LEN: usize = 72;
/// Length of a command record.
pub const COMMAND_LEN: usize = 64;
/// Length of an entry record.
pub const RECORD_LEN: usize = 44 + ENTRY_LEN;
/// Length of a frame's checksum.
pub const CHECKSUM_LEN: usize = 32;
/// A frame is at most this long, all its parts together.
pub const MAX_FRAME_LEN: usize = 16 << 20;
/// A frame holds at most this many commands.
pub const MAX_COMMANDS: usize = 1_000;
/// A frame holds at most this many entries.
pub const MAX_ENTRIES: usize = 65_536;

const SEALED_LEN_AT: usize = 194;
const SEALED_HASH_AT: usize = 198;
const RECORDED_AT_AT: usize = 114;

/// The first half of a hash. Chains keep only this half.
pub(super) fn half(hash: &Hash32) -> Digest16 {
    first(hash)
}

/// Whether all bytes are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// The length that an entry says its payload has.
pub(super) fn sealed_len(entry: &EntryBytes) -> u32 {
    u32::from_be_bytes(of_entry(entry, SEALED_LEN_AT))
}

/// The instant that an entry says it was recorded at.
pub(super) fn recorded_at(entry: &EntryBytes) -> Timestamp {
    Timestamp::from_nanos(u64::from_be_bytes(of_entry(entry, RECORDED_AT_AT)))
}

/// The hash that an entry says its payload has.
pub(super) fn sealed_hash_of(entry: &EntryBytes) -> Hash32 {
    of_entry(entry, SEALED_HASH_AT)
}

fn of_entry<const N: usize>(entry: &EntryBytes, at: usize) -> [u8; N] {
    let (_, rest) = entry.split_at(at);
    Fields(rest).take()
}
