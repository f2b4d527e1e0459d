//! Compares what is published for monitors, beside the tiles, with what the journal gives: what opens each
//! record of heads, and the changes of the key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::audit::{Fault, FaultKind};
use crate::domain::ledger::LedgerEvent;
use crate::entry::Entry;
use crate::ids::Position;
use crate::journal::EntryRef;
use crate::ledger::sealer;
use crate::merkle::Tile;
use crate::seal::KeyStore;
use crate::tlog::{DisclosedHeads, HEADS_FOLDER, HEADS_PER_FILE, ROTATIONS_FILE, heads_file};

/// The published files, while the journal is read.
pub(super) struct Disclosed {
    /// The folder `tlog`.
    dir: PathBuf,
    /// The size of the newest checkpoint. What is up to there must be published.
    newest: u64,
    /// The file of heads that is not full yet, and its number.
    heads: Lines,
    file: u64,
    rotations: Lines,
    /// Whether anything is published at all. Earlier versions published nothing.
    is_there: bool,
    /// How many files were compared.
    files: u64,
    fault: Option<Fault>,
}

/// What a file has to hold, line by line.
#[derive(Default)]
struct Lines {
    text: String,
    /// The position of the event that each line is about.
    positions: Vec<Position>,
}

impl Lines {
    fn push(&mut self, position: Position, line: &str) {
        self.text += line;
        self.positions.push(position);
    }

    /// Compares with what a file holds. Lines of events after `newest` may be missing at its end, because
    /// the file is written after the journal.
    fn compare(&self, name: &str, found: &[u8], newest: u64) -> Result<(), Fault> {
        let mut rest = found;
        for (line, position) in self.text.split_inclusive('\n').zip(&self.positions) {
            match rest.strip_prefix(line.as_bytes()) {
                Some(after) => rest = after,
                None if rest.is_empty() && position.get() > newest => return Ok(()),
                None => {
                    let what = format!("{name} does not match the journal");
                    return Err(Fault::new(*position, FaultKind::Tile, what));
                }
            }
        }
        match rest.is_empty() {
            true => Ok(()),
            false => {
                let what = format!("{name} says more than the journal");
                Err(Fault::new(Position::ZERO, FaultKind::Tile, what))
            }
        }
    }
}

impl Disclosed {
    pub(super) fn new(dir: &Path, newest: u64) -> Self {
        let is_there = dir.join(HEADS_FOLDER).is_dir() || dir.join(ROTATIONS_FILE).is_file();
        Self {
            dir: dir.to_owned(),
            newest,
            heads: Lines::default(),
            file: 0,
            rotations: Lines::default(),
            is_there,
            files: 0,
            fault: None,
        }
    }

    /// Takes a record of heads with the line that opens it; `None` if it cannot be opened, which is a
    /// fault of another part.
    pub(super) fn take_heads(&mut self, position: Position, line: Option<&str>) {
        self.heads.push(position, line.unwrap_or_default());
        if self.heads.positions.len() as u64 == HEADS_PER_FILE {
            self.end_file();
        }
    }

    /// Takes an event of the keys.
    pub(super) fn take_key(&mut self, position: Position, event: &LedgerEvent) {
        if let LedgerEvent::KeyRotated { statement, .. } = event
            && let Ok(line) = serde_json::to_string(statement)
        {
            self.rotations.push(position, &(line + "\n"));
        }
    }

    fn end_file(&mut self) {
        let lines = std::mem::take(&mut self.heads);
        let name = format!("{HEADS_FOLDER}/{}", heads_file(self.file));
        self.compare(&name, &lines);
        self.file += 1;
    }

    fn compare(&mut self, name: &str, lines: &Lines) {
        if self.fault.is_some() || !self.is_there {
            return;
        }
        let compared = match fs::read(self.dir.join(name)) {
            Ok(found) => {
                self.files += 1;
                lines.compare(name, &found, self.newest)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let first = lines.positions.first().copied().unwrap_or_default();
                match first.get() > self.newest {
                    true => Ok(()),
                    false => {
                        let what = format!("{name} is missing");
                        Err(Fault::new(first, FaultKind::Missing, what))
                    }
                }
            }
            Err(error) => {
                let what = format!("{name} cannot be read: {error}");
                Err(Fault::new(Position::ZERO, FaultKind::Missing, what))
            }
        };
        self.fault = compared.err();
    }

    /// The number of files that were compared, and the first fault. `whole` says that the journal was
    /// read to its end. `None` if nothing is published.
    pub(super) fn finish(mut self, whole: bool) -> Option<(u64, Option<Fault>)> {
        if !self.is_there {
            return None;
        }
        if whole {
            if !self.heads.positions.is_empty() {
                self.end_file();
            }
            let rotations = std::mem::take(&mut self.rotations);
            self.compare(ROTATIONS_FILE, &rotations);
            let others = self.check_names(&self.dir.join(HEADS_FOLDER), "");
            if let Err(fault) = others {
                self.fault.get_or_insert(fault);
            }
        }
        Some((self.files, self.fault))
    }

    /// Finds files that have no records of the journal.
    fn check_names(&self, folder: &Path, path: &str) -> Result<(), Fault> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.unwrap_or_default() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (below, path) = (folder.join(&name), format!("{path}/{name}"));
            let is_ours = |path: &str| {
                Tile::parse(0, path).is_some_and(|file| file.is_full() && file.index < self.file)
            };
            if below.is_dir() {
                self.check_names(&below, &path)?;
            } else if !is_ours(path.trim_start_matches('/')) {
                let what = format!("{HEADS_FOLDER}{path} does not belong to the log");
                return Err(Fault::new(Position::ZERO, FaultKind::Tile, what));
            }
        }
        Ok(())
    }
}

/// The line that opens a record of heads.
pub(super) fn line(record: &EntryRef<'_>, entry: &Entry, keys: &KeyStore) -> Option<String> {
    let key = sealer::event_key(record.position, entry, keys).ok()?;
    let disclosed = DisclosedHeads::new(record.position, key.as_bytes(), record.sealed);
    disclosed.to_line().ok()
}
