//! The key store: an append-only file of 256-byte slots. To lose it is to lose the ledger. So it is
//! synced before the first event under a new key is, and it is as hard to lose as the journal.

mod slot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use x25519_dalek::StaticSecret;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::slot::open_with_rescue_key;
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

/// The key that wraps all other keys. It comes from a file, from the environment, or from a key
/// management service that hands it out.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for another purpose, computed from this key.
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

/// The public half of the rescue key, whose private half is kept in a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RescueKey(pub [u8; 32]);

/// What a key store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStoreMode {
    /// For reading and for new keys. A key store is made if there is none.
    Create,
    /// For reading and for new keys. The key store must exist.
    Existing,
    /// For reading only. Not a byte is changed; not even what a crash left at the end is cut off.
    ReadOnly,
}

/// How to open a key store.
pub struct KeyStoreOptions {
    /// The folder that holds `keys.log`.
    pub disk: Arc<dyn Disk>,
    /// The ledger that the key store belongs to.
    pub ledger: LedgerId,
    /// The master key.
    pub master: MasterKey,
    /// For a new store: the public key for which all keys are also wrapped, so that they can be
    /// restored if the master key is lost.
    pub rescue: Option<RescueKey>,
    /// What the key store is opened for.
    pub mode: KeyStoreMode,
}

/// Why the key store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The operating system refused an operation. After a failed write nothing more is written
    /// until the process is started again.
    #[error("the key store cannot be used: {operation}: {source}")]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a key store, or belongs to another ledger. Restore the right one from its
    /// backup.
    #[error("keys.log belongs to another ledger; restore the key store of this ledger")]
    Foreign,
    /// The journal has entries under keys that are newer than the last key here: an older copy was
    /// put back. Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: it has {has} keys, but the journal needs the first \
        {needs} keys that were made; restore the newest key store from its backup"
    )]
    Older {
        /// How many keys there are.
        has: u64,
        /// How many keys there must be at least.
        needs: u64,
    },
    /// The keys are not those under which the journal's entries are sealed: an older copy was put
    /// back and then used. Restore the right key store from its backup.
    #[error(
        "keys.log has other keys than the ones that the journal is sealed under; restore the right \
        key store from its backup"
    )]
    Other,
    /// An entry of the journal is sealed under a key that is not here: an older copy was put back.
    /// Restore the newest key store from its backup.
    #[error(
        "keys.log is older than the journal: the event at position {position} is sealed under key \
         {key}, which it does not have; restore the newest key store from its backup"
    )]
    Lacks {
        /// The id of the missing key.
        key: KeyId,
        /// The position of the entry.
        position: crate::ids::Position,
    },
    /// The key store was made with another master key.
    #[error("the key store was made with another master key; give the ledger's own master key")]
    WrongMasterKey,
    /// A slot is damaged, or a slot before it is missing. Restore the key store from its backup.
    #[error("keys.log is damaged in slot {slot}; restore it from its backup")]
    Damaged {
        /// The number of the slot, from 1.
        slot: u64,
    },
    /// There is a journal but no key store. Restore the key store from its backup.
    #[error("keys.log is missing although the journal has entries; restore it from its backup")]
    Missing,
    /// The source of random bytes failed. Nothing was sealed.
    #[error("the operating system gives no random bytes: {0}")]
    Entropy(io::Error),
    /// A write failed earlier. Nothing can be written until the process is started again.
    #[error("an earlier write to the key store failed; restart the process")]
    Poisoned,
    /// The key store was opened for reading only.
    #[error("the key store is open for reading only")]
    ReadOnly,
}

static FIRST_KEYS: Context = Context::new("planledger v1 2026-11-28 first keys");

fn io_error(operation: &'static str) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::Io { operation, source }
}

/// All keys of a ledger, in memory, and the file that holds them.
pub struct KeyStore {
    master: MasterKey,
    rescue: Option<RescueKey>,
    keys: parking_lot::RwLock<Keys>,
    /// How many bytes a crash left at the end of the file. They belong to keys that no receipted
    /// event uses.
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

/// A key in memory.
struct Held {
    scope: KeyScope,
    key: ScopeKey,
    /// The place of the key among all keys, from 1.
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

/// How many keys, counted from the first that was made, and which these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyCount {
    /// How many keys.
    pub slots: u64,
    /// First half of the hash of their ids, in the order in which they were made; zeros for no
    /// keys.
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
                .map_err(io_error("creating keys.log"))?;
        }
        let file = disk.open(NAME).map_err(io_error("opening keys.log"))?;
        let bytes = read(file.as_ref()).map_err(io_error("reading keys.log"))?;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign)?;
        let rescue = slot::read_header(header, options)?;
        let mut keys = Keys::default();
        let whole = read_slots(slots, &options.master, &mut keys)?;
        let kept = bytes.get(..(whole + 1) * SLOT).unwrap_or_default();
        let torn = bytes.get(kept.len()..).unwrap_or_default();
        let state = match options.mode {
            KeyStoreMode::ReadOnly => WriterState::ReadOnly,
            KeyStoreMode::Create | KeyStoreMode::Existing => {
                set_torn_tail_aside(disk, torn, is_there(TORN))
                    .map_err(io_error("setting aside the torn end of keys.log"))?;
                make_durable(disk, file.as_ref(), kept)
                    .map_err(io_error("storing the end of keys.log"))?;
                WriterState::Ready(file)
            }
        };
        Ok(Self {
            master: options.master.clone(),
            rescue,
            keys: parking_lot::RwLock::new(keys),
            torn: torn.len() as u64,
            writer: Mutex::new(Writer {
                slots: whole as u64,
                pending: Vec::new(),
                state,
            }),
        })
    }

    /// A stand-in for a key store that does not exist, when nothing is sealed. For reading only.
    pub(crate) fn without_keys(master: MasterKey) -> Self {
        Self {
            master,
            rescue: None,
            keys: parking_lot::RwLock::default(),
            torn: 0,
            writer: Mutex::new(Writer {
                slots: 0,
                pending: Vec::new(),
                state: WriterState::ReadOnly,
            }),
        }
    }

    /// How many bytes a crash had left at the end of the file. They belonged to keys that no
    /// receipted event uses.
    pub(crate) fn torn(&self) -> u64 {
        self.torn
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.read().by_id.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The active key of a scope; `None` if it has none.
    pub fn active(&self, scope: KeyScope) -> Option<ScopeKey> {
        let keys = self.keys.read();
        let id = keys.active.get(&scope)?;
        keys.by_id.get(id).map(|held| held.key.clone())
    }

    /// The key with this id; `None` if there is none.
    pub fn by_id(&self, id: KeyId) -> Option<ScopeKey> {
        let keys = self.keys.read();
        keys.by_id.get(&id).map(|held| held.key.clone())
    }

    /// The place of a key among all keys that were made, from 1; 0 if it is not there.
    pub(crate) fn slot_of(&self, id: KeyId) -> u64 {
        self.keys.read().by_id.get(&id).map_or(0, |held| held.slot)
    }

    /// The first `slots` keys that were made, or all keys if there are fewer.
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

    /// Checks that the keys under which the journal's entries were sealed are there. An older copy
    /// of the key store would make other keys for the same people. What is sealed under those could
    /// not be read after the right key store is put back (P1).
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
            encode_slot(&slot, &self.master, self.rescue).map_err(|_| KeyStoreError::Poisoned)?;
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

/// Reads the slots up to a torn tail. Returns how many are whole.
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
            // Two slots fill a block of the disk. So an interrupted write leaves a slot either
            // whole or as zeros. A slot with other bytes was written, and has changed since.
            let is_torn = slot.iter().all(|byte| *byte == 0);
            // If a later write follows, this slot had been synced.
            let mut later = slots.iter().skip(index).filter_map(checked);
            if !is_torn || later.any(|fields| group_of(fields) > index as u64) {
                return Err(damaged());
            }
            return Ok(index);
        };
        // The slot says how many slots were there before its write. One of those is missing.
        if group_of(fields) > index as u64 {
            return Err(damaged());
        }
        let (scope, key) = decode_slot(fields, master).ok_or_else(damaged)?;
        keys.hold(scope, key);
    }
    Ok(slots.len())
}

/// Keeps a copy of the torn tail. It should belong to keys that no receipted event uses; the copy
/// is for the case that it does not.
fn set_torn_tail_aside(disk: &dyn Disk, tail: &[u8], has_earlier: bool) -> io::Result<()> {
    if tail.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        bytes = tail.len(),
        "keys.log ends with an unfinished key; that part is moved to keys.torn"
    );
    let file = match has_earlier {
        true => disk.open(TORN)?,
        false => disk.create(TORN)?,
    };
    write_full(file.as_ref(), tail, file.len()?)?;
    file.sync_data()
}

/// Cuts off the torn tail and brings the rest to stable storage. The keys there are used from now
/// on without being written again (P1).
///
/// The last group of slots may be only in memory: a process wrote it and was killed before its sync
/// returned. If that sync failed, the system may even have marked the group as stored. So the group
/// is written once more, unchanged and at the same place, and then synced. The names in the
/// directory are synced for the same reason.
fn make_durable(disk: &dyn Disk, file: &dyn DiskFile, kept: &[u8]) -> io::Result<()> {
    file.set_len(kept.len() as u64)?;
    let (slots, _) = kept.as_chunks::<SLOT>();
    // A store without keys consists of its header, which was synced before the file got its name.
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
