//! What is kept of the earlier ledger beside a ledger whose events were carried over: `origin/`.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::disk::{Disk, OsDisk, for_owner};
use crate::entry::{ENTRY_LEN, EntryBytes};
use crate::hash::{Context, Hash32};
use crate::ids::{LedgerId, Position};

/// The folder.
pub(crate) const FOLDER: &str = "origin";
/// Every checkpoint that is kept.
pub(crate) const CHECKPOINTS: &str = "origin/checkpoints.txt";
/// What was carried over, and what was not.
pub(crate) const REPORT: &str = "origin/report.json";
/// The entries of the earlier ledger.
pub(crate) const ENTRIES: &str = "origin/entries";
const ENTRIES_NAME: &str = "entries";
const MAGIC: &[u8; 8] = b"PLORGv1\n";

static CONTEXT: Context = Context::new("planledger v1 2026-11-30 origin entries");

/// The file with the earlier ledger's entries: what is lost is zeros.
pub(crate) struct Entries {
    disk: OsDisk,
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    last: Position,
}

impl Entries {
    pub(crate) fn begin(dir: &Path, ledger: LedgerId) -> io::Result<Self> {
        let folder = dir.join(FOLDER);
        let disk = OsDisk::new(&folder)?;
        let mut how = File::options();
        how.write(true).create_new(true);
        let file = for_owner(&mut how).open(folder.join(ENTRIES_NAME))?;
        let mut entries = Self {
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
    pub(crate) fn put(&mut self, position: Position, bytes: &EntryBytes) -> io::Result<()> {
        while self.last.next() < position {
            self.write(&[0; ENTRY_LEN])?;
            self.last = self.last.next();
        }
        self.last = position;
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    /// Waits until it is on stable storage, and gives the hash of the file.
    pub(crate) fn finish(mut self) -> io::Result<Hash32> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        self.disk.sync_dir()?;
        Ok(self.hasher.finalize().into())
    }
}

/// What the file with the entries comes to, as far as its form is right.
pub(crate) struct ReadEntries {
    /// The earlier ledger that it names; `None` if it does not begin as such a file does.
    pub(crate) ledger: Option<LedgerId>,
    /// Hash of the file.
    pub(crate) hash: Hash32,
    /// How many bytes follow the last whole entry.
    pub(crate) rest: usize,
}

/// Reads the file with the entries, and hands over each place: its position, and its entry if there is one.
pub(crate) fn read_entries(
    dir: &Path,
    each: &mut dyn FnMut(Position, Option<&EntryBytes>),
) -> io::Result<ReadEntries> {
    let mut reader = BufReader::new(File::open(dir.join(ENTRIES))?);
    let mut hasher = CONTEXT.hasher();
    let mut head = [0; MAGIC.len() + 16];
    let read = fill(&mut reader, &mut head, &mut hasher)?;
    let (magic, id) = head.split_at(MAGIC.len());
    let ledger = <[u8; 16]>::try_from(id).ok();
    let ledger = ledger.filter(|_| read == head.len() && magic == MAGIC);
    let mut position = Position::ZERO;
    let mut entry = [0; ENTRY_LEN];
    let rest = loop {
        match fill(&mut reader, &mut entry, &mut hasher)? {
            ENTRY_LEN => {}
            rest => break rest,
        }
        position = position.next();
        let there = entry.iter().any(|byte| *byte != 0);
        each(position, there.then_some(&entry));
    };
    Ok(ReadEntries {
        ledger: ledger.map(LedgerId::from_bytes),
        hash: hasher.finalize().into(),
        rest,
    })
}

/// Reads until a buffer is full or the file ends.
fn fill(
    reader: &mut impl Read,
    buffer: &mut [u8],
    hasher: &mut blake3::Hasher,
) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..)
        && !rest.is_empty()
    {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    hasher.update(buffer.get(..read).unwrap_or_default());
    Ok(read)
}
