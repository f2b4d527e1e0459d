//! The key store: an append-only file of 256-byte slots. Losing it is losing the ledger, so it is
//! synced before the first event sealed under a new key is, and never written in place.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::cipher::{EventKey, SealError, open, seal};
use super::{KeyScope, ScopeKey};
use crate::fields::Fields;
use crate::ids::{InstitutionId, KeyId, LedgerId, PersonId};
use crate::time::{Entropy, Timestamp};

const SLOT: usize = 256;
const CHECKED: usize = 224;
const MAGIC: &[u8; 8] = b"PLKEYSv1";
const SLOT_MAGIC: &[u8; 4] = b"PLK1";
const ACTIVE: u8 = 1;
const SLOT_CONTEXT: &str = "planledger v1 2026-11-23 key slot";
const MASTER_CONTEXT: &str = "planledger v1 2026-11-23 master key fingerprint";
const RECOVERY_CONTEXT: &str = "planledger v1 2026-11-23 recovery key";

/// The key that wraps all others: from a file, the environment, or a key management service that
/// hands it out.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn fingerprint(&self) -> [u8; 32] {
        blake3::derive_key(MASTER_CONTEXT, &self.0)
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

/// How to open a key store.
pub struct KeyStoreOptions<'a> {
    /// Folder of `keys.log`; created if it does not exist.
    pub dir: &'a Path,
    /// The ledger it belongs to.
    pub ledger: LedgerId,
    /// The master key.
    pub master: MasterKey,
    /// For a new store: who can recover the keys if the master key is lost.
    pub recovery: Option<RecoveryKey>,
}

/// Why the key store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The operating system refused. Final for writes: restart the process.
    #[error("key store {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is no key store, or another ledger's. Restore the right one from its backup.
    #[error("{} is not the key store of this ledger", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
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
    #[error("{} is missing although the journal has entries; restore it from its backup", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The source of randomness failed; nothing was sealed.
    #[error("no randomness: {0}")]
    Entropy(io::Error),
    /// A write failed before; nothing can be written until the process is started again.
    #[error("an earlier write to the key store failed; restart the process")]
    Poisoned,
}

/// Every key of a ledger, in memory, and the file they are kept in.
pub struct KeyStore {
    path: PathBuf,
    master: MasterKey,
    recovery: Option<RecoveryKey>,
    keys: parking_lot::RwLock<Keys>,
    file: Mutex<Writer>,
}

#[derive(Default)]
struct Keys {
    active: HashMap<KeyScope, KeyId>,
    by_id: HashMap<KeyId, (KeyScope, ScopeKey)>,
}

/// What a key store's file holds.
#[derive(Default)]
struct Found {
    recovery: Option<RecoveryKey>,
    keys: Keys,
    slots: usize,
}

impl Found {
    /// Length of the header and of the slots that are whole.
    fn len(&self) -> usize {
        (self.slots + 1) * SLOT
    }
}

struct Writer {
    file: Option<File>,
    slots: u64,
    pending: Vec<u8>,
    poisoned: bool,
}

impl KeyStore {
    /// Opens the key store in `options.dir`, or makes one if there is none and `may_create`.
    ///
    /// # Errors
    /// [`KeyStoreError`]; `Missing` when there is none and `may_create` is false.
    pub fn open(options: &KeyStoreOptions<'_>, may_create: bool) -> Result<Self, KeyStoreError> {
        let path = options.dir.join("keys.log");
        let fail = |source| KeyStoreError::Io {
            path: path.clone(),
            source,
        };
        if !path.try_exists().map_err(fail)? {
            if !may_create {
                return Err(KeyStoreError::Missing { path });
            }
            create(&path, options).map_err(fail)?;
        }
        let file = OpenOptions::new().read(true).append(true).open(&path);
        let mut file = file.map_err(fail)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        let found = read(&bytes, options, &path)?;
        let kept = found.len();
        if kept < bytes.len() {
            set_torn_tail_aside(&path, bytes.get(kept..).unwrap_or_default()).map_err(fail)?;
            file.set_len(kept as u64)
                .and_then(|()| file.sync_data())
                .map_err(fail)?;
        }
        Ok(Self::assemble(path, options, found, Some(file)))
    }

    /// Opens the key store in `options.dir` for reading: not a byte is changed, nothing is made.
    /// Also gives the length of a torn tail, which opening it for writing would set aside.
    ///
    /// # Errors
    /// [`KeyStoreError`]; `Missing` when there is none and `may_be_missing` is false.
    pub fn open_read_only(
        options: &KeyStoreOptions<'_>,
        may_be_missing: bool,
    ) -> Result<(Self, u64), KeyStoreError> {
        let path = options.dir.join("keys.log");
        match fs::read(&path) {
            Ok(bytes) => {
                let found = read(&bytes, options, &path)?;
                let torn = bytes.len() - found.len();
                Ok((Self::assemble(path, options, found, None), torn as u64))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => match may_be_missing {
                true => Ok((Self::assemble(path, options, Found::default(), None), 0)),
                false => Err(KeyStoreError::Missing { path }),
            },
            Err(source) => Err(KeyStoreError::Io { path, source }),
        }
    }

    fn assemble(
        path: PathBuf,
        options: &KeyStoreOptions<'_>,
        found: Found,
        file: Option<File>,
    ) -> Self {
        Self {
            path,
            master: options.master.clone(),
            recovery: found.recovery,
            keys: parking_lot::RwLock::new(found.keys),
            file: Mutex::new(Writer {
                // Without a file there is nothing to write to.
                poisoned: file.is_none(),
                file,
                slots: found.slots as u64,
                pending: Vec::new(),
            }),
        }
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

    /// The scope of the key with this id.
    pub fn scope_of(&self, id: KeyId) -> Option<KeyScope> {
        self.keys.read().by_id.get(&id).map(|(scope, _)| *scope)
    }

    /// The active key of a scope; makes one if there is none. A new key is not durable before
    /// [`KeyStore::sync`], which must come before the journal is written.
    ///
    /// # Errors
    /// When randomness fails or an earlier write did.
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
        let mut writer = self.file.lock();
        if writer.poisoned {
            return Err(KeyStoreError::Poisoned);
        }
        let group = writer.slots;
        let slot = encode_slot(
            &Slot {
                scope,
                key: &key,
                now,
                nonce,
                ephemeral,
                group,
            },
            self,
        )
        .map_err(|_| KeyStoreError::Poisoned)?;
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
        let mut writer = self.file.lock();
        if writer.poisoned {
            return Err(KeyStoreError::Poisoned);
        }
        if writer.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut writer.pending);
        let written = match &mut writer.file {
            Some(file) => file.write_all(&pending).and_then(|()| file.sync_data()),
            None => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        };
        match written {
            Ok(()) => {
                writer.slots += (pending.len() / SLOT) as u64;
                Ok(())
            }
            Err(source) => {
                writer.poisoned = true;
                Err(KeyStoreError::Io {
                    path: self.path.clone(),
                    source,
                })
            }
        }
    }
}

fn create(path: &Path, options: &KeyStoreOptions<'_>) -> io::Result<()> {
    fs::create_dir_all(options.dir)?;
    let mut header = Vec::with_capacity(SLOT);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(options.ledger.as_bytes());
    header.extend_from_slice(&options.master.fingerprint());
    header.push(u8::from(options.recovery.is_some()));
    header.extend_from_slice(&options.recovery.map_or([0; 32], |key| key.0));
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(&finish(header))?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(options.dir)?.sync_all()
}

fn read(bytes: &[u8], options: &KeyStoreOptions<'_>, path: &Path) -> Result<Found, KeyStoreError> {
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let (header, slots) = slots.split_first().ok_or(KeyStoreError::Foreign {
        path: path.to_owned(),
    })?;
    let recovery = read_header(header, options, path)?;
    let mut keys = Keys::default();
    let slots = read_slots(slots, &options.master, &mut keys)?;
    Ok(Found {
        recovery,
        keys,
        slots,
    })
}

fn read_header(
    header: &[u8; SLOT],
    options: &KeyStoreOptions<'_>,
    path: &Path,
) -> Result<Option<RecoveryKey>, KeyStoreError> {
    let foreign = || KeyStoreError::Foreign {
        path: path.to_owned(),
    };
    let mut fields = Fields(checked(header).ok_or_else(foreign)?);
    if fields.take() != *MAGIC || fields.take() != *options.ledger.as_bytes() {
        return Err(foreign());
    }
    if fields.take() != options.master.fingerprint() {
        return Err(KeyStoreError::WrongMasterKey);
    }
    let [has_recovery] = fields.take();
    let recovery = RecoveryKey(fields.take());
    Ok((has_recovery == 1).then_some(recovery))
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
            // A slot of a later write proves that this one had been synced.
            let later = slots.iter().skip(index).filter_map(checked);
            if later.map(group_of).any(|group| group > index as u64) {
                return Err(damaged());
            }
            return Ok(index);
        };
        // It says how many stood before it when it was written: one of those is gone.
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
fn set_torn_tail_aside(path: &Path, tail: &[u8]) -> io::Result<()> {
    tracing::warn!(
        bytes = tail.len(),
        "key store has a torn tail; it is kept beside it"
    );
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path.with_extension("torn"))?;
    file.write_all(tail)?;
    file.sync_all()
}

struct Slot<'a> {
    scope: KeyScope,
    key: &'a ScopeKey,
    now: Timestamp,
    nonce: [u8; 24],
    ephemeral: StaticSecret,
    group: u64,
}

fn encode_slot(slot: &Slot<'_>, store: &KeyStore) -> Result<[u8; SLOT], SealError> {
    let (kind, id) = match &slot.scope {
        KeyScope::Ledger => (1, &[0; 16]),
        KeyScope::Institution(id) => (2, id.as_bytes()),
        KeyScope::Person(id) => (3, id.as_bytes()),
    };
    let mut bytes = Vec::with_capacity(SLOT);
    bytes.extend_from_slice(SLOT_MAGIC);
    bytes.extend_from_slice(&[ACTIVE, kind]);
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(slot.key.id.as_bytes());
    bytes.extend_from_slice(&slot.now.nanos().to_be_bytes());
    let about = bytes.clone();
    let wrapped = seal(
        &EventKey::from_bytes(store.master.0),
        &slot.nonce,
        &about,
        slot.key.secret(),
    )?;
    bytes.extend_from_slice(&slot.nonce);
    bytes.extend_from_slice(&wrapped);
    if let Some(recovery) = store.recovery {
        let key = recovery_key(
            slot.ephemeral
                .diffie_hellman(&PublicKey::from(recovery.0))
                .as_bytes(),
            PublicKey::from(&slot.ephemeral).as_bytes(),
            &recovery.0,
        );
        bytes.extend_from_slice(PublicKey::from(&slot.ephemeral).as_bytes());
        bytes.extend_from_slice(&seal(&key, &[0; 24], &about, slot.key.secret())?);
    }
    bytes.resize(198, 0);
    bytes.extend_from_slice(&slot.group.to_be_bytes());
    Ok(finish(bytes))
}

fn decode_slot(fields: &[u8; CHECKED], master: &MasterKey) -> Option<(KeyScope, ScopeKey)> {
    let (about, _) = fields.split_at(46);
    let (scope, id) = read_about(about)?;
    let mut fields = Fields(fields.get(38..)?);
    let _created_at: [u8; 8] = fields.take();
    let nonce = fields.take();
    let wrapped: [u8; 48] = fields.take();
    let secret = open(&EventKey::from_bytes(master.0), &nonce, about, &wrapped).ok()?;
    Some((scope, ScopeKey::new(id, secret.try_into().ok()?)))
}

/// Scope and id from what a slot says in the clear.
fn read_about(about: &[u8]) -> Option<(KeyScope, KeyId)> {
    let mut fields = Fields(about);
    if fields.take() != *SLOT_MAGIC || fields.take() != [ACTIVE] {
        return None;
    }
    let [kind] = fields.take();
    let id = fields.take();
    let scope = match kind {
        1 => KeyScope::Ledger,
        2 => KeyScope::Institution(InstitutionId::from_bytes(id)),
        3 => KeyScope::Person(PersonId::from_bytes(id)),
        _ => return None,
    };
    Some((scope, KeyId::from_bytes(fields.take())))
}

fn recovery_key(shared: &[u8; 32], ephemeral: &[u8; 32], recipient: &[u8; 32]) -> EventKey {
    let mut hasher = blake3::Hasher::new_derive_key(RECOVERY_CONTEXT);
    hasher.update(shared).update(ephemeral).update(recipient);
    EventKey::from_bytes(hasher.finalize().into())
}

/// The secrets in a key store's bytes, opened with the recovery key's private half: what is left
/// to do when the master key is lost. Slots that do not open are left out.
pub fn recover(bytes: &[u8], private: &[u8; 32]) -> Vec<(KeyScope, ScopeKey)> {
    let private = StaticSecret::from(*private);
    let public = PublicKey::from(&private);
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let open_slot = |slot: &[u8; SLOT]| {
        let fields = checked(slot)?;
        let (about, rest) = fields.split_at(46);
        let mut rest = Fields(rest.get(72..)?);
        let ephemeral: [u8; 32] = rest.take();
        let wrapped: [u8; 48] = rest.take();
        let shared = private.diffie_hellman(&PublicKey::from(ephemeral));
        let key = recovery_key(shared.as_bytes(), &ephemeral, public.as_bytes());
        let secret = open(&key, &[0; 24], about, &wrapped).ok()?;
        let (scope, id) = read_about(about)?;
        Some((scope, ScopeKey::new(id, secret.try_into().ok()?)))
    };
    slots.iter().skip(1).filter_map(open_slot).collect()
}

fn finish(mut bytes: Vec<u8>) -> [u8; SLOT] {
    bytes.resize(CHECKED, 0);
    let checksum = blake3::derive_key(SLOT_CONTEXT, &bytes);
    let mut slot = [0; SLOT];
    for (to, from) in slot.iter_mut().zip(bytes.iter().chain(&checksum)) {
        *to = *from;
    }
    slot
}

fn checked(slot: &[u8; SLOT]) -> Option<&[u8; CHECKED]> {
    let (fields, checksum) = slot.split_first_chunk::<CHECKED>()?;
    (blake3::derive_key(SLOT_CONTEXT, fields) == checksum).then_some(fields)
}

fn group_of(fields: &[u8; CHECKED]) -> u64 {
    Fields(fields.get(198..).unwrap_or_default()).u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other bytes each time, the same ones in each run.
    struct Counting(Mutex<u64>);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
            let mut calls = self.0.lock();
            *calls += 1;
            let mut hasher = blake3::Hasher::new();
            hasher
                .update(&calls.to_be_bytes())
                .finalize_xof()
                .fill(bytes);
            Ok(())
        }
    }

    const PRIVATE: [u8; 32] = [9; 32];

    fn options(dir: &Path, master: u8) -> KeyStoreOptions<'_> {
        let private = StaticSecret::from(PRIVATE);
        KeyStoreOptions {
            dir,
            ledger: LedgerId::from_bytes([1; 16]),
            master: MasterKey::from_bytes([master; 32]),
            recovery: Some(RecoveryKey(*PublicKey::from(&private).as_bytes())),
        }
    }

    fn person(n: u8) -> KeyScope {
        KeyScope::Person(PersonId::from_bytes([n; 16]))
    }

    fn filled(dir: &Path, groups: &[u8]) -> Vec<ScopeKey> {
        let entropy = Counting(Mutex::new(1));
        let store = KeyStore::open(&options(dir, 5), true).unwrap();
        let mut made = Vec::new();
        let mut next = 0;
        for group in groups {
            for _ in 0..*group {
                let now = Timestamp::from_nanos(1);
                made.push(store.active_or_new(person(next), now, &entropy).unwrap());
                next += 1;
            }
            store.sync().unwrap();
        }
        made
    }

    #[test]
    fn keys_are_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        let made = filled(dir.path(), &[2, 1]);
        let store = KeyStore::open(&options(dir.path(), 5), false).unwrap();
        assert_eq!(store.len(), 3);
        for (n, key) in made.iter().enumerate() {
            let found = store.active(person(n as u8)).unwrap();
            assert_eq!((found.id, found.secret), (key.id, key.secret));
        }
    }

    #[test]
    fn another_master_key_or_ledger_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), &[1]);
        let wrong = KeyStore::open(&options(dir.path(), 6), false);
        assert!(matches!(wrong, Err(KeyStoreError::WrongMasterKey)));
        let mut other = options(dir.path(), 5);
        other.ledger = LedgerId::from_bytes([2; 16]);
        assert!(matches!(
            KeyStore::open(&other, false),
            Err(KeyStoreError::Foreign { .. })
        ));
        let empty = tempfile::tempdir().unwrap();
        let missing = KeyStore::open(&options(empty.path(), 5), false);
        assert!(matches!(missing, Err(KeyStoreError::Missing { .. })));
    }

    #[test]
    fn the_recovery_key_opens_every_key() {
        let dir = tempfile::tempdir().unwrap();
        let made = filled(dir.path(), &[3]);
        let bytes = fs::read(dir.path().join("keys.log")).unwrap();
        let found = recover(&bytes, &PRIVATE);
        assert_eq!(found.len(), 3);
        for ((_, found), made) in found.iter().zip(&made) {
            assert_eq!((found.id, found.secret), (made.id, made.secret));
        }
        assert!(recover(&bytes, &[8; 32]).is_empty());
    }

    #[test]
    fn a_torn_tail_is_set_aside_and_damage_before_it_refused() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), &[1, 2]);
        let path = dir.path().join("keys.log");
        let whole = fs::read(&path).unwrap();
        for length in SLOT..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let store = KeyStore::open(&options(dir.path(), 5), false).unwrap();
            assert_eq!(store.len(), length / SLOT - 1);
        }
        for at in SLOT..2 * SLOT {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let opened = KeyStore::open(&options(dir.path(), 5), false);
            assert!(
                matches!(opened, Err(KeyStoreError::Damaged { slot: 1 })),
                "byte {at}"
            );
        }
        let mut bytes = whole.clone();
        bytes.drain(SLOT..2 * SLOT);
        fs::write(&path, &bytes).unwrap();
        let opened = KeyStore::open(&options(dir.path(), 5), false);
        assert!(matches!(opened, Err(KeyStoreError::Damaged { slot: 1 })));
        // Pages of one write reach the disk in any order: that is a torn tail too.
        let mut bytes = whole.clone();
        bytes[2 * SLOT] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(
            KeyStore::open(&options(dir.path(), 5), false)
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn reading_only_changes_nothing_and_makes_no_keys() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path(), 5);
        let missing = KeyStore::open_read_only(&options, false);
        assert!(matches!(missing, Err(KeyStoreError::Missing { .. })));
        assert!(
            KeyStore::open_read_only(&options, true)
                .unwrap()
                .0
                .is_empty()
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let made = filled(dir.path(), &[1, 1]);
        let path = dir.path().join("keys.log");
        let mut bytes = fs::read(&path).unwrap();
        bytes[2 * SLOT] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (store, torn) = KeyStore::open_read_only(&options, false).unwrap();
        assert_eq!((store.len(), torn), (1, SLOT as u64));
        assert_eq!(store.scope_of(made[0].id), Some(person(0)));
        assert_eq!(store.scope_of(made[1].id), None);
        let now = Timestamp::from_nanos(1);
        let refused = store.active_or_new(person(9), now, &Counting(Mutex::new(1)));
        assert!(matches!(refused, Err(KeyStoreError::Poisoned)));
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
