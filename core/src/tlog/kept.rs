//! Keeps every checkpoint for ever, in one text file of notes. The file only grows; nothing in it
//! is overwritten. To the holder of any of these checkpoints the ledger can prove that the log grew
//! from it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::checkpoint::SignedCheckpoint;
use crate::disk::{OsDisk, for_owner};
use crate::note::MOST_BYTES;

const FILE: &str = "checkpoints.txt";

/// Why the kept checkpoints cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// The operating system reported an error. After a failed write nothing more can be written:
    /// restart the process.
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
    /// An earlier write failed. Nothing can be written until the process is started again.
    #[error("an earlier write to {} failed; restart the process", path.display())]
    Poisoned {
        /// The file.
        path: PathBuf,
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
    path: PathBuf,
    file: File,
    /// The size of every checkpoint and its place in the file, sorted by size.
    places: Vec<NotePlace>,
    end: u64,
    poisoned: bool,
}

#[derive(Clone, Copy)]
struct NotePlace {
    size: u64,
    offset: u64,
    length: usize,
}

impl Kept {
    /// Opens the file in `dir`. Creates the directory if it does not exist.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn open(dir: &Path) -> Result<Self, KeptError> {
        let path = dir.join(FILE);
        let io = |source| KeptError::Io {
            path: path.clone(),
            source,
        };
        // The folder's own name must be as durable as what is in it.
        OsDisk::new(dir).map_err(io)?;
        let new = !path.try_exists().map_err(io)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = for_owner(&mut options).open(&path).map_err(io)?;
        if new {
            // The file's name must be as durable as the notes in it.
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(io)?;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io)?;
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
            file.set_len(end).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        Ok(Self {
            path,
            file,
            places,
            end,
            poisoned: false,
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
        let mut found = KeptNotes::default();
        loop {
            match next_note(text.get(found.end as usize..).unwrap_or_default()) {
                Ok(Some((signed, length))) => {
                    found.notes.push(signed);
                    found.end += length as u64;
                }
                end => {
                    found.damaged = end.is_err();
                    found.rest = text.len() as u64 - found.end;
                    return Ok(found);
                }
            }
        }
    }

    /// Keeps a new checkpoint, or an old one that has more signatures now. It is durable when this
    /// returns.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn keep(&mut self, signed: &SignedCheckpoint) -> Result<(), KeptError> {
        if self.poisoned {
            let path = self.path.clone();
            return Err(KeptError::Poisoned { path });
        }
        let note = format!("{}\n", signed.note);
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(note.as_bytes()))
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.poisoned = true;
            let path = self.path.clone();
            return Err(KeptError::Io { path, source });
        }
        let place = NotePlace {
            size: signed.checkpoint.size,
            offset: self.end,
            length: note.len(),
        };
        add(&mut self.places, place);
        self.end += note.len() as u64;
        Ok(())
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
        let mut file = &self.file;
        let mut bytes = vec![0; place.length];
        file.seek(SeekFrom::Start(place.offset)).map_err(io)?;
        file.read_exact(&mut bytes).map_err(io)?;
        match next_note(&bytes) {
            Ok(Some((signed, _))) => Ok(signed),
            Ok(None) | Err(()) => Err(KeptError::Damaged {
                path: self.path.clone(),
                offset: place.offset,
            }),
        }
    }
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
    let signed = SignedCheckpoint::parse(note).map_err(drop)?;
    Ok(Some((signed, end)))
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Checkpoint, Signer};
    use super::*;
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
}
