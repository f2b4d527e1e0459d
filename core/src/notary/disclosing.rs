//! Publishes beside the tiles what opens each record of heads, and the changes of the key, so that a
//! monitor can check them. The files are derived: what is missing or wrong at the start is made again
//! from the journal.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::NotaryError;
use super::own::rotations;
use crate::domain::ledger::heads_stream;
use crate::ids::Position;
use crate::journal::StoredEntry;
use crate::ledger::history::stored;
use crate::ledger::{Ledger, ReadError};
use crate::merkle::Tile;
use crate::tlog::{
    DisclosedHeads, HEADS_FOLDER, HEADS_PER_FILE, ROTATIONS_FILE, heads_file, rotations_text,
};

/// What a file is called until all of it is written. It lies beside the folder.
const UNFINISHED: &str = "heads.tmp";

/// The published files, as far as they go.
pub(super) struct Disclosing {
    dir: PathBuf,
    /// How many records are published.
    count: u64,
    /// The lines of the last file, if it is not full.
    last: String,
}

impl Disclosing {
    /// Makes the files in `dir` what the ledger says.
    pub(super) fn open(ledger: &Ledger, dir: &Path) -> Result<Self, NotaryError> {
        let mut disclosing = Self {
            dir: dir.to_owned(),
            count: 0,
            last: String::new(),
        };
        disclosing.catch_up(ledger)?;
        disclosing.write_rotations(ledger)?;
        Ok(disclosing)
    }

    /// Publishes the record of heads at a position, which is the newest.
    pub(super) fn add(&mut self, ledger: &Ledger, position: Position) -> Result<(), NotaryError> {
        let (stored, entry) = stored(ledger.log(), position)?;
        // One before may have failed.
        if entry.revision.get() != self.count + 1 {
            return self.catch_up(ledger);
        }
        self.last += &line(ledger, &stored)?;
        self.write(self.count / HEADS_PER_FILE, &self.last)?;
        self.count += 1;
        if self.count.is_multiple_of(HEADS_PER_FILE) {
            self.last.clear();
        }
        Ok(())
    }

    /// Compares the files with the journal, from the newest record back to the first file that is right,
    /// and writes those that are not. A right file tells that those before it were right when it was
    /// written; they are only looked for.
    fn catch_up(&mut self, ledger: &Ledger) -> Result<(), NotaryError> {
        let stream = heads_stream(ledger.status().ledger).into();
        let mut next = ledger.head_position(stream)?;
        let mut count = 0;
        if next != Position::ZERO {
            let (_, entry) = stored(ledger.log(), next)?;
            count = entry.revision.get();
        }
        let files = count.div_ceil(HEADS_PER_FILE);
        self.remove_others(&self.dir.join(HEADS_FOLDER), files)?;
        let missing = (0..files).find(|file| !self.path(*file).is_file());
        (self.count, self.last) = (count, String::new());
        for file in (0..files).rev() {
            let first = file * HEADS_PER_FILE;
            let here = (count - first).min(HEADS_PER_FILE);
            let mut lines = Vec::new();
            for _ in 0..here {
                let (stored, _) = stored(ledger.log(), next)?;
                lines.push(line(ledger, &stored)?);
                next = stored.back;
            }
            lines.reverse();
            let text = lines.concat();
            let is_right = self.read(file)?.as_deref() == Some(text.as_bytes());
            if !is_right {
                self.write(file, &text)?;
            }
            if here < HEADS_PER_FILE {
                self.last = text;
            }
            if is_right && missing.is_none_or(|missing| missing >= file) {
                break;
            }
        }
        Ok(())
    }

    /// Publishes every change of the key.
    fn write_rotations(&self, ledger: &Ledger) -> Result<(), NotaryError> {
        let path = self.dir.join(ROTATIONS_FILE);
        let text = rotations_text(&rotations(ledger)?).map_err(|error| NotaryError::Publish {
            path: path.clone(),
            source: error.into(),
        })?;
        let there = found(fs::read(&path), &path)?;
        match there.as_deref() == Some(text.as_bytes()) {
            true => Ok(()),
            false => self.put(&path, &text),
        }
    }

    /// Removes files after the last one, as they are there when the journal was put back.
    fn remove_others(&self, folder: &Path, files: u64) -> Result<(), NotaryError> {
        for name in names(folder)? {
            let path = folder.join(name);
            if path.is_dir() {
                self.remove_others(&path, files)?;
            } else if self.number(&path).is_none_or(|number| number >= files) {
                fs::remove_file(&path).map_err(|source| NotaryError::Publish { path, source })?;
            }
        }
        Ok(())
    }

    fn path(&self, file: u64) -> PathBuf {
        self.dir.join(HEADS_FOLDER).join(heads_file(file))
    }

    /// The number of the file with this path.
    fn number(&self, path: &Path) -> Option<u64> {
        let name = path.strip_prefix(self.dir.join(HEADS_FOLDER)).ok()?;
        let tile = Tile::parse(0, name.to_str()?)?;
        tile.is_full().then_some(tile.index)
    }

    fn read(&self, file: u64) -> Result<Option<Vec<u8>>, NotaryError> {
        let path = self.path(file);
        found(fs::read(&path), &path)
    }

    fn write(&self, file: u64, text: &str) -> Result<(), NotaryError> {
        self.put(&self.path(file), text)
    }

    /// Writes a file so that whoever reads it meanwhile sees the old one or the new one. It is not
    /// synced, as tiles are not: a file that a power cut spoilt is made again at the start.
    fn put(&self, path: &Path, text: &str) -> Result<(), NotaryError> {
        let unfinished = self.dir.join(UNFINISHED);
        let folder = path.parent().unwrap_or(&self.dir);
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&unfinished, text))
            .and_then(|()| fs::rename(&unfinished, path));
        written.map_err(|source| NotaryError::Publish {
            path: path.to_owned(),
            source,
        })
    }
}

/// The line that opens a record of heads.
fn line(ledger: &Ledger, stored: &StoredEntry) -> Result<String, NotaryError> {
    let key = ledger.event_key(stored.position, &stored.entry)?;
    let sealed = stored.sealed.as_deref().unwrap_or_default();
    let disclosed = DisclosedHeads::new(stored.position, key.as_bytes(), sealed);
    disclosed.to_line().map_err(|error| {
        let reason = error.to_string();
        let position = stored.position;
        NotaryError::Read(ReadError::Malformed { position, reason })
    })
}

fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, NotaryError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let names = entries.map(|all| all.iter().map(fs::DirEntry::file_name).collect());
    Ok(found(names, folder)?.unwrap_or_default())
}

fn found<T>(read: io::Result<T>, path: &Path) -> Result<Option<T>, NotaryError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(NotaryError::Publish {
            path: path.to_owned(),
            source,
        }),
    }
}
