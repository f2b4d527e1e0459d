//! Destroys a key, so that what is sealed under it is never read again (P6).
//!
//! A crash may come while the slot is overwritten, and half a slot would look like damage. So what is
//! to stand there is noted in a file of its own first, and whoever opens the key store finishes it.

use std::io;

use super::error::io_error;
use super::file::{FILE, NAME, TORN};
use super::slot::{SLOT, checked, encode_destroyed, id_of};
use super::{KeyStore, KeyStoreError, WriterState};
use crate::disk::{Disk, DiskFile, SmallFile, read_full, write_full};
use crate::fields::{FieldWriter, Fields};
use crate::hash::Context;
use crate::ids::KeyId;
use crate::seal::scope::KeyScope;

const NOTE: SmallFile<'_> = SmallFile {
    name: "destroying",
    temporary: "destroying.tmp",
};
const MAGIC: &[u8; 8] = b"PLDESv1\n";
const CHECKED: usize = 8 + 8 + SLOT;
const LEN: usize = CHECKED + 32;

static NOTED: Context = Context::new("planledger v1 2026-11-29 key destruction note");

/// A slot that is on its way to being destroyed.
pub(super) struct Note {
    /// Where it is in the file.
    at: u64,
    /// What is to stand there: a slot whose key is destroyed.
    slot: [u8; SLOT],
}

impl Note {
    /// Reads the note that a crash left; `None` if there is none, or it is about another key than the
    /// file of these bytes has there, because another copy of the file was put back.
    pub(super) fn left(
        disk: &dyn Disk,
        names: &[String],
        bytes: &[u8],
    ) -> Result<Option<Self>, KeyStoreError> {
        if !names.iter().any(|name| name == NOTE.name) {
            return Ok(None);
        }
        let read = || {
            let mut note = [0; LEN];
            let count = read_full(disk.open(NOTE.name)?.as_ref(), &mut note, 0)?;
            let note = (count == LEN).then(|| Self::decode(&note)).flatten();
            note.ok_or_else(|| io::ErrorKind::InvalidData.into())
        };
        let note = read().map_err(io_error("finishing the destruction of a key"))?;
        Ok(note.fits(bytes).then_some(note))
    }

    /// Whether the slot that the note is about stands where it says, whole or in part.
    fn fits(&self, bytes: &[u8]) -> bool {
        let (slots, _) = bytes.as_chunks::<SLOT>();
        let number = usize::try_from(self.at / SLOT as u64).ok();
        let there = number.and_then(|number| slots.get(number));
        match (there.map(checked), checked(&self.slot)) {
            (Some(Some(there)), Some(noted)) => id_of(there) == id_of(noted),
            (Some(None), Some(_)) => true,
            (None, _) | (_, None) => false,
        }
    }

    /// Puts the slot into what was read of the file.
    pub(super) fn apply(&self, bytes: &mut [u8]) {
        let (slots, _) = bytes.as_chunks_mut::<SLOT>();
        let number = usize::try_from(self.at / SLOT as u64).ok();
        if let Some(slot) = number.and_then(|number| slots.get_mut(number)) {
            *slot = self.slot;
        }
    }

    /// Overwrites the slot, and waits until that is on stable storage.
    pub(super) fn write(&self, file: &dyn DiskFile) -> io::Result<()> {
        write_full(file, &self.slot, self.at)?;
        file.sync_data()
    }

    fn encode(&self) -> [u8; LEN] {
        let mut bytes = FieldWriter::<LEN>::new();
        bytes.put(MAGIC);
        bytes.put(&self.at.to_be_bytes());
        bytes.put(&self.slot);
        let hash = NOTED.hash(bytes.written());
        bytes.put(&hash);
        bytes.finish()
    }

    fn decode(bytes: &[u8; LEN]) -> Option<Self> {
        let (noted, hash) = bytes.split_first_chunk::<CHECKED>()?;
        let mut fields = Fields(noted);
        let sound = fields.take() == *MAGIC && NOTED.hash(noted) == *hash;
        sound.then(|| Self {
            at: fields.u64(),
            slot: fields.take(),
        })
    }
}

/// Removes the note, and what crashes left that may hold the key too: a torn end, and a file that was
/// being written anew.
pub(super) fn remove_leftovers(disk: &dyn Disk) -> io::Result<()> {
    for name in [TORN, FILE.temporary, NOTE.name] {
        match disk.remove(name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    disk.sync_dir()
}

impl KeyStore {
    /// Destroys the key of a scope. Returns its id; `None` if the scope never had a key. What is left
    /// of a key that was destroyed before is overwritten once more.
    ///
    /// The slot is overwritten in place, and synced: no copy of the wrapped key is left in the
    /// file, neither for the master key nor for the rescue key. What an earlier crash had torn off, or
    /// had left of a file that was written anew, may hold the key too, and is removed.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`], after which the store is poisoned. Opening it again finishes what was
    /// begun.
    pub fn destroy(&self, scope: KeyScope) -> Result<Option<KeyId>, KeyStoreError> {
        // A key that is not stored yet could come back with the next write.
        self.sync()?;
        let Some(id) = self.id_of(scope) else {
            return Ok(None);
        };
        let Some(disk) = self.disk.as_deref() else {
            return Err(KeyStoreError::ReadOnly);
        };
        let mut writer = self.writer.lock();
        let file = writer.file()?;
        let at = self.slot_of(id) * SLOT as u64;
        let mut slot = [0; SLOT];
        let count = read_full(file, &mut slot, at).map_err(io_error("reading a key"))?;
        let damaged = || KeyStoreError::Damaged {
            slot: at / SLOT as u64,
        };
        let emptied = (count == SLOT).then(|| encode_destroyed(&slot)).flatten();
        let note = Note {
            at,
            slot: emptied.ok_or_else(damaged)?,
        };
        let written = NOTE.replace(disk, &note.encode()).map_err(io::Error::from);
        let written = written.and_then(|_| note.write(file));
        let written = written.and_then(|()| remove_leftovers(disk));
        if let Err(source) = written {
            // Nobody knows what is on the disk.
            writer.state = WriterState::Poisoned;
            return Err(io_error("destroying a key")(source));
        }
        self.keys.write().forget(id);
        Ok(Some(id))
    }
}

/// Finishes what a crash interrupted: what is left of the slot goes, and so does the note.
pub(super) fn finish(disk: &dyn Disk, note: &Note) -> Result<(), KeyStoreError> {
    tracing::warn!("the destruction of a key that was interrupted is finished");
    let finish = || {
        note.write(disk.open(NAME)?.as_ref())?;
        remove_leftovers(disk)
    };
    finish().map_err(io_error("finishing the destruction of a key"))
}
