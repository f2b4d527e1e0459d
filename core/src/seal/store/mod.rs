//! The key store: an append-only file of 256-byte slots. Losing it is losing the ledger, so it is
//! synced before the first event sealed under a new key is, and what is there is as hard to lose
//! as the journal.

mod slot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use x25519_dalek::StaticSecret;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::slot::recover;
use self::slot::{SLOT, Slot, checked, decode_slot, encode_header, encode_slot, group_of};
use super::{KeyScope, ScopeKey};
use crate::fields::Fields;
use crate::hash::Context;
use crate::ids::{KeyId, LedgerId};
use crate::journal::{Disk, DiskFile, read_full, write_full};
use crate::time::{Entropy, Timestamp};

const NAME: &str = "keys.log";
const TEMPORARY: &str = "keys.tmp";
const TORN: &str = "keys.torn";

/// The key that wraps all others: from a file, the environment, or a key management service that
/// hands it out.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for another purpose that follows from this one.
    pub(crate) fn derived(&self, purpose: &'static str, about: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(purpose);
        hasher.update(&self.0).update(about);
        hasher.finalize().into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

/// The public half of the recovery key, whose private half is kept in a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryKey(pub [u8; 32]);

/// What a key store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStoreMode {
    /// Reading and new keys; made if there is none.
    Create,
    /// Reading and new keys; has to be there.
    Existing,
    /// Reading only: not a byte is changed, not even what a crash left is cut off.
    ReadOnly,
}

/// How to open a key store.
pub struct KeyStoreOptions {
    /// The folder of `keys.log`.
    pub disk: Arc<dyn Disk>,
    /// The ledger it belongs to.
    pub ledger: LedgerId,
    /// The master key.
    pub master: MasterKey,
    /// For a new store: who can recover the keys if the master key is lost.
    pub recovery: Option<RecoveryKey>,
    /// What for.
    pub mode: KeyStoreMode,
}

/// Why the key store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The operating system refused. Final for writes: restart the process.
    #[error("the key store cannot be used: {operation}: {source}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The file is no key store, or another ledger's. Restore the right one from its backup.
    #[error("keys.log is not the key store of this ledger")]
    Foreign,
    /// The journal has entries under keys that were made later than the last one here: an older copy
    /// was put back. Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: it has {has} keys, but entries of the journal need the \
         first {needs} that were made; restore the newest key store from its backup"
    )]
    Older {
        /// Keys there are.
        has: u64,
        /// Keys that there have to be at least.
        needs: u64,
    },
    /// The keys are others than those that the journal's entries were sealed under: an older copy was
    /// put back and gone on with. Restore the right key store from its backup.
    #[error(
        "keys.log holds other keys than those that the journal's entries are sealed under; restore \
         the right key store from its backup"
    )]
    Other,
    /// An entry of the journal is sealed under a key that is not here: an older copy was put back.
    /// Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: the event at position {position} is sealed under key \
         {key}, which it does not have; restore the newest key store from its backup"
    )]
    Lacks {
        /// The key.
        key: KeyId,
        /// Where the entry is.
        position: crate::ids::Position,
    },
    /// Another master key than the one it was made with.
    #[error("the master key is not the one that the key store was made with")]
    WrongMasterKey,
    /// A slot is damaged, or one before it is gone. Restore the key store from its backup.
    #[error("key store is damaged in slot {slot}; restore it from its backup")]
    Damaged {
        /// Which, from 1.
        slot: u64,
    },
    /// Journal there, key store gone. Restore it from its backup.
    #[error("keys.log is missing although the journal has entries; restore it from its backup")]
    Missing,
    /// The source of randomness failed; nothing was sealed.
    #[error("no randomness: {0}")]
    Entropy(io::Error),
    /// A write failed before; nothing can be written until the process is started again.
    #[error("an earlier write to the key store failed; restart the process")]
    Poisoned,
    /// It was opened for reading only.
    #[error("the key store is open for reading only")]
    ReadOnly,
}

static FIRST_KEYS: Context = Context::new("planledger v1 2026-11-28 first keys");

fn io_error(operation: &'static str) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::Io { operation, source }
}

/// Every key of a ledger, in memory, and the file they are kept in.
pub struct KeyStore {
    master: MasterKey,
    recovery: Option<RecoveryKey>,
    keys: parking_lot::RwLock<Keys>,
    /// Bytes at the end of the file that a crash left of keys that no receipted event uses.
    torn: u64,
    writer: Mutex<Writer>,
}

#[derive(Default)]
struct Keys {
    active: HashMap<KeyScope, KeyId>,
    by_id: HashMap<KeyId, Held>,
    /// Ids in the order in which the keys were made.
    order: Vec<KeyId>,
}

/// A key that is held.
struct Held {
    scope: KeyScope,
    key: ScopeKey,
    /// Its place among all keys, from 1.
    slot: u64,
}

impl Keys {
    fn hold(&mut self, scope: KeyScope, key: ScopeKey) {
        self.active.insert(scope, key.id);
        self.order.push(key.id);
        let slot = self.order.len() as u64;
        self.by_id.insert(key.id, Held { scope, key, slot });
    }
}

/// The first keys that were made: how many, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyCount {
    /// How many.
    pub slots: u64,
    /// First half of the hash of their ids, in order; zeros for none.
    pub digest: [u8; 16],
}

struct Writer {
    slots: u64,
    pending: Vec<u8>,
    state: WriterState,
}

enum WriterState {
    Ready(Box<dyn DiskFile>),
    ReadOnly,
    /// A write or sync failed, so nobody knows what the disk holds.
    Poisoned,
}

impl Writer {
    fn file(&self) -> Result<&dyn DiskFile, KeyStoreError> {
        match &self.state {
            WriterState::Ready(file) => Ok(file.as_ref()),
            WriterState::ReadOnly => Err(KeyStoreError::ReadOnly),
            WriterState::Poisoned => Err(KeyStoreError::Poisoned),
        }
    }
}

impl KeyStore {
    /// Opens the key store, or makes one if there is none and the mode says so.
    ///
    /// # Errors
    /// [`KeyStoreError`]
    pub fn open(options: &KeyStoreOptions) -> Result<Self, KeyStoreError> {
        let disk = options.disk.as_ref();
        let names = disk.list().map_err(io_error("listing the directory"))?;
        let is_there = |name: &str| names.iter().any(|found| found == name);
        if !is_there(NAME) {
            if options.mode != KeyStoreMode::Create {
                return Err(KeyStoreError::Missing);
            }
            create(disk, &encode_header(options), is_there(TEMPORARY))
                .map_err(io_error("making it"))?;
        }
        let file = disk.open(NAME).map_err(io_error("opening it"))?;
        let bytes = read(file.as_ref()).map_err(io_error("reading it"))?;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign)?;
        let recovery = slot::read_header(header, options)?;
        let mut keys = Keys::default();
        let whole = read_slots(slots, &options.master, &mut keys)?;
        let kept = bytes.get(..(whole + 1) * SLOT).unwrap_or_default();
        let torn = bytes.get(kept.len()..).unwrap_or_default();
        let state = match options.mode {
            KeyStoreMode::ReadOnly => WriterState::ReadOnly,
            KeyStoreMode::Create | KeyStoreMode::Existing => {
                set_torn_tail_aside(disk, torn, is_there(TORN))
                    .map_err(io_error("setting its torn tail aside"))?;
                make_durable(disk, file.as_ref(), kept).map_err(io_error("storing its end"))?;
                WriterState::Ready(file)
            }
        };
        Ok(Self {
            master: options.master.clone(),
            recovery,
            keys: parking_lot::RwLock::new(keys),
            torn: torn.len() as u64,
            writer: Mutex::new(Writer {
                slots: whole as u64,
                pending: Vec::new(),
                state,
            }),
        })
    }

    /// What stands for a key store that is not there, where nothing is sealed: for reading only.
    pub(crate) fn without_keys(master: MasterKey) -> Self {
        Self {
            master,
            recovery: None,
            keys: parking_lot::RwLock::default(),
            torn: 0,
            writer: Mutex::new(Writer {
                slots: 0,
                pending: Vec::new(),
                state: WriterState::ReadOnly,
            }),
        }
    }

    /// How many bytes a crash had left at the end of the file, of keys that no receipted event
    /// uses.
    pub(crate) fn torn(&self) -> u64 {
        self.torn
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.read().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The active key of a scope, if it has one.
    pub fn active(&self, scope: KeyScope) -> Option<ScopeKey> {
        let keys = self.keys.read();
        let id = keys.active.get(&scope)?;
        keys.by_id.get(id).map(|held| held.key.clone())
    }

    /// The key with this id.
    pub fn by_id(&self, id: KeyId) -> Option<ScopeKey> {
        let keys = self.keys.read();
        keys.by_id.get(&id).map(|held| held.key.clone())
    }

    /// The place of a key among all that were made, from 1; 0 if it is not there.
    pub(crate) fn slot_of(&self, id: KeyId) -> u64 {
        self.keys.read().by_id.get(&id).map_or(0, |held| held.slot)
    }

    /// The first `slots` keys that were made; fewer if there are not as many.
    pub(crate) fn first(&self, slots: u64) -> KeyCount {
        let keys = self.keys.read();
        let count = usize::try_from(slots).unwrap_or(usize::MAX);
        let ids = keys.order.get(..count.min(keys.order.len()));
        let ids = ids.unwrap_or_default();
        let mut hasher = FIRST_KEYS.hasher();
        for id in ids {
            hasher.update(id.as_bytes());
        }
        let hash = hasher.finalize();
        KeyCount {
            slots: ids.len() as u64,
            digest: match ids {
                [] => [0; 16],
                _ => crate::hash::first(hash.as_bytes()),
            },
        }
    }

    /// Makes sure that the keys which entries of the journal were sealed under are there. An older
    /// copy of the key store would go on with keys of its own for the same people, and what is sealed
    /// under those cannot be read when the right one is put back (P1).
    ///
    /// # Errors
    /// [`KeyStoreError::Older`], [`KeyStoreError::Other`]
    pub(crate) fn holds(&self, needed: &KeyCount) -> Result<(), KeyStoreError> {
        let first = self.first(needed.slots);
        if first.slots < needed.slots {
            return Err(KeyStoreError::Older {
                has: first.slots,
                needs: needed.slots,
            });
        }
        match first == *needed {
            true => Ok(()),
            false => Err(KeyStoreError::Other),
        }
    }

    /// The scope of the key with this id.
    pub fn scope_of(&self, id: KeyId) -> Option<KeyScope> {
        self.keys.read().by_id.get(&id).map(|held| held.scope)
    }

    /// The active key of a scope; makes one if there is none. A new key is not durable before
    /// [`KeyStore::sync`], which must come before the journal is written.
    ///
    /// # Errors
    /// When randomness fails, an earlier write did, or the store is open for reading only.
    pub fn active_or_new(
        &self,
        scope: KeyScope,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<ScopeKey, KeyStoreError> {
        if let Some(key) = self.active(scope) {
            return Ok(key);
        }
        let mut random = [0; 16 + 32 + 24 + 32];
        entropy.fill(&mut random).map_err(KeyStoreError::Entropy)?;
        let mut fields = Fields(&random);
        let key = ScopeKey::new(KeyId::from_bytes(fields.take()), fields.take());
        let nonce = fields.take();
        let ephemeral = StaticSecret::from(fields.take::<32>());
        let mut writer = self.writer.lock();
        writer.file()?;
        let slot = Slot {
            scope,
            key: &key,
            now,
            nonce,
            ephemeral,
            group: writer.slots,
        };
        let slot =
            encode_slot(&slot, &self.master, self.recovery).map_err(|_| KeyStoreError::Poisoned)?;
        random.zeroize();
        writer.pending.extend_from_slice(&slot);
        self.keys.write().hold(scope, key.clone());
        Ok(key)
    }

    /// Makes every key durable. Costs nothing when there is no new one.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`], after which the store is poisoned.
    pub fn sync(&self) -> Result<(), KeyStoreError> {
        let mut writer = self.writer.lock();
        let file = writer.file()?;
        if writer.pending.is_empty() {
            return Ok(());
        }
        let end = (writer.slots + 1) * SLOT as u64;
        let written = write_full(file, &writer.pending, end).and_then(|()| file.sync_data());
        let pending = std::mem::take(&mut writer.pending);
        match written {
            Ok(()) => {
                writer.slots += (pending.len() / SLOT) as u64;
                Ok(())
            }
            Err(source) => {
                writer.state = WriterState::Poisoned;
                let operation = "writing new keys";
                Err(KeyStoreError::Io { operation, source })
            }
        }
    }
}

fn create(disk: &dyn Disk, header: &[u8; SLOT], has_remains: bool) -> io::Result<()> {
    if has_remains {
        disk.remove(TEMPORARY)?;
    }
    let file = disk.create(TEMPORARY)?;
    write_full(file.as_ref(), header, 0)?;
    file.sync_data()?;
    disk.rename(TEMPORARY, NAME)?;
    disk.sync_dir()
}

fn read(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    let count = read_full(file, &mut bytes, 0)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Reads slots up to a torn tail; gives how many are whole.
fn read_slots(
    slots: &[[u8; SLOT]],
    master: &MasterKey,
    keys: &mut Keys,
) -> Result<usize, KeyStoreError> {
    for (index, slot) in slots.iter().enumerate() {
        let damaged = || KeyStoreError::Damaged {
            slot: index as u64 + 1,
        };
        let Some(fields) = checked(slot) else {
            // What an interrupted write leaves of a slot that is there in full is zeros: two slots
            // fill a block of the disk. Anything else was written, and has changed since.
            let is_torn = slot.iter().all(|byte| *byte == 0);
            // A slot of a later write proves that this one had been synced.
            let mut later = slots.iter().skip(index).filter_map(checked);
            if !is_torn || later.any(|fields| group_of(fields) > index as u64) {
                return Err(damaged());
            }
            return Ok(index);
        };
        // It says how many stood before it when it was written: one of those is gone.
        if group_of(fields) > index as u64 {
            return Err(damaged());
        }
        let (scope, key) = decode_slot(fields, master).ok_or_else(damaged)?;
        keys.hold(scope, key);
    }
    Ok(slots.len())
}

/// Keeps what a crash left of keys that no receipted event uses, in case that is not so.
fn set_torn_tail_aside(disk: &dyn Disk, tail: &[u8], has_earlier: bool) -> io::Result<()> {
    if tail.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        bytes = tail.len(),
        "key store has a torn tail; it is kept beside it"
    );
    let file = match has_earlier {
        true => disk.open(TORN)?,
        false => disk.create(TORN)?,
    };
    write_full(file.as_ref(), tail, file.len()?)?;
    file.sync_data()
}

/// Cuts off the torn tail and makes sure that the rest is on stable storage: its keys are used from
/// now on without being written again (P1).
///
/// The last group may be in memory only, written by a process that was killed before its sync
/// returned. It may even be marked as stored, if that sync failed: so it is written once more,
/// where and as it stands, before it is synced. So may the names be.
fn make_durable(disk: &dyn Disk, file: &dyn DiskFile, kept: &[u8]) -> io::Result<()> {
    file.set_len(kept.len() as u64)?;
    let (slots, _) = kept.as_chunks::<SLOT>();
    // A store without keys is its header, which was synced before it had its name.
    let group = match slots {
        [_, .., last] => checked(last).map_or(0, group_of),
        _ => 0,
    };
    let from = (group + 1) * SLOT as u64;
    let start = usize::try_from(from).map_err(io::Error::other)?;
    write_full(file, kept.get(start..).unwrap_or_default(), from)?;
    file.sync_data()?;
    disk.sync_dir()
}
