//! What an appender hands in.

use super::layout::{
    CHECKSUM_LEN, COMMAND_LEN, Digest16, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN,
    RECORD_LEN, is_zero, recorded_at, sealed_len,
};
use crate::entry::{self, EntryBytes, TAG_LEN};
use crate::hash::Hash32;
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::time::Timestamp;

/// What was asked and what came of it, so that the same command id gives the same receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandRecord {
    /// The command's id.
    pub id: CommandId,
    /// Tells a repetition from another command with the same id; keyed by the sender's scope.
    pub digest: Digest16,
    /// The stream that its receipt names.
    pub stream: StreamId,
    /// The revision of that stream after the command.
    pub revision: Revision,
    /// How many of the commit's entries are this command's; they follow those of the command
    /// before.
    pub entries: u32,
}

/// An entry to append, with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Position of its stream's previous entry, which may be in the same group; 0 if none.
    pub back: Position,
    /// Its Merkle leaf.
    pub leaf: Hash32,
    /// What the next entry of its stream names it by.
    pub link: Hash32,
    /// Its bytes.
    pub entry: EntryBytes,
    /// Its sealed payload.
    pub sealed: Vec<u8>,
}

impl NewEntry {
    /// With the leaf and the link that follow from its bytes.
    #[must_use]
    pub fn new(back: Position, entry: EntryBytes, sealed: Vec<u8>) -> Self {
        Self {
            back,
            leaf: entry::leaf(&entry),
            link: entry::link(&entry),
            entry,
            sealed,
        }
    }
}

/// One commit: the commands of one atomic batch and all their entries. It becomes one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When it was recorded; later than every commit before it.
    pub recorded_at: Timestamp,
    /// What was asked, in order; at least one.
    pub commands: Vec<CommandRecord>,
    /// What came of it, in order.
    pub entries: Vec<NewEntry>,
}

/// What about a commit exceeds its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Commands in one commit: 1,000.
    Commands,
    /// Entries in one commit: 65,536.
    Entries,
    /// Bytes of one frame: 16 MiB.
    FrameBytes,
    /// Bytes of the commits appended together, which one segment has to hold: 64 MiB.
    GroupBytes,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Commands => "commands in one commit",
            Self::Entries => "entries in one commit",
            Self::FrameBytes => "bytes in one commit",
            Self::GroupBytes => "bytes in commits appended together",
        })
    }
}

/// Why a commit cannot be appended, whatever the state of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A limit is exceeded. Split the batch.
    #[error("{actual} {limit}, but at most {allowed} are possible")]
    TooLarge {
        /// Which limit.
        limit: Limit,
        /// What there is.
        actual: u64,
        /// What there may be.
        allowed: u64,
    },
    /// A commit without commands, or whose commands do not account for its entries. The caller is
    /// at fault.
    #[error("the commands account for {claimed} entries, but there are {actual}")]
    Unaccounted {
        /// Sum over the commands.
        claimed: u64,
        /// Entries there are.
        actual: u64,
    },
    /// The entry with this number in its commit points back to itself or beyond, or its payload is
    /// not as long as it says, shorter than a seal or all zeros. The caller is at fault.
    #[error("entry number {0} of the commit contradicts itself or its place")]
    Entry(usize),
    /// The commit is not recorded later than the one before it. The caller is at fault.
    #[error("recorded at {given}, which is not after {previous}")]
    NotLater {
        /// The commit's instant.
        given: Timestamp,
        /// The latest instant before it.
        previous: Timestamp,
    },
}

impl Commit {
    /// Length of its frame.
    pub(super) fn frame_len(&self) -> u64 {
        let payloads: usize = self.entries.iter().map(|entry| entry.sealed.len()).sum();
        let records = self.commands.len() * COMMAND_LEN + self.entries.len() * RECORD_LEN;
        (HEADER_LEN + records + CHECKSUM_LEN + payloads) as u64
    }

    /// The later of its instant and its last entry's.
    pub(super) fn latest_instant(&self) -> Timestamp {
        let last = self.entries.last().map(|entry| recorded_at(&entry.entry));
        last.unwrap_or_default().max(self.recorded_at)
    }

    /// Checks everything that reading it back checks, so that nothing unreadable is written.
    pub(super) fn check(
        &self,
        first_position: Position,
        previous: Timestamp,
    ) -> Result<(), CommitError> {
        let within = |limit, actual: u64, allowed: usize| {
            let allowed = allowed as u64;
            if actual > allowed {
                Err(CommitError::TooLarge {
                    limit,
                    actual,
                    allowed,
                })
            } else {
                Ok(())
            }
        };
        within(Limit::Commands, self.commands.len() as u64, MAX_COMMANDS)?;
        within(Limit::Entries, self.entries.len() as u64, MAX_ENTRIES)?;
        within(Limit::FrameBytes, self.frame_len(), MAX_FRAME_LEN)?;
        let claimed = self
            .commands
            .iter()
            .map(|command| u64::from(command.entries))
            .sum();
        let actual = self.entries.len() as u64;
        if claimed != actual || self.commands.is_empty() {
            return Err(CommitError::Unaccounted { claimed, actual });
        }
        for (index, entry) in self.entries.iter().enumerate() {
            let position = first_position.plus(index as u64);
            let payload = entry.sealed.as_slice();
            if entry.back >= position
                || sealed_len(&entry.entry) as usize != payload.len()
                || payload.len() < TAG_LEN
                || is_zero(payload)
            {
                return Err(CommitError::Entry(index));
            }
        }
        if self.recorded_at <= previous {
            return Err(CommitError::NotLater {
                given: self.recorded_at,
                previous,
            });
        }
        Ok(())
    }
}
