//! A segment's header and its file's name.

use std::io;
use std::sync::Arc;

use super::super::tail::Tail;
use crate::disk::{DiskFile, read_full};
use crate::fields::{FieldWriter, Fields};
use crate::hash::Context;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::time::Timestamp;

/// Length of a segment's header.
pub const SEGMENT_HEADER_LEN: usize = 128;
const MAGIC: [u8; 8] = *b"PLSEGv1\n";
const HASHED_LEN: usize = 96;
static HASH: Context = Context::new("planledger v1 2026-11-23 segment header");
const PREFIX: &str = "segment-";
pub(super) const LOG_SUFFIX: &str = ".log";
pub(super) const TEMPORARY_SUFFIX: &str = ".log.tmp";
pub(super) const INDEX_SUFFIX: &str = ".idx";
/// Of the file that is kept of a removed segment.
pub(super) const LEAVES_SUFFIX: &str = ".leaves";

/// The name of a segment's file.
pub(super) fn file_name(number: u64, suffix: &str) -> String {
    format!("{PREFIX}{number:08}{suffix}")
}

/// The number of the segment whose file has this name and suffix.
pub(super) fn parse_name(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(suffix)?;
    let number = digits.parse().ok()?;
    (file_name(number, suffix) == name).then_some(number)
}

/// What a segment's header says: which segment it is and where the journal stood before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) ledger_id: LedgerId,
    pub(super) number: u64,
    /// The tail before its first frame.
    pub(super) before: Tail,
    /// Length of the segment before it, 0 if it is the first.
    pub(super) previous_len: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_LEN] {
        let mut out = FieldWriter::<SEGMENT_HEADER_LEN>::new();
        out.put(&MAGIC);
        out.put(self.ledger_id.as_bytes());
        out.put(&self.number.to_be_bytes());
        out.put(&self.before.position.next().get().to_be_bytes());
        out.put(&self.before.commit.next().get().to_be_bytes());
        out.put(&self.before.checksum);
        out.put(&self.before.recorded_at.nanos().to_be_bytes());
        out.put(&self.previous_len.to_be_bytes());
        out.zeros_to(HASHED_LEN);
        let hash = HASH.hash(out.written());
        out.put(&hash);
        out.finish()
    }

    /// The header with these bytes; `None` if they are not one.
    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER_LEN]) -> Option<Self> {
        let (hashed, stored) = bytes.split_at(HASHED_LEN);
        if HASH.hash(hashed) != *stored {
            return None;
        }
        let mut fields = Fields(hashed);
        let magic: [u8; 8] = fields.take();
        let (ledger_id, number) = (LedgerId::from_bytes(fields.take()), fields.u64());
        let (next_position, next_commit) = (fields.u64(), fields.u64());
        let (checksum, recorded_at) = (fields.take(), Timestamp::from_nanos(fields.u64()));
        let previous_len = fields.u64();
        let zeros: [u8; 16] = fields.take();
        fields.finish();
        if magic != MAGIC || zeros != [0; 16] {
            return None;
        }
        Some(Self {
            ledger_id,
            number,
            before: Tail {
                position: Position::new(next_position.checked_sub(1)?),
                commit: CommitSeq::new(next_commit.checked_sub(1)?),
                checksum,
                recorded_at,
            },
            previous_len,
        })
    }

    /// Reads the header of a segment's file; `None` if there is no sound one.
    pub(super) fn read(file: &Arc<dyn DiskFile>) -> io::Result<Option<Self>> {
        let mut bytes = [0; SEGMENT_HEADER_LEN];
        let count = read_full(file.as_ref(), &mut bytes, 0)?;
        Ok(if count == SEGMENT_HEADER_LEN {
            Self::decode(&bytes)
        } else {
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_segments_only_in_its_own_spelling() {
        assert_eq!(parse_name("segment-00000012.log", LOG_SUFFIX), Some(12));
        assert_eq!(
            parse_name(&file_name(123_456_789, LOG_SUFFIX), LOG_SUFFIX),
            Some(123_456_789)
        );
        for other in [
            "segment-12.log",
            "segment-00000012.idx",
            "segment-+0000012.log",
            "lock",
        ] {
            assert_eq!(parse_name(other, LOG_SUFFIX), None);
        }
    }

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let header = SegmentHeader {
            ledger_id: LedgerId::from_bytes([7; 16]),
            number: 3,
            before: Tail {
                commit: CommitSeq::new(9),
                position: Position::new(12),
                checksum: [5; 16],
                recorded_at: Timestamp::from_nanos(77),
            },
            previous_len: 4_000,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), SEGMENT_HEADER_LEN);
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&changed), None, "bit {bit}");
        }
    }
}
