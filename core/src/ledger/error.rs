//! What can go wrong with a ledger.

use std::path::PathBuf;

use crate::derived::StoreError;
use crate::domain::Refusal;
use crate::ids::{CommandId, Revision, StreamId};
pub use crate::read_error::ReadError;
use crate::seal::KeyStoreError;

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
    /// Something in the ledger kept the command from being carried out. Nothing was done, and the
    /// ledger goes on.
    #[error(transparent)]
    Fault(#[from] EngineFault),
    /// Writing failed, now or earlier, and the ledger takes no more commands until its process is
    /// started again. Whether this command became durable is not known: send it again with the same
    /// id then.
    #[error("the ledger cannot write: {0}")]
    WriterStopped(String),
}

/// What keeps the ledger from carrying out a command that the rules allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineFault {
    /// The journal does not read.
    #[error("journal: {0}")]
    Journal(String),
    /// A key that a new person or plan needs cannot be made.
    #[error("key store: {0}")]
    Keys(String),
    /// The system gives no randomness.
    #[error("no randomness: {0}")]
    Randomness(String),
    /// A fault of this program.
    #[error("a fault of the program: {0}")]
    Internal(String),
}

impl From<KeyStoreError> for EngineFault {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::Entropy(error) => Self::Randomness(error.to_string()),
            error => Self::Keys(error.to_string()),
        }
    }
}

impl From<crate::journal::ReadError> for EngineFault {
    fn from(error: crate::journal::ReadError) -> Self {
        Self::Journal(error.to_string())
    }
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

impl OpenError {
    /// What is wrong with derived state, if it is that: it can be made again.
    pub(super) fn of_derived(&self) -> Option<String> {
        match self {
            Self::Derived(error) => Some(error.to_string()),
            Self::Read(ReadError::Derived(reason)) => Some(reason.clone()),
            Self::Locked { .. }
            | Self::Io { .. }
            | Self::Missing { .. }
            | Self::Journal(_)
            | Self::Keys(_)
            | Self::Checkpoints(_)
            | Self::Stopped
            | Self::Read(_)
            | Self::Entropy(_) => None,
        }
    }

    /// Whether a newer version of this program wrote what does not read.
    pub(super) fn is_of_newer(&self) -> bool {
        matches!(self, Self::Read(ReadError::Newer { .. }))
    }
}

impl From<crate::journal::ReadError> for ReadError {
    fn from(error: crate::journal::ReadError) -> Self {
        Self::Journal(error.to_string())
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Derived(error.to_string())
    }
}
