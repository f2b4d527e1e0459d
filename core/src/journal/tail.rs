//! Where a journal ends.

use super::frame::{Frame, FrameError};
use super::layout::{Digest16, half};
use crate::ids::{CommitSeq, Position};
use crate::time::Timestamp;

/// The end of a journal. Everything up to here is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The last commit; 0 if there is none.
    pub commit: CommitSeq,
    /// The last event's position; 0 if there is none.
    pub position: Position,
    /// First half of the last frame's checksum; zeros if there is no frame. Together with the two
    /// fields above it says which journal has this tail.
    pub checksum: Digest16,
    /// The latest instant in the journal. In an empty journal it is the instant at which the ledger
    /// was created. The next commit must be later.
    pub recorded_at: Timestamp,
}

impl Tail {
    /// The tail of a journal without commits.
    pub const fn empty(created_at: Timestamp) -> Self {
        Self {
            commit: CommitSeq::ZERO,
            position: Position::ZERO,
            checksum: [0; 16],
            recorded_at: created_at,
        }
    }

    /// Whether both tails are the same place of the same journal.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (self.commit, self.position, self.checksum)
            == (other.commit, other.position, other.checksum)
    }

    /// The tail after `frame`.
    ///
    /// # Errors
    /// [`FrameError::Chain`] if the frame does not follow this tail.
    pub fn after(&self, frame: &Frame) -> Result<Self, FrameError> {
        let header = frame.header();
        let follows = header.commit == self.commit.next()
            && header.first_position == self.position.next()
            && header.previous == self.checksum
            && header.recorded_at > self.recorded_at;
        if follows {
            Ok(Self::at(frame))
        } else {
            Err(FrameError::Chain)
        }
    }

    /// The tail of a journal that ends with `frame`.
    pub fn at(frame: &Frame) -> Self {
        Self {
            commit: frame.commit(),
            position: frame.header().last_position(),
            checksum: half(&frame.checksum()),
            recorded_at: frame.latest_instant(),
        }
    }
}
