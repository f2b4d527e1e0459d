//! The key store: an append-only file of 256-byte slots. To lose it is to lose the ledger. So it is
//! synced before the first event under a new key is, and it is as hard to lose as the journal.

mod destroying;
mod drafts;
mod error;
mod file;
mod keys;
mod left;
mod options;
mod rescue;
mod rewrap;
mod slot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::Mutex;

use self::destroying::Note;
use self::drafts::Draft;
pub use self::error::KeyStoreError;
use self::error::{check_recipient, io_error};
use self::file::{FILE, NAME, TORN, make_durable, read, read_slots, set_torn_tail_aside};
pub use self::keys::KeyCount;
use self::keys::Keys;
pub use self::left::{KeyDamage, KeyGap};
pub use self::options::{KeyStoreMode, KeyStoreOptions, MasterKey};
pub use self::rescue::RescueKey;
pub use self::rewrap::{KeyStoreSummary, Rewrapping, rewrap};
pub use self::slot::open_with_rescue_key;
use self::slot::{Header, SLOT, Wrapping, decode_slot, encode_header};
use super::key::ScopeKey;
use super::scope::KeyScope;
use crate::disk::{Disk, DiskFile, write_whole};
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
    /// Keys that no commit uses yet, in the order in which they were made. They are also the last of
    /// `keys`.
    drafts: Mutex<Vec<Draft>>,
    /// The folder of the file; `None` if nothing is stored.
    disk: Option<Arc<dyn Disk>>,
    writer: Mutex<Writer>,
}

struct Writer {
    /// How many slots there are after the header.
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
            make(options)?;
        }
        let file = disk.open(NAME).map_err(io_error("opening keys.log"))?;
        let mut bytes = read(file.as_ref()).map_err(io_error("reading keys.log"))?;
        let note = Note::left(disk, &names, &bytes)?;
        if let Some(note) = &note {
            note.apply(&mut bytes);
        }
        let (slots, _) = bytes.as_chunks::<SLOT>();
        let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign)?;
        let header = Header::read(header, options.ledger)?;
        let has_tag = header.has_tag(options)?;
        let rescue = header.rescue;
        let mut keys = Keys::default();
        let decode = |fields: &_| decode_slot(fields, &options.master);
        let whole = read_slots(slots, &decode, &mut keys)?;
        let (kept, torn) = bytes.split_at((whole + 1) * SLOT);
        let state = match options.mode {
            KeyStoreMode::ReadOnly => WriterState::ReadOnly,
            KeyStoreMode::Create | KeyStoreMode::Existing => {
                if let Some(note) = &note {
                    destroying::finish(disk, note)?;
                }
                set_torn_tail_aside(disk, torn, note.is_none() && is_there(TORN))
                    .map_err(io_error("setting aside the torn end of keys.log"))?;
                let file = match has_tag {
                    true => {
                        make_durable(disk, file.as_ref(), kept)
                            .map_err(io_error("storing the end of keys.log"))?;
                        file
                    }
                    false => add_tag(options, rescue, kept)?,
                };
                tell_of(rescue);
                WriterState::Ready(file)
            }
        };
        Ok(Self {
            master: options.master.clone(),
            rescue,
            keys: parking_lot::RwLock::new(keys),
            torn: torn.len() as u64,
            drafts: Mutex::default(),
            disk: Some(Arc::clone(&options.disk)),
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
            drafts: Mutex::default(),
            disk: None,
            writer: Mutex::new(Writer {
                slots: 0,
                pending: Vec::new(),
                state: WriterState::ReadOnly,
            }),
        }
    }

    /// How many keys there are, and for whom they are wrapped.
    pub fn summary(&self) -> KeyStoreSummary {
        KeyStoreSummary {
            keys: self.len() as u64,
            rescue: self.rescue,
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

    /// The active key of a scope; `None` if it has none, or it was destroyed.
    pub fn active(&self, scope: KeyScope) -> Option<ScopeKey> {
        let keys = self.keys.read();
        let id = keys.active.get(&scope)?;
        keys.by_id.get(id).and_then(|held| held.key.clone())
    }

    /// The key with this id; `None` if there is none, or it was destroyed.
    pub fn by_id(&self, id: KeyId) -> Option<ScopeKey> {
        let keys = self.keys.read();
        keys.by_id.get(&id).and_then(|held| held.key.clone())
    }

    /// Whether the key with this id was destroyed.
    pub fn is_destroyed(&self, id: KeyId) -> bool {
        let keys = self.keys.read();
        keys.by_id.get(&id).is_some_and(|held| held.key.is_none())
    }

    /// The id of the scope's key, whether it was destroyed or not; `None` if it never had one.
    pub fn id_of(&self, scope: KeyScope) -> Option<KeyId> {
        self.keys.read().active.get(&scope).copied()
    }

    /// The scopes whose keys were destroyed, with the ids of the keys.
    pub fn destroyed(&self) -> Vec<(KeyScope, KeyId)> {
        let keys = self.keys.read();
        let destroyed = keys.by_id.iter().filter(|(_, held)| held.key.is_none());
        destroyed.map(|(id, held)| (held.scope, *id)).collect()
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
        let key = self.active_or_draft(scope, now, entropy)?;
        self.keep_drafts()?;
        Ok(key)
    }

    /// The active key of a scope; makes one if there is none. A new key is a draft: it is stored only
    /// if [`KeyStore::keep_drafts`] comes, before [`KeyStore::sync`], and gone if
    /// [`KeyStore::drop_drafts`] comes. One thread at a time drafts.
    ///
    /// # Errors
    /// As [`KeyStore::active_or_new`].
    pub(crate) fn active_or_draft(
        &self,
        scope: KeyScope,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<ScopeKey, KeyStoreError> {
        if let Some(key) = self.active(scope) {
            return Ok(key);
        }
        // A scope never gets another key: what is sealed from then on could not be told from
        // something that somebody else sealed.
        if self.id_of(scope).is_some() {
            return Err(KeyStoreError::Destroyed);
        }
        let draft = Draft::new(scope, now, entropy)?;
        self.writer.lock().file()?;
        let key = draft.key.clone();
        let mut drafts = self.drafts.lock();
        self.keys.write().hold(scope, key.clone());
        drafts.push(draft);
        Ok(key)
    }

    /// Has the next sync store the keys that were drafted, because a commit uses them.
    ///
    /// # Errors
    /// When an earlier write failed.
    pub(crate) fn keep_drafts(&self) -> Result<(), KeyStoreError> {
        let mut drafts = self.drafts.lock();
        if drafts.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer.lock();
        writer.file()?;
        let wrapping = Wrapping {
            master: &self.master,
            rescue: self.rescue,
        };
        let slots = drafts
            .iter()
            .map(|draft| draft.slot(writer.slots, wrapping));
        let slots = slots.collect::<Result<Vec<_>, _>>()?;
        writer.pending.extend(slots.as_flattened());
        drafts.clear();
        Ok(())
    }

    /// Forgets the keys that were drafted: nothing uses them. Refused commands would fill the disk
    /// with keys otherwise.
    pub(crate) fn drop_drafts(&self) {
        let mut drafts = self.drafts.lock();
        if !drafts.is_empty() {
            self.keys.write().forget_last(drafts.len());
            drafts.clear();
        }
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
        let written = write_whole(file, &writer.pending, end).and_then(|()| file.sync_data());
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

/// Makes a store without keys.
fn make(options: &KeyStoreOptions) -> Result<(), KeyStoreError> {
    if let Some(rescue) = options.rescue {
        check_recipient(rescue)?;
    }
    let wrapping = Wrapping {
        master: &options.master,
        rescue: options.rescue,
    };
    let header = encode_header(options.ledger, wrapping);
    let made = FILE.replace(options.disk.as_ref(), &header);
    made.map_err(|error| io_error("making it")(error.into()))?;
    Ok(())
}

/// Writes a store of an earlier version again, with a header that the master key vouches for.
fn add_tag(
    options: &KeyStoreOptions,
    rescue: Option<RescueKey>,
    kept: &[u8],
) -> Result<Box<dyn DiskFile>, KeyStoreError> {
    let wrapping = Wrapping {
        master: &options.master,
        rescue,
    };
    let header = encode_header(options.ledger, wrapping);
    let (_, slots) = kept.split_at(SLOT);
    FILE.replace(options.disk.as_ref(), &[header.as_slice(), slots].concat())
        .map_err(|error| io_error("vouching for the header of keys.log")(error.into()))
}

/// Says at each start who else can open every key, so that it does not stay unseen for years.
fn tell_of(rescue: Option<RescueKey>) {
    match rescue {
        Some(recipient) => tracing::info!(%recipient, "the rescue recipient can open every key"),
        None => tracing::info!("no rescue recipient: without the master key, no key can be opened"),
    }
}
