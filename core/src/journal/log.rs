//! What every commit log offers, whatever stores it.

use std::time::Duration;

use super::commit::Commit;
use super::error::{AppendError, Damage, DamageReason, ReadError};
use super::frame::{EntryRef, Frame, FrameError};
use super::tail::Tail;
use crate::entry::EntryBytes;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, LedgerId, Position};

/// Frames in order. `None` means that the durable tail has been reached; asking again after more
/// has been appended goes on from there. After an error there is nothing more.
pub type Frames = Box<dyn Iterator<Item = Result<Frame, ReadError>> + Send>;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its place in the journal.
    pub position: Position,
    /// Position of its stream's previous entry; 0 if it is the first.
    pub back: Position,
    /// Its Merkle leaf.
    pub leaf: Hash32,
    /// Its bytes.
    pub entry: EntryBytes,
    /// Its payload, sealed; `None` once it is redacted.
    pub sealed: Option<Vec<u8>>,
}

impl StoredEntry {
    /// Takes a copy of an entry, if its leaf and its payload are what they should be.
    ///
    /// # Errors
    /// The reason to report the place as damaged.
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
/// All that a storage engine must offer is a conditional append at the tail, and reading. A writer
/// that has lost its place is fenced by the append that fails.
pub trait CommitLog: Send + Sync {
    /// Which ledger this is the journal of.
    fn ledger_id(&self) -> LedgerId;

    /// The durable end.
    fn tail(&self) -> Tail;

    /// Appends commits behind `expected`, all in one write and one sync, and answers the new tail.
    /// Only then may receipts be given (P2). No commits: nothing happens.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] if the tail is another; see the other variants. None of the
    /// commits has been appended then, and readers see none of them, except that after
    /// [`AppendError::Io`] a log that is opened again may have a first part of them, whole commits
    /// each.
    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError>;

    /// The frames from the one on that holds position `from`, those without entries included.
    /// Never anything beyond the durable tail.
    fn read(&self, from: Position) -> Frames;

    /// The frames from this commit on.
    fn read_commits(&self, from: CommitSeq) -> Frames;

    /// Waits until the tail is beyond `after`, but at most `timeout`; answers the tail there is
    /// then.
    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail;

    /// The event at this position, its leaf and payload hash checked; `None` beyond the tail.
    ///
    /// # Errors
    /// See [`ReadError`].
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
