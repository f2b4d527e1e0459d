//! The cipher, and the keys that are derived for it. `core/DESIGN.md` has the layouts and contexts.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::ScopeKey;
use crate::hash::Hash32;
use crate::hash::{Context, first};
use crate::ids::{Revision, StreamId};

static EVENT_KEY: Context = Context::new("planledger v1 2026-11-23 event key");
static NONCE_EVENT_KEY: Context = Context::new("planledger v1 2026-11-29 event key");
static COMMITMENT: Context = Context::new("planledger v1 2026-11-23 key commitment");
static DIGEST_KEY: Context = Context::new("planledger v1 2026-11-23 command digest key");
static DOCUMENT_KEY: Context = Context::new("planledger v1 2026-11-23 document key");
static DOCUMENT_NONCE: Context = Context::new("planledger v1 2026-11-23 document nonce");
static REST_KEY: Context = Context::new("planledger v1 2026-11-30 redacted event key");
static ACCESS_LOG_KEY: Context = Context::new("planledger v1 2026-11-29 access log key");
/// Length of a nonce in bytes.
pub(crate) const NONCE_LEN: usize = 24;

/// The key of one event. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EventKey([u8; 32]);

impl EventKey {
    /// The key with these bytes, as an export discloses it.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The bytes were changed, or sealed under another key.
    #[error("cannot be decrypted with its key: the bytes or the key are not the original ones")]
    Forged,
    /// Every byte is zero, which means that it was redacted.
    #[error("was redacted")]
    Redacted,
    /// The text is too long for the cipher.
    #[error("is too long to be sealed")]
    TooLong,
}

pub(super) fn event_key(secret: &[u8; 32], stream: StreamId, revision: Revision) -> EventKey {
    let mut hasher = EVENT_KEY.hasher();
    hasher
        .update(secret)
        .update(&stream.to_bytes())
        .update(&revision.get().to_be_bytes());
    EventKey(hasher.finalize().into())
}

pub(super) fn access_log_secret(secret: &[u8; 32]) -> [u8; 32] {
    ACCESS_LOG_KEY.hash(secret)
}

pub(super) fn nonce_event_key(
    secret: &[u8; 32],
    stream: StreamId,
    revision: Revision,
    nonce: &[u8; NONCE_LEN],
) -> EventKey {
    let mut hasher = NONCE_EVENT_KEY.hasher();
    hasher
        .update(secret)
        .update(&stream.to_bytes())
        .update(&revision.get().to_be_bytes())
        .update(nonce);
    EventKey(hasher.finalize().into())
}

pub(super) fn digest_key(secret: &[u8; 32]) -> [u8; 32] {
    DIGEST_KEY.hash(secret)
}

pub(super) fn keyed_digest(key: &[u8; 32], bytes: &[u8]) -> [u8; 16] {
    first(blake3::keyed_hash(key, bytes).as_bytes())
}

/// A hash of the event key that the entry carries, so that nobody can show two texts for one
/// ciphertext.
pub fn commitment(key: &EventKey) -> Hash32 {
    COMMITMENT.hash(&key.0)
}

/// Seals a payload. `nonce` is random; `prefix` is the entry up to the payload's length.
///
/// # Errors
/// [`SealError::TooLong`] beyond 256 GiB.
pub fn seal(
    key: &EventKey,
    nonce: &[u8; 24],
    prefix: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    cipher(&key.0)
        .encrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: plain,
                aad: prefix,
            },
        )
        .map_err(|_| SealError::TooLong)
}

/// The same as [`seal`], in the place of the payload.
///
/// # Errors
/// As for [`seal`].
pub(crate) fn seal_in_place(
    key: &EventKey,
    nonce: &[u8; 24],
    prefix: &[u8],
    mut plain: Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    match cipher(&key.0).encrypt_in_place(&XNonce::from(*nonce), prefix, &mut plain) {
        Ok(()) => Ok(plain),
        Err(_) => {
            plain.zeroize();
            Err(SealError::TooLong)
        }
    }
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`SealError::Redacted`] when every byte is zero, [`SealError::Forged`] otherwise.
pub fn open(
    key: &EventKey,
    nonce: &[u8; 24],
    prefix: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    cipher(&key.0)
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: prefix,
            },
        )
        .map_err(|_| match sealed.iter().all(|byte| *byte == 0) {
            true => SealError::Redacted,
            false => SealError::Forged,
        })
}

/// The key that seals what is left of an event whose text is redacted. Use it with [`seal_document`].
pub(crate) fn rest_key(event: &EventKey) -> EventKey {
    EventKey(REST_KEY.hash(&event.0))
}

/// The key that seals a derived document of this scope.
pub fn document_key(scope: &ScopeKey) -> EventKey {
    EventKey(DOCUMENT_KEY.hash(scope.secret()))
}

/// Seals a derived document. The nonce is computed from key, name and content. So derived state
/// that is made again has the same bytes (P3), and other content gets another nonce.
///
/// # Errors
/// [`SealError::TooLong`] beyond 256 GiB.
pub fn seal_document(key: &EventKey, name: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut hasher = DOCUMENT_NONCE.hasher();
    hasher
        .update(&key.0)
        .update(&(name.len() as u64).to_be_bytes())
        .update(name)
        .update(plain);
    let nonce: [u8; NONCE_LEN] = first(hasher.finalize().as_bytes());
    let sealed = seal(key, &nonce, name, plain)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal_document`] made.
///
/// # Errors
/// [`SealError::Forged`] when the bytes are not what was sealed under that key and name.
pub fn open_document(key: &EventKey, name: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = bytes
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(SealError::Forged)?;
    open(key, nonce, name, sealed)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{KeyId, PlanId};

    fn key() -> ScopeKey {
        ScopeKey::new(KeyId::from_bytes([1; 16]), [7; 32])
    }

    #[test]
    fn a_payload_opens_only_as_what_it_was_sealed() {
        let stream = StreamId::from(PlanId::from_bytes([2; 16]));
        let event = key().event_key(stream, Revision::new(1));
        let sealed = seal(&event, &[3; 24], b"prefix", b"text").unwrap();
        let in_place = seal_in_place(&event, &[3; 24], b"prefix", b"text".to_vec());
        assert_eq!(in_place.unwrap(), sealed);
        assert_eq!(open(&event, &[3; 24], b"prefix", &sealed).unwrap(), b"text");
        assert_eq!(
            open(&event, &[3; 24], b"other", &sealed),
            Err(SealError::Forged)
        );
        let next = key().event_key(stream, Revision::new(2));
        assert_ne!(commitment(&event), commitment(&next));
        assert_eq!(
            open(&next, &[3; 24], b"prefix", &sealed),
            Err(SealError::Forged)
        );
        let redacted = vec![0; sealed.len()];
        assert_eq!(
            open(&event, &[3; 24], b"prefix", &redacted),
            Err(SealError::Redacted)
        );
    }

    #[test]
    fn a_document_seals_to_the_same_bytes_and_only_under_its_name() {
        let key = document_key(&key());
        let sealed = seal_document(&key, b"plan", b"state").unwrap();
        assert_eq!(sealed, seal_document(&key, b"plan", b"state").unwrap());
        assert_eq!(open_document(&key, b"plan", &sealed).unwrap(), b"state");
        assert_eq!(
            open_document(&key, b"other", &sealed),
            Err(SealError::Forged)
        );
        assert_eq!(
            open_document(&key, b"plan", b"short"),
            Err(SealError::Forged)
        );
    }
}
