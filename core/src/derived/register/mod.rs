//! The register: where every document lies and what it has to be, and where every stream ends.
//!
//! sled may be wrong without saying so, and so may the files of documents. After a power cut, a cut
//! file or a failed read sled can come up with an older state, or with a mixture of states. So nothing
//! that they say is trusted. The register knows a fingerprint of every document, and a document is used only if it has that
//! fingerprint. A document that is missing, older, newer or changed is found before it is used
//! (P1-P3). The register itself is a file that cannot be rolled back unnoticed: each record is
//! authenticated under a key that follows from the master key, is chained to the record before it,
//! and names the place in the journal that it leads to.

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
pub(super) use self::print::{Known, Print};
use super::cursor::Cursor;
use super::telling::Telling;
use super::values::Usage;
use crate::disk::Disk;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{LedgerId, Position, StreamId};
use crate::journal::NewEntry;
use crate::seal::KeyStore;

const SHARDS: usize = 64;

/// Where every document lies and what it has to be, in memory and in the register's file.
pub(crate) struct Register {
    key: RegisterKey,
    documents: Vec<RwLock<ByHash<Known>>>,
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
        Ok(Self::with(key, file, ends))
    }

    /// The register as it was when derived state had come to `cursor`; a `cursor` of `None` means
    /// before the first event. The answer is `None` if derived state never was at that place, or
    /// the register no longer knows it. Also gives how much of each file of documents is in use.
    ///
    /// # Errors
    /// When the register's file cannot be written.
    pub(super) fn at(
        stored: StoredRegister,
        cursor: Option<&Cursor>,
    ) -> io::Result<Option<(Self, Files)>> {
        let key = stored.key().clone();
        let Some((file, batches)) = stored.resume(cursor)? else {
            return Ok(None);
        };
        let mut files = Files::new();
        let mut register = Self::with(key.clone(), file, Ends::new(key));
        let ends = register.ends.get_mut();
        for batch in batches {
            for print in &batch.prints {
                let Some(shard) = register.documents.get_mut(shard_of(print.name)) else {
                    continue;
                };
                match print.known {
                    Some(known) => drop(shard.get_mut().insert(print.name, known)),
                    None => drop(shard.get_mut().remove(&print.name)),
                }
            }
            for (number, usage) in batch.files {
                match usage.is_gone() {
                    true => drop(files.remove(&number)),
                    false => drop(files.insert(number, usage)),
                }
            }
            ends.restore(&batch.ends, &batch.breaks, batch.keys.slots);
        }
        Ok(Some((register, files)))
    }

    /// A register that knows no documents yet.
    fn with(key: RegisterKey, file: RegisterFile, ends: Ends) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default());
        Self {
            ends: RwLock::new(ends),
            key,
            documents: shards.collect(),
            file: Mutex::new(file),
        }
    }

    /// In which way the last use of this derived state ended.
    pub(super) fn was_closed(&self) -> Closed {
        self.file.lock().was_closed()
    }

    /// The name under which the register knows a document, from its key.
    pub(super) fn name(&self, key: &[u8]) -> u64 {
        self.key.hash(&[key])
    }

    /// A document's fingerprint. `telling` has the parts of it that tell it from every other that was
    /// ever written under the name.
    pub(super) fn fingerprint(&self, name: u64, telling: Telling<'_>) -> u64 {
        let (first, last) = telling.parts();
        // Zero stands for a document that is not there.
        self.key.hash(&[&name.to_be_bytes(), first, last]).max(1)
    }

    /// What was last written under a name; `None` if there is no such document.
    pub(super) fn known(&self, name: u64) -> Option<Known> {
        let shard = self.documents.get(shard_of(name))?;
        shard.read().get(&name).copied()
    }

    /// How many documents there have to be.
    pub(super) fn len(&self) -> usize {
        let shards = self.documents.iter();
        shards.map(|shard| shard.read().len()).sum()
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

    /// Notes where documents lie, and how much of which files is in use, before sled hears how far
    /// derived state has come. After a crash the register then knows every place that sled may name.
    ///
    /// # Errors
    /// When the register's file cannot be written.
    pub(super) fn announce(
        &self,
        prints: Vec<Print>,
        files: Vec<(u32, Usage)>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> io::Result<Announced> {
        let settled = self.ends.write().settle(cursor.position);
        let batch = batch(prints, files, settled, cursor, keys);
        self.file.lock().append(&batch)?;
        Ok(Announced(batch.prints))
    }

    /// Gives the announced documents to readers.
    pub(super) fn written(&self, announced: Announced) {
        for print in announced.0 {
            let Some(shard) = self.documents.get(shard_of(print.name)) else {
                continue;
            };
            match print.known {
                Some(known) => drop(shard.write().insert(print.name, known)),
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

    /// Rewrites the file as of `cursor`, with how much of each file of documents is in use. sled must
    /// have stored everything up to there.
    ///
    /// # Errors
    /// When the file cannot be written. The old file is still there then.
    pub(super) fn compact(
        &self,
        files: &Files,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> io::Result<()> {
        let shards = self.documents.iter().map(|shard| {
            let shard = shard.read();
            let known = shard.iter().map(|(name, known)| Print {
                name: *name,
                known: Some(*known),
            });
            let prints = known.collect();
            batch(prints, Vec::new(), Settled::default(), cursor, keys)
        });
        // The newest batch tells which keys are needed, so the ends come last.
        let files = files.iter().map(|(number, usage)| (*number, *usage));
        let settled = self.ends.read().settled();
        let last = batch(Vec::new(), files.collect(), settled, cursor, keys);
        self.file.lock().replace(shards.chain([last]))
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
fn batch(
    prints: Vec<Print>,
    files: Vec<(u32, Usage)>,
    settled: Settled,
    cursor: &Cursor,
    keys: &KeyStore,
) -> Batch {
    Batch {
        cursor: cursor.clone(),
        keys: keys.first(settled.keys),
        prints,
        files,
        ends: settled.ends,
        breaks: settled.breaks,
    }
}

/// How much of each file of documents is in use, by its number.
pub(super) type Files = BTreeMap<u32, Usage>;

/// Documents that lie where the register's file says, and that readers do not know of yet.
#[must_use]
pub(super) struct Announced(Vec<Print>);

fn shard_of(name: u64) -> usize {
    // The low bits choose the place within a shard.
    (name >> 56) as usize % SHARDS
}
