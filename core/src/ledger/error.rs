//! What can go wrong with a ledger.

use std::path::PathBuf;

use crate::derived::StoreError;
use crate::domain::Refusal;
use crate::ids::{CommandId, Revision, StreamId};
use crate::journal::{RedactError, RemoveError};
pub use crate::read_error::ReadError;
use crate::seal::KeyStoreError;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The rules refuse the command. Sending it again helps only when the state has changed.
    #[error("command {index}: {refusal}")]
    Refused {
        /// The place of the command in its batch, from 0.
        index: usize,
        /// The reason for the refusal.
        refusal: Refusal,
    },
    /// The stream has another revision than the sender expected. Read the stream again, then
    /// decide.
    #[error(
        "command {index}: {stream} is at revision {actual}, but the command expects revision \
        {expected}"
    )]
    Conflict {
        /// The place of the command in its batch, from 0.
        index: usize,
        /// The stream that the command is for.
        stream: StreamId,
        /// The revision that the sender expected.
        expected: Revision,
        /// The revision that the stream has.
        actual: Revision,
    },
    /// The command id was used before for another command. Choose a new id for a new command.
    #[error("command {index}: the id {command} was already used for another command; use a new id")]
    IdReused {
        /// The place of the command in its batch, from 0.
        index: usize,
        /// The id that was used before.
        command: CommandId,
    },
    /// Only the ledger itself gives such ids, to commands of its own. Choose a random id.
    #[error(
        "command {index}: the id {command} is one that only the ledger gives to its own commands; use \
        a UUID of version 4 or 7"
    )]
    IdReserved {
        /// The place of the command in its batch, from 0.
        index: usize,
        /// The id.
        command: CommandId,
    },
    /// The command had a receipt, and is lost with it: an older state of the ledger was put back since. It
    /// is not carried out a second time without a word. Look at what it was about as it is now, and send
    /// it under a new id if it is still wanted.
    #[error(
        "command {index}: the command {command} had a receipt, which was lost when an older state of \
        the ledger was put back; look at how things are now, and use a new id"
    )]
    LostInRestore {
        /// The place of the command in its batch, from 0.
        index: usize,
        /// The id of the lost command.
        command: CommandId,
    },
    /// The batch is empty, or larger than one commit may be: 1,000 commands, 65,536 events, 16 MiB.
    #[error(
        "a batch must have 1 to 1,000 commands and fit into one commit: {0}; send smaller batches"
    )]
    BatchSize(String),
    /// Too many requests are waiting. Nothing was done. Try again, and wait longer each time.
    #[error("too many commands are waiting; try again later")]
    Overloaded,
    /// The ledger is closing. Nothing was done. Try again when the ledger is open again.
    #[error("the ledger is closing")]
    Closed,
    /// Derived state turned out to be faulty and is being made again, so the command cannot be
    /// decided now. Nothing was done. Try again with the same id, and wait longer each time.
    #[error("derived state is being rebuilt from the journal: {0}")]
    NotReady(String),
    /// A fault in the ledger kept the command from being carried out. Nothing was done, and the
    /// ledger keeps running.
    #[error(transparent)]
    Fault(#[from] EngineFault),
    /// The journal has no room for the next segment. The ledger goes on by itself when there is room.
    /// Nobody knows yet whether this command becomes durable: send it again with the same id.
    #[error("the journal has no room: {0}")]
    Waiting(String),
    /// Writing failed, now or earlier. The ledger accepts no more commands until its process is
    /// started again. Nobody knows whether this command became durable: send it again with the same
    /// id after the restart.
    #[error("the ledger cannot write: {0}")]
    WriterStopped(String),
}

/// Faults that keep the ledger from carrying out a command that the rules allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineFault {
    /// The journal cannot be read.
    #[error("journal: {0}")]
    Journal(String),
    /// A new person or plan needs a key, and the key cannot be made.
    #[error("key store: {0}")]
    Keys(String),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Randomness(String),
    /// The program itself has an error.
    #[error("internal error of the program: {0}")]
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

/// Why an approved act is not carried out yet. It is carried out when the ledger is opened again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErasureError {
    /// The key could not be destroyed.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The payload could not be overwritten.
    #[error(transparent)]
    Journal(#[from] RedactError),
    /// Records of the access log could not be removed.
    #[error(transparent)]
    Reads(#[from] RemoveError),
    /// The ledger could not be read, or derived state could not be made again.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// That it was carried out could not be recorded.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The file of acts could not be written, or earlier derived state could not be removed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the ledger open. Stop that process first, or reach the ledger through
    /// it, over the network.
    #[error(
        "{} is in use by another planledger process; only one process at a time can open a ledger",
        dir.display()
    )]
    Locked {
        /// The directory that is in use.
        dir: PathBuf,
    },
    /// The operating system refused an operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory that the operation was on.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The directory holds no ledger.
    #[error("{} contains no ledger", dir.display())]
    Missing {
        /// The directory that was looked in.
        dir: PathBuf,
    },
    /// The journal does not open: it is damaged, or of another version.
    #[error("journal: {0}")]
    Journal(#[from] crate::journal::OpenError),
    /// The key store does not open.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The kept checkpoints cannot be read.
    #[error(transparent)]
    Checkpoints(#[from] crate::tlog::KeptError),
    /// Derived state could not be made. The journal is sound, but the operating system did not let
    /// a file be written. Look at the error, then start again.
    #[error("derived state: {0}")]
    Derived(#[from] StoreError),
    /// The ledger was closed while derived state was being made. The next start continues the work.
    #[error("the ledger was closed while its derived state was being built")]
    Stopped,
    /// An entry of the journal cannot be folded in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The source of random bytes failed.
    #[error("the operating system gives no random bytes: {0}")]
    Entropy(std::io::Error),
    /// An older copy of the journal or of the key store was put back, so text is readable again that
    /// was redacted or erased. Run `planledger erasure reapply`.
    #[error(
        "an older copy was put back, and {count} redactions or erasures are undone by it; run \
        planledger erasure reapply before anybody reads here"
    )]
    ErasuresUndone {
        /// How many acts have to be carried out again.
        count: usize,
    },
    /// The acts could not be carried out again.
    #[error("redactions and erasures cannot be carried out again: {0}")]
    Erasure(Box<ErasureError>),
    /// The file of acts was changed, or belongs to another ledger. Restore it from its backup.
    #[error("erasures/acts.txt is damaged in line {line}; restore it from its backup")]
    Acts {
        /// The number of the line, from 1.
        line: usize,
    },
    /// A restore, an import or a salvage was interrupted in the directory. Run it again; it begins anew.
    #[error(
        "{} holds a restore, import or salvage that did not finish; run it again", dir.display()
    )]
    Unfinished {
        /// The directory.
        dir: PathBuf,
    },
    /// The file with the ids of commands that a restore has lost is missing, or is not the one on record.
    /// Restore it from its backup.
    #[error("restored/commands is missing or was changed; restore it from its backup")]
    LostCommands,
}

impl OpenError {
    /// What is wrong with derived state, if this error is about derived state. Derived state can be
    /// made again.
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
            | Self::Entropy(_)
            | Self::ErasuresUndone { .. }
            | Self::Erasure(_)
            | Self::Acts { .. }
            | Self::Unfinished { .. }
            | Self::LostCommands => None,
        }
    }

    /// Whether a newer version of this program wrote what cannot be read.
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
