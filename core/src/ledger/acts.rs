//! The acts that were carried out, in a file beside journal and keys. Whoever puts an older copy of
//! journal or key store back brings destroyed text back too. This file says which acts have to be
//! carried out again.

use std::path::{Path, PathBuf};

use super::OpenError;
use crate::disk::{Disk, OsDisk, SmallFile};
use crate::domain::erasure::ActRecord;
use crate::hex;
use crate::ids::LedgerId;
use crate::seal::MasterKey;

const FOLDER: &str = "erasures";
const FILE: SmallFile<'_> = SmallFile {
    name: "acts.txt",
    temporary: "acts.tmp",
};
/// The same acts under the next master key, while the keys are wrapped under it.
const NEXT: SmallFile<'_> = SmallFile {
    name: "acts.next",
    temporary: "acts.next.tmp",
};
/// What nobody can vouch for any more, because the master key is lost.
const ASIDE: &str = "acts.unread";
const KEY: &str = "planledger v1 2026-11-29 acts";

/// The file of acts.
pub(super) struct Acts {
    folder: PathBuf,
    key: [u8; 32],
    lines: parking_lot::Mutex<Vec<String>>,
}

impl Acts {
    /// Reads the file, and gives the acts in it. If it is of another master key, the file counts that a
    /// change of the key left beside it: it was written before the keys were wrapped again.
    pub(super) fn open(
        dir: &Path,
        ledger: LedgerId,
        master: &MasterKey,
    ) -> Result<(Self, Vec<ActRecord>), OpenError> {
        let path = dir.join(FOLDER);
        let key = master.derived(KEY, ledger.as_bytes());
        let text = |name| match std::fs::read_to_string(path.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => {
                let path = path.join(name);
                Err(OpenError::Io { path, source })
            }
        };
        let (lines, records) = match read_all(&key, &text(FILE.name)?.unwrap_or_default()) {
            Ok(found) => found,
            Err(line) => {
                let next = text(NEXT.name)?;
                let next = next.and_then(|next| read_all(&key, &next).ok());
                next.ok_or(OpenError::Acts { line })?
            }
        };
        let lines = parking_lot::Mutex::new(lines);
        let acts = Self {
            folder: path,
            key,
            lines,
        };
        Ok((acts, records))
    }

    /// Puts an act in place of what is noted of the same target, or adds it, and waits until it is on
    /// stable storage. Nothing happens if it is there.
    pub(super) fn put(&self, record: &ActRecord) -> std::io::Result<()> {
        let line = write(&self.key, record)?;
        let mut lines = self.lines.lock();
        if lines.contains(&line) {
            return Ok(());
        }
        let of_other = |line: &&String| {
            read(&self.key, line).is_none_or(|other| other.target != record.target)
        };
        let mut changed: Vec<String> = lines.iter().filter(of_other).cloned().collect();
        changed.push(line);
        let all: String = changed
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect();
        // The folder is made with the first act.
        FILE.replace(&OsDisk::new(&self.folder)?, all.as_bytes())?;
        *lines = changed;
        Ok(())
    }
}

/// Fails if a line of the file was changed, or if the file cannot be read.
pub(crate) fn check_acts(
    dir: &Path,
    ledger: LedgerId,
    master: &MasterKey,
) -> Result<(), OpenError> {
    Acts::open(dir, ledger, master).map(drop)
}

/// The acts that are noted beside a ledger's journal.
pub(crate) fn noted_acts(
    dir: &Path,
    ledger: LedgerId,
    master: &MasterKey,
) -> Result<Vec<ActRecord>, OpenError> {
    Acts::open(dir, ledger, master).map(|(_, records)| records)
}

/// Notes acts beside a ledger's journal before the ledger is opened for the first time.
pub(crate) fn note_acts(
    dir: &Path,
    ledger: LedgerId,
    master: &MasterKey,
    records: &[ActRecord],
) -> Result<(), OpenError> {
    let (acts, _) = Acts::open(dir, ledger, master)?;
    let mut records = records.iter();
    let noted = records.try_for_each(|record| acts.put(record));
    noted.map_err(|source| io_error(dir, source))
}

/// Before the keys are wrapped under another master key: puts the acts beside, under that key. A crash
/// after this leaves both files, and each key finds its own.
pub(super) fn before_rewrapping(
    dir: &Path,
    ledger: LedgerId,
    (old, new): (&MasterKey, &MasterKey),
) -> Result<(), OpenError> {
    let (_, records) = Acts::open(dir, ledger, old)?;
    if records.is_empty() {
        return Ok(());
    }
    let key = new.derived(KEY, ledger.as_bytes());
    let written = || {
        let lines: std::io::Result<Vec<_>> = records
            .iter()
            .map(|record| Ok(write(&key, record)? + "\n"))
            .collect();
        let disk = OsDisk::new(dir.join(FOLDER))?;
        NEXT.replace(&disk, lines?.concat().as_bytes())?;
        Ok(())
    };
    written().map_err(|source| io_error(dir, source))
}

/// After that: the acts under the new key take the place of those under the old one.
pub(super) fn after_rewrapping(dir: &Path) -> Result<(), OpenError> {
    renamed(dir, NEXT.name, FILE.name)
}

/// Puts acts aside that were noted under a master key that is lost. Those on record in the journal are noted
/// again when the ledger is opened.
pub(super) fn put_aside(dir: &Path) -> Result<(), OpenError> {
    renamed(dir, FILE.name, ASIDE)
}

fn renamed(dir: &Path, from: &str, to: &str) -> Result<(), OpenError> {
    let folder = dir.join(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    let renamed = || {
        let disk = OsDisk::new(&folder)?;
        if disk.exists(from)? {
            disk.rename(from, to)?;
            disk.sync_dir()?;
        }
        Ok(())
    };
    renamed().map_err(|source| io_error(dir, source))
}

fn io_error(dir: &Path, source: std::io::Error) -> OpenError {
    let path = dir.join(FOLDER);
    OpenError::Io { path, source }
}

/// All lines, and the acts in them. The error is the number of the first line that is not of this key.
fn read_all(key: &[u8; 32], text: &str) -> Result<(Vec<String>, Vec<ActRecord>), usize> {
    let lines = (1..).zip(text.lines());
    let read = lines.map(|(number, line): (usize, &str)| {
        let record = read(key, line).ok_or(number)?;
        Ok((line.to_owned(), record))
    });
    read.collect()
}

/// A line: the authentication code, a blank, and the act as JSON.
fn write(key: &[u8; 32], record: &ActRecord) -> std::io::Result<String> {
    let json = serde_json::to_string(record)?;
    let code = blake3::keyed_hash(key, json.as_bytes());
    Ok(format!("{} {json}", hex::encode(code.as_bytes())))
}

fn read(key: &[u8; 32], line: &str) -> Option<ActRecord> {
    let (code, json) = line.split_once(' ')?;
    let code: [u8; 32] = hex::decode(code)?;
    // The comparison takes the same time whatever the code.
    (blake3::keyed_hash(key, json.as_bytes()) == blake3::Hash::from(code)).then_some(())?;
    serde_json::from_str(json).ok()
}
