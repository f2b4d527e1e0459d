//! What every commit log offers, whatever stores it.

use std::time::Duration;

use super::commit::Commit;
use super::error::{AppendError, Damage, DamageReason, ReadError, RedactError};
use super::frame::{EntryRef, Frame, FrameError};
use super::tail::Tail;
use crate::entry::EntryBytes;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, LedgerId, Position};

/// Frames in order. `None` means that the durable tail has been reached; once more has been
/// appended, the next call continues. After an error no more frames come.
pub type Frames = Box<dyn Iterator<Item = Result<Frame, ReadError>> + Send>;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The position of the event.
    pub position: Position,
    /// Position of the stream's previous entry; 0 if this is the first.
    pub back: Position,
    /// The Merkle leaf of the entry.
    pub leaf: Hash32,
    /// The bytes of the entry.
    pub entry: EntryBytes,
    /// The sealed payload; `None` if it was redacted.
    pub sealed: Option<Vec<u8>>,
}

impl StoredEntry {
    /// Copies an entry, after checking its leaf and its payload.
    ///
    /// # Errors
    /// The reason for which the place is to be reported as damaged.
    pub fn checked(entry: &EntryRef<'_>, index: u32) -> Result<Self, DamageReason> {
        if !entry.leaf_is_sound() {
            return Err(DamageReason::Leaf);
        }
        let redacted = entry.is_redacted();
        if !redacted && !entry.payload_is_sound() {
            return Err(DamageReason::Frame(FrameError::Payload(index)));
        }
        Ok(Self {
            position: entry.position,
            back: entry.back,
            leaf: *entry.leaf,
            entry: *entry.entry,
            sealed: (!redacted).then(|| entry.sealed.to_vec()),
        })
    }
}

/// An append-only sequence of commits with one active writer.
///
/// A storage engine must offer only a conditional append at the tail, and reading. The append of a
/// writer that has lost its place fails, so such a writer cannot write.
pub trait CommitLog: Send + Sync {
    /// The ledger whose journal this is.
    fn ledger_id(&self) -> LedgerId;

    /// The durable end of the journal.
    fn tail(&self) -> Tail;

    /// Appends commits after `expected`, all in one write and one sync. Returns the new tail. Only
    /// after that may receipts be given (P2). Without commits nothing happens.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] if the journal has another tail; see the other variants.
    /// None of the commits is appended then, and readers see none of them. There is one exception:
    /// after [`AppendError::Io`], a log that is opened again may have the first of the commits,
    /// each of them whole.
    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError>;

    /// The frames from the one that holds position `from` on, including frames without entries.
    /// Never gives anything after the durable tail.
    fn read(&self, from: Position) -> Frames;

    /// The frames from this commit on.
    fn read_commits(&self, from: CommitSeq) -> Frames;

    /// As [`Self::read`], but payloads are not compared with their hashes. This is for whoever opens every payload that can
    /// be opened, which finds each change by anybody who does not hold its key, or opens none.
    fn read_sealed(&self, from: Position) -> Frames {
        self.read(from)
    }

    /// As [`Self::read_commits`], with payloads as [`Self::read_sealed`] gives them.
    fn read_commits_sealed(&self, from: CommitSeq) -> Frames {
        self.read_commits(from)
    }

    /// Waits until the tail is after `after`, or until the timeout. Returns the tail at that time.
    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail;

    /// Overwrites the sealed payload of an event with zeros, so that no copy of it is left (P6), and
    /// waits until that is on stable storage. Entries, leaves and proofs stay as they are. Nothing
    /// happens if it was overwritten before. What was interrupted is finished when the log is opened
    /// again.
    ///
    /// # Errors
    /// [`RedactError`]. A log that cannot do this says so.
    fn redact(&self, position: Position) -> Result<(), RedactError> {
        let _ = position;
        Err(RedactError::Unsupported)
    }

    /// The leaves of entries that were removed from the beginning of the log, from this position on,
    /// as many as are at hand. None if the entry at this position was not removed. The log goes on
    /// after the last one that was.
    ///
    /// # Errors
    /// [`ReadError`] when the leaves are damaged or the disk fails.
    fn removed_leaves(&self, from: Position) -> Result<Vec<Hash32>, ReadError> {
        let _ = from;
        Ok(Vec::new())
    }

    /// The event at this position, after its leaf and payload hash were checked; `None` after the
    /// tail.
    ///
    /// # Errors
    /// [`ReadError`] when the journal is damaged or the disk fails.
    fn entry(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        if position == Position::ZERO || position > self.tail().position {
            return Ok(None);
        }
        let Some(frame) = self.read(position).next().transpose()? else {
            return Ok(None);
        };
        let found = (0..)
            .zip(frame.entries())
            .find(|(_, entry)| entry.position == position);
        let Some((index, entry)) = found else {
            return Ok(None);
        };
        // A log without segments has no better place to name than the commit.
        let damage = |reason| Damage {
            segment: 0,
            offset: 0,
            position,
            reason,
        };
        Ok(Some(StoredEntry::checked(&entry, index).map_err(damage)?))
    }
}
