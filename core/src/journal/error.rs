//! What can go wrong with a journal.

use std::io;

use super::commit::CommitError;
use super::frame::FrameError;
use super::tail::Tail;
use crate::ids::{CommitSeq, Position};

/// Where and how a journal is damaged. Nothing has been changed: what is damaged is never skipped
/// or cut off, because receipts were given for it (P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "segment-{segment:08}.log is damaged at byte {offset}, at position {position}: {reason}; \
     restore this file from a backup or another node and start again (nothing was changed)"
)]
pub struct Damage {
    /// Number of the segment, as in its file's name.
    pub segment: u64,
    /// Where in the file, in bytes.
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
    /// A frame that had been stored durably is not sound any more.
    #[error("the frame there {0}")]
    Frame(FrameError),
    /// The segment's header is missing, cut short or does not match its hash.
    #[error("the segment's header is not sound")]
    SegmentHeader,
    /// The segment's header is sound but does not continue the segment before it: a file was
    /// exchanged or comes from another ledger.
    #[error("the segment does not continue the one before it")]
    Misplaced,
    /// There is no such segment, though there are later ones or something derived from it.
    #[error("the segment is missing")]
    Missing,
    /// The file is longer or shorter than it was when the next segment was begun.
    #[error("the file has {actual} bytes, but had {expected} when it was closed")]
    Length {
        /// Its length when it was closed.
        expected: u64,
        /// Its length now.
        actual: u64,
    },
    /// The journal ends before something that was derived from it: its end is lost.
    #[error("the journal ends there, but commit {0} had been stored")]
    EndLost(CommitSeq),
    /// An entry's leaf is not the hash of the entry.
    #[error("the leaf is not that of the entry")]
    Leaf,
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal is damaged. Stop, keep the files, restore the segment from a backup or another
    /// node.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk failed. Look at the disk before trying again.
    #[error("segment-{segment:08}.log cannot be read: {source}")]
    Io {
        /// Number of the segment.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Why nothing was appended. After every variant but `Io` the journal is as it was; after `Io` the
/// commits may or may not be found when it is opened again, and no receipt may be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Somebody else appended. Catch up to `actual`, decide again, append again; a writer that
    /// thought itself alone has lost its place and must stop.
    #[error(
        "the journal is at commit {} and not at {}", actual.commit, expected.commit
    )]
    Conflict {
        /// The tail the caller knew.
        expected: Tail,
        /// The tail there is.
        actual: Tail,
    },
    /// A write or sync failed earlier, so nobody knows what the disk holds. Start the process
    /// again: opening the journal finds out.
    #[error("an earlier write failed; the journal takes no more until it is opened again")]
    Poisoned,
    /// The journal was opened for reading only.
    #[error("the journal is open for reading only")]
    ReadOnly,
    /// One of the commits can never be appended as it is.
    #[error("commit number {index} of the group: {error}")]
    Rejected {
        /// Which commit of those given.
        index: usize,
        /// Why.
        error: CommitError,
    },
    /// Writing or syncing failed: the disk is full or broken. The journal takes no more until it
    /// is opened again.
    #[error("segment-{segment:08}.log cannot be written: {source}")]
    Io {
        /// Number of the segment.
        segment: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a journal did not open. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no journal here. Create one, if none is expected.
    #[error("there is no journal in this directory")]
    Empty,
    /// There is a journal here already, so none is created.
    #[error("there is a journal in this directory already")]
    Exists,
    /// The journal is damaged before its end. Keep the files; restore the segment named from a
    /// backup or another node.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk failed or refused. Look at the source; opening again is safe.
    #[error("the journal cannot be opened: {operation}: {source}")]
    Io {
        /// What was being done.
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
