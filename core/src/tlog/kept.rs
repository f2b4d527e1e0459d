//! Keeps every checkpoint for ever, in one text file of notes. The file only grows; nothing in it
//! is overwritten. To the holder of any of these checkpoints the ledger can prove that the log grew
//! from it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::SignedCheckpoint;
use crate::disk::{Disk, DiskFile, OsDisk, read_full, write_full, write_whole};
use crate::fields::Fields;
use crate::note::MOST_BYTES;

const FILE: &str = "checkpoints.txt";

/// Why the kept checkpoints cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// The operating system reported an error. After a failed write the next one begins where this one
    /// did.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A checkpoint in the file is damaged. Restore the file from its backup.
    #[error("{} is damaged at byte {offset}; restore it from its backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The byte at which the damaged checkpoint begins.
        offset: u64,
    },
}

/// The contents of the file of kept checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptNotes {
    /// Every note, in the order of the file.
    pub notes: Vec<SignedCheckpoint>,
    /// The byte after the last whole note.
    pub end: u64,
    /// How many bytes follow it.
    pub rest: u64,
    /// Whether these bytes are a damaged note. If not, they are the beginning of a note that an
    /// interrupted write left behind.
    pub damaged: bool,
}

/// The file of kept checkpoints, opened for adding more.
pub struct Kept {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// The size of every checkpoint and its place in the file, sorted by size.
    places: Vec<NotePlace>,
    end: u64,
    /// Whether something may stand behind the end, because a write or sync failed.
    in_doubt: bool,
}

#[derive(Clone, Copy)]
struct NotePlace {
    size: u64,
    offset: u64,
    length: usize,
    /// A part of the hash of the note's bytes. A note that does not read as it did is not shown.
    hash: u64,
}

impl KeptNotes {
    /// Reads what such a file holds. Damage is not an error here: the answer tells of it.
    pub fn parse(text: &[u8]) -> Self {
        let mut found = Self::default();
        loop {
            match next_note(text.get(found.end as usize..).unwrap_or_default()) {
                Ok(Some((signed, length))) => {
                    found.notes.push(signed);
                    found.end += length as u64;
                }
                end => {
                    found.damaged = end.is_err();
                    found.rest = text.len() as u64 - found.end;
                    return found;
                }
            }
        }
    }
}

impl Kept {
    /// Opens the file in `dir`. Creates the directory if it does not exist.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn open(dir: &Path) -> Result<Self, KeptError> {
        // The folder's own name must be as durable as what is in it.
        let disk = OsDisk::new(dir).map_err(|source| KeptError::Io {
            path: dir.join(FILE),
            source,
        })?;
        Self::on(Arc::new(disk), dir.to_owned())
    }

    /// Opens the file on a disk. `dir` is where errors say that it is.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn on(disk: Arc<dyn Disk>, dir: PathBuf) -> Result<Self, KeptError> {
        let path = dir.join(FILE);
        let io = |source| KeptError::Io {
            path: path.clone(),
            source,
        };
        let file = match disk.exists(FILE).map_err(io)? {
            true => disk.open(FILE),
            false => disk.create(FILE),
        };
        let file = file.map_err(io)?;
        let text = read_all_of(file.as_ref()).map_err(io)?;
        let (places, end) = scan(&text).map_err(|offset| KeptError::Damaged {
            path: path.clone(),
            offset,
        })?;
        let rest = text.len() as u64 - end;
        if rest > 0 {
            // An interrupted write left this. Nobody has seen it, because a checkpoint is shown
            // only when it is durable.
            let file_name = path.display();
            tracing::warn!(%file_name, bytes = rest, "the file ends with an unfinished checkpoint; \
                it is cut off");
        }
        make_durable(disk.as_ref(), file.as_ref(), &text, (&places, end)).map_err(io)?;
        Ok(Self {
            disk,
            path,
            file,
            places,
            end,
            in_doubt: false,
        })
    }

    /// Reads the file in `dir` for a check, and changes nothing.
    ///
    /// # Errors
    /// The file could not be read. Damage is not an error here: the answer tells of it.
    pub fn read_all(dir: &Path) -> Result<KeptNotes, KeptError> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(KeptNotes::default()),
            Err(source) => return Err(KeptError::Io { path, source }),
        };
        Ok(KeptNotes::parse(&text))
    }

    /// Keeps a new checkpoint, or an old one that has more signatures now. It is durable when this
    /// returns.
    ///
    /// # Errors
    /// [`KeptError`]. Nobody has seen the checkpoint then, so the next one takes its place in the file.
    pub fn keep(&mut self, signed: &SignedCheckpoint) -> Result<(), KeptError> {
        if self.in_doubt {
            self.mend().map_err(|source| KeptError::Io {
                path: self.path.clone(),
                source,
            })?;
            self.in_doubt = false;
        }
        let note = format!("{}\n", signed.note);
        let file = self.file.as_ref();
        let written = write_whole(file, note.as_bytes(), self.end).and_then(|()| file.sync_data());
        if let Err(source) = written {
            self.in_doubt = true;
            let path = self.path.clone();
            return Err(KeptError::Io { path, source });
        }
        let place = NotePlace {
            size: signed.checkpoint.size,
            offset: self.end,
            length: note.len(),
            hash: short_hash(note.as_bytes()),
        };
        add(&mut self.places, place);
        self.end += note.len() as u64;
        Ok(())
    }

    /// Cuts off what a write that failed may have left, and stores the last note once more: it shares a block
    /// of the disk with what was lost.
    fn mend(&self) -> io::Result<()> {
        let file = self.file.as_ref();
        let text = read_all_of(file)?;
        let last = self.places.iter().max_by_key(|place| place.offset);
        let is_there = |place: &NotePlace| {
            let from = place.offset as usize;
            let note = text.get(from..from + place.length);
            note.is_some_and(|note| short_hash(note) == place.hash)
        };
        if last.is_some_and(|place| !is_there(place)) {
            return Err(ErrorKind::InvalidData.into());
        }
        make_durable(self.disk.as_ref(), file, &text, (&self.places, self.end))
    }

    /// The newest checkpoint. `None` if there is none.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn latest(&self) -> Result<Option<SignedCheckpoint>, KeptError> {
        self.places
            .last()
            .map(|place| self.read(*place))
            .transpose()
    }

    /// The smallest checkpoint that has at least `size` entries. `None` if there is none.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn at_least(&self, size: u64) -> Result<Option<SignedCheckpoint>, KeptError> {
        let index = self.places.partition_point(|place| place.size < size);
        self.places
            .get(index)
            .map(|place| self.read(*place))
            .transpose()
    }

    /// The sizes of the checkpoints with more than `after` entries, in order.
    pub fn sizes_after(&self, after: u64) -> impl Iterator<Item = u64> {
        let index = self.places.partition_point(|place| place.size <= after);
        self.places.iter().skip(index).map(|place| place.size)
    }

    fn read(&self, place: NotePlace) -> Result<SignedCheckpoint, KeptError> {
        let io = |source| KeptError::Io {
            path: self.path.clone(),
            source,
        };
        let mut bytes = vec![0; place.length];
        let count = read_full(self.file.as_ref(), &mut bytes, place.offset).map_err(io)?;
        bytes.truncate(count);
        let sound = short_hash(&bytes) == place.hash;
        match next_note(&bytes) {
            Ok(Some((signed, _))) if sound => Ok(signed),
            Ok(_) | Err(()) => Err(KeptError::Damaged {
                path: self.path.clone(),
                offset: place.offset,
            }),
        }
    }
}

/// Enough to notice what happened by accident. What somebody did on purpose the signature tells.
fn short_hash(bytes: &[u8]) -> u64 {
    Fields(blake3::hash(bytes).as_bytes().split_at(8).0).u64()
}

fn read_all_of(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
    let count = read_full(file, &mut text, 0)?;
    text.truncate(count);
    Ok(text)
}

/// Cuts off what an interrupted write left, and brings the rest to stable storage: from now on it is shown.
///
/// The last note may be only in memory: a process wrote it and was killed before its sync returned. If
/// that sync failed, the system may even have marked it as stored. So it is written once more, unchanged
/// and at the same place, and then synced. The name of the file is synced for the same reason.
fn make_durable(
    disk: &dyn Disk,
    file: &dyn DiskFile,
    text: &[u8],
    (places, end): (&[NotePlace], u64),
) -> io::Result<()> {
    // Notes have no checksums. A bit that was read wrongly could be written, or hide a note.
    if read_all_of(file)? != text {
        return Err(ErrorKind::InvalidData.into());
    }
    let last = places.iter().map(|place| place.offset).max();
    let from = last.unwrap_or_default();
    file.set_len(end)?;
    let note = text.get(from as usize..end as usize);
    write_full(file, note.unwrap_or_default(), from)?;
    file.sync_data()?;
    disk.sync_dir()
}

/// Finds the place of every note, and the byte after the last whole one. The error is the byte at
/// which a damaged note begins.
fn scan(text: &[u8]) -> Result<(Vec<NotePlace>, u64), u64> {
    let mut places: Vec<NotePlace> = Vec::new();
    let mut offset = 0;
    while let Some((signed, length)) =
        next_note(text.get(offset..).unwrap_or_default()).map_err(|()| offset as u64)?
    {
        let size = signed.checkpoint.size;
        if places.last().is_some_and(|last| last.size > size)
            && !places.iter().any(|place| place.size == size)
        {
            return Err(offset as u64);
        }
        add(
            &mut places,
            NotePlace {
                size,
                offset: offset as u64,
                length,
                hash: short_hash(text.get(offset..offset + length).unwrap_or_default()),
            },
        );
        offset += length;
    }
    Ok((places, offset as u64))
}

/// If there is a note of this size already, the new one takes its place: it has more signatures.
fn add(places: &mut Vec<NotePlace>, place: NotePlace) {
    match places.binary_search_by_key(&place.size, |place| place.size) {
        Ok(index) => {
            if let Some(before) = places.get_mut(index) {
                *before = place;
            }
        }
        Err(index) => places.insert(index, place),
    }
}

/// The first note of a text, and its length including the blank line after it. `None` if the text
/// ends before the note does. The error means damage.
fn next_note(text: &[u8]) -> Result<Option<(SignedCheckpoint, usize)>, ()> {
    let blank = |from: usize| {
        let rest = text.get(from..)?;
        let at = rest.windows(2).position(|pair| pair == b"\n\n")?;
        Some(from + at + 2)
    };
    let Some(end) = blank(0).and_then(blank) else {
        // An interrupted write leaves the beginning of a note, or zeros where the disk wrote
        // nothing. Anything else was a whole note once and is damaged now; it must not be cut off.
        let odd = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | 0);
        return match text.len() > MOST_BYTES || text.iter().any(odd) {
            true => Err(()),
            false => Ok(None),
        };
    };
    let (note, _) = text.split_at(end - 1);
    match SignedCheckpoint::parse(note) {
        Ok(signed) => Ok(Some((signed, end))),
        Err(_) if is_torn(note) && is_zero(text.get(end..).unwrap_or_default()) => Ok(None),
        Err(_) => Err(()),
    }
}

/// Whether blocks of a note were never written although its end was: they read as zeros, from the note's
/// beginning on or for a whole block. Only an interrupted write leaves that, and nothing behind it.
fn is_torn(note: &[u8]) -> bool {
    const BLOCK: usize = 512;
    note.first() == Some(&0) || note.windows(BLOCK).any(is_zero)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Checkpoint, Signer};
    use super::*;
    use crate::disk::{Fault, FaultyDisk, PowerCut};
    use crate::time::Timestamp;

    fn signed(size: u64) -> SignedCheckpoint {
        let log = Signer::new("log.example", Algorithm::Ed25519, [1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            size,
            root: [size as u8; 32],
        };
        SignedCheckpoint::sign(checkpoint, &log, Timestamp::default())
    }

    #[test]
    fn checkpoints_are_kept_and_found_by_size_also_when_cosigned_later() {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(dir.path()).unwrap();
        assert_eq!(kept.latest().unwrap(), None);
        for size in [3, 5, 9] {
            kept.keep(&signed(size)).unwrap();
        }
        let mut cosigned = signed(5);
        let witness = Signer::new("w.example", Algorithm::Cosignature, [2; 32]).unwrap();
        let text = cosigned.note.text().to_owned();
        cosigned.note.add(witness.sign(&text, Timestamp::default()));
        kept.keep(&cosigned).unwrap();
        for kept in [kept, Kept::open(dir.path()).unwrap()] {
            assert_eq!(kept.latest().unwrap(), Some(signed(9)));
            assert_eq!(kept.at_least(4).unwrap(), Some(cosigned.clone()));
            assert_eq!(kept.at_least(10).unwrap(), None);
            assert_eq!(kept.sizes_after(3).collect::<Vec<_>>(), [5, 9]);
        }
        assert_eq!(Kept::read_all(dir.path()).unwrap().notes.len(), 4);
    }

    #[test]
    fn an_interrupted_write_is_cut_off_wherever_it_stopped_and_damage_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(dir.path()).unwrap();
        kept.keep(&signed(3)).unwrap();
        kept.keep(&signed(5)).unwrap();
        let path = dir.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        let first = whole.len() / 2;
        for cut in first..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut kept = Kept::open(dir.path()).unwrap();
            assert_eq!(kept.latest().unwrap(), Some(signed(3)), "{cut}");
            kept.keep(&signed(5)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        let mut damaged = whole.clone();
        damaged[2] = b'\n';
        damaged[3] = b'\n';
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(
            Kept::open(dir.path()),
            Err(KeptError::Damaged { offset: 0, .. })
        ));
        let found = Kept::read_all(dir.path()).unwrap();
        assert_eq!((found.end, found.rest), (0, whole.len() as u64));
        assert!(found.damaged && found.notes.is_empty());
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let found = Kept::read_all(dir.path()).unwrap();
        assert_eq!((found.end, found.notes.len()), (first as u64, 1));
        assert!(!found.damaged && found.rest > 0);
        let windows = String::from_utf8(whole).unwrap().replace('\n', "\r\n");
        fs::write(&path, &windows).unwrap();
        let refused = Kept::open(dir.path());
        assert!(matches!(refused, Err(KeptError::Damaged { offset: 0, .. })));
        assert_eq!(fs::read(&path).unwrap(), windows.as_bytes());
    }

    /// A disk on which two checkpoints are kept, and how long the first one is.
    fn two_kept() -> (FaultyDisk, usize) {
        let disk = FaultyDisk::new();
        let mut kept = on(&disk).unwrap();
        kept.keep(&signed(3)).unwrap();
        let first = disk.bytes(FILE).unwrap().len();
        kept.keep(&signed(5)).unwrap();
        (disk, first)
    }

    fn on(disk: &FaultyDisk) -> Result<Kept, KeptError> {
        Kept::on(Arc::new(disk.clone()), PathBuf::new())
    }

    #[test]
    fn blocks_that_a_power_cut_left_out_of_the_last_note_are_no_damage() {
        let (disk, first) = two_kept();
        let whole = disk.bytes(FILE).unwrap();
        for zeros in 1..whole.len() - first {
            let mut torn = whole.clone();
            torn[first..first + zeros].fill(0);
            let disk = FaultyDisk::new();
            disk.put_bytes(FILE, torn);
            let kept = on(&disk).unwrap();
            assert_eq!(kept.latest().unwrap(), Some(signed(3)), "{zeros}");
        }
        // A note before the last one had been stored, and so had what is behind it.
        let mut damaged = whole;
        damaged[..20].fill(0);
        let disk = FaultyDisk::new();
        disk.put_bytes(FILE, damaged);
        assert!(matches!(
            on(&disk),
            Err(KeptError::Damaged { offset: 0, .. })
        ));
    }

    #[test]
    fn what_is_shown_after_a_kill_is_there_after_a_power_cut() {
        // A process is killed at each of its operations, or that one fails. The next one shows what it
        // finds, and then the power is cut.
        let operations = {
            let (disk, _) = two_kept();
            disk.operations()
        };
        for at in 0..operations {
            for fault in [Fault::Kill, Fault::Fail] {
                let disk = FaultyDisk::new();
                disk.inject(at, fault);
                let kept = on(&disk).and_then(|mut kept| {
                    kept.keep(&signed(3))?;
                    kept.keep(&signed(5))
                });
                assert!(kept.is_err(), "{at} {fault:?}");
                let disk = disk.restart();
                let shown = on(&disk).unwrap().latest().unwrap();
                let disk = disk.reboot(PowerCut::LosesAll);
                let there = on(&disk).unwrap().latest().unwrap();
                assert_eq!(there, shown, "{at} {fault:?}");
            }
        }
    }

    /// A disk that is full for a while stops no checkpoint for longer than that.
    #[test]
    fn after_an_operation_that_failed_the_next_checkpoint_is_kept() {
        let (begin, end) = {
            let disk = FaultyDisk::new();
            let mut kept = on(&disk).unwrap();
            kept.keep(&signed(3)).unwrap();
            let begin = disk.operations();
            kept.keep(&signed(5)).unwrap();
            (begin, disk.operations())
        };
        assert!(end > begin);
        for at in begin..end {
            for again in [false, true] {
                let disk = FaultyDisk::new();
                let mut kept = on(&disk).unwrap();
                kept.keep(&signed(3)).unwrap();
                disk.inject(at, Fault::Fail);
                kept.keep(&signed(5)).unwrap_err();
                assert_eq!(kept.latest().unwrap(), Some(signed(3)), "{at}");
                if again {
                    // What mends it can fail too.
                    disk.inject(disk.operations(), Fault::Fail);
                    kept.keep(&signed(5)).unwrap_err();
                }
                kept.keep(&signed(7)).unwrap();
                let disk = disk.reboot(PowerCut::LosesAll);
                let there = on(&disk).unwrap();
                assert_eq!(there.latest().unwrap(), Some(signed(7)), "{at}");
                assert_eq!(there.sizes_after(0).collect::<Vec<_>>(), [3, 7], "{at}");
            }
        }
    }

    #[test]
    fn a_note_that_reads_otherwise_than_before_is_not_shown() {
        let (disk, first) = two_kept();
        let kept = on(&disk).unwrap();
        let text = disk.bytes(FILE).unwrap();
        // The last letter of the signature.
        let at = first + text[first..].len() - 5;
        disk.flip_bit(FILE, at, 0);
        assert!(matches!(kept.latest(), Err(KeptError::Damaged { .. })));
    }
}
