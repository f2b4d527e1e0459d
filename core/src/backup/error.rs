//! What can go wrong with a backup.

use std::io;
use std::path::{Path, PathBuf};

use super::manifest::ManifestError;
use crate::ids::{LedgerId, Position};
use crate::journal::Damage;
use crate::ledger::{ExecuteError, OpenError};

/// Why a backup was not made, is not sound, or was not put back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of the ledger could not be read or written. Look at the disk, then do it again.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The place of the backup could not be read or written. Do it again: what is stored already is
    /// not stored again.
    #[error("{name} in {place}: {source}")]
    Place {
        /// The place, as it describes itself.
        place: String,
        /// The object or manifest.
        name: String,
        /// What the place answered.
        source: io::Error,
    },
    /// There is no ledger in the directory.
    #[error("{} contains no ledger", .0.display())]
    NoLedger(PathBuf),
    /// The place holds backups of another ledger. Name another place.
    #[error("{place} holds backups of the ledger {found}, not of {wanted}; name another place")]
    OtherLedger {
        /// The place.
        place: String,
        /// The ledger whose backups it holds.
        found: LedgerId,
        /// The ledger that was to be backed up.
        wanted: LedgerId,
    },
    /// A segment of the journal is damaged. It is not copied over a sound copy: put the segment right
    /// first ("Damage" in service/OPERATING.md).
    #[error("{file}: {damage}; nothing of this backup counts")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// Something that a backup says is not so. Use another backup.
    #[error("backup {number}: {name} {what}")]
    Faulty {
        /// The number of the backup.
        number: u64,
        /// The file, object or manifest.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// A manifest does not read.
    #[error("backup {number}: the manifest {source}")]
    Manifest {
        /// The number of the backup.
        number: u64,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// There is no such backup.
    #[error("{place} holds no backup{}", number.map(|number| format!(" with number {number}")).unwrap_or_default())]
    None {
        /// The place.
        place: String,
        /// The number that was asked for; `None` if any would do.
        number: Option<u64>,
    },
    /// The backup does not reach so far. Name a later one, or an earlier moment.
    #[error(
        "backup {number} reaches to position {reaches}, recorded at {at}, and not to what was asked for"
    )]
    TooShort {
        /// The number of the backup.
        number: u64,
        /// Its last position.
        reaches: Position,
        /// When that was recorded.
        at: crate::time::Timestamp,
    },
    /// The ledger's journal ends before a checkpoint that was signed: an older copy was put back by hand.
    #[error(
        "the journal ends at position {position}, but a checkpoint of {size} events was signed; \
         find out what is missing first"
    )]
    RolledBack {
        /// The position at which the journal ends.
        position: Position,
        /// The size of the checkpoint.
        size: u64,
    },
    /// A ledger is restored, imported or salvaged into a new directory only.
    #[error("{} is not empty; name a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// Files of the ledger kept changing while they were read. Do it again.
    #[error("{} kept changing while it was read; do it again", .0.display())]
    Changing(PathBuf),
    /// What was put back could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// That it was put back could not be recorded. Do it again.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// Says of a file what the system answered.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io {
        path: path.clone(),
        source,
    }
}
