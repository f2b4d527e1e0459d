//! Why there is no checkpoint or no proof.

use std::path::{Path, PathBuf};

use crate::heads::HeadMapError;
use crate::ids::Position;
use crate::ledger::{ExecuteError, ReadError};
use crate::note::VerifierKey;
use crate::tlog::{KeptError, PUBLISHED, TilesError};

/// Why there is no checkpoint or no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotaryError {
    /// The journal ends before a checkpoint that was signed: somebody put an older copy of it back.
    /// Restore the newest journal. Whoever holds a later checkpoint can prove that events are
    /// missing.
    #[error(
        "the journal ends at position {position}, but a checkpoint of {size} events was signed; \
         somebody has put back an older copy of the journal"
    )]
    RolledBack {
        /// The position at which the journal ends.
        position: Position,
        /// The size of the signed checkpoint.
        size: u64,
    },
    /// The journal does not begin with the events for which a checkpoint was signed: somebody
    /// changed history.
    #[error("the checkpoint of {size} events was signed for another journal")]
    Forked {
        /// The size of the signed checkpoint.
        size: u64,
    },
    /// The signing key is not the key on record. Restore the right key, or rotate to the new one.
    #[error("the signing key is {given}, but the key on record is {recorded}")]
    Key {
        /// The key that was given.
        given: Box<VerifierKey>,
        /// The key on record.
        recorded: Box<VerifierKey>,
    },
    /// The new key has another name or algorithm than the old one. A key can hand over only to a
    /// key with the same.
    #[error("the new key must have the same name and algorithm as the old key")]
    OtherKey,
    /// There is no checkpoint yet that is large enough.
    #[error("there is no checkpoint of at least {size} events yet")]
    NoCheckpoint {
        /// The number of events that it should have at least.
        size: u64,
    },
    /// A command of the notary failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The ledger could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The tiles could not be made.
    #[error("tiles: {0}")]
    Tiles(#[from] TilesError),
    /// The heads could not be computed.
    #[error("heads: {0}")]
    Heads(#[from] HeadMapError),
    /// The checkpoint could not be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The checkpoint could not be published.
    #[error("{}: {source}", path.display())]
    Publish {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl NotaryError {
    /// Whether only derived state is wrong. It is made again, so a later try may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Heads(error) => is_wrong(error),
            Self::Read(ReadError::Derived(_)) | Self::Execute(ExecuteError::NotReady(_)) => true,
            Self::RolledBack { .. }
            | Self::Forked { .. }
            | Self::Key { .. }
            | Self::OtherKey
            | Self::NoCheckpoint { .. }
            | Self::Execute(_)
            | Self::Read(_)
            | Self::Tiles(_)
            | Self::Kept(_)
            | Self::Publish { .. } => false,
        }
    }
}

/// Says of the folder with the tiles that a checkpoint could not be published in it.
pub(crate) fn not_published(dir: &Path) -> impl Fn(std::io::Error) -> NotaryError {
    let path = dir.join(PUBLISHED);
    move |source| NotaryError::Publish {
        path: path.clone(),
        source,
    }
}

/// Whether the stored heads are wrong, and not the journal.
pub(super) fn is_wrong(error: &HeadMapError) -> bool {
    match error {
        HeadMapError::Sled(_) | HeadMapError::Changed(_) | HeadMapError::Malformed(_) => true,
        HeadMapError::Journal(_) | HeadMapError::Full(_) => false,
    }
}
