//! The bytes of the key store's file, as `core/DESIGN.md` describes them.

use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::error::{KeyStoreError, check_recipient};
use super::options::{KeyStoreOptions, MasterKey};
use super::rescue::RescueKey;
use crate::fields::{FieldWriter, Fields};
use crate::ids::{InstitutionId, KeyId, LedgerId, PersonId};
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
/// Where in a slot the id of the key is.
const ID_AT: usize = 22;
/// Where in a slot the number of earlier slots is.
const GROUP_AT: usize = 198;
const MAGIC: &[u8; 8] = b"PLKEYSv1";
const SLOT_MAGIC: &[u8; 4] = b"PLK1";
const ACTIVE: u8 = 1;
/// The key was destroyed: the person whom it belonged to was erased.
const DESTROYED: u8 = 2;
/// Where in a slot its state is.
const STATE_AT: usize = 4;
const SLOT_CONTEXT: &str = "planledger v1 2026-11-23 key slot";
const MASTER_CONTEXT: &str = "planledger v1 2026-11-23 master key fingerprint";
const HEADER_CONTEXT: &str = "planledger v1 2026-11-29 key store header";
/// Length of the part of the header that its tag vouches for.
const VOUCHED: usize = 89;
/// Part of the format: it keeps the word that the rescue key was made under.
const RESCUE_CONTEXT: &str = "planledger v1 2026-11-23 recovery key";

/// The fields of a slot whose checksum was found right.
pub(super) type Fields224 = [u8; CHECKED];

impl MasterKey {
    fn fingerprint(&self) -> [u8; 32] {
        blake3::derive_key(MASTER_CONTEXT, &self.0)
    }
}

/// What the keys of a store are wrapped for.
#[derive(Clone, Copy)]
pub(super) struct Wrapping<'a> {
    pub(super) master: &'a MasterKey,
    pub(super) rescue: Option<RescueKey>,
}

/// The first slot of a store.
pub(super) fn encode_header(ledger: LedgerId, wrapping: Wrapping<'_>) -> [u8; SLOT] {
    let mut header = FieldWriter::<SLOT>::new();
    header.put(MAGIC);
    header.put(ledger.as_bytes());
    header.put(&wrapping.master.fingerprint());
    header.put(&[u8::from(wrapping.rescue.is_some())]);
    header.put(&wrapping.rescue.map_or([0; 32], |key| key.0));
    let tag = header_tag(wrapping.master, header.written());
    header.put(tag.as_bytes());
    finish(header)
}

/// Shows that the holder of the master key wrote the header. Without it, whoever can write the file
/// could name a recipient, and every key that is made later would be wrapped for that one too.
fn header_tag(master: &MasterKey, vouched: &[u8]) -> blake3::Hash {
    blake3::keyed_hash(&master.derived(HEADER_CONTEXT, b""), vouched)
}

/// A header whose checksum is right. Nobody has vouched for it yet.
pub(super) struct Header<'a> {
    vouched: &'a [u8],
    tag: [u8; 32],
    fingerprint: [u8; 32],
    pub(super) rescue: Option<RescueKey>,
}

impl<'a> Header<'a> {
    pub(super) fn read(header: &'a [u8; SLOT], ledger: LedgerId) -> Result<Self, KeyStoreError> {
        let bytes = checked(header).ok_or(KeyStoreError::Foreign)?;
        let (vouched, rest) = bytes.split_at(VOUCHED);
        let mut fields = Fields(vouched);
        if fields.take() != *MAGIC || fields.take() != *ledger.as_bytes() {
            return Err(KeyStoreError::Foreign);
        }
        let fingerprint = fields.take();
        let [has_rescue] = fields.take();
        let rescue = RescueKey(fields.take());
        Ok(Self {
            vouched,
            tag: Fields(rest).take(),
            fingerprint,
            rescue: (has_rescue == 1).then_some(rescue),
        })
    }

    /// Fails unless the store is under this master key.
    pub(super) fn is_under(&self, master: &MasterKey) -> Result<(), KeyStoreError> {
        match self.fingerprint == master.fingerprint() {
            true => Ok(()),
            false => Err(KeyStoreError::WrongMasterKey),
        }
    }

    /// Whether the master key vouches for the header. Headers of earlier versions have no tag; then the
    /// keys are wrapped for whom the settings name as well, or for nobody. Whoever can write the file can
    /// put such a header there, but cannot write the settings.
    pub(super) fn has_tag(&self, options: &KeyStoreOptions) -> Result<bool, KeyStoreError> {
        self.is_under(&options.master)?;
        if let Some(rescue) = self.rescue {
            check_recipient(rescue)?;
        }
        if header_tag(&options.master, self.vouched) == self.tag {
            return Ok(true);
        }
        match self.rescue {
            None if self.tag == [0; 32] => match options.rescue {
                None => Ok(false),
                Some(recipient) => Err(KeyStoreError::RecipientGone { recipient }),
            },
            None => Err(KeyStoreError::Damaged { slot: 0 }),
            Some(rescue) if self.tag == [0; 32] && options.rescue == Some(rescue) => Ok(false),
            Some(recipient) => Err(KeyStoreError::Unvouched { recipient }),
        }
    }
}

/// What wrapping a key uses up.
pub(super) struct Randomness {
    nonce: [u8; 24],
    ephemeral: StaticSecret,
}

impl Randomness {
    pub(super) const LEN: usize = 24 + 32;

    pub(super) fn new(bytes: [u8; Self::LEN]) -> Self {
        let mut fields = Fields(&bytes);
        Self {
            nonce: fields.take(),
            ephemeral: StaticSecret::from(fields.take::<32>()),
        }
    }
}

/// The part of a slot that is not encrypted, apart from its group.
pub(super) fn about(scope: KeyScope, id: KeyId, now: Timestamp) -> [u8; ABOUT] {
    let (kind, of) = match &scope {
        KeyScope::Ledger => (1, &[0; 16]),
        KeyScope::Institution(id) => (2, id.as_bytes()),
        KeyScope::Person(id) => (3, id.as_bytes()),
    };
    let mut about = FieldWriter::<ABOUT>::new();
    about.put(SLOT_MAGIC);
    about.put(&[ACTIVE, kind]);
    about.put(of);
    about.put(id.as_bytes());
    about.put(&now.nanos().to_be_bytes());
    about.finish()
}

/// A slot with a key. `group` is how many slots there were before the write that it is part of.
pub(super) fn encode_slot(
    about: &[u8; ABOUT],
    key: &ScopeKey,
    group: u64,
    wrapping: Wrapping<'_>,
    random: &Randomness,
) -> Result<[u8; SLOT], SealError> {
    let mut bytes = FieldWriter::<SLOT>::new();
    bytes.put(about);
    let master = EventKey::from_bytes(wrapping.master.0);
    bytes.put(&random.nonce);
    bytes.put(&seal(&master, &random.nonce, about, key.secret())?);
    if let Some(rescue) = wrapping.rescue {
        let ephemeral = PublicKey::from(&random.ephemeral);
        let shared = random.ephemeral.diffie_hellman(&PublicKey::from(rescue.0));
        let wrapped_for = rescue_key(shared.as_bytes(), ephemeral.as_bytes(), &rescue.0);
        bytes.put(ephemeral.as_bytes());
        bytes.put(&seal(&wrapped_for, &[0; 24], about, key.secret())?);
    }
    bytes.zeros_to(GROUP_AT);
    bytes.put(&group.to_be_bytes());
    Ok(finish(bytes))
}

/// The part of a slot that [`about`] made.
pub(super) fn about_of(fields: &Fields224) -> [u8; ABOUT] {
    Fields(fields).take()
}

/// A slot's scope and key id, and its key unless that was destroyed.
pub(super) type Decoded = (KeyScope, KeyId, Option<ScopeKey>);

pub(super) fn decode_slot(fields: &Fields224, master: &MasterKey) -> Option<Decoded> {
    let (about, rest) = fields.split_at(ABOUT);
    let (scope, id, destroyed) = read_about(about)?;
    if destroyed {
        return Some((scope, id, None));
    }
    let mut fields = Fields(rest);
    let nonce = fields.take();
    let wrapped: [u8; 48] = fields.take();
    let secret = open(&EventKey::from_bytes(master.0), &nonce, about, &wrapped).ok()?;
    let secret = Zeroizing::new(secret);
    let key = ScopeKey::new(id, secret.as_slice().try_into().ok()?);
    Some((scope, id, Some(key)))
}

/// The slot that takes the place of a key's slot when the key is destroyed: everything that says
/// which key it was, and nothing of the key.
pub(super) fn encode_destroyed(slot: &[u8; SLOT]) -> Option<[u8; SLOT]> {
    let fields = checked(slot)?;
    let (about, _) = fields.split_at(ABOUT);
    let (before, rest) = about.split_at(STATE_AT);
    let (_, after) = rest.split_first()?;
    let mut bytes = FieldWriter::<SLOT>::new();
    bytes.put(before);
    bytes.put(&[DESTROYED]);
    bytes.put(after);
    bytes.zeros_to(GROUP_AT);
    bytes.put(&group_of(fields).to_be_bytes());
    Some(finish(bytes))
}

/// Reads scope and id from the part of a slot that is not encrypted, and whether the key was
/// destroyed.
fn read_about(about: &[u8]) -> Option<(KeyScope, KeyId, bool)> {
    let mut fields = Fields(about);
    if fields.take() != *SLOT_MAGIC {
        return None;
    }
    let [state, kind] = fields.take();
    let destroyed = match state {
        ACTIVE => false,
        DESTROYED => true,
        _ => return None,
    };
    let id = fields.take();
    let scope = match kind {
        1 => KeyScope::Ledger,
        2 => KeyScope::Institution(InstitutionId::from_bytes(id)),
        3 => KeyScope::Person(PersonId::from_bytes(id)),
        _ => return None,
    };
    Some((scope, KeyId::from_bytes(fields.take()), destroyed))
}

/// The id of the key in a slot.
pub(super) fn id_of(fields: &Fields224) -> KeyId {
    let (_, id) = fields.split_at(ID_AT);
    KeyId::from_bytes(Fields(id).take())
}

fn rescue_key(shared: &[u8; 32], ephemeral: &[u8; 32], recipient: &[u8; 32]) -> EventKey {
    let mut hasher = blake3::Hasher::new_derive_key(RESCUE_CONTEXT);
    hasher.update(shared).update(ephemeral).update(recipient);
    EventKey::from_bytes(hasher.finalize().into())
}

/// The secrets in a key store's bytes, opened with the private half of the rescue key. This
/// restores the keys when the master key is lost. Slots that cannot be opened are left out.
pub fn open_with_rescue_key(bytes: &[u8], private: &[u8; 32]) -> Vec<(KeyScope, ScopeKey)> {
    let (slots, _) = bytes.as_chunks::<SLOT>();
    let open_slot = |slot: &[u8; SLOT]| {
        let (scope, _, key) = decode_slot_with_rescue_key(checked(slot)?, private)?;
        Some((scope, key?))
    };
    slots.iter().skip(1).filter_map(open_slot).collect()
}

/// The key in a slot, opened with the private half of the rescue key.
pub(super) fn decode_slot_with_rescue_key(
    fields: &Fields224,
    private: &[u8; 32],
) -> Option<Decoded> {
    let private = StaticSecret::from(*private);
    let (about, rest) = fields.split_at(ABOUT);
    let (scope, id, destroyed) = read_about(about)?;
    if destroyed {
        return Some((scope, id, None));
    }
    let mut rest = Fields(rest);
    let _nonce: [u8; 24] = rest.take();
    let _wrapped: [u8; 48] = rest.take();
    let ephemeral: [u8; 32] = rest.take();
    let wrapped: [u8; 48] = rest.take();
    let shared = private.diffie_hellman(&PublicKey::from(ephemeral));
    let recipient = PublicKey::from(&private);
    let key = rescue_key(shared.as_bytes(), &ephemeral, recipient.as_bytes());
    let secret = Zeroizing::new(open(&key, &[0; 24], about, &wrapped).ok()?);
    let key = ScopeKey::new(id, secret.as_slice().try_into().ok()?);
    Some((scope, id, Some(key)))
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
