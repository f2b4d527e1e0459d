//! What a writer gives to the journal to append.

use super::layout::{
    CHECKSUM_LEN, COMMAND_LEN, Digest16, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN,
    RECORD_LEN, is_zero, recorded_at, sealed_len,
};
use crate::entry::{self, EntryBytes, TAG_LEN};
use crate::hash::Hash32;
use crate::ids::{CommandId, Position, Revision, StreamId};
use crate::time::Timestamp;

/// A command and its result, so that the same command id gives the same receipt again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandRecord {
    /// The id of the command.
    pub id: CommandId,
    /// A digest that tells the same command from another command with the same id. It is keyed with
    /// the key of the sender's scope.
    pub digest: Digest16,
    /// The stream that the receipt names.
    pub stream: StreamId,
    /// The revision of that stream after the command.
    pub revision: Revision,
    /// How many of the commit's entries belong to this command. They follow the entries of the
    /// command before it.
    pub entries: u32,
}

/// An entry to append, with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Position of the stream's previous entry, which may be in the same group; 0 if there is none.
    pub back: Position,
    /// The Merkle leaf of the entry.
    pub leaf: Hash32,
    /// The link of the entry, by which the next entry of its stream names it.
    pub link: Hash32,
    /// The bytes of the entry.
    pub entry: EntryBytes,
    /// The sealed payload of the entry.
    pub sealed: Vec<u8>,
}

impl NewEntry {
    /// An entry with its payload; the leaf and the link are computed from its bytes.
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
    /// The instant of the commit. It must be later than that of every commit before it.
    pub recorded_at: Timestamp,
    /// The commands, in order; at least one.
    pub commands: Vec<CommandRecord>,
    /// The entries of the commands, in order.
    pub entries: Vec<NewEntry>,
}

/// The limit that a commit exceeds.
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

/// Why a commit can never be appended, whatever the state of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A limit is exceeded. Split the batch.
    #[error("{actual} {limit}, but at most {allowed} are allowed")]
    TooLarge {
        /// The limit that is exceeded.
        limit: Limit,
        /// How much the commit has.
        actual: u64,
        /// How much is allowed.
        allowed: u64,
    },
    /// The commit has no commands, or its commands name another number of entries than it has. The
    /// caller has a fault.
    #[error("the commands say that they have {claimed} entries, but there are {actual}")]
    Unaccounted {
        /// How many entries the commands name together.
        claimed: u64,
        /// How many entries the commit has.
        actual: u64,
    },
    /// Something is wrong with the entry of this number, from 0. It points back to itself or
    /// further on, or its payload has another length than it says, is shorter than a seal, or is
    /// all zeros. The caller has a fault.
    #[error("entry number {0} of the commit contradicts itself, or does not fit its place")]
    Entry(usize),
    /// The commit is not later than the commit before it. The caller has a fault.
    #[error("the commit is recorded at {given}, which is not later than {previous}")]
    NotLater {
        /// The instant of the commit.
        given: Timestamp,
        /// The latest instant before it.
        previous: Timestamp,
    },
}

impl Commit {
    /// Length of the frame that the commit becomes, in bytes.
    pub(super) fn frame_len(&self) -> u64 {
        let payloads: usize = self.entries.iter().map(|entry| entry.sealed.len()).sum();
        let records = self.commands.len() * COMMAND_LEN + self.entries.len() * RECORD_LEN;
        (HEADER_LEN + records + CHECKSUM_LEN + payloads) as u64
    }

    /// The instant of the commit or of its last entry, whichever is later.
    pub(super) fn latest_instant(&self) -> Timestamp {
        let last = self.entries.last().map(|entry| recorded_at(&entry.entry));
        last.unwrap_or_default().max(self.recorded_at)
    }

    /// Makes every check that reading the commit back makes, so that nothing unreadable is written.
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
