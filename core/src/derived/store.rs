//! Documents: the register tells where each lies, and sled how far derived state has come. Nothing that sled or
//! a file gives is trusted: each document is compared with the register before it is used. A difference is an error, after which the ledger sets derived state
//! aside and makes it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use parking_lot::Mutex;

use super::codec;
use super::cursor::{Cursor, decode_cursor, encode_cursor};
use super::doc::{Doc, DocKey, Head, StreamDoc, tag};
use super::error::StoreError;
use super::register::{
    Closed, Files, Known, Print, Register, RegisterKey, StoredRegister, sync_folder,
};
use super::values::Values;
use crate::disk::{Disk, OsDisk};
use crate::guarded::guarded;
use crate::heads::{HeadMap, HeadMapError};
use crate::ids::{LedgerId, Position, StreamId};
use crate::overview::{Cell, CellKey, Day};
use crate::seal::KeyStore;
use crate::turns;

mod places;

const CURSOR_KEY: &[u8] = &[tag::CURSOR];
/// The folder of the files in which documents lie, beside that of sled.
const FOLDER: &str = "values";
pub(crate) const CACHE_BYTES: u64 = 8 << 20;
/// How long sled may take to hand its data to the operating system. After a failed write it may
/// block for ever.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long sled may keep its lock after its last handle is gone. Threads of sled, which write for
/// it, hold the file a moment longer. No other process can hold it: it would hold the ledger's lock.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Documents, and the register that says where they lie and what they have to be.
pub struct Store {
    db: sled::Db,
    dir: PathBuf,
    generation: u64,
    register: Register,
    values: Values,
    /// Dropped after `db`. That tells the closing thread that nobody uses sled any more.
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
        Self::over(dir, generation, sled_in(dir)?, register, Files::new())
    }

    /// Opens a store. Also gives the cursor up to which it has come; `None` if nothing was written
    /// yet.
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
            // There is no cursor although something was written. If the documents are there,
            // folding from the beginning would count events twice; if they are not, what was
            // written is lost.
            None if stored.newest().is_some() || !guarded(|| Ok(db.is_empty()))? => {
                return Err(StoreError::Place);
            }
            None => None,
        };
        let known = Register::at(stored, cursor.as_ref())?;
        let (register, files) = known.ok_or(StoreError::Place)?;
        let store = Self::over(dir, generation, db, register, files)?;
        match store.register.was_closed() {
            // A wrong document is found when it is used.
            Closed::Cleanly | Closed::Killed => {}
            // Many documents may be wrong. It is better to find out now than in the middle of the
            // day.
            Closed::PowerCut => drop(store.check_all()?),
        }
        Ok((store, cursor))
    }

    fn over(
        dir: &Path,
        generation: u64,
        db: sled::Db,
        register: Register,
        files: Files,
    ) -> Result<Self, StoreError> {
        let disk = Arc::new(OsDisk::new(dir.join(FOLDER))?);
        let values = Values::open(disk, files)?;
        Ok(Self {
            db,
            dir: dir.to_owned(),
            generation,
            register,
            values,
            unused: Mutex::default(),
        })
    }

    /// The number of this generation among all that were made for this ledger.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What every document has to be, and where every stream ends.
    pub(crate) fn register(&self) -> &Register {
        &self.register
    }

    /// Compares every document with the register. Returns how many documents there are.
    ///
    /// # Errors
    /// [`StoreError`] at the first document that is wrong.
    pub(crate) fn check_all(&self) -> Result<u64, StoreError> {
        let (mut count, mut past) = (0, 0);
        for number in self.values.usage().into_keys() {
            let contents = self.values.contents(number)?;
            for (name, hashed, known, bytes) in self.in_use(&contents) {
                if !self.is_it(name, hashed, bytes, known) {
                    return Err(StoreError::Changed("a document"));
                }
                count += 1;
                past += u64::from(name.first() == Some(&tag::PAST_CELL));
            }
        }
        if count != self.register.len() as u64 {
            return Err(StoreError::Changed("a document that should be there"));
        }
        for item in self.in_sled() {
            let (key, _) = item?;
            past -= u64::from(self.known(&key).is_some());
        }
        match past {
            0 => Ok(count),
            _ => Err(StoreError::Changed("what sled knows of past days")),
        }
    }

    /// How far the store has come; `None` when it is new.
    ///
    /// # Errors
    /// When the cursor cannot be read, or is malformed.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        match guarded(|| self.db.get(CURSOR_KEY))? {
            Some(bytes) => decode_cursor(&bytes)
                .map(Some)
                .ok_or(StoreError::Malformed("the cursor")),
            None => Ok(None),
        }
    }

    /// A document, if it is the one that was written last.
    ///
    /// # Errors
    /// When the document cannot be read, or differs from what the register says.
    pub fn get(&self, key: &DocKey, keys: &KeyStore) -> Result<Doc, StoreError> {
        match self.bytes(&key.to_bytes(), key.what())? {
            Some(bytes) => codec::decode(key, &bytes, keys),
            None => Ok(Doc::Absent),
        }
    }

    /// Whether there is such a document. This reads nothing from the disk.
    pub(crate) fn knows(&self, key: &DocKey) -> bool {
        self.known(&key.to_bytes()).is_some()
    }

    /// The snapshots of a stream nearest to a position: the newest that is not after the position,
    /// and where the oldest after it ends, which is not checked here; the caller compares both with
    /// the events that they name.
    ///
    /// # Errors
    /// When a snapshot cannot be read or is malformed.
    pub fn snapshots_around(
        &self,
        stream: StreamId,
        position: Position,
        keys: &KeyStore,
    ) -> Result<(Option<Arc<StreamDoc>>, Option<Head>), StoreError> {
        let last = self.register.end_of(stream).revision;
        let there = DocKey::snapshots_up_to(last).map(|at| DocKey::Snapshot(stream, at));
        let there: Vec<_> = there.filter(|key| self.knows(key)).collect();
        let head = |key: &DocKey| {
            let bytes = self.start_of(&key.to_bytes(), codec::STREAM_HEAD)?;
            codec::decode_head(&bytes.ok_or(StoreError::Malformed("a snapshot"))?)
        };
        // Those before `low` are not after the position, and those from `high` on are.
        let (mut low, mut high) = (0, there.len());
        let mut beyond = None;
        while low < high {
            let middle = low.midpoint(high);
            let Some(key) = there.get(middle) else { break };
            let head = head(key)?;
            match head.position > position {
                true => (high, beyond) = (middle, Some(head)),
                false => low = middle + 1,
            }
        }
        let Some(key) = low.checked_sub(1).and_then(|newest| there.get(newest)) else {
            return Ok((None, beyond));
        };
        match self.get(key, keys)? {
            Doc::Stream(doc) => Ok((Some(doc), beyond)),
            _ => Err(StoreError::Malformed("a snapshot")),
        }
    }

    /// The newest earlier state of a cell that is not later than `day`. `later` is a state of the
    /// cell after that day. Every state names the one before it, so a missing one is noticed.
    ///
    /// # Errors
    /// When a state cannot be read, is malformed, or is not the one that the next state
    /// names.
    pub fn past_cell(
        &self,
        cell: CellKey,
        day: Day,
        later: &Cell,
        keys: &KeyStore,
    ) -> Result<Option<Arc<Cell>>, StoreError> {
        let at = |day| DocKey::PastCell(cell, day).to_bytes();
        let last = at(day);
        // All but the day.
        let first = last.split_at(last.len() - 4).0.to_vec();
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

    /// Writes documents and the cursor that they lead to. If that fails, or the process ends
    /// meanwhile, sled may hold a part of them. The register tells which part.
    ///
    /// # Errors
    /// When a state cannot be sealed, or the register or sled cannot be written.
    pub fn apply<'a>(
        &self,
        docs: impl IntoIterator<Item = (&'a DocKey, &'a Doc)>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut prints = Vec::new();
        let mut writer = self.values.writer();
        for (key, doc) in docs {
            let name = key.to_bytes();
            let hashed = self.register.name(&name);
            let bytes = codec::encode(key, doc, keys)?;
            let fingerprint = bytes.as_deref().map(|bytes| {
                let telling = codec::telling(&name, bytes);
                self.register.fingerprint(hashed, telling)
            });
            let before = self.register.known(hashed);
            // A document that has come to be as it was lies where it lay.
            if before.map(|known| known.fingerprint) == fingerprint {
                continue;
            }
            if let Some(known) = before {
                writer.out_of_date(&name, known.place);
            }
            let known = match (&bytes, fingerprint) {
                (Some(bytes), Some(fingerprint)) => Some(Known {
                    fingerprint,
                    place: writer.put(&name, bytes)?,
                }),
                (_, _) => None,
            };
            prints.push(Print {
                name: hashed,
                known,
            });
            // Counts of past days are looked for by range.
            match (key, known) {
                (DocKey::PastCell(..), Some(_)) => batch.insert(name, &[]),
                (DocKey::PastCell(..), None) => batch.remove(name),
                _ => {}
            }
        }
        batch.insert(CURSOR_KEY, encode_cursor(cursor));
        let finished = writer.finish()?;
        let files = finished.changed();
        turns::give_way();
        let announced = self.register.announce(prints, files, cursor, keys)?;
        turns::give_way();
        guarded(|| self.db.apply_batch(batch))?;
        turns::give_way();
        self.register.written(announced);
        self.values.done(finished);
        if turns::are_taken() {
            // The thread of sled that does so each second belongs to no story.
            self.hand_on()?;
        }
        self.empty_files(cursor, keys)?;
        if self.register.is_worth_compacting()
            && let Err(error) = self.compact(cursor, keys)
        {
            // The file as it is stays valid; it is only longer.
            tracing::warn!(
                %error,
                "the register of derived state could not be rewritten; the next attempt comes \
                later"
            );
            self.register.put_off_compacting();
        }
        Ok(())
    }

    fn compact(&self, cursor: &Cursor, keys: &KeyStore) -> Result<(), StoreError> {
        // A rewritten register begins at this cursor, so it does not know any earlier place that
        // sled may come up at. sled must have stored everything first.
        self.hand_on()?;
        Ok(self.register.compact(&self.values.usage(), cursor, keys)?)
    }

    /// Makes sled hand everything to the operating system.
    fn hand_on(&self) -> Result<(), StoreError> {
        if turns::are_taken() {
            guarded(|| self.db.flush())?;
            return Ok(());
        }
        let (db, (sender, answer)) = (self.db.clone(), crossbeam_channel::bounded(1));
        // This runs on a thread of its own, because the call may never return.
        let named = thread::Builder::new().name("ledger-sled-flush".to_owned());
        named.spawn(move || {
            let flushed = guarded(|| db.flush());
            drop(db);
            // After too long a wait nobody receives the answer any more.
            let _ = sender.send(flushed);
        })?;
        answer
            .recv_timeout(PATIENCE)
            .map_err(|_| StoreError::Stuck)??;
        Ok(())
    }

    /// Brings everything to stable storage and notes that it is there. For a clean stop.
    ///
    /// # Errors
    /// When something cannot be stored. The next start finds out what is on disk.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        if let Err(error) = self.hand_on() {
            self.let_go();
            return Err(error);
        }
        sync_folder(&self.dir)?;
        Ok(self.register.close()?)
    }

    /// Notes on disk that this store must not be used again, and stops using it.
    pub(super) fn abandon(&self) {
        if let Err(error) = self.register.distrust() {
            tracing::warn!(
                %error,
                "could not note on disk that derived state must not be used again"
            );
        }
        self.let_go();
    }

    /// Lets a thread of its own close sled once nobody uses it any more. Closing waits for
    /// outstanding writes, and after a failed write it may never end.
    fn let_go(&self) {
        if turns::are_taken() {
            // Whoever uses it last closes it.
            return;
        }
        let (unused, wait) = crossbeam_channel::bounded::<()>(0);
        let db = self.db.clone();
        let named = thread::Builder::new().name("ledger-sled-close".to_owned());
        let spawned = named.spawn(move || {
            // Receiving fails when the store is gone. The store has dropped its own handle of sled
            // before that.
            let _ = wait.recv();
            drop(db);
        });
        match spawned {
            Ok(_) => *self.unused.lock() = Some(unused),
            // If no thread can be started, sled stays open until the process ends.
            Err(_) => std::mem::forget(self.db.clone()),
        }
    }

    /// Where every stream ends.
    ///
    /// # Errors
    /// When sled cannot be read.
    pub(crate) fn heads(&self) -> Result<HeadMap, HeadMapError> {
        HeadMap::open(&self.db)
    }
}

fn sled_in(dir: &Path) -> Result<sled::Db, StoreError> {
    // Where threads take turns, it is done after each write.
    let handed_on_after = (!turns::are_taken()).then_some(1_000);
    let config = sled::Config::new()
        .path(dir.join("sled"))
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(handed_on_after);
    let until = Instant::now() + LETTING_GO;
    loop {
        match guarded(|| config.open()) {
            Err(error) if error.is_locked() && Instant::now() < until => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => {
                let db = opened?;
                if turns::are_taken() {
                    // What sled writes when it opens is there before anything else is done.
                    guarded(|| db.flush())?;
                }
                return Ok(db);
            }
        }
    }
}
