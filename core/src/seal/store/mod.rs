//! The key store: an append-only file of 256-byte slots. To lose it is to lose the ledger. So it is
//! synced before the first event under a new key is, and it is as hard to lose as the journal.

mod error;
mod file;
mod keys;
mod options;
mod slot;
#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use x25519_dalek::StaticSecret;
use zeroize::Zeroize;

pub use self::error::KeyStoreError;
use self::error::io_error;
use self::file::{FILE, NAME, TORN, make_durable, read, read_slots, set_torn_tail_aside};
pub use self::keys::KeyCount;
use self::keys::Keys;
pub use self::options::{KeyStoreMode, KeyStoreOptions, MasterKey, RescueKey};
pub use self::slot::open_with_rescue_key;
use self::slot::{SLOT, Slot, encode_header, encode_slot};
use super::key::ScopeKey;
use super::scope::KeyScope;
use crate::disk::{DiskFile, write_full};
use crate::fields::Fields;
use crate::ids::KeyId;
use crate::time::{Entropy, Timestamp};

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
            FILE.replace(disk, &encode_header(options))
                .map_err(|error| io_error("making it")(error.into()))?;
        }
        let file = disk.open(NAME).map_err(io_error("opening keys.log"))?;
        let bytes = read(file.as_ref()).map_err(io_error("reading keys.log"))?;
        let (slots, _) = bytes.as_chunks::<SLOT>();
        let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign)?;
        let rescue = slot::read_header(header, options)?;
        let mut keys = Keys::default();
        let whole = read_slots(slots, &options.master, &mut keys)?;
        let (kept, torn) = bytes.split_at((whole + 1) * SLOT);
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
        self.keys.read().first(slots)
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
