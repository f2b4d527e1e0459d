//! Documents as readers and the writer see them: those not yet in sled, then a bounded cache,
//! then sled.
//!
//! The first document that is found wrong puts derived state in *doubt*, for good: it is noted on
//! disk, whoever has to make it again is told, and nothing more is written. Documents that are found
//! right can still be read meanwhile.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::cursor::Cursor;
use super::doc::{Doc, DocKey, Head, StreamDoc};
use super::error::StoreError;
use super::store::Store;
use crate::ids::{Position, StreamId};
use crate::overview::{Cell, CellKey, Day};
use crate::seal::KeyStore;

/// Bytes of documents waiting for sled before the writer has to wait. Bounds memory: as much may
/// be on its way to sled, and as much again in the form in which it is written.
pub(crate) const MOST_DIRTY: u64 = 16 << 20;
/// Bytes of documents waiting for sled before it gets them.
const FLUSH_AT: u64 = MOST_DIRTY / 2;
/// How long fewer wait, so that a plan that is worked on is sealed and written once and not for
/// each of its events. Bounds what a start after a crash has to catch up with.
const LINGER: Duration = Duration::from_millis(500);
pub(crate) const CACHE_BYTES: u64 = 64 << 20;
const SHARDS: usize = 1_024;

#[derive(Clone)]
struct ByWeight;

impl Weighter<DocKey, Doc> for ByWeight {
    fn weight(&self, _: &DocKey, doc: &Doc) -> u64 {
        doc.weight()
    }
}

/// Every document, wherever it is.
pub struct Docs {
    store: Store,
    keys: Arc<KeyStore>,
    cache: Cache<DocKey, Doc, ByWeight>,
    dirty: Mutex<Dirty>,
    changed: Condvar,
    /// Counts publications by key, so that a reader that loaded an old document while a new one
    /// was published does not put the old one into the cache.
    published: Vec<AtomicU64>,
    hasher: RandomState,
    /// Counts beginnings and ends of writing to sled: odd while it is written to.
    flushes: AtomicU64,
    /// What was found wrong first.
    doubt: OnceLock<String>,
    /// Told once, when that happens. Must not block.
    alarm: Box<dyn Fn() + Send + Sync>,
}

struct Dirty {
    waiting: HashMap<DocKey, Doc>,
    /// What those that wait weigh together.
    weight: u64,
    flushing: Arc<HashMap<DocKey, Doc>>,
    cursor: Cursor,
    flushed: Cursor,
    /// Somebody waits for everything published so far.
    hurried: bool,
    stopping: bool,
    failed: bool,
}

impl Dirty {
    /// Lets a document wait in place of what waited under its key.
    fn put(&mut self, key: DocKey, doc: Doc) {
        self.weight += doc.weight();
        if let Some(before) = self.waiting.insert(key, doc) {
            self.weight -= before.weight();
        }
    }

    fn take(&mut self) -> HashMap<DocKey, Doc> {
        self.weight = 0;
        std::mem::take(&mut self.waiting)
    }
}

impl Docs {
    /// Over a store that has come as far as `cursor`. `alarm` is called once if it turns out that
    /// the store cannot be used; it must not block.
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
            dirty: Mutex::new(Dirty {
                waiting: HashMap::new(),
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
            hasher: RandomState::new(),
            flushes: AtomicU64::new(0),
            doubt: OnceLock::new(),
            alarm: Box::new(alarm),
        }
    }

    /// What was found wrong with the store, if anything was. It is not written to any more then.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.get().map(String::as_str)
    }

    /// Notes that the store cannot be used.
    pub(crate) fn put_in_doubt(&self, reason: &str) {
        if self.doubt.set(reason.to_owned()).is_ok() {
            tracing::error!(
                reason,
                "derived state cannot be used; it is made again from the journal"
            );
            self.store.abandon();
            // Whoever waits for the store to be written to need not wait any more.
            self.dirty.lock().failed = true;
            self.changed.notify_all();
            (self.alarm)();
        }
    }

    fn doubted(&self, error: StoreError) -> StoreError {
        self.put_in_doubt(&error.to_string());
        error
    }

    /// Reads from the store what may just be written to: what does not fit together then does when
    /// it is read again.
    fn steadily<T>(&self, read: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        loop {
            let before = self.flushes.load(Ordering::Acquire);
            match read() {
                Ok(found) => return Ok(found),
                Err(error) => {
                    let mut dirty = self.dirty.lock();
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

    /// See [`Store::snapshots_around`].
    ///
    /// # Errors
    /// When the store does not read.
    pub(crate) fn snapshots_around(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<(Option<Arc<StreamDoc>>, Option<Head>), StoreError> {
        self.steadily(|| self.store.snapshots_around(stream, position, &self.keys))
    }

    /// What a cell of the overview was at the end of a day; `None` if there was nothing yet.
    ///
    /// # Errors
    /// When the store does not read.
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
            // What sled does not have yet is the newest; there is little of it.
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

    /// The store underneath.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A document as it was last published.
    ///
    /// # Errors
    /// When the store does not read.
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
            let dirty = self.dirty.lock();
            let same = self.publications(key).load(Ordering::Acquire) == before;
            match read {
                Ok(doc) => {
                    // Commands are read once, in long runs, and would only push other documents
                    // out.
                    if same && !matches!(key, DocKey::Commands(_)) {
                        self.cache.insert(*key, doc.clone());
                    }
                    return Ok(doc);
                }
                Err(error) => {
                    drop(dirty);
                    if same {
                        return Err(self.doubted(error));
                    }
                    // It was written meanwhile, so what was read may have been half of two.
                }
            }
        }
    }

    /// A document that sled may not have yet.
    pub(crate) fn unwritten(&self, key: &DocKey) -> Option<Doc> {
        let dirty = self.dirty.lock();
        dirty
            .waiting
            .get(key)
            .or_else(|| dirty.flushing.get(key))
            .cloned()
    }

    /// Publishes documents that are now durable in the journal, with the cursor they lead to.
    /// Waits while too many are waiting for sled.
    pub fn publish(&self, docs: Vec<(DocKey, Doc)>, cursor: Cursor) {
        let mut dirty = self.dirty.lock();
        while dirty.weight >= MOST_DIRTY && !dirty.stopping && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
        for (key, doc) in docs {
            self.publications(&key).fetch_add(1, Ordering::AcqRel);
            // Snapshots and old commands are read from the store; they need no room here.
            if matches!(
                key,
                DocKey::Stream(_) | DocKey::Postings(_) | DocKey::Standing(_) | DocKey::Cell(_)
            ) {
                self.cache.insert(key, doc.clone());
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

    /// How far publishing has come.
    pub fn cursor(&self) -> Cursor {
        self.dirty.lock().cursor.clone()
    }

    /// How far sled has come.
    pub fn flushed(&self) -> Cursor {
        self.dirty.lock().flushed.clone()
    }

    /// Writes what is waiting, or waits until something is. Returns false when it is time to stop
    /// and nothing is left. Called in a loop by one thread.
    ///
    /// # Errors
    /// When the store does not write, which puts it in doubt. What was not written stays readable.
    pub fn flush_next(&self) -> Result<bool, StoreError> {
        let mut dirty = self.dirty.lock();
        let idle = |dirty: &Dirty| dirty.waiting.is_empty() && dirty.cursor == dirty.flushed;
        while idle(&dirty) && !dirty.stopping && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
        if idle(&dirty) || dirty.failed {
            return Ok(false);
        }
        let until = Instant::now() + LINGER;
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
        let mut dirty = self.dirty.lock();
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

    /// Waits until sled has all that was published before this call.
    pub fn wait_flushed(&self) {
        let mut dirty = self.dirty.lock();
        let target = dirty.cursor.commit;
        dirty.hurried = true;
        self.changed.notify_all();
        while dirty.flushed.commit < target && !dirty.failed {
            self.changed.wait(&mut dirty);
        }
    }

    /// Stores everything for good, after [`Docs::flush_next`] has ended.
    ///
    /// # Errors
    /// When it cannot be stored; the next start finds out what is there.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        match self.doubt() {
            None => self.store.close(),
            // It was noted that it is not to be used again.
            Some(_) => Ok(()),
        }
    }

    /// Lets [`Docs::flush_next`] end once everything is written.
    pub fn stop(&self) {
        self.dirty.lock().stopping = true;
        self.changed.notify_all();
    }
}
