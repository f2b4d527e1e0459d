//! The files in which documents lie. sled holds where: it keeps small values well, while documents that it
//! holds itself make its files several times as large as all of them together, and its memory too.
//!
//! A file is only ever appended to, by one thread, and never again once the next one is begun or the program
//! starts anew. So a place that was once given says the same for ever, until its file is removed. Nothing
//! here is believed: a document is compared with the register after it was read.
//!
//! A file of which much is out of date is emptied: what is still in use is appended to the newest file, and
//! the file is removed once sled has handed on that the documents lie elsewhere.

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

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let mut fields = Fields(bytes);
        Some(Self {
            file: fields.u32(),
            at: fields.u32(),
            len: fields.u32(),
        })
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
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.all.to_be_bytes(), self.live.to_be_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        let mut fields = Fields(bytes);
        Some(Self {
            all: fields.u64(),
            live: fields.u64(),
        })
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
    /// The files in a folder, of which sled says that so much is in use. Others that are there belong to
    /// writes that never reached sled, and are removed.
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
        let Some(file) = self.file(place.file)? else {
            return Ok(None);
        };
        let from = u64::from(place.at) + RECORD_HEAD as u64 + name.len() as u64;
        if file.len()? < from + u64::from(place.len) {
            return Ok(None);
        }
        let mut bytes = vec![0; place.len as usize];
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

    /// Notes that sled knows everything that a writer has written, and what it has noted.
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

    /// Every record of a file: the name of a document, and where it lies. Ends where a record is not whole.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn records(&self, number: u32) -> io::Result<Vec<(Vec<u8>, Place)>> {
        let Some(file) = self.file(number)? else {
            return Ok(Vec::new());
        };
        let (mut found, mut at) = (Vec::new(), 0);
        let mut head = [0; RECORD_HEAD];
        while read_full(&*file, &mut head, at)? == RECORD_HEAD {
            let mut fields = Fields(&head);
            let (name_len, len) = (u16::from_be_bytes(fields.take()), fields.u32());
            let mut name = vec![0; usize::from(name_len)];
            let (Ok(begin), true) = (
                u32::try_from(at),
                read_full(&*file, &mut name, at + RECORD_HEAD as u64)? == name.len(),
            ) else {
                break;
            };
            let place = Place {
                file: number,
                at: begin,
                len,
            };
            at += place.record_len(&name);
            found.push((name, place));
        }
        Ok(found)
    }

    /// Removes a file. sled must have handed on that nothing lies in it any more.
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

/// Appends documents.
pub(super) struct Writer<'a> {
    values: &'a Values,
    usage: BTreeMap<u32, Usage>,
    /// The usage of files in which it has changed; `None` for a file that is emptied.
    changed: BTreeMap<u32, Option<Usage>>,
    newest: Option<(u32, Arc<dyn DiskFile>)>,
    next: u32,
    /// What is still to be written, to the end of the newest file.
    buffer: Vec<u8>,
}

/// What was written, once sled knows it too.
pub(super) struct Finished {
    usage: BTreeMap<u32, Usage>,
    newest: Option<(u32, Arc<dyn DiskFile>)>,
    next: u32,
    changed: BTreeMap<u32, Option<Usage>>,
}

impl Finished {
    /// The files of which another part is in use than before, for sled to note; `None` for one that is
    /// emptied.
    pub(super) fn changed(&self) -> impl Iterator<Item = (u32, Option<Usage>)> {
        self.changed.iter().map(|(number, usage)| (*number, *usage))
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
        self.changed.insert(file, Some(*usage));
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
            self.changed.insert(place.file, Some(*usage));
        }
    }

    /// Notes that nothing lies in a file any more.
    pub(super) fn emptied(&mut self, number: u32) {
        self.usage.remove(&number);
        self.changed.insert(number, None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FaultyDisk;

    fn opened(disk: &FaultyDisk, usage: BTreeMap<u32, Usage>) -> Values {
        Values::open(Arc::new(disk.clone()), usage).unwrap()
    }

    /// Writes documents, and gives where they lie and what sled is to note.
    fn write(values: &Values, documents: &[(&[u8], &[u8])]) -> (Vec<Place>, BTreeMap<u32, Usage>) {
        let mut writer = values.writer();
        let places = documents
            .iter()
            .map(|(name, bytes)| writer.put(name, bytes));
        let places = places.map(Result::unwrap).collect();
        let finished = writer.finish().unwrap();
        let noted = finished.usage.clone();
        values.done(finished);
        (places, noted)
    }

    #[test]
    fn a_document_is_read_at_its_place_and_at_no_other() {
        let disk = FaultyDisk::new();
        let values = opened(&disk, BTreeMap::new());
        let long = vec![7; FILE_LEN as usize];
        let (places, noted) = write(&values, &[(b"plan", b"one"), (b"team", &long), (b"x", b"")]);
        let read = |name: &[u8], place| values.read(name, place).unwrap();
        assert_eq!(read(b"plan", places[0]).unwrap(), b"one");
        assert_eq!(read(b"team", places[1]).unwrap(), long);
        assert_eq!(read(b"x", places[2]).unwrap(), b"");
        assert_eq!(places[2].file, 2, "the first file is full");
        for place in &places {
            assert_eq!(Place::from_bytes(&place.to_bytes()), Some(*place));
        }
        let beyond = Place {
            len: 1,
            ..places[2]
        };
        assert_eq!(read(b"x", beyond), None);
        let elsewhere = Place {
            file: 3,
            ..places[2]
        };
        assert_eq!(read(b"x", elsewhere), None);
        // What is there after the last start is never appended to.
        let values = opened(&disk, noted.clone());
        let (later, _) = write(&values, &[(b"plan", b"two")]);
        assert_eq!(later[0].file, 3);
        assert_eq!(values.read(b"plan", places[0]).unwrap().unwrap(), b"one");
        // sled came up as it was before: it knows nothing of the third file, whose number is not used again.
        let values = opened(&disk, noted);
        assert_eq!(disk.list().unwrap().len(), 2);
        assert_eq!(write(&values, &[(b"plan", b"three")]).0[0].file, 4);
    }

    #[test]
    fn a_file_is_worth_emptying_when_more_is_out_of_date_than_a_third_of_what_is_in_use() {
        let disk = FaultyDisk::new();
        let values = opened(&disk, BTreeMap::new());
        let bytes = vec![1; FILE_LEN as usize / 4];
        let names: Vec<_> = (0..40_u8).map(|number| [number]).collect();
        let documents: Vec<_> = names.iter().map(|name| (&name[..], &bytes[..])).collect();
        let (places, _) = write(&values, &documents);
        assert!(values.worth_emptying().is_empty());
        let mut writer = values.writer();
        let first: Vec<_> = places.iter().filter(|place| place.file == 1).collect();
        assert_eq!(first.len(), 4);
        for (name, place) in names.iter().zip(&places).skip(2).take(25) {
            writer.out_of_date(name, *place);
        }
        values.done(writer.finish().unwrap());
        let worth = values.worth_emptying();
        // Those that hold nothing any more come first, the first one still holds two documents.
        assert_eq!(worth.len(), 4);
        assert!(!worth.contains(&1) && !worth.contains(&places[39].file));
        let records = values.records(worth[0]).unwrap();
        let there: Vec<_> = names
            .iter()
            .zip(&places)
            .map(|(name, place)| (name.to_vec(), *place))
            .collect();
        assert!(records.iter().all(|record| there.contains(record)));
        assert_eq!(records.len(), 4);
        values.remove(worth[0]).unwrap();
        values.remove(worth[0]).unwrap();
        assert_eq!(values.records(worth[0]).unwrap(), []);
    }

    #[test]
    fn the_records_of_a_file_end_where_it_is_torn() {
        let disk = FaultyDisk::new();
        let values = opened(&disk, BTreeMap::new());
        let (places, _) = write(&values, &[(b"plan", b"one"), (b"team", b"two")]);
        let whole = disk.bytes("00000001").unwrap();
        for len in 0..whole.len() {
            let disk = FaultyDisk::new();
            disk.put_bytes("00000001", whole[..len].to_vec());
            let usage = BTreeMap::from([(1, Usage::default())]);
            let records = opened(&disk, usage).records(1).unwrap();
            let known = [(b"plan".to_vec(), places[0]), (b"team".to_vec(), places[1])];
            assert_eq!(records, known[..records.len()], "{len}");
        }
    }
}
