//! The register: what every document has to be, and where every stream ends.
//!
//! sled may lie: after a power cut, a cut file or a failed read it can come up with an older state,
//! or with a mixture of states, and say nothing. So nothing that it says is believed. For every
//! document the register knows a fingerprint, and a document is used only if it has that one; one that
//! is missing, older, newer or changed is found out before it is used (P1-P3). The register itself
//! is a file that cannot roll back unnoticed: each record is authenticated under a key that follows from
//! the master key, chained to the one before, and names the place in the journal that it leads to.
//!
//! Snapshots have no fingerprint: each names an event of the journal, and is compared with that.

mod batch;
mod ends;
mod file;
mod key;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use self::batch::Batch;
pub use self::ends::Break;
pub(crate) use self::ends::{Ends, Unsound};
use self::file::RegisterFile;
pub(super) use self::file::sync_folder;
pub(crate) use self::file::{RegisterError, StoredRegister};
pub(crate) use self::key::RegisterKey;
use super::doc::Cursor;
use crate::entry::TAG_LEN;
use crate::ids::LedgerId;
use crate::journal::Disk;
use crate::seal::KeyStore;

const SHARDS: usize = 64;

/// Maps from hashes: nothing is gained by hashing them again.
pub(super) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// A hasher for numbers that are hashes already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Under which name a document stands in the register, and what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    name: u64,
    /// Its fingerprint; `None` for a document that is not there.
    value: Option<u64>,
}

/// The parts of a value that tell it from every other.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a>(&'a [u8], &'a [u8]);

impl<'a> Telling<'a> {
    /// All of it.
    pub(super) fn whole(value: &'a [u8]) -> Self {
        Self(value, &[])
    }

    /// Of a sealed value what stands before the ciphertext, and the tag: the nonce follows from the
    /// text, and the tag does not fit any other ciphertext, which opening it finds out.
    pub(super) fn sealed(value: &'a [u8], before: usize) -> Self {
        let (first, rest) = value.split_at(before.min(value.len()));
        Self(
            first,
            rest.get(rest.len().saturating_sub(TAG_LEN)..)
                .unwrap_or_default(),
        )
    }
}

/// What every document has to be, in memory and in its file.
pub(crate) struct Register {
    key: RegisterKey,
    prints: Vec<RwLock<ByHash<u64>>>,
    ends: Mutex<Ends>,
    file: Mutex<RegisterFile>,
}

impl Register {
    /// Begins a register in an empty folder.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        key: RegisterKey,
        ledger: LedgerId,
    ) -> io::Result<Self> {
        let file = RegisterFile::create(disk, key.clone(), ledger)?;
        let ends = Ends::new(key.clone());
        Ok(Self::with(key, file, ByHash::default(), ends))
    }

    /// The register as it was when derived state had come to `cursor`, `None` for before
    /// everything; `None` if it was never there, or is no longer known.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub(super) fn at(stored: StoredRegister, cursor: Option<&Cursor>) -> io::Result<Option<Self>> {
        let key = stored.key().clone();
        let Some((file, batches)) = stored.resume(cursor)? else {
            return Ok(None);
        };
        let mut prints = ByHash::default();
        let mut ends = Ends::new(key.clone());
        for batch in batches {
            for print in &batch.prints {
                match print.value {
                    Some(value) => drop(prints.insert(print.name, value)),
                    None => drop(prints.remove(&print.name)),
                }
            }
            ends.restore(&batch);
        }
        Ok(Some(Self::with(key, file, prints, ends)))
    }

    fn with(key: RegisterKey, file: RegisterFile, prints: ByHash<u64>, ends: Ends) -> Self {
        let mut shards: Vec<ByHash<u64>> = (0..SHARDS).map(|_| ByHash::default()).collect();
        for (name, value) in prints {
            if let Some(shard) = shards.get_mut(shard_of(name)) {
                shard.insert(name, value);
            }
        }
        Self {
            ends: Mutex::new(ends),
            key,
            prints: shards.into_iter().map(RwLock::new).collect(),
            file: Mutex::new(file),
        }
    }

    /// Whether whoever wrote it last stopped it as one should.
    pub(super) fn was_closed(&self) -> Closed {
        self.file.lock().was_closed()
    }

    /// What a document is, from its name and value as they stand in sled. `telling` is what tells it
    /// from every other value that was ever written under the name.
    pub(super) fn print(&self, name: &[u8], telling: Option<Telling<'_>>) -> Print {
        Print {
            name: self.key.hash(&[name]),
            // Zero is kept for what is not there.
            value: telling.map(|Telling(first, last)| self.key.hash(&[name, first, last]).max(1)),
        }
    }

    /// Whether a document is what was written last.
    pub(super) fn vouches_for(&self, print: Print) -> bool {
        let shard = self.prints.get(shard_of(print.name));
        shard.is_some_and(|shard| shard.read().get(&print.name).copied() == print.value)
    }

    /// How many documents there have to be.
    pub(super) fn len(&self) -> usize {
        self.prints.iter().map(|shard| shard.read().len()).sum()
    }

    /// Where streams end, in the journal's own terms.
    pub(crate) fn ends(&self) -> parking_lot::MutexGuard<'_, Ends> {
        self.ends.lock()
    }

    /// Notes what is about to be written to sled, before it is: whatever part of it sled comes up
    /// with after a crash is then known.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn announce(
        &self,
        prints: Vec<Print>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> io::Result<Announced> {
        let (ends, breaks, slots) = {
            let mut all = self.ends.lock();
            let (ends, breaks) = all.settle(cursor.position);
            (ends, breaks, all.keys())
        };
        let batch = Batch {
            cursor: cursor.clone(),
            keys: keys.first(slots),
            prints,
            ends,
            breaks,
        };
        self.file.lock().append(&batch)?;
        Ok(Announced(batch.prints))
    }

    /// What was announced is in sled now.
    pub(super) fn written(&self, announced: Announced) {
        for print in announced.0 {
            let Some(shard) = self.prints.get(shard_of(print.name)) else {
                continue;
            };
            match print.value {
                Some(value) => drop(shard.write().insert(print.name, value)),
                None => drop(shard.write().remove(&print.name)),
            }
        }
    }

    /// Whether the file holds so much that has been replaced since that it should be written anew.
    pub(super) fn is_worth_compacting(&self) -> bool {
        self.file.lock().is_worth_compacting()
    }

    /// Leaves writing the file anew for later.
    pub(super) fn put_off_compacting(&self) {
        self.file.lock().put_off_compacting();
    }

    /// Writes the file anew, as of `cursor`. sled has to have stored all up to there.
    ///
    /// # Errors
    /// When it cannot be written; the old file is still there then.
    pub(super) fn compact(&self, cursor: &Cursor, keys: &KeyStore) -> io::Result<()> {
        let mut prints = Vec::with_capacity(self.len());
        for shard in &self.prints {
            prints.extend(shard.read().iter().map(|(name, value)| Print {
                name: *name,
                value: Some(*value),
            }));
        }
        let (ends, breaks, slots) = {
            let all = self.ends.lock();
            let (ends, breaks) = all.settled();
            (ends, breaks, all.keys())
        };
        let batch = Batch {
            cursor: cursor.clone(),
            keys: keys.first(slots),
            prints,
            ends,
            breaks,
        };
        self.file.lock().replace(&batch)
    }

    /// Notes on disk that derived state is not to be used again.
    pub(super) fn distrust(&self) -> io::Result<()> {
        self.file.lock().distrust()
    }

    /// Notes on disk that everything is stored and nothing is written any more.
    pub(super) fn close(&self) -> io::Result<()> {
        self.file.lock().close()
    }
}

/// What is on its way to sled.
#[must_use]
pub(super) struct Announced(Vec<Print>);

/// How derived state was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// Everything had been stored.
    Cleanly,
    /// The process ended, but the machine went on: what was written is there.
    Killed,
    /// The machine stopped, and with it what had not been stored.
    PowerCut,
}

fn shard_of(name: u64) -> usize {
    // The low bits choose the place in a shard.
    (name >> 56) as usize % SHARDS
}
