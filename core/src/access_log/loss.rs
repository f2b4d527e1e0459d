//! The way on after records of the access log were lost: it is put on record that they are, and the log goes
//! on without them. Until then `ledger verify` reports the loss, and it is never silent.

use std::path::{Path, PathBuf};

use super::FOLDER;
use crate::disk::Disk;
use crate::domain::ledger::{LedgerCommand, LostReads, reads_stream};
use crate::domain::{Actor, Command};
use crate::ids::{CommandId, Position};
use crate::ledger::directory::os_disk;
use crate::ledger::{self, Envelope, ExecuteError, Ledger, Receipt};
use crate::notary::noted_reads;
use crate::text::ReasonText;

/// How the folders begin, in the folder of the access log, that keep what was set aside.
const SET_ASIDE: &str = "lost-";

/// Why a loss was not put on record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// The folder of the access log cannot be changed. Do it again.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder of the access log cannot be opened, or the ledger cannot be read.
    #[error(transparent)]
    Open(#[from] ledger::OpenError),
    /// The ledger did not record it. Do it again.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl From<ledger::ReadError> for LossError {
    fn from(error: ledger::ReadError) -> Self {
        Self::Open(error.into())
    }
}

/// Sets aside what is left of what is lost, and puts the loss on record. The first `kept` records stay, as
/// many as a check of the directory has found sound, and the next start of the server goes on after them.
/// Nobody may have the access log open.
///
/// # Errors
/// [`LossError`]. Check the directory again, and do it again.
pub fn settle_loss(
    ledger: &Ledger,
    dir: &Path,
    kept: Position,
    (id, actor): (CommandId, Actor),
    reason: ReasonText,
) -> Result<Receipt, LossError> {
    // A crash in between leaves a loss that is not on record, which the next check finds.
    set_aside(&dir.join(FOLDER), kept)?;
    let noted = noted_reads(ledger)?.map(|noted| noted.records);
    let lost = LostReads {
        records: noted.unwrap_or_default(),
        kept,
        complete_since: ledger.now(),
        reason,
    };
    let stream = reads_stream(ledger.status().ledger);
    let command = Command::Ledger(stream, LedgerCommand::SettleAccessLog(lost));
    Ok(ledger.execute(actor, Envelope::new(id, command))?)
}

/// Moves the checkpoints and what is derived to a folder of their own, and the journal too if nothing of it
/// is kept. The checkpoints were signed for more than there is now.
fn set_aside(folder: &Path, kept: Position) -> Result<(), LossError> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut names = vec!["checkpoints", "tlog", "heads"];
    if kept == Position::ZERO {
        names.push("journal");
    }
    let free = (1..).map(|number: u32| folder.join(format!("{SET_ASIDE}{number}")));
    let Some(aside) = free
        .into_iter()
        .find(|path| path.symlink_metadata().is_err())
    else {
        return Ok(());
    };
    let to = os_disk(&aside)?;
    for name in names {
        let from = folder.join(name);
        match std::fs::rename(&from, aside.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(at(&from)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    to.sync_dir().map_err(at(&aside))?;
    os_disk(folder)?.sync_dir().map_err(at(folder))
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> LossError {
    let path = path.to_owned();
    move |source| LossError::Io {
        path: path.clone(),
        source,
    }
}
