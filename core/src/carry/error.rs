//! What can go wrong when events are carried over.

use std::io;
use std::path::{Path, PathBuf};

use crate::backup::BackupError;
use crate::doctor::ExportError;
use crate::ids::Position;
use crate::journal::AppendError;
use crate::ledger::{ExecuteError, OpenError, ReadError};
use crate::seal::KeyStoreError;

/// Why events were not carried over. The new directory then holds no ledger that opens, and nothing that was
/// written stays there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// A line of the export is wrong. Export the ledger again, and do not change the file.
    #[error("{}, line {line}: {fault}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// Events are lost, and nobody said that it goes on without them.
    #[error(
        "MISSING_EVENTS: events of the earlier ledger cannot be carried over, the first at position \
         {first}; restore what is missing there and export again, or go on without it with \
         --accept-missing, which holds their places and names them"
    )]
    Missing {
        /// The first position.
        first: Position,
    },
    /// There is nothing to carry over.
    #[error("NO_EVENTS: there is no event that can be carried over")]
    Nothing,
    /// The kept checkpoint or the root does not belong to the entries.
    #[error(
        "PROOF_WRONG: {what}; the file was changed, or history was: ask whoever made it, and keep it as it is"
    )]
    Proof {
        /// What does not fit.
        what: String,
    },
    /// An event that was readable the first time cannot be carried over.
    #[error("EVENT_WRONG: the event at position {position} cannot be carried over: {what}")]
    Event {
        /// Its position.
        position: Position,
        /// Why.
        what: String,
    },
    /// The damaged directory cannot be looked at. `planledger ledger doctor` says more.
    #[error(transparent)]
    Damaged(#[from] ExportError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The new directory cannot be used.
    #[error(transparent)]
    Directory(#[from] BackupError),
    /// The new ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new key store cannot be written.
    #[error("the new key store: {0}")]
    Keys(#[from] KeyStoreError),
    /// The new journal cannot be written.
    #[error("the new journal: {0}")]
    Append(#[from] AppendError),
    /// The new journal cannot be read.
    #[error("the new journal: {0}")]
    Read(#[from] ReadError),
    /// Where the ledger came from could not be recorded.
    #[error("where the ledger came from cannot be recorded: {0}")]
    Record(#[from] ExecuteError),
}

/// What is wrong with a line. Nothing here repeats what stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// It is not JSON.
    #[error(
        "LINE_NO_JSON: it is not JSON, at column {0}; the file was cut off or changed: export again"
    )]
    NoJson(usize),
    /// A field is missing, or is not what it should be.
    #[error("LINE_FIELD: the field {field} {what}; export again, and do not change the file")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// There is a field that does not belong there.
    #[error(
        "LINE_UNKNOWN_FIELD: it has a field that version 2 of the form does not have; import it with the \
         version that made it, or a newer one"
    )]
    Unknown,
    /// The form has another version.
    #[error(
        "EXPORT_VERSION: the field version is {0}, and this version of planledger reads version 2; export \
         again with this version"
    )]
    Version(u32),
    /// It is not an export.
    #[error(
        "NOT_AN_EXPORT: the field format is not planledger-export; name a file of `ledger export`"
    )]
    NotAnExport,
    /// The file ends too early.
    #[error(
        "EXPORT_CUT_OFF: the file ends without its last line, the one with the field end; export again"
    )]
    CutOff,
    /// Something follows the last line.
    #[error("EXPORT_GOES_ON: there are lines after the one with the field end; export again")]
    GoesOn,
}

impl LineFault {
    pub(super) fn field(field: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self::Field { field, what }
    }
}

pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> CarryError {
    let path = path.to_owned();
    move |source| CarryError::Io {
        path: path.clone(),
        source,
    }
}
