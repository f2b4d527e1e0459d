//! The acts that were carried out, in a file beside journal and keys. Whoever puts an older copy of
//! journal or key store back brings destroyed text back too. This file says which acts have to be
//! carried out again.

use std::path::{Path, PathBuf};

use super::OpenError;
use crate::disk::{OsDisk, SmallFile};
use crate::domain::erasure::ActRecord;
use crate::hex;
use crate::ids::LedgerId;
use crate::seal::MasterKey;

const FOLDER: &str = "erasures";
const FILE: SmallFile<'_> = SmallFile {
    name: "acts.txt",
    temporary: "acts.tmp",
};
const KEY: &str = "planledger v1 2026-11-29 acts";

/// The file of acts.
pub(super) struct Acts {
    folder: PathBuf,
    key: [u8; 32],
    lines: parking_lot::Mutex<Vec<String>>,
}

impl Acts {
    /// Reads the file, and gives the acts in it.
    pub(super) fn open(
        dir: &Path,
        ledger: LedgerId,
        master: &MasterKey,
    ) -> Result<(Self, Vec<ActRecord>), OpenError> {
        let path = dir.join(FOLDER);
        let key = master.derived(KEY, ledger.as_bytes());
        let text = match std::fs::read_to_string(path.join(FILE.name)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                let path = path.join(FILE.name);
                return Err(OpenError::Io { path, source });
            }
        };
        let (mut lines, mut records) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let record = read(&key, line).ok_or(OpenError::Acts { line: number })?;
            lines.push(line.to_owned());
            records.push(record);
        }
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
