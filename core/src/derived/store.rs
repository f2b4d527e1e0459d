//! The sled tree under derived state. It is never trusted: whatever is wrong with it is an error
//! that makes the ledger set it aside and rebuild.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::codec;
use super::doc::{Cursor, Doc, DocKey, Head, StreamDoc};
use crate::heads::{HeadMap, HeadMapError};
use crate::ids::{Position, Revision, StreamId};
use crate::overview::{Cell, CellKey, Day};
use crate::seal::{KeyStore, SealError};

const CURSOR_KEY: &[u8] = &[0];
const PART_TAG: u8 = 5;
/// sled keeps values of 128 KiB and more in files that it never syncs; parts stay well below.
const PART_LEN: usize = 96 * 1024;
const INLINE: u8 = 0;
const PARTS: u8 = 1;
const CACHE_BYTES: u64 = 24 << 20;

/// Why derived state cannot be used. The journal is not touched by any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// sled does not open, read or write.
    #[error("sled: {0}")]
    Sled(#[from] sled::Error),
    /// sled panicked while it opened: its files are broken in a way that it did not expect.
    #[error("sled does not open its files")]
    Panicked,
    /// A value is not what its key says.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// A state does not open with its key.
    #[error("a state {0}")]
    Seal(#[from] SealError),
    /// A state is sealed under a key that is not in the key store.
    #[error("a state is sealed under a key that is not in the key store")]
    KeyMissing,
}

/// Documents in sled.
pub struct Store {
    db: sled::Db,
    /// Documents in several parts, with their number: few, so that writing one that shrank
    /// need not read what was there before.
    parts: Mutex<HashMap<Vec<u8>, u32>>,
}

impl Store {
    /// Opens or makes the tree in `dir`.
    ///
    /// # Errors
    /// [`StoreError`] when sled does not open it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::HighThroughput)
            .flush_every_ms(Some(1_000));
        // sled asserts on some broken files instead of returning an error.
        let db = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|_| StoreError::Panicked)??;
        let mut parts = HashMap::new();
        for item in db.scan_prefix([PART_TAG]).keys() {
            let key = item?;
            if let Some((name, _)) = key.get(1..).and_then(|key| key.split_last_chunk::<4>()) {
                *parts.entry(name.to_vec()).or_insert(0) += 1;
            }
        }
        Ok(Self {
            db,
            parts: Mutex::new(parts),
        })
    }

    /// Moves whatever is in `dir` to a new folder beside it, for somebody to look at, and says
    /// where. Only the last one is kept.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn set_aside(dir: &Path) -> std::io::Result<Option<PathBuf>> {
        if !dir.try_exists()? {
            return Ok(None);
        }
        let aside = dir.with_extension("set-aside");
        if aside.try_exists()? {
            std::fs::remove_dir_all(&aside)?;
        }
        std::fs::rename(dir, &aside)?;
        Ok(Some(aside))
    }

    /// How far it has come; `None` when it is new.
    ///
    /// # Errors
    /// When it does not read, or the cursor is malformed.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        match self.db.get(CURSOR_KEY)? {
            Some(bytes) => codec::decode_cursor(&bytes)
                .map(Some)
                .ok_or(StoreError::Malformed("the cursor")),
            None => Ok(None),
        }
    }

    /// Whether there is no document in it.
    pub fn is_empty(&self) -> bool {
        self.db.is_empty()
    }

    /// A document.
    ///
    /// # Errors
    /// When it does not read or is malformed.
    pub fn get(&self, key: &DocKey, keys: &KeyStore) -> Result<Doc, StoreError> {
        match self.bytes(&key.to_bytes())? {
            Some(bytes) => codec::decode(key, &bytes, keys),
            None => Ok(Doc::Absent),
        }
    }

    fn bytes(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(value) = self.db.get(name)? else {
            return Ok(None);
        };
        let malformed = || StoreError::Malformed("a document");
        match value.split_first().ok_or_else(malformed)? {
            (&INLINE, bytes) => Ok(Some(bytes.to_vec())),
            (&PARTS, count) => {
                let count = u32::from_be_bytes(count.try_into().map_err(|_| malformed())?);
                let mut bytes = Vec::new();
                for part in 0..count {
                    let part = self.db.get(part_key(name, part))?;
                    bytes.extend_from_slice(&part.ok_or_else(malformed)?);
                }
                Ok(Some(bytes))
            }
            _ => Err(malformed()),
        }
    }

    /// A stream's snapshots on both sides of a position: the newest that is not beyond it, and
    /// where the oldest beyond it ends.
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
        let mut beyond = None;
        for item in self.db.scan_prefix(prefix).keys().rev() {
            let name = item?;
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

    /// The newest earlier state of a cell that is not of a day after `day`.
    ///
    /// # Errors
    /// When it does not read or is malformed.
    pub fn past_cell(
        &self,
        cell: CellKey,
        day: Day,
        keys: &KeyStore,
    ) -> Result<Option<Arc<Cell>>, StoreError> {
        let malformed = || StoreError::Malformed("an overview");
        let last = DocKey::PastCell(cell, day).to_bytes();
        let first = last.get(..last.len() - 4).unwrap_or_default().to_vec();
        let Some(found) = self.db.range(first..=last).next_back() else {
            return Ok(None);
        };
        let (name, _) = found?;
        let number = name.last_chunk().copied().ok_or_else(malformed)?;
        let day = Day::from_number(u32::from_be_bytes(number));
        match self.get(&DocKey::PastCell(cell, day), keys)? {
            Doc::Cell(cell) => Ok(Some(cell)),
            _ => Err(malformed()),
        }
    }

    /// Writes documents and the cursor that they belong to, all or nothing.
    ///
    /// # Errors
    /// When a state cannot be sealed or sled does not write.
    pub fn apply<'a>(
        &self,
        docs: impl IntoIterator<Item = (&'a DocKey, &'a Doc)>,
        cursor: &Cursor,
        keys: &KeyStore,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut parts = self.parts.lock();
        for (key, doc) in docs {
            let name = key.to_bytes();
            let before = parts.remove(&name).unwrap_or(0);
            let mut after = 0;
            match codec::encode(key, doc, keys)? {
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
        batch.insert(CURSOR_KEY, codec::encode_cursor(cursor));
        Ok(self.db.apply_batch(batch)?)
    }

    /// Where every stream ends.
    ///
    /// # Errors
    /// When sled does not read.
    pub(crate) fn heads(&self) -> Result<HeadMap, HeadMapError> {
        HeadMap::open(&self.db)
    }

    /// Hands what was written to the operating system; at a clean stop.
    ///
    /// # Errors
    /// When sled does not write.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush()?;
        Ok(())
    }

    /// Every key and value in order: to compare two derived states byte by byte (P3).
    pub fn dump(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> {
        self.db
            .iter()
            .map(|item| Ok(item.map(|(key, value)| (key.to_vec(), value.to_vec()))?))
    }
}

fn part_key(name: &[u8], part: u32) -> Vec<u8> {
    [&[PART_TAG], name, part.to_be_bytes().as_slice()].concat()
}
