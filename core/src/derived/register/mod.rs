//! The register: what every document has to be, and where every stream ends.
//!
//! sled may be wrong without saying so. After a power cut, a cut file or a failed read it can come
//! up with an older state, or with a mixture of states. So nothing that sled says is trusted. The
//! register knows a fingerprint of every document, and a document is used only if it has that
//! fingerprint. A document that is missing, older, newer or changed is found before it is used
//! (P1-P3). The register itself is a file that cannot be rolled back unnoticed: each record is
//! authenticated under a key that follows from the master key, is chained to the record before it,
//! and names the place in the journal that it leads to.
//!
//! Snapshots have no fingerprint. Each names an event of the journal and is compared with that
//! event.

mod batch;
mod ends;
mod file;
mod key;
mod print;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock, RwLockUpgradableReadGuard};

use self::batch::Batch;
pub use self::ends::Break;
pub(crate) use self::ends::{End, Unsound};
use self::ends::{Ends, Settled};
pub(super) use self::file::Closed;
use self::file::RegisterFile;
pub(super) use self::file::sync_folder;
pub(crate) use self::file::{RegisterError, StoredRegister};
pub(crate) use self::key::RegisterKey;
use self::print::ByHash;
pub(super) use self::print::Print;
use super::cursor::Cursor;
use super::telling::Telling;
use crate::disk::Disk;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{LedgerId, Position, StreamId};
use crate::journal::NewEntry;
use crate::seal::KeyStore;

const SHARDS: usize = 64;

/// What every document has to be, in memory and in the register's file.
pub(crate) struct Register {
    key: RegisterKey,
    prints: Vec<RwLock<ByHash<u64>>>,
    ends: RwLock<Ends>,
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

    /// The register as it was when derived state had come to `cursor`; a `cursor` of `None` means
    /// before the first event. The answer is `None` if derived state never was at that place, or
    /// the register no longer knows it.
    ///
    /// # Errors
    /// When the register's file cannot be written.
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
            ends.restore(&batch.ends, &batch.breaks, batch.keys.slots);
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
            ends: RwLock::new(ends),
            key,
            prints: shards.into_iter().map(RwLock::new).collect(),
            file: Mutex::new(file),
        }
    }

    /// In which way the last use of this derived state ended.
    pub(super) fn was_closed(&self) -> Closed {
        self.file.lock().was_closed()
    }

    /// The name and fingerprint of a document, from its key and value in sled. `telling` has the
    /// parts of the value that tell it from every other value that was ever written under the key.
    pub(super) fn print(&self, key: &[u8], telling: Option<Telling<'_>>) -> Print {
        let name = self.name(key);
        Print {
            name,
            value: telling.map(|telling| self.value(name, telling)),
        }
    }

    /// The name under which the register knows a document, from its key in sled.
    pub(super) fn name(&self, key: &[u8]) -> u64 {
        self.key.hash(&[key])
    }

    /// A document's fingerprint.
    pub(super) fn value(&self, name: u64, telling: Telling<'_>) -> u64 {
        let (first, last) = telling.parts();
        // Zero stands for a document that is not there.
        self.key.hash(&[&name.to_be_bytes(), first, last]).max(1)
    }

    /// The fingerprint of what was last written under a name; `None` if there is no such document.
    pub(super) fn expected(&self, name: u64) -> Option<u64> {
        let shard = self.prints.get(shard_of(name))?;
        shard.read().get(&name).copied()
    }

    /// Whether a document is the one that was written last.
    pub(super) fn vouches_for(&self, print: Print) -> bool {
        self.expected(print.name) == print.value
    }

    /// How many documents there have to be.
    pub(super) fn len(&self) -> usize {
        self.prints.iter().map(|shard| shard.read().len()).sum()
    }

    /// Where a stream ends, as the journal's entries say; zeros if the stream does not exist.
    pub(crate) fn end_of(&self, stream: StreamId) -> End {
        self.ends.read().of(stream)
    }

    /// The breaks of streams, in order of position.
    pub(crate) fn breaks(&self) -> Arc<BTreeMap<Position, Break>> {
        self.ends.read().breaks()
    }

    /// Takes in an entry of the journal, whether it continues its stream or not.
    ///
    /// # Errors
    /// [`Break`] if it does not continue its stream.
    pub(crate) fn take(
        &self,
        position: Position,
        back: Position,
        entry: &Entry,
        link: &Hash32,
        keys: &KeyStore,
    ) -> Result<(), Break> {
        let mut ends = self.ends.write();
        ends.take(position, back, entry, link, keys)
    }

    /// Checks that each of the entries that are about to be appended continues its stream, and
    /// takes them in if all do. Otherwise nothing is changed.
    ///
    /// # Errors
    /// [`Unsound`] at the first entry that does not continue its stream.
    pub(crate) fn extend<'a>(
        &self,
        first: Position,
        entries: impl Iterator<Item = &'a NewEntry>,
        keys: &KeyStore,
    ) -> Result<(), Unsound> {
        // Others may ask where streams end during the check.
        let ends = self.ends.upgradable_read();
        let following = ends.follow(first, entries, keys)?;
        RwLockUpgradableReadGuard::upgrade(ends).put_all(following);
        Ok(())
    }

    /// Notes what is about to be written to sled before it is written. After a crash the register
    /// then knows every state that sled may have.
    ///
    /// # Errors
    /// When the register's file cannot be written.
    pub(super) fn announce(
        &self,
        prints: Vec<Print>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> io::Result<Announced> {
        let settled = self.ends.write().settle(cursor.position);
        let batch = batch(prints, settled, cursor, keys);
        self.file.lock().append(&batch)?;
        Ok(Announced(batch.prints))
    }

    /// Notes that the announced documents are in sled now.
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

    /// Whether so much of the file has been replaced that it should be rewritten.
    pub(super) fn is_worth_compacting(&self) -> bool {
        self.file.lock().is_worth_compacting()
    }

    /// Delays rewriting the file.
    pub(super) fn put_off_compacting(&self) {
        self.file.lock().put_off_compacting();
    }

    /// Rewrites the file as of `cursor`. sled must have stored everything up to there.
    ///
    /// # Errors
    /// When the file cannot be written. The old file is still there then.
    pub(super) fn compact(&self, cursor: &Cursor, keys: &KeyStore) -> io::Result<()> {
        let mut prints = Vec::with_capacity(self.len());
        for shard in &self.prints {
            prints.extend(shard.read().iter().map(|(name, value)| Print {
                name: *name,
                value: Some(*value),
            }));
        }
        let settled = self.ends.read().settled();
        let batch = batch(prints, settled, cursor, keys);
        self.file.lock().replace(&batch)
    }

    /// Notes on disk that this derived state must not be used again.
    pub(super) fn distrust(&self) -> io::Result<()> {
        self.file.lock().distrust()
    }

    /// Notes on disk that everything is stored and that nothing more is written.
    pub(super) fn close(&self) -> io::Result<()> {
        self.file.lock().close()
    }
}

/// What the register notes of documents and ends of streams that belong together.
fn batch(prints: Vec<Print>, settled: Settled, cursor: &Cursor, keys: &KeyStore) -> Batch {
    Batch {
        cursor: cursor.clone(),
        keys: keys.first(settled.keys),
        prints,
        ends: settled.ends,
        breaks: settled.breaks,
    }
}

/// Documents that are on their way to sled.
#[must_use]
pub(super) struct Announced(Vec<Print>);

fn shard_of(name: u64) -> usize {
    // The low bits choose the place within a shard.
    (name >> 56) as usize % SHARDS
}
