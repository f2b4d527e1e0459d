//! What is kept of the earlier ledger beside the new one: `origin/`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{CarryError, at};
use crate::disk::{Disk, OsDisk, for_owner};
use crate::entry::{ENTRY_LEN, EntryBytes};
use crate::hash::{Context, Hash32};
use crate::ids::{LedgerId, Position};

/// The folder.
pub(super) const FOLDER: &str = "origin";
/// Every checkpoint that is kept.
pub(super) const CHECKPOINTS: &str = "origin/checkpoints.txt";
/// What was carried over, and what was not.
pub(super) const REPORT: &str = "origin/report.json";
const ENTRIES: &str = "entries";
const MAGIC: &[u8; 8] = b"PLORGv1\n";

static CONTEXT: Context = Context::new("planledger v1 2026-11-30 origin entries");

/// The file with the earlier ledger's entries: what is lost is zeros.
pub(super) struct Entries {
    path: PathBuf,
    disk: OsDisk,
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    last: Position,
}

impl Entries {
    pub(super) fn begin(dir: &Path, ledger: LedgerId) -> Result<Self, CarryError> {
        let folder = dir.join(FOLDER);
        let path = folder.join(ENTRIES);
        let disk = OsDisk::new(&folder).map_err(at(&folder))?;
        let mut how = File::options();
        how.write(true).create_new(true);
        let file = for_owner(&mut how).open(&path).map_err(at(&path))?;
        let mut entries = Self {
            path,
            disk,
            out: BufWriter::new(file),
            hasher: CONTEXT.hasher(),
            last: Position::ZERO,
        };
        entries.write(MAGIC)?;
        entries.write(ledger.as_bytes())?;
        Ok(entries)
    }

    /// Puts an entry at its place. What was left out before it is lost.
    pub(super) fn put(&mut self, position: Position, bytes: &EntryBytes) -> Result<(), CarryError> {
        while self.last.next() < position {
            self.write(&[0; ENTRY_LEN])?;
            self.last = self.last.next();
        }
        self.last = position;
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CarryError> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).map_err(at(&self.path))
    }

    /// Waits until it is on stable storage, and gives the hash of the file.
    pub(super) fn finish(mut self) -> Result<Hash32, CarryError> {
        let done = self.out.flush();
        let done = done.and_then(|()| self.out.get_ref().sync_all());
        let done = done.and_then(|()| self.disk.sync_dir());
        done.map_err(at(&self.path))?;
        Ok(self.hasher.finalize().into())
    }
}
