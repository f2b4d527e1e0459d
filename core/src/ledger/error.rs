//! What can go wrong with a ledger.

use std::path::PathBuf;

use crate::derived::StoreError;
use crate::domain::{PayloadError, Refusal};
use crate::ids::{CommandId, KeyId, Position, Revision, StreamId};
use crate::seal::{KeyStoreError, SealError};
use crate::time::Timestamp;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The rules say no. Final, unless the state changes.
    #[error("command {index}: {refusal}")]
    Refused {
        /// Which command of the batch, from 0.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// The stream has another revision than the sender expected. Read it again, then decide.
    #[error("command {index}: {stream} has revision {actual}, not {expected}")]
    Conflict {
        /// Which command of the batch, from 0.
        index: usize,
        /// The command's stream.
        stream: StreamId,
        /// What the sender expected.
        expected: Revision,
        /// What it is.
        actual: Revision,
    },
    /// The command id was used for another command. Choose a new id for a new command.
    #[error("command {index}: id {command} was used for another command")]
    IdReused {
        /// Which command of the batch, from 0.
        index: usize,
        /// The id.
        command: CommandId,
    },
    /// A batch without commands, or with more than fit one commit: 1,000 commands, 65,536 events,
    /// 16 MiB.
    #[error("a batch holds 1 to 1,000 commands, and no more than one commit can take: {0}")]
    BatchSize(String),
    /// Too much is waiting. Nothing was done; try again, later each time.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The ledger is closing. Nothing was done; try again when it is back.
    #[error("the ledger is closing")]
    Closed,
    /// What is needed to decide is being made again, because derived state turned out to be faulty.
    /// Nothing was done; try again with the same id, later each time.
    #[error("derived state is being made again: {0}")]
    NotReady(String),
    /// Writing failed, now or earlier, and the ledger takes no more commands until its process is
    /// started again. Whether this command became durable is not known: send it again with the same
    /// id then.
    #[error("the ledger cannot write: {0}")]
    Unavailable(String),
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the directory. Stop it first, or ask it over the network.
    #[error(
        "{} is in use by another planledger process; one process at a time may open a ledger",
        dir.display()
    )]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// There is no ledger in the directory.
    #[error("{} holds no ledger", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The journal does not open: damaged, or of another version.
    #[error("journal: {0}")]
    Journal(#[from] crate::journal::OpenError),
    /// The key store does not open.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// Kept checkpoints do not read.
    #[error(transparent)]
    Checkpoints(#[from] crate::tlog::KeptError),
    /// Derived state could not be made. Nothing is wrong with the journal: the system did not let
    /// something be written. See what it says, then start again.
    #[error("derived state: {0}")]
    Derived(#[from] StoreError),
    /// The ledger was closed while derived state was being made; what is done goes on at the next
    /// start.
    #[error("the ledger was closed while derived state was being made")]
    Stopped,
    /// An entry of the journal cannot be taken in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The source of randomness failed.
    #[error("no randomness: {0}")]
    Entropy(std::io::Error),
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal does not read.
    #[error("journal: {0}")]
    Journal(#[from] crate::journal::ReadError),
    /// Derived state turned out to be faulty and is being made again. Try again, later each time.
    #[error("derived state is being made again: {0}")]
    Derived(#[from] StoreError),
    /// An entry's payload does not open: it was tampered with, or the key store is another's.
    #[error("event at position {position} {source}")]
    Seal {
        /// Where.
        position: Position,
        /// Why.
        source: SealError,
    },
    /// An entry names a key that is not in the key store. Restore the key store from its backup.
    #[error(
        "event at position {position} is sealed under key {key}, which is not in the key store"
    )]
    KeyMissing {
        /// Where.
        position: Position,
        /// Which.
        key: KeyId,
    },
    /// A newer version of planledger wrote the event: its type, or the schema of its payload, is not
    /// known to this one. Nothing is wrong with the ledger; use the newer version.
    #[error("event at position {position}: {source}")]
    Newer {
        /// Where.
        position: Position,
        /// What is not known.
        source: PayloadError,
    },
    /// An entry or payload is not of a form that any version writes.
    #[error("event at position {position} is malformed: {reason}")]
    Malformed {
        /// Where.
        position: Position,
        /// In what way.
        reason: String,
    },
    /// The position asked for is beyond the last durable one. Wait for it, or ask for less.
    #[error("position {asked} is not there yet; the ledger is at {tail}")]
    NotThere {
        /// What was asked for.
        asked: Position,
        /// Where the ledger is.
        tail: Position,
    },
    /// The instant has not passed: more may be recorded up to it. Ask for one in the past.
    #[error("the instant {} ns has not passed yet", instant.nanos())]
    NotPassed {
        /// What was asked for.
        instant: Timestamp,
    },
    /// A write failed, so nobody knows what was recorded up to an instant until the process is
    /// started again. What was recorded up to the last receipt can be read.
    #[error("a write failed; what was recorded last is known after a restart")]
    Unsettled,
}
