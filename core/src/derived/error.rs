//! Why derived state cannot be used.

use std::io;

use super::register::RegisterError;
use crate::guarded::SledError;
use crate::seal::SealError;

/// Why derived state cannot be used. None of these errors touches the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// sled cannot be opened, read or written.
    #[error(transparent)]
    Sled(#[from] SledError),
    /// sled does not finish an operation that it began.
    #[error("sled does not finish an operation that it began")]
    Stuck,
    /// A value is not of the kind that its key says.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// A value is not the one that was written last: it is older, belongs to another key, or is
    /// missing.
    #[error("{0} is not the value that was written last")]
    Changed(&'static str),
    /// A state cannot be decrypted with its key.
    #[error("a state {0}")]
    Seal(#[from] SealError),
    /// A state is sealed under a key that is not in the key store.
    #[error("a state is sealed under a key that is not in the key store")]
    KeyMissing,
    /// The folder cannot be read, or a file in it cannot be written.
    #[error("its files cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The folder does not have the layout of this version.
    #[error("it was made by another version, or its folder holds other files")]
    Layout,
    /// The register is missing, or is not authentic for this ledger and master key.
    #[error("its register is missing or damaged, or belongs to another ledger or master key")]
    Register,
    /// Another version of this program made it, by other rules or from other event types and
    /// schemas.
    #[error("another version of planledger made it")]
    Version,
    /// sled names no place in the journal, or a wrong one, up to which it has come.
    #[error("it does not end at a position where it was stored")]
    Place,
    /// It was not derived from this journal.
    #[error("it belongs to another journal")]
    Foreign,
    /// A fault was found in it earlier, and noted on disk.
    #[error("an earlier check found it faulty")]
    Distrusted,
    /// A fault was found in it while it was being completed from the journal.
    #[error("{0}")]
    Doubted(String),
}

impl From<RegisterError> for StoreError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Io(error) => Self::Io(error),
            RegisterError::Foreign => Self::Register,
            RegisterError::Version => Self::Version,
        }
    }
}
