//! The files in which documents lie. The register knows where: documents that sled holds itself make its
//! files several times as large as all of them together, and its memory too.
//!
//! A file is only ever appended to, by one thread, and never again once the next one is begun or the program
//! starts anew. So a place that was once given says the same for ever, until its file is removed. Nothing
//! here is believed: a document is compared with the register after it was read.
//!
//! A file of which much is out of date is emptied: what is still in use is appended to the newest file, and
//! the file is removed once nothing that a start may come up with tells a place in it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile, read_full, write_full};
use crate::fields::Fields;

/// After so many bytes another file is begun. Tests begin one sooner, so that small ledgers have several too.
const FILE_LEN: u64 = match cfg!(any(test, feature = "testing")) {
    true => 32 << 10,
    false => 8 << 20,
};
/// So many bytes are written at once.
const WRITTEN_AT_ONCE: usize = 1 << 20;
/// So many files are kept open.
const MOST_OPEN: usize = 64;
/// Length of a record before its key: length of the key (2), length of the document (4).
const RECORD_HEAD: usize = 2 + 4;
/// So many bytes are moved at most when files are emptied, so that other writes do not wait long.
const MOST_MOVED: u64 = 2 * FILE_LEN;

/// Where a document lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    file: u32,
    /// Where its record begins.
    at: u32,
    /// The length of the document.
    len: u32,
}

impl Place {
    pub(super) const LEN: usize = 4 + 4 + 4;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        for (field, number) in bytes
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip([self.file, self.at, self.len])
        {
            *field = number.to_be_bytes();
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let mut fields = Fields(&bytes);
        Self {
            file: fields.u32(),
            at: fields.u32(),
            len: fields.u32(),
        }
    }

    /// How many bytes the record takes.
    fn record_len(self, name: &[u8]) -> u64 {
        RECORD_HEAD as u64 + name.len() as u64 + u64::from(self.len)
    }
}

/// How much of a file is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// All bytes of the file.
    all: u64,
    /// Those of documents that lie nowhere else.
    live: u64,
}

impl Usage {
    pub(super) const LEN: usize = 8 + 8;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let numbers = [self.all, self.live];
        for (field, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *field = number.to_be_bytes();
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let mut fields = Fields(&bytes);
        Self {
            all: fields.u64(),
            live: fields.u64(),
        }
    }

    /// Whether the file is emptied: one that is there has bytes.
    pub(super) fn is_gone(self) -> bool {
        self.all == 0
    }
}

/// The files of documents.
pub(super) struct Values {
    disk: Arc<dyn Disk>,
    open: Mutex<BTreeMap<u32, Arc<dyn DiskFile>>>,
    written: Mutex<Written>,
}

/// What only the thread that writes needs.
struct Written {
    usage: BTreeMap<u32, Usage>,
    /// The file that is being written.
    newest: Option<(u32, Arc<dyn DiskFile>)>,
    /// The number of the next file.
    next: u32,
}

impl Values {
    /// The files in a folder, of which the register says that so much is in use. Others that are there
    /// belong to writes that it does not know of, and are removed.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file cannot be removed.
    pub(super) fn open(disk: Arc<dyn Disk>, usage: BTreeMap<u32, Usage>) -> io::Result<Self> {
        let mut next = usage.keys().next_back().map_or(1, |last| last + 1);
        for name in disk.list()? {
            let number = name.parse().ok().filter(|number| name_of(*number) == name);
            if let Some(number) = number {
                next = next.max(number + 1);
                if !usage.contains_key(&number) {
                    disk.remove(&name)?;
                }
            }
        }
        // They are opened now, so that reading needs no descriptor when others have taken all.
        let mut open: BTreeMap<u32, Arc<dyn DiskFile>> = BTreeMap::new();
        for number in usage.keys().rev().take(MOST_OPEN) {
            // One that is missing is noticed when it is read.
            if let Ok(file) = disk.open(&name_of(*number)) {
                open.insert(*number, file.into());
            }
        }
        Ok(Self {
            disk,
            open: Mutex::new(open),
            written: Mutex::new(Written {
                usage,
                newest: None,
                next,
            }),
        })
    }

    /// The document of this name at a place; `None` if the file or the place is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub(super) fn read(&self, name: &[u8], place: Place) -> io::Result<Option<Vec<u8>>> {
        self.read_start(name, place, usize::MAX)
    }

    /// The first so many bytes of the document at a place, or all of a shorter one.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub(super) fn read_start(
        &self,
        name: &[u8],
        place: Place,
        most: usize,
    ) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.file(place.file)? else {
            return Ok(None);
        };
        let from = u64::from(place.at) + RECORD_HEAD as u64 + name.len() as u64;
        let mut bytes = vec![0; most.min(place.len as usize)];
        let count = read_full(&*file, &mut bytes, from)?;
        Ok((count == bytes.len()).then_some(bytes))
    }

    fn file(&self, number: u32) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let mut open = self.open.lock();
        if let Some(file) = open.get(&number) {
            return Ok(Some(file.clone()));
        }
        let file: Arc<dyn DiskFile> = match self.disk.open(&name_of(number)) {
            Ok(file) => file.into(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        while open.len() >= MOST_OPEN {
            open.pop_first();
        }
        open.insert(number, file.clone());
        Ok(Some(file))
    }

    /// Begins to write. Only one thread writes.
    pub(super) fn writer(&self) -> Writer<'_> {
        let written = self.written.lock();
        Writer {
            values: self,
            usage: written.usage.clone(),
            changed: BTreeMap::new(),
            newest: written.newest.clone(),
            next: written.next,
            buffer: Vec::new(),
        }
    }

    /// How much of each file is in use.
    pub(super) fn usage(&self) -> BTreeMap<u32, Usage> {
        self.written.lock().usage.clone()
    }

    /// Notes that the register knows everything that a writer has written.
    pub(super) fn done(&self, finished: Finished) {
        if let Some((number, file)) = &finished.newest {
            self.open.lock().insert(*number, file.clone());
        }
        let mut written = self.written.lock();
        written.usage = finished.usage;
        written.newest = finished.newest;
        written.next = finished.next;
    }

    /// The files to empty, those with the least in use first. None as long as the files are not much larger
    /// than what is in use.
    pub(super) fn worth_emptying(&self) -> Vec<u32> {
        let written = self.written.lock();
        let newest = written.newest.as_ref().map(|(number, _)| *number);
        let all: u64 = written.usage.values().map(|usage| usage.all).sum();
        let live: u64 = written.usage.values().map(|usage| usage.live).sum();
        // A third of what is in use may be out of date, and a little more in a small ledger.
        let mut excess = all.saturating_sub(live + live / 3 + 2 * FILE_LEN);
        let mut files: Vec<_> = written.usage.iter().collect();
        files.retain(|(number, _)| Some(**number) != newest);
        files.sort_by_key(|(_, usage)| {
            (
                usage.live.saturating_mul(1_000) / usage.all.max(1),
                usage.all,
            )
        });
        let (mut chosen, mut moved) = (Vec::new(), 0);
        for (number, usage) in files {
            moved += usage.live;
            if excess == 0 || moved > MOST_MOVED {
                break;
            }
            excess = excess.saturating_sub(usage.all.saturating_sub(usage.live));
            chosen.push(*number);
        }
        chosen
    }

    /// All that a file holds; nothing if it is not there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn contents(&self, number: u32) -> io::Result<Contents> {
        let mut bytes = Vec::new();
        if let Some(file) = self.file(number)? {
            bytes.resize(usize::try_from(file.len()?).unwrap_or_default(), 0);
            let count = read_full(&*file, &mut bytes, 0)?;
            bytes.truncate(count);
        }
        Ok(Contents {
            file: number,
            bytes,
        })
    }

    /// Removes a file in which nothing lies any more.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(super) fn remove(&self, number: u32) -> io::Result<()> {
        self.open.lock().remove(&number);
        match self.disk.remove(&name_of(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The bytes of a file.
pub(super) struct Contents {
    file: u32,
    bytes: Vec<u8>,
}

impl Contents {
    /// Every record: the name of a document, where it lies, and the document. Ends where a record is not
    /// whole.
    pub(super) fn records(&self) -> impl Iterator<Item = (&[u8], Place, &[u8])> {
        let (mut rest, mut at) = (self.bytes.as_slice(), 0_u64);
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<RECORD_HEAD>()?;
            let mut fields = Fields(head);
            let (name_len, len) = (u16::from_be_bytes(fields.take()), fields.u32());
            let (name, after) = after.split_at_checked(usize::from(name_len))?;
            let (document, after) = after.split_at_checked(usize::try_from(len).ok()?)?;
            let place = Place {
                file: self.file,
                at: u32::try_from(at).ok()?,
                len,
            };
            rest = after;
            at += place.record_len(name);
            Some((name, place, document))
        })
    }
}

/// Appends documents.
pub(super) struct Writer<'a> {
    values: &'a Values,
    usage: BTreeMap<u32, Usage>,
    /// The usage of files in which it has changed.
    changed: BTreeMap<u32, Usage>,
    newest: Option<(u32, Arc<dyn DiskFile>)>,
    next: u32,
    /// What is still to be written, to the end of the newest file.
    buffer: Vec<u8>,
}

/// What was written, once the register knows it too.
pub(super) struct Finished {
    usage: BTreeMap<u32, Usage>,
    newest: Option<(u32, Arc<dyn DiskFile>)>,
    next: u32,
    changed: BTreeMap<u32, Usage>,
}

impl Finished {
    /// The files of which another part is in use than before.
    pub(super) fn changed(&self) -> Vec<(u32, Usage)> {
        let changed = self.changed.iter();
        changed.map(|(number, usage)| (*number, *usage)).collect()
    }
}

impl Writer<'_> {
    /// Appends a document.
    ///
    /// # Errors
    /// When a file cannot be made or written, or the document is too long.
    pub(super) fn put(&mut self, name: &[u8], document: &[u8]) -> io::Result<Place> {
        let too_long = |_| io::Error::other("a document is too long");
        let len = u32::try_from(document.len()).map_err(too_long)?;
        let name_len = u16::try_from(name.len()).map_err(too_long)?;
        let file = self.begun()?;
        let usage = self.usage.entry(file).or_default();
        let place = Place {
            file,
            at: u32::try_from(usage.all).map_err(too_long)?,
            len,
        };
        usage.all += place.record_len(name);
        usage.live += place.record_len(name);
        self.changed.insert(file, *usage);
        self.buffer.extend_from_slice(&name_len.to_be_bytes());
        self.buffer.extend_from_slice(&len.to_be_bytes());
        self.buffer.extend_from_slice(name);
        self.buffer.extend_from_slice(document);
        if self.buffer.len() >= WRITTEN_AT_ONCE {
            self.write()?;
        }
        Ok(place)
    }

    /// Notes that a document lies at this place no longer.
    pub(super) fn out_of_date(&mut self, name: &[u8], place: Place) {
        // A file that is not known has been emptied.
        if let Some(usage) = self.usage.get_mut(&place.file) {
            usage.live = usage.live.saturating_sub(place.record_len(name));
            self.changed.insert(place.file, *usage);
        }
    }

    /// Notes that nothing lies in a file any more.
    pub(super) fn emptied(&mut self, number: u32) {
        self.usage.remove(&number);
        self.changed.insert(number, Usage::default());
    }

    /// The number of the file that is written, which is begun if the last one is full.
    fn begun(&mut self) -> io::Result<u32> {
        let full = |number: &u32| {
            let usage = self.usage.get(number);
            usage.is_some_and(|usage| usage.all >= FILE_LEN)
        };
        match &self.newest {
            Some((number, _)) if !full(number) => Ok(*number),
            Some(_) | None => {
                self.write()?;
                let number = self.next;
                let file = self.values.disk.create(&name_of(number))?;
                self.next = number + 1;
                self.newest = Some((number, file.into()));
                Ok(number)
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some((number, file)) = &self.newest {
            let usage = self.usage.get(number).copied().unwrap_or_default();
            let from = usage.all.saturating_sub(self.buffer.len() as u64);
            write_full(&**file, &self.buffer, from)?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn finish(mut self) -> io::Result<Finished> {
        self.write()?;
        Ok(Finished {
            usage: self.usage,
            newest: self.newest,
            next: self.next,
            changed: self.changed,
        })
    }
}

fn name_of(number: u32) -> String {
    format!("{number:08}")
}
