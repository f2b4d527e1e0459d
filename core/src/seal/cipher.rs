//! The cipher, and the keys that are derived for it. `core/DESIGN.md` has the layouts and contexts.

use chacha20::{R20, hchacha};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::error::Unspecified;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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
/// Length of what the cipher adds to a text.
const TAG_LEN: usize = 16;

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
    let mut sealed = Vec::with_capacity(plain.len() + TAG_LEN);
    sealed.extend_from_slice(plain);
    seal_in_place(key, nonce, prefix, sealed)
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
    let sealed = Cipher::new(&key.0, nonce).and_then(|cipher| cipher.seal(prefix, &mut plain));
    match sealed {
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
    let opened = Cipher::new(&key.0, nonce).and_then(|cipher| cipher.open(prefix, sealed));
    opened.map_err(|_| match sealed.iter().all(|byte| *byte == 0) {
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

/// XChaCha20-Poly1305 for one message: ChaCha20-Poly1305 with a key that HChaCha20 makes of the key and the
/// first 16 bytes of the nonce; the nonce is four zero bytes and the rest of it. So draft-irtf-cfrg-xchacha-03
/// builds it, and a test holds it against another implementation. ring takes a quarter of the time of one that
/// is portable, but does not wipe its keys, so that is done here.
struct Cipher {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Cipher {
    fn new(key: &[u8; 32], nonce: &[u8; NONCE_LEN]) -> Result<Self, Unspecified> {
        let ([first @ .., _, _, _, _, _, _, _, _], [.., a, b, c, d, e, f, g, h]) = (nonce, nonce);
        let own: Zeroizing<[u8; 32]> =
            Zeroizing::new(hchacha::<R20>(key.into(), first.into()).into());
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, own.as_slice())?),
            nonce: [0, 0, 0, 0, *a, *b, *c, *d, *e, *f, *g, *h],
        })
    }

    fn seal(&self, prefix: &[u8], plain: &mut Vec<u8>) -> Result<(), Unspecified> {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(prefix), plain)
    }

    fn open(&self, prefix: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let mut plain = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(prefix), &mut plain);
        let length = opened?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        // Another key in its place: ring has no way to wipe one. It fails for keys of a wrong length only.
        if let Ok(zeros) = UnboundKey::new(&CHACHA20_POLY1305, &[0; 32]) {
            self.key = LessSafeKey::new(zeros);
            // As if it were read, so that the compiler does not leave it out.
            std::hint::black_box(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

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

    proptest! {
        #[test]
        fn another_implementation_seals_the_same_and_opens_the_same(
            secret in any::<[u8; 32]>(),
            nonce in any::<[u8; NONCE_LEN]>(),
            prefix in prop::collection::vec(any::<u8>(), 0..200),
            plain in prop::collection::vec(any::<u8>(), 0..1_200),
            flip in any::<prop::sample::Index>(),
        ) {
            let key = EventKey::from_bytes(secret);
            let other = XChaCha20Poly1305::new(&Key::from(secret));
            let sealed = seal(&key, &nonce, &prefix, &plain).unwrap();
            let payload = Payload { msg: &plain, aad: &prefix };
            prop_assert_eq!(&sealed, &other.encrypt(&XNonce::from(nonce), payload).unwrap());
            prop_assert_eq!(open(&key, &nonce, &prefix, &sealed).unwrap(), plain);

            let mut changed = sealed;
            let at = flip.index(changed.len());
            changed[at] ^= 1;
            prop_assert_eq!(open(&key, &nonce, &prefix, &changed), Err(SealError::Forged));
            changed.truncate(at.min(TAG_LEN - 1));
            prop_assert_eq!(
                open(&key, &nonce, &prefix, &changed).is_err(),
                true,
                "less than a tag"
            );
        }
    }
}
