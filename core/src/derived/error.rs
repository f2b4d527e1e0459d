//! Why derived state cannot be used.

use std::io;

use super::register::RegisterError;
use crate::guarded::SledError;
use crate::seal::SealError;

/// Why derived state cannot be used. The journal is not touched by any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// sled does not open, read or write.
    #[error(transparent)]
    Sled(#[from] SledError),
    /// sled does not end what it began.
    #[error("sled does not answer")]
    Stuck,
    /// A value is not what its key says.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// A value is not what was written last: an older one, another's, or none.
    #[error("{0} is not as it was written last")]
    Changed(&'static str),
    /// A state does not open with its key.
    #[error("a state {0}")]
    Seal(#[from] SealError),
    /// A state is sealed under a key that is not in the key store.
    #[error("a state is sealed under a key that is not in the key store")]
    KeyMissing,
    /// The folder does not read, or a file in it cannot be written.
    #[error("its files: {0}")]
    Io(#[from] io::Error),
    /// The folder is not laid out as this version does it.
    #[error("it is of another version, or there is something else in its folder")]
    Layout,
    /// Its register is not believed.
    #[error("its register is missing or damaged, or of another ledger or master key")]
    Register,
    /// Another version of this program made it, by other rules or of other event types and schemas.
    #[error("another version of planledger made it")]
    Version,
    /// sled does not say, or says wrongly, how far it has come.
    #[error("it is not at a place where it was written")]
    Place,
    /// It is not of this journal.
    #[error("it is not of this journal")]
    Foreign,
    /// Something was wrong with it before.
    #[error("it was found faulty before")]
    Distrusted,
    /// Something was found wrong with it while it was being completed.
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
