//! The documents that readers and the writer see. A document is looked for among those that are not
//! written yet, then in a bounded cache, then where the register says that it lies.
//!
//! The first document that is found wrong puts derived state in *doubt*, for good. The doubt is
//! noted on disk, the writer is told that it must make derived state again, and nothing more is
//! written. Until then, documents that are found right can still be read.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::cursor::Cursor;
use super::doc::{Doc, DocKey, Head, StreamDoc};
use super::earlier::Earlier;
use super::error::StoreError;
use super::store::Store;
use crate::ids::{Position, StreamId};
use crate::overview::{Cell, CellKey, Day};
use crate::seal::KeyStore;
use crate::turns::{self, Condvar};

/// How many bytes of documents may wait for sled before the writer has to wait. This bounds memory:
/// as many bytes may be on their way to sled, and as many again in the form in which they are
/// written.
pub(crate) const MOST_DIRTY: u64 = 20 << 20;
/// How many bytes of documents wait before sled gets them at once.
const FLUSH_AT: u64 = MOST_DIRTY / 2;
/// How long documents wait if there are fewer. A plan on which somebody works is then sealed and
/// written once and not after each event. The time also bounds how much a start after a crash has
/// to fold in again.
const LINGER: Duration = Duration::from_millis(500);
pub(crate) const CACHE_BYTES: u64 = 24 << 20;
const SHARDS: usize = 1_024;

#[derive(Clone)]
struct ByWeight;

impl Weighter<DocKey, Doc> for ByWeight {
    fn weight(&self, _: &DocKey, doc: &Doc) -> u64 {
        doc.weight()
    }
}

/// All documents, wherever they are.
pub struct Docs {
    store: Store,
    keys: Arc<KeyStore>,
    cache: Cache<DocKey, Doc, ByWeight>,
    earlier: Earlier,
    dirty: Mutex<Dirty>,
    changed: Condvar,
    /// Counts publications, by key. A reader may have loaded an old document while a new one was
    /// published; the count keeps it from putting the old one into the cache.
    published: Vec<AtomicU64>,
    hasher: RandomState,
    /// Counts how often a write to sled began or ended. The number is odd while sled is being
    /// written to.
    flushes: AtomicU64,
    /// The first fault that was found.
    doubt: OnceLock<String>,
    /// Called once, when the first fault is found. It must not block.
    alarm: Box<dyn Fn() + Send + Sync>,
}

/// By the key of a document. The seed of the hash is another one in each process.
pub(crate) type ByKey<T> = HashMap<DocKey, T, RandomState>;

struct Dirty {
    waiting: ByKey<Doc>,
    /// How many bytes the waiting documents take together.
    weight: u64,
    flushing: Arc<ByKey<Doc>>,
    cursor: Cursor,
    flushed: Cursor,
    /// Somebody waits until everything published so far is written.
    hurried: bool,
    stopping: bool,
    failed: bool,
}

impl Dirty {
    /// Adds a document to those that wait, in place of an earlier one under the same key.
    fn put(&mut self, key: DocKey, doc: Doc) {
        self.weight += doc.weight();
        if let Some(before) = self.waiting.insert(key, doc) {
            self.weight -= before.weight();
        }
    }

    fn take(&mut self) -> ByKey<Doc> {
        self.weight = 0;
        std::mem::take(&mut self.waiting)
    }
}

impl Docs {
    /// Documents over a store that has come as far as `cursor`. `alarm` is called once if the store
    /// turns out to be unusable; it must not block.
    pub fn new(
        store: Store,
        keys: Arc<KeyStore>,
        cursor: Cursor,
        alarm: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            keys,
            cache: Cache::with_weighter(100_000, CACHE_BYTES, ByWeight),
            earlier: Earlier::default(),
            dirty: Mutex::new(Dirty {
                waiting: ByKey::default(),
                weight: 0,
                flushing: Arc::default(),
                cursor: cursor.clone(),
                flushed: cursor,
                hurried: false,
                stopping: false,
                failed: false,
            }),
            changed: Condvar::new(),
            published: (0..SHARDS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::default(),
            flushes: AtomicU64::new(0),
            doubt: OnceLock::new(),
            alarm: Box::new(alarm),
        }
    }

    /// The first fault that was found in the store, if any. After that the store is no longer
    /// written to.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.get().map(String::as_str)
    }

    /// Notes that the store cannot be used any more.
    pub(crate) fn put_in_doubt(&self, reason: &str) {
        if self.doubt.set(reason.to_owned()).is_ok() {
            tracing::error!(
                reason,
                "derived state cannot be used; it is rebuilt from the journal"
            );
            self.store.abandon();
            // Those who wait for the store to be written to need not wait any more.
            self.dirty.lock().failed = true;
            self.changed.notify_all();
            (self.alarm)();
        }
    }

    fn doubted(&self, error: StoreError) -> StoreError {
        self.put_in_doubt(&error.to_string());
        error
    }

    /// Reads from the store while it may be being written to. If the parts that were read do not
    /// fit together, they are read again after the write.
    fn steadily<T>(&self, read: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        loop {
            let before = self.flushes.load(Ordering::Acquire);
            match read() {
                Ok(found) => return Ok(found),
                Err(error) => {
                    let mut dirty = turns::lock(&self.dirty);
                    while self.flushes.load(Ordering::Acquire) % 2 == 1 {
                        self.changed.wait(&mut dirty);
                    }
                    let now = self.flushes.load(Ordering::Acquire);
                    drop(dirty);
                    if now == before {
                        return Err(self.doubted(error));
                    }
                }
            }
        }
    }

    /// As [`Store::snapshots_around`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn snapshots_around(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<(Option<Arc<StreamDoc>>, Option<Head>), StoreError> {
        self.steadily(|| self.store.snapshots_around(stream, position, &self.keys))
    }

    /// What a cell of the overview was at the end of a day; `None` if the cell did not exist yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn cell_at(&self, key: CellKey, day: Day) -> Result<Option<Arc<Cell>>, StoreError> {
        let cell = |doc| match doc {
            Doc::Cell(cell) => Ok(cell),
            _ => Err(StoreError::Malformed("an overview")),
        };
        let newest = match self.get(&DocKey::Cell(key))? {
            Doc::Absent => return Ok(None),
            doc => cell(doc)?,
        };
        self.steadily(|| {
            let mut newest = newest.clone();
            // States of the cell that sled does not have yet are newer than those in sled. There
            // are few of them.
            while newest.day > day
                && let Some(before) = newest.before
                && let Some(doc) = self.unwritten(&DocKey::PastCell(key, before))
            {
                newest = cell(doc)?;
            }
            match newest.day <= day {
                true => Ok(Some(newest)),
                false => self.store.past_cell(key, day, &newest, &self.keys),
            }
        })
    }

    /// States of the past that were made lately.
    pub(crate) fn earlier(&self) -> &Earlier {
        &self.earlier
    }

    /// The store below these documents.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A document as it was last published.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(&self, key: &DocKey) -> Result<Doc, StoreError> {
        loop {
            if let Some(doc) = self.cache.get(key) {
                return Ok(doc);
            }
            let before = self.publications(key).load(Ordering::Acquire);
            if let Some(doc) = self.unwritten(key) {
                return Ok(doc);
            }
            let read = self.store.get(key, &self.keys);
            let dirty = turns::lock(&self.dirty);
            let same = self.publications(key).load(Ordering::Acquire) == before;
            match read {
                Ok(doc) => {
                    if same && key.is_worth_caching(&doc) {
                        self.cache.insert(*key, doc.clone());
                    }
                    return Ok(doc);
                }
                Err(error) => {
                    drop(dirty);
                    if same {
                        return Err(self.doubted(error));
                    }
                    // The document was written during the read, so the read may have met one half
                    // of each version.
                }
            }
        }
    }

    /// A document as it was last published, if that can be told without sled.
    pub(crate) fn in_memory(&self, key: &DocKey) -> Option<Doc> {
        if let Some(doc) = self.cache.get(key) {
            return Some(doc);
        }
        let before = self.publications(key).load(Ordering::Acquire);
        if let Some(doc) = self.unwritten(key) {
            return Some(doc);
        }
        let is_absent = !self.store.knows(key);
        let same = self.publications(key).load(Ordering::Acquire) == before;
        (is_absent && same).then_some(Doc::Absent)
    }

    /// A document that sled may not have yet; `None` if none is waiting.
    pub(crate) fn unwritten(&self, key: &DocKey) -> Option<Doc> {
        let dirty = turns::lock(&self.dirty);
        dirty
            .waiting
            .get(key)
            .or_else(|| dirty.flushing.get(key))
            .cloned()
    }

    /// Publishes documents whose events are now durable, with the cursor after them. Waits while
    /// too many documents wait for sled.
    pub fn publish(&self, docs: Vec<(DocKey, Doc)>, cursor: Cursor) {
        let mut dirty = turns::lock(&self.dirty);
        while dirty.weight >= MOST_DIRTY && !dirty.stopping && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
        for (key, doc) in docs {
            self.publications(&key).fetch_add(1, Ordering::AcqRel);
            match key.is_kept_at_hand() {
                true => self.cache.insert(key, doc.clone()),
                // An older one in the cache must not stay there.
                false => drop(self.cache.replace(key, doc.clone(), false)),
            }
            dirty.put(key, doc);
        }
        dirty.cursor = cursor;
        drop(dirty);
        self.changed.notify_all();
    }

    fn publications(&self, key: &DocKey) -> &AtomicU64 {
        static NONE: AtomicU64 = AtomicU64::new(0);
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        self.published.get(shard).unwrap_or(&NONE)
    }

    /// The cursor up to which documents have been published.
    pub fn cursor(&self) -> Cursor {
        turns::lock(&self.dirty).cursor.clone()
    }

    /// The cursor up to which documents have been written to sled.
    pub fn flushed(&self) -> Cursor {
        turns::lock(&self.dirty).flushed.clone()
    }

    /// Writes the waiting documents, or waits until there are some. Returns false when it is time
    /// to stop and nothing is left to write. One thread calls this in a loop.
    ///
    /// # Errors
    /// When the store cannot be written, which puts it in doubt. Documents that were not
    /// written can still be read.
    pub fn flush_next(&self) -> Result<bool, StoreError> {
        let mut dirty = turns::lock(&self.dirty);
        let idle = |dirty: &Dirty| dirty.waiting.is_empty() && dirty.cursor == dirty.flushed;
        while idle(&dirty) && !dirty.stopping && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
        if idle(&dirty) || dirty.failed {
            return Ok(false);
        }
        let until = turns::now() + LINGER;
        while dirty.weight < FLUSH_AT && !dirty.hurried && !dirty.stopping && !dirty.failed {
            if self.changed.wait_until(&mut dirty, until).timed_out() {
                break;
            }
        }
        dirty.hurried = false;
        dirty.flushing = Arc::new(dirty.take());
        let (docs, cursor) = (dirty.flushing.clone(), dirty.cursor.clone());
        self.flushes.fetch_add(1, Ordering::AcqRel);
        drop(dirty);
        self.changed.notify_all();
        // Keys in order keep sled's writes close together.
        let mut ordered: Vec<_> = docs.iter().collect();
        ordered.sort_unstable_by_key(|(key, _)| **key);
        let result = self.store.apply(ordered, &cursor, &self.keys);
        let mut dirty = turns::lock(&self.dirty);
        self.flushes.fetch_add(1, Ordering::AcqRel);
        match result {
            Ok(()) => {
                dirty.flushing = Arc::default();
                dirty.flushed = cursor;
            }
            Err(_) => {
                dirty.failed = true;
                let unwritten = std::mem::take(&mut dirty.flushing);
                for (key, doc) in unwritten.iter() {
                    if !dirty.waiting.contains_key(key) {
                        dirty.put(*key, doc.clone());
                    }
                }
            }
        }
        drop(dirty);
        self.changed.notify_all();
        result.map(|()| true).map_err(|error| self.doubted(error))
    }

    /// Waits until sled has everything that was published before this call.
    pub fn wait_flushed(&self) {
        let mut dirty = turns::lock(&self.dirty);
        let target = dirty.cursor.commit;
        dirty.hurried = true;
        self.changed.notify_all();
        while dirty.flushed.commit < target && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
    }

    /// Brings everything to stable storage, after [`Docs::flush_next`] has ended.
    ///
    /// # Errors
    /// When that fails. The next start finds out what is on disk.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        match self.doubt() {
            None => self.store.close(),
            // The note that this store must not be used again is on disk already.
            Some(_) => Ok(()),
        }
    }

    /// Lets [`Docs::flush_next`] end once everything is written.
    pub fn stop(&self) {
        turns::lock(&self.dirty).stopping = true;
        self.changed.notify_all();
    }
}
