//! The bytes of the key store's file, as `core/DESIGN.md` describes them.

use x25519_dalek::{PublicKey, StaticSecret};

use super::error::KeyStoreError;
use super::options::{KeyStoreOptions, MasterKey, RescueKey};
use crate::fields::{FieldWriter, Fields};
use crate::ids::{InstitutionId, KeyId, PersonId};
use crate::seal::cipher::{EventKey, SealError, open, seal};
use crate::seal::key::ScopeKey;
use crate::seal::scope::KeyScope;
use crate::time::Timestamp;

/// Length of a slot in bytes. Two slots fill a block of the disk, so a slot is written whole or not
/// at all.
pub(super) const SLOT: usize = 256;
/// Length of the part of a slot that its checksum is made over.
const CHECKED: usize = 224;
/// Length of the part of a slot that both wrapped copies of the key are bound to.
const ABOUT: usize = 46;
/// Where in a slot the number of earlier slots is.
const GROUP_AT: usize = 198;
const MAGIC: &[u8; 8] = b"PLKEYSv1";
const SLOT_MAGIC: &[u8; 4] = b"PLK1";
const ACTIVE: u8 = 1;
const SLOT_CONTEXT: &str = "planledger v1 2026-11-23 key slot";
const MASTER_CONTEXT: &str = "planledger v1 2026-11-23 master key fingerprint";
/// Part of the format: it keeps the word that the rescue key was made under.
const RESCUE_CONTEXT: &str = "planledger v1 2026-11-23 recovery key";

/// The fields of a slot whose checksum was found right.
pub(super) type Fields224 = [u8; CHECKED];

impl MasterKey {
    fn fingerprint(&self) -> [u8; 32] {
        blake3::derive_key(MASTER_CONTEXT, &self.0)
    }
}

/// The first slot of a new store.
pub(super) fn encode_header(options: &KeyStoreOptions) -> [u8; SLOT] {
    let mut header = FieldWriter::<SLOT>::new();
    header.put(MAGIC);
    header.put(options.ledger.as_bytes());
    header.put(&options.master.fingerprint());
    header.put(&[u8::from(options.rescue.is_some())]);
    header.put(&options.rescue.map_or([0; 32], |key| key.0));
    finish(header)
}

/// The rescue recipient, if the store belongs to this ledger and master key.
pub(super) fn read_header(
    header: &[u8; SLOT],
    options: &KeyStoreOptions,
) -> Result<Option<RescueKey>, KeyStoreError> {
    let mut fields = Fields(checked(header).ok_or(KeyStoreError::Foreign)?);
    if fields.take() != *MAGIC || fields.take() != *options.ledger.as_bytes() {
        return Err(KeyStoreError::Foreign);
    }
    if fields.take() != options.master.fingerprint() {
        return Err(KeyStoreError::WrongMasterKey);
    }
    let [has_rescue] = fields.take();
    let rescue = RescueKey(fields.take());
    Ok((has_rescue == 1).then_some(rescue))
}

/// A key on its way into a slot.
pub(super) struct Slot<'a> {
    pub(super) scope: KeyScope,
    pub(super) key: &'a ScopeKey,
    pub(super) now: Timestamp,
    pub(super) nonce: [u8; 24],
    pub(super) ephemeral: StaticSecret,
    /// How many slots there were before the write that this slot is part of.
    pub(super) group: u64,
}

pub(super) fn encode_slot(
    slot: &Slot<'_>,
    master: &MasterKey,
    rescue: Option<RescueKey>,
) -> Result<[u8; SLOT], SealError> {
    let (kind, id) = match &slot.scope {
        KeyScope::Ledger => (1, &[0; 16]),
        KeyScope::Institution(id) => (2, id.as_bytes()),
        KeyScope::Person(id) => (3, id.as_bytes()),
    };
    let mut bytes = FieldWriter::<SLOT>::new();
    bytes.put(SLOT_MAGIC);
    bytes.put(&[ACTIVE, kind]);
    bytes.put(id);
    bytes.put(slot.key.id.as_bytes());
    bytes.put(&slot.now.nanos().to_be_bytes());
    let about = bytes.written().to_vec();
    assert_eq!(
        about.len(),
        ABOUT,
        "scope, key and instant fill their place"
    );
    let wrapped = seal(
        &EventKey::from_bytes(master.0),
        &slot.nonce,
        &about,
        slot.key.secret(),
    )?;
    bytes.put(&slot.nonce);
    bytes.put(&wrapped);
    if let Some(rescue) = rescue {
        let key = rescue_key(
            slot.ephemeral
                .diffie_hellman(&PublicKey::from(rescue.0))
                .as_bytes(),
            PublicKey::from(&slot.ephemeral).as_bytes(),
            &rescue.0,
        );
        bytes.put(PublicKey::from(&slot.ephemeral).as_bytes());
        bytes.put(&seal(&key, &[0; 24], &about, slot.key.secret())?);
    }
    bytes.zeros_to(GROUP_AT);
    bytes.put(&slot.group.to_be_bytes());
    Ok(finish(bytes))
}

pub(super) fn decode_slot(fields: &Fields224, master: &MasterKey) -> Option<(KeyScope, ScopeKey)> {
    let (about, rest) = fields.split_at(ABOUT);
    let (scope, id) = read_about(about)?;
    let mut fields = Fields(rest);
    let nonce = fields.take();
    let wrapped: [u8; 48] = fields.take();
    let secret = open(&EventKey::from_bytes(master.0), &nonce, about, &wrapped).ok()?;
    Some((scope, ScopeKey::new(id, secret.try_into().ok()?)))
}

/// Reads scope and id from the part of a slot that is not encrypted.
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

fn rescue_key(shared: &[u8; 32], ephemeral: &[u8; 32], recipient: &[u8; 32]) -> EventKey {
    let mut hasher = blake3::Hasher::new_derive_key(RESCUE_CONTEXT);
    hasher.update(shared).update(ephemeral).update(recipient);
    EventKey::from_bytes(hasher.finalize().into())
}

/// The secrets in a key store's bytes, opened with the private half of the rescue key. This
/// restores the keys when the master key is lost. Slots that cannot be opened are left out.
pub fn open_with_rescue_key(bytes: &[u8], private: &[u8; 32]) -> Vec<(KeyScope, ScopeKey)> {
    let private = StaticSecret::from(*private);
    let public = PublicKey::from(&private);
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let open_slot = |slot: &[u8; SLOT]| {
        let fields = checked(slot)?;
        let (about, rest) = fields.split_at(ABOUT);
        let mut rest = Fields(rest);
        let _nonce: [u8; 24] = rest.take();
        let _wrapped: [u8; 48] = rest.take();
        let ephemeral: [u8; 32] = rest.take();
        let wrapped: [u8; 48] = rest.take();
        let shared = private.diffie_hellman(&PublicKey::from(ephemeral));
        let key = rescue_key(shared.as_bytes(), &ephemeral, public.as_bytes());
        let secret = open(&key, &[0; 24], about, &wrapped).ok()?;
        let (scope, id) = read_about(about)?;
        Some((scope, ScopeKey::new(id, secret.try_into().ok()?)))
    };
    slots.iter().skip(1).filter_map(open_slot).collect()
}

fn finish(mut slot: FieldWriter<SLOT>) -> [u8; SLOT] {
    slot.zeros_to(CHECKED);
    let checksum = blake3::derive_key(SLOT_CONTEXT, slot.written());
    slot.put(&checksum);
    slot.finish()
}

pub(super) fn checked(slot: &[u8; SLOT]) -> Option<&Fields224> {
    let (fields, checksum) = slot.split_first_chunk::<CHECKED>()?;
    (blake3::derive_key(SLOT_CONTEXT, fields) == checksum).then_some(fields)
}

/// How many slots there were before the write that this slot was part of.
pub(super) fn group_of(fields: &Fields224) -> u64 {
    let (_, group) = fields.split_at(GROUP_AT);
    Fields(group).u64()
}
