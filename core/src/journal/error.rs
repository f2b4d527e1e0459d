//! What can go wrong with a journal.

use std::io;

use super::commit::CommitError;
use super::frame::FrameError;
use super::tail::Tail;
use crate::ids::{CommitSeq, Position};

/// Where and how a journal is damaged. Nothing has been changed. A damaged part is never skipped or
/// cut off, because receipts were given for it (P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "segment-{segment:08}.log is damaged at byte {offset}, at position {position}: {reason}; \
     restore this file from a backup or another node and start again (nothing was changed)"
)]
pub struct Damage {
    /// Number of the segment, as in its file's name.
    pub segment: u64,
    /// The place in the file, in bytes from its beginning.
    pub offset: u64,
    /// Position of the first event that cannot be read.
    pub position: Position,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What is wrong with a damaged journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DamageReason {
    /// A frame that had been stored durably is no longer valid.
    #[error("the frame at that place {0}")]
    Frame(FrameError),
    /// The segment's header is missing, cut short or does not match its hash.
    #[error("the header of the segment is damaged")]
    SegmentHeader,
    /// The segment's header is valid but does not continue the segment before it. The file was
    /// exchanged, or comes from another ledger.
    #[error("the segment does not continue the segment before it")]
    Misplaced,
    /// The segment is missing, although there are later segments or something that was derived from
    /// it.
    #[error("the segment is missing")]
    Missing,
    /// The file is longer or shorter than it was when the next segment was begun.
    #[error("the file has {actual} bytes, but had {expected} when it was closed")]
    Length {
        /// The length when the segment was closed.
        expected: u64,
        /// The length now.
        actual: u64,
    },
    /// The journal ends before something that was derived from it, so its end is lost.
    #[error("the journal ends at that place, but commit {0} was stored after it")]
    EndLost(CommitSeq),
    /// What was kept of a removed segment is damaged.
    #[error(
        "the segment was removed, and the hashes that were kept of it (the file with .leaves) are damaged"
    )]
    Leaves,
    /// The segment was removed. Nothing is wrong with that if an act on record says so.
    #[error("the segment was removed")]
    Removed,
    /// An entry's leaf is not the hash of the entry.
    #[error("the leaf hash does not match the entry")]
    Leaf,
}

/// Why the journal could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal is damaged. Stop, keep the files, and restore the segment from a backup or
    /// another node.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk failed. Check the disk before trying again.
    #[error("segment-{segment:08}.log cannot be read: {source}")]
    Io {
        /// Number of the segment.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Why nothing was appended. After every error but `Io` the journal is unchanged. After `Io` the
/// commits may or may not be there when the journal is opened again, so no receipt may be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Somebody else has appended. Read up to `actual`, decide again, and append again. A writer
    /// that believed itself the only one has lost its place and must stop.
    #[error(
        "the journal is at commit {}, not at commit {}", actual.commit, expected.commit
    )]
    Conflict {
        /// The tail that the caller knew.
        expected: Tail,
        /// The tail that the journal has.
        actual: Tail,
    },
    /// A write or sync failed earlier, so nobody knows what is on the disk. Start the process
    /// again; opening the journal finds out.
    #[error("an earlier write failed; the journal accepts nothing more until it is opened again")]
    Poisoned,
    /// The journal was opened for reading only.
    #[error("the journal is open for reading only")]
    ReadOnly,
    /// One of the commits can never be appended in this form.
    #[error("commit number {index} of the group: {error}")]
    Rejected {
        /// The place of the commit among those given, from 0.
        index: usize,
        /// What is wrong with it.
        error: CommitError,
    },
    /// There was no place to write to: the next segment could not be begun, because the disk is full
    /// for example. Not a byte of the commits was written. The same append may succeed later.
    #[error("segment-{segment:08}.log cannot be begun: {source}")]
    NotYet {
        /// Number of the segment.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Writing or syncing failed, because the disk is full or broken. The journal accepts no more
    /// until it is opened again.
    #[error("segment-{segment:08}.log cannot be written: {source}")]
    Io {
        /// Number of the segment.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Why the text of an event was not overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The journal is kept by an engine that cannot overwrite. Nothing has been changed.
    #[error("this journal cannot overwrite the text of an event")]
    Unsupported,
    /// There is no event at this position. Nothing has been changed.
    #[error("there is no event at position {0}")]
    NotThere(Position),
    /// The journal was opened for reading only.
    #[error("the journal is open for reading only")]
    ReadOnly,
    /// A write or sync failed earlier. Start the process again.
    #[error("an earlier write failed; the journal accepts nothing more until it is opened again")]
    Poisoned,
    /// The place of the event could not be read. Nothing has been changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A segment has to be begun first, and there is no room for it. Nothing has been changed; the same
    /// may succeed later.
    #[error("the next segment cannot be begun: {0}")]
    NotYet(io::Error),
    /// Writing or syncing failed. The journal accepts no more until it is opened again, which
    /// finishes the redaction.
    #[error("the text of an event cannot be overwritten: {0}")]
    Io(io::Error),
}

/// Why the first segments were not removed. Some of them may be. Do it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// The journal was not opened so that segments can be removed, or another engine keeps it.
    #[error("segments of this journal cannot be removed")]
    Unsupported,
    /// The journal was opened for reading only.
    #[error("the journal is open for reading only")]
    ReadOnly,
    /// The leaves of a segment could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The disk failed.
    #[error("a segment cannot be removed: {0}")]
    Io(#[from] io::Error),
}

/// Why a journal did not open. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no journal here. Create one if none is expected.
    #[error("there is no journal in this directory")]
    Empty,
    /// There is a journal here already, so no new one is created.
    #[error("this directory already has a journal")]
    Exists,
    /// The journal is damaged before its end. Keep the files, and restore the named segment from a
    /// backup or another node.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk failed or refused an operation. Look at the source. It is safe to open the journal
    /// again.
    #[error("the journal cannot be opened: {operation}: {source}")]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_disk_says_what_the_system_said() {
        let source = || io::Error::other("no such device");
        let errors = [
            ReadError::Io {
                segment: 2,
                source: source(),
            }
            .to_string(),
            AppendError::Io {
                segment: 2,
                source: source(),
            }
            .to_string(),
            OpenError::Io {
                operation: "reading a segment",
                source: source(),
            }
            .to_string(),
        ];
        for error in errors {
            assert!(error.ends_with(": no such device"), "{error}");
        }
    }
}
