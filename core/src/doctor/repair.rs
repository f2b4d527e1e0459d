//! Removes what is derived and faulty, so that the next start makes it again.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::examine::{Examination, Place, enter, examine_held};
use super::finding::{Finding, Weight};
use crate::ledger::deriving::throw_away;
use crate::verify::{PartName, Pass};

/// Something that a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The file or folder that was removed.
    pub removed: PathBuf,
    /// When it is made again.
    pub then: &'static str,
}

/// Why nothing was repaired, or not everything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// Something is wrong that is not derived. It comes first, because what is derived may know what is
    /// missing elsewhere. Nothing was changed.
    #[error(
        "nothing was repaired: {0} comes first, because derived state may know what is missing there"
    )]
    First(&'static str),
    /// The operating system refused to remove something. Run the repair again.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Examines a directory, and removes what is derived and faulty, and what interrupted writes have left.
/// Journal, keys, checkpoints and acts stay as they are. The lock is held all the time.
///
/// # Errors
/// [`RepairError`]. The examination comes with it, because it says why.
pub fn repair(
    place: &Place<'_>,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> (Examination, Result<Vec<Done>, RepairError>) {
    let lock = match enter(place.dir) {
        Ok(lock) => lock,
        Err(findings) => {
            let found = Examination {
                findings,
                ..Examination::default()
            };
            let first = first(&found);
            return (found, Err(RepairError::First(first)));
        }
    };
    let found = examine_held(place, &lock, watch);
    let done = match found.is_repairable() {
        true => remove_all(place.dir, &found),
        false => Err(RepairError::First(first(&found))),
    };
    (found, done)
}

/// The code of what comes first.
fn first(found: &Examination) -> &'static str {
    let mut heavy = found.findings.iter();
    let heavy = heavy.find(|finding| finding.weight() == Weight::Truth);
    heavy.map_or("", Finding::code)
}

fn remove_all(dir: &Path, found: &Examination) -> Result<Vec<Done>, RepairError> {
    let mut done = Vec::new();
    for finding in &found.findings {
        for (path, then) in removed_for(dir, finding) {
            let removed = remove(&path);
            match removed {
                Ok(true) => done.push(Done {
                    removed: path,
                    then,
                }),
                Ok(false) => {}
                Err(source) => return Err(RepairError::Io { path, source }),
            }
        }
    }
    Ok(done)
}

/// What is removed because of a finding, and when it is made again.
fn removed_for(dir: &Path, finding: &Finding) -> Vec<(PathBuf, &'static str)> {
    match finding {
        Finding::Leftover { path } => vec![(path.clone(), "nothing reads it")],
        Finding::Part { part, .. } => match part {
            PartName::Derived => vec![(
                dir.join("derived"),
                "the next start makes it again from the whole journal",
            )],
            PartName::Tiles => vec![(
                dir.join("tlog"),
                "the next start makes it again from the journal",
            )],
            PartName::Indexes => {
                let then = "it is made again when it is needed";
                let indexes = indexes(&dir.join("journal")).into_iter();
                indexes.map(|path| (path, then)).collect()
            }
            PartName::Journal
            | PartName::Checkpoints
            | PartName::Heads
            | PartName::Contents
            | PartName::AccessLog
            | PartName::AccessCheckpoints
            | PartName::Origin => Vec::new(),
        },
        Finding::NoLedger
        | Finding::JournalMissing
        | Finding::InUse
        | Finding::Link { .. }
        | Finding::Unreadable { .. }
        | Finding::OpenToOthers { .. }
        | Finding::Unfinished { .. }
        | Finding::SetAside { .. }
        | Finding::LittleRoom { .. }
        | Finding::NoMasterKey { .. }
        | Finding::Keys(_)
        | Finding::TornKeys { .. }
        | Finding::Journal(_)
        | Finding::TornTail { .. }
        | Finding::EndLost { .. }
        | Finding::CheckpointAhead { .. }
        | Finding::CheckpointsDamaged { .. }
        | Finding::ActsDamaged { .. }
        | Finding::NoDerivedState
        | Finding::NotChecked { .. } => Vec::new(),
    }
}

/// The index files of a journal. All of them: the check stops at the first that is wrong.
fn indexes(journal: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(journal).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "idx"))
        .collect();
    found.sort_unstable();
    found
}

/// Removes a file, or a folder with everything in it. Returns whether it was there.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => throw_away(path)?,
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}
