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
    /// Another master key than the one it was made with.
    #[error("the master key is not the one that the key store was made with")]
    WrongMasterKey,
    /// A slot is damaged. Restore the key store from its backup.
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

fn io_error(operation: &'static str) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::Io { operation, source }
}

/// Every key of a ledger, in memory, and the file they are kept in.
pub struct KeyStore {
    master: MasterKey,
    recovery: Option<RecoveryKey>,
    keys: parking_lot::RwLock<Keys>,
    writer: Mutex<Writer>,
}

#[derive(Default)]
struct Keys {
    active: HashMap<KeyScope, KeyId>,
    by_id: HashMap<KeyId, (KeyScope, ScopeKey)>,
}

struct Writer {
    file: Box<dyn DiskFile>,
    slots: u64,
    pending: Vec<u8>,
    state: WriterState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WriterState {
    Ready,
    ReadOnly,
    /// A write or sync failed, so nobody knows what the disk holds.
    Poisoned,
}

impl Writer {
    fn ready(&self) -> Result<(), KeyStoreError> {
        match self.state {
            WriterState::Ready => Ok(()),
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
                WriterState::Ready
            }
        };
        Ok(Self {
            master: options.master.clone(),
            recovery,
            keys: parking_lot::RwLock::new(keys),
            writer: Mutex::new(Writer {
                file,
                slots: whole as u64,
                pending: Vec::new(),
                state,
            }),
        })
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
        keys.by_id.get(id).map(|(_, key)| key.clone())
    }

    /// The key with this id.
    pub fn by_id(&self, id: KeyId) -> Option<ScopeKey> {
        self.keys.read().by_id.get(&id).map(|(_, key)| key.clone())
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
        writer.ready()?;
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
        let mut keys = self.keys.write();
        keys.active.insert(scope, key.id);
        keys.by_id.insert(key.id, (scope, key.clone()));
        Ok(key)
    }

    /// Makes every key durable. Costs nothing when there is no new one.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`], after which the store is poisoned.
    pub fn sync(&self) -> Result<(), KeyStoreError> {
        let mut writer = self.writer.lock();
        writer.ready()?;
        if writer.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut writer.pending);
        let end = (writer.slots + 1) * SLOT as u64;
        let written =
            write_full(writer.file.as_ref(), &pending, end).and_then(|()| writer.file.sync_data());
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
        // No write begins behind what it writes.
        if group_of(fields) > index as u64 {
            return Err(damaged());
        }
        let (scope, key) = decode_slot(fields, master).ok_or_else(damaged)?;
        keys.active.insert(scope, key.id);
        keys.by_id.insert(key.id, (scope, key));
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
