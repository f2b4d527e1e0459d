//! Documents as readers and the writer see them: those not yet in sled, then a bounded cache,
//! then sled.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::doc::{Cursor, Doc, DocKey};
use super::store::{Store, StoreError};
use crate::seal::KeyStore;

/// Bytes of documents waiting for sled before the writer has to wait. Bounds memory: as much may
/// be on its way to sled, and as much again in the form in which it is written.
const MOST_DIRTY: u64 = 16 << 20;
/// Bytes of documents waiting for sled before it gets them.
const FLUSH_AT: u64 = MOST_DIRTY / 2;
/// How long fewer wait, so that a plan that is worked on is sealed and written once and not for
/// each of its events. Bounds what a start after a crash has to catch up with.
const LINGER: Duration = Duration::from_millis(500);
const CACHE_BYTES: u64 = 64 << 20;
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
    /// Over a store that has come as far as `cursor`.
    pub fn new(store: Store, keys: Arc<KeyStore>, cursor: Cursor) -> Self {
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
        }
    }

    /// The keys that documents are sealed under.
    pub(crate) fn keys(&self) -> &KeyStore {
        &self.keys
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
        if let Some(doc) = self.cache.get(key) {
            return Ok(doc);
        }
        let before = self.publications(key).load(Ordering::Acquire);
        if let Some(doc) = self.unwritten(key) {
            return Ok(doc);
        }
        let doc = self.store.get(key, &self.keys)?;
        let dirty = self.dirty.lock();
        // Commands are read once, in long runs, and would only push other documents out.
        let worth_keeping = !matches!(key, DocKey::Commands(_));
        if worth_keeping && self.publications(key).load(Ordering::Acquire) == before {
            self.cache.insert(*key, doc.clone());
        }
        drop(dirty);
        Ok(doc)
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
    /// When the store does not write. Derived state then stays behind; the journal is whole, and
    /// the next start catches up or rebuilds.
    pub fn flush_next(&self) -> Result<bool, StoreError> {
        let mut dirty = self.dirty.lock();
        while dirty.waiting.is_empty() && dirty.cursor == dirty.flushed && !dirty.stopping {
            self.changed.wait(&mut dirty);
        }
        if dirty.waiting.is_empty() && dirty.cursor == dirty.flushed {
            return Ok(false);
        }
        let until = Instant::now() + LINGER;
        while dirty.weight < FLUSH_AT && !dirty.hurried && !dirty.stopping {
            if self.changed.wait_until(&mut dirty, until).timed_out() {
                break;
            }
        }
        dirty.hurried = false;
        dirty.flushing = Arc::new(dirty.take());
        let (docs, cursor) = (dirty.flushing.clone(), dirty.cursor.clone());
        drop(dirty);
        self.changed.notify_all();
        // Keys in order keep sled's writes close together.
        let mut ordered: Vec<_> = docs.iter().collect();
        ordered.sort_unstable_by_key(|(key, _)| **key);
        let result = self.store.apply(ordered, &cursor, &self.keys);
        let mut dirty = self.dirty.lock();
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
        result.map(|()| true)
    }

    /// Whether sled stopped taking documents.
    pub fn failed(&self) -> bool {
        self.dirty.lock().failed
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

    /// Lets [`Docs::flush_next`] end once everything is written.
    pub fn stop(&self) {
        self.dirty.lock().stopping = true;
        self.changed.notify_all();
    }
}
