//! Documents in sled, of which nothing is believed: each is compared with the register before it is
//! used, and whatever is wrong is an error that makes the ledger set derived state aside and make
//! it again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use parking_lot::Mutex;

use super::codec;
use super::cursor::{Cursor, decode_cursor, encode_cursor};
use super::doc::{Doc, DocKey, Head, StreamDoc};
use super::error::StoreError;
use super::register::{Closed, Print, Register, RegisterKey, StoredRegister, sync_folder};
use crate::guarded::guarded;
use crate::heads::{HeadMap, HeadMapError};
use crate::ids::{LedgerId, Position, Revision, StreamId};
use crate::journal::Disk;
use crate::overview::{Cell, CellKey, Day};
use crate::seal::KeyStore;

const CURSOR_KEY: &[u8] = &[0];
const SNAPSHOT_TAG: u8 = 4;
const PART_TAG: u8 = 5;
/// sled keeps values of 128 KiB and more in files that it never syncs; parts stay well below.
const PART_LEN: usize = 96 * 1024;
const INLINE: u8 = 0;
const PARTS: u8 = 1;
pub(crate) const CACHE_BYTES: u64 = 24 << 20;
/// How long sled may take to hand on what it has. After a failed write it may wait for ever.
const PATIENCE: Duration = Duration::from_secs(8);

/// Documents in sled, and what they have to be.
pub struct Store {
    db: sled::Db,
    dir: PathBuf,
    generation: u64,
    register: Register,
    /// Documents in several parts, with their number: few, so that writing one that shrank
    /// need not read what was there before.
    parts: Mutex<HashMap<Vec<u8>, u32>>,
    /// Dropped after `db`: tells who closes sled that nobody uses it any more.
    unused: Mutex<Option<Sender<()>>>,
}

impl Store {
    /// Makes a store in an empty folder.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be made.
    pub(super) fn create(
        dir: &Path,
        generation: u64,
        disk: Arc<dyn Disk>,
        key: RegisterKey,
        ledger: LedgerId,
    ) -> Result<Self, StoreError> {
        let register = Register::create(disk, key, ledger)?;
        Self::over(dir, generation, sled_in(dir)?, register)
    }

    /// Opens a store, and says how far it has come; `None` when nothing was written yet.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be used.
    pub(super) fn open(
        dir: &Path,
        generation: u64,
        stored: StoredRegister,
    ) -> Result<(Self, Option<Cursor>), StoreError> {
        let db = sled_in(dir)?;
        let cursor = match guarded(|| db.get(CURSOR_KEY))? {
            Some(bytes) => {
                let cursor = decode_cursor(&bytes);
                Some(cursor.ok_or(StoreError::Malformed("the cursor"))?)
            }
            // StreamFold into what is there already, events would count twice; and what was written is
            // gone if nothing is there.
            None if stored.newest().is_some() || !guarded(|| Ok(db.is_empty()))? => {
                return Err(StoreError::Place);
            }
            None => None,
        };
        let register = Register::at(stored, cursor.as_ref())?.ok_or(StoreError::Place)?;
        let store = Self::over(dir, generation, db, register)?;
        match store.register.was_closed() {
            // What is wrong is found out when it is used.
            Closed::Cleanly | Closed::Killed => {}
            // Much may be: better to know now than in the middle of the day.
            Closed::PowerCut => drop(store.check_all()?),
        }
        Ok((store, cursor))
    }

    fn over(
        dir: &Path,
        generation: u64,
        db: sled::Db,
        register: Register,
    ) -> Result<Self, StoreError> {
        let parts = guarded(|| {
            let mut parts = HashMap::new();
            for item in db.scan_prefix([PART_TAG]).keys() {
                let key = item?;
                if let Some((name, part)) = key.get(1..).and_then(|key| key.split_last_chunk::<4>())
                {
                    // Those before it may be gone.
                    let count = parts.entry(name.to_vec()).or_insert(0);
                    *count = u32::from_be_bytes(*part).saturating_add(1).max(*count);
                }
            }
            Ok(parts)
        })?;
        Ok(Self {
            db,
            dir: dir.to_owned(),
            generation,
            register,
            parts: Mutex::new(parts),
            unused: Mutex::default(),
        })
    }

    /// Which it is of all that were ever made of this ledger.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What every document has to be, and where every stream ends.
    pub(crate) fn register(&self) -> &Register {
        &self.register
    }

    /// Compares every document with the register; answers how many there are.
    ///
    /// # Errors
    /// [`StoreError`] at the first that is not right.
    pub(crate) fn check_all(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for item in self.dump() {
            let (name, value) = item?;
            // Snapshots are compared with the journal, and parts as one.
            if let Some(&0 | &SNAPSHOT_TAG | &PART_TAG) = name.first() {
                continue;
            }
            let bytes = self.assembled(&name, &value)?;
            if !self.register.vouches_for(self.print(&name, Some(&bytes))) {
                return Err(StoreError::Changed("a document"));
            }
            count += 1;
        }
        match count == self.register.len() as u64 {
            true => Ok(count),
            false => Err(StoreError::Changed("a document that should be there")),
        }
    }

    /// How far it has come; `None` when it is new.
    ///
    /// # Errors
    /// When it does not read, or the cursor is malformed.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        match guarded(|| self.db.get(CURSOR_KEY))? {
            Some(bytes) => decode_cursor(&bytes)
                .map(Some)
                .ok_or(StoreError::Malformed("the cursor")),
            None => Ok(None),
        }
    }

    fn print(&self, name: &[u8], bytes: Option<&[u8]>) -> Print {
        let telling = bytes.map(|bytes| codec::telling(name, bytes));
        self.register.print(name, telling)
    }

    /// A document, if it is what was written last. Not for snapshots: see [`Store::snapshots_around`].
    ///
    /// # Errors
    /// When it does not read, or is another than the register says.
    pub fn get(&self, key: &DocKey, keys: &KeyStore) -> Result<Doc, StoreError> {
        let in_sled = key.to_bytes();
        let name = self.register.name(&in_sled);
        // What is not there, is not, whatever sled has of it.
        let Some(expected) = self.register.expected(name) else {
            return Ok(Doc::Absent);
        };
        let found = self.bytes(&in_sled)?.filter(|bytes| {
            let telling = codec::telling(&in_sled, bytes);
            self.register.value(name, telling) == expected
        });
        let bytes = found.ok_or(StoreError::Changed(key.what()))?;
        codec::decode(key, &bytes, keys)
    }

    fn bytes(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = guarded(|| self.db.get(name))?;
        value.map(|value| self.assembled(name, &value)).transpose()
    }

    /// A document from its parts, if it is in several.
    fn assembled(&self, name: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let malformed = || StoreError::Malformed("a document");
        match value.split_first().ok_or_else(malformed)? {
            (&INLINE, bytes) => Ok(bytes.to_vec()),
            (&PARTS, count) => {
                let count = u32::from_be_bytes(count.try_into().map_err(|_| malformed())?);
                let mut bytes = Vec::new();
                for part in 0..count {
                    let part = guarded(|| self.db.get(part_key(name, part)))?;
                    bytes.extend_from_slice(&part.ok_or_else(malformed)?);
                }
                Ok(bytes)
            }
            _ => Err(malformed()),
        }
    }

    /// A stream's snapshots on both sides of a position: the newest that is not beyond it, and
    /// where the oldest beyond it ends. Neither is compared with anything: the journal has the events
    /// that they name.
    ///
    /// # Errors
    /// When one does not read or is malformed.
    pub fn snapshots_around(
        &self,
        stream: StreamId,
        position: Position,
        keys: &KeyStore,
    ) -> Result<(Option<Arc<StreamDoc>>, Option<Head>), StoreError> {
        let zero = DocKey::Snapshot(stream, Revision::ZERO).to_bytes();
        let prefix = zero.get(..zero.len() - 8).unwrap_or_default();
        let names = guarded(|| {
            let names = self.db.scan_prefix(prefix).keys().rev();
            names.collect::<Result<Vec<_>, _>>()
        })?;
        let mut beyond = None;
        for name in names {
            let bytes = self
                .bytes(&name)?
                .ok_or(StoreError::Malformed("a snapshot"))?;
            let head = codec::decode_head(&bytes)?;
            if head.position > position {
                beyond = Some(head);
                continue;
            }
            return match codec::decode(&DocKey::Snapshot(stream, head.revision), &bytes, keys)? {
                Doc::Stream(doc) => Ok((Some(doc), beyond)),
                _ => Err(StoreError::Malformed("a snapshot")),
            };
        }
        Ok((None, beyond))
    }

    /// The newest earlier state of a cell that is not of a day after `day`. `later` is a state of the
    /// cell after that day. Every state names the one before it, so none can be missing in between.
    ///
    /// # Errors
    /// When it does not read, is malformed, or is not the one that the next names.
    pub fn past_cell(
        &self,
        cell: CellKey,
        day: Day,
        later: &Cell,
        keys: &KeyStore,
    ) -> Result<Option<Arc<Cell>>, StoreError> {
        let at = |day| DocKey::PastCell(cell, day).to_bytes();
        let last = at(day);
        let first = last.get(..last.len() - 4).unwrap_or_default().to_vec();
        let (found, next) = guarded(|| {
            let found = self.db.range(first..=last.clone()).next_back();
            let beyond = (
                std::ops::Bound::Excluded(last),
                std::ops::Bound::Excluded(at(later.day)),
            );
            let next = match later.day > day {
                true => self.db.range::<Vec<u8>, _>(beyond).next(),
                false => None,
            };
            Ok((found.transpose()?, next.transpose()?))
        })?;
        let read = |name: &[u8]| {
            let number = name.last_chunk().copied();
            let number = number.ok_or(StoreError::Malformed("an overview"))?;
            let day = Day::from_number(u32::from_be_bytes(number));
            match self.get(&DocKey::PastCell(cell, day), keys)? {
                Doc::Cell(cell) => Ok((day, cell)),
                _ => Err(StoreError::Malformed("an overview")),
            }
        };
        let found = found.map(|(name, _)| read(&name)).transpose()?;
        let before = match next {
            Some((name, _)) => read(&name)?.1.before,
            None => later.before,
        };
        match found {
            Some((day, cell)) if before == Some(day) => Ok(Some(cell)),
            None if before.is_none() => Ok(None),
            Some(_) | None => Err(StoreError::Changed("an overview")),
        }
    }

    /// Writes documents and the cursor that they lead to. sled may leave a part of them written if
    /// that fails, or if the process ends meanwhile; the register tells which part.
    ///
    /// # Errors
    /// When a state cannot be sealed, or the register or sled does not write.
    pub fn apply<'a>(
        &self,
        docs: impl IntoIterator<Item = (&'a DocKey, &'a Doc)>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut prints = Vec::new();
        for (key, doc) in docs {
            let name = key.to_bytes();
            let bytes = codec::encode(key, doc, keys)?;
            if !key.is_snapshot() {
                prints.push(self.print(&name, bytes.as_deref()));
            }
            self.put(&mut batch, name, bytes);
        }
        batch.insert(CURSOR_KEY, encode_cursor(cursor));
        let announced = self.register.announce(prints, cursor, keys)?;
        guarded(|| self.db.apply_batch(batch))?;
        self.register.written(announced);
        if self.register.is_worth_compacting()
            && let Err(error) = self.compact(cursor, keys)
        {
            // What there is, is as good; it is only longer.
            tracing::warn!(%error, "the register of derived state is not written anew this time");
            self.register.put_off_compacting();
        }
        Ok(())
    }

    fn compact(&self, cursor: &Cursor, keys: &KeyStore) -> Result<(), StoreError> {
        // A register that begins here is of no use to a sled that comes up with less.
        self.hand_on()?;
        Ok(self.register.compact(cursor, keys)?)
    }

    /// Puts a document into a batch, in parts if it is long; `None` removes it.
    fn put(&self, batch: &mut sled::Batch, name: Vec<u8>, bytes: Option<Vec<u8>>) {
        let mut parts = self.parts.lock();
        let before = parts.remove(&name).unwrap_or(0);
        let mut after = 0;
        match bytes {
            None => batch.remove(name.as_slice()),
            Some(bytes) if bytes.len() <= PART_LEN => {
                batch.insert(name.as_slice(), [&[INLINE], bytes.as_slice()].concat());
            }
            Some(bytes) => {
                for part in bytes.chunks(PART_LEN) {
                    batch.insert(part_key(&name, after), part);
                    after += 1;
                }
                let value = [&[PARTS], after.to_be_bytes().as_slice()].concat();
                batch.insert(name.as_slice(), value);
            }
        }
        for part in after..before {
            batch.remove(part_key(&name, part));
        }
        if after > 0 {
            parts.insert(name, after);
        }
    }

    /// Has sled hand everything to the operating system.
    fn hand_on(&self) -> Result<(), StoreError> {
        let (db, (sender, answer)) = (self.db.clone(), crossbeam_channel::bounded(1));
        // On a thread of its own, because it may never come back.
        let named = thread::Builder::new().name("ledger-sled-flush".to_owned());
        named.spawn(move || {
            let flushed = guarded(|| db.flush());
            drop(db);
            // Nobody listens any more after too long a wait.
            let _ = sender.send(flushed);
        })?;
        answer
            .recv_timeout(PATIENCE)
            .map_err(|_| StoreError::Stuck)??;
        Ok(())
    }

    /// Stores everything and notes that it is; at a clean stop.
    ///
    /// # Errors
    /// When it cannot be stored. The next start finds out what is there.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        if let Err(error) = self.hand_on() {
            self.let_go();
            return Err(error);
        }
        sync_folder(&self.dir)?;
        Ok(self.register.close()?)
    }

    /// Never uses it again, and notes so on disk.
    pub(super) fn abandon(&self) {
        if let Err(error) = self.register.distrust() {
            tracing::warn!(%error, "it could not be noted that derived state is not to be used again");
        }
        self.let_go();
    }

    /// Has sled closed on a thread of its own once nobody uses it any more: it waits for what it wrote
    /// then, and after a failed write for ever.
    fn let_go(&self) {
        let (unused, wait) = crossbeam_channel::bounded::<()>(0);
        let db = self.db.clone();
        let named = thread::Builder::new().name("ledger-sled-close".to_owned());
        let spawned = named.spawn(move || {
            // Ends with an error when the store is gone, its own handle of sled before that.
            let _ = wait.recv();
            drop(db);
        });
        match spawned {
            Ok(_) => *self.unused.lock() = Some(unused),
            // No thread can be had either: then it stays open as long as the process does.
            Err(_) => std::mem::forget(self.db.clone()),
        }
    }

    /// Where every stream ends.
    ///
    /// # Errors
    /// When sled does not read.
    pub(crate) fn heads(&self) -> Result<HeadMap, HeadMapError> {
        HeadMap::open(&self.db)
    }

    /// Every key and value in order: to compare two derived states byte by byte (P3).
    pub fn dump(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> {
        let mut items = self.db.iter();
        std::iter::from_fn(move || guarded(|| items.next().transpose()).transpose())
            .map(|item| Ok(item.map(|(key, value)| (key.to_vec(), value.to_vec()))?))
    }
}

fn sled_in(dir: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir.join("sled"))
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(Some(1_000));
    Ok(guarded(|| config.open())?)
}

fn part_key(name: &[u8], part: u32) -> Vec<u8> {
    [&[PART_TAG], name, part.to_be_bytes().as_slice()].concat()
}
