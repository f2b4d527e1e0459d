//! The frames that are appended together, as they are written.

use super::commit::{Commit, CommitError, Limit};
use super::error::AppendError;
use super::frame::{self, FramePlace};
use super::layout::half;
use super::tail::Tail;
use crate::ids::Position;

/// The most bytes that are appended together. They have to fit into one segment, so that a crash
/// can leave a part of them only at the end of one file.
pub(super) const MAX_GROUP_BYTES: u64 = (64 << 20) - 128;

/// What is known about frames in a buffer.
pub(super) struct Group {
    /// The tail once they are appended.
    pub(super) tail: Tail,
    /// For each entry, where its frame begins in the buffer.
    pub(super) offsets: Vec<u32>,
}

/// Checks the commits, and fills `buffer` with the frames that follow `tail`.
pub(super) fn encode(
    tail: Tail,
    commits: &[Commit],
    buffer: &mut Vec<u8>,
) -> Result<Group, AppendError> {
    buffer.clear();
    let group_start = tail.commit.next();
    let mut group = Group {
        tail,
        offsets: Vec::new(),
    };
    for (index, commit) in commits.iter().enumerate() {
        let rejected = |error| AppendError::Rejected { index, error };
        let first_position = group.tail.position.next();
        commit
            .check(first_position, group.tail.recorded_at)
            .map_err(rejected)?;
        let offset = buffer.len() as u64;
        let end = offset + commit.frame_len();
        if end > MAX_GROUP_BYTES {
            return Err(rejected(CommitError::TooLarge {
                limit: Limit::GroupBytes,
                actual: end,
                allowed: MAX_GROUP_BYTES,
            }));
        }
        let place = FramePlace {
            commit: group.tail.commit.next(),
            first_position,
            group_start,
            previous: group.tail.checksum,
        };
        let checksum = frame::encode(commit, place, buffer);
        let count = commit.entries.len();
        group
            .offsets
            .extend(std::iter::repeat_n(offset as u32, count));
        group.tail = Tail {
            commit: place.commit,
            position: Position::new(first_position.get() - 1).plus(count as u64),
            checksum: half(&checksum),
            recorded_at: commit.latest_instant(),
        };
    }
    Ok(group)
}
