//! How far derived state has come.

use crate::fields::Fields;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::merkle::Frontier;
use crate::time::Timestamp;

const CURSOR_VERSION: u8 = 2;

/// How far derived state has come, and the facts that must agree with the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The ledger that the state was derived from.
    pub ledger: LedgerId,
    /// The last frame that was folded in.
    pub commit: CommitSeq,
    /// The position of the last event that was folded in.
    pub position: Position,
    /// First 16 bytes of the checksum of the last frame.
    pub checksum: [u8; 16],
    /// How many commands there were up to here.
    pub commands: u64,
    /// The instant at which the last command was recorded.
    pub recorded_at: Timestamp,
    /// The Merkle tree over all entries that were folded in.
    pub frontier: Frontier,
}

impl Cursor {
    /// The cursor before the first event.
    pub fn start(ledger: LedgerId) -> Self {
        Self {
            ledger,
            commit: CommitSeq::ZERO,
            position: Position::ZERO,
            checksum: [0; 16],
            commands: 0,
            recorded_at: Timestamp::default(),
            frontier: Frontier::default(),
        }
    }
}

/// The cursor's bytes.
pub(super) fn encode_cursor(cursor: &Cursor) -> Vec<u8> {
    let mut bytes = vec![CURSOR_VERSION];
    bytes.extend_from_slice(cursor.ledger.as_bytes());
    for number in [
        cursor.commit.get(),
        cursor.position.get(),
        cursor.commands,
        cursor.recorded_at.nanos(),
    ] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(&cursor.checksum);
    bytes.extend(cursor.frontier.peaks().iter().flatten());
    bytes
}

/// Reads a cursor back.
pub(super) fn decode_cursor(bytes: &[u8]) -> Option<Cursor> {
    let (head, peaks) = bytes.split_at_checked(1 + 16 + 4 * 8 + 16)?;
    let mut fields = Fields(head);
    if fields.take() != [CURSOR_VERSION] {
        return None;
    }
    let ledger = LedgerId::from_bytes(fields.take());
    let commit = CommitSeq::new(fields.u64());
    let position = Position::new(fields.u64());
    let commands = fields.u64();
    let recorded_at = Timestamp::from_nanos(fields.u64());
    let checksum = fields.take();
    let (peaks, rest) = peaks.as_chunks::<32>();
    let frontier = Frontier::from_parts(position.get(), peaks.to_vec())?;
    rest.is_empty().then_some(Cursor {
        ledger,
        commit,
        position,
        checksum,
        commands,
        recorded_at,
        frontier,
    })
}
