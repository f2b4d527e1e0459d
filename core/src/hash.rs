//! BLAKE3 in `derive_key` mode with the context hashed once instead of for every value: most of
//! what is hashed here is so short that the context would take as long again.

use std::sync::OnceLock;

use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};

/// A 32-byte hash.
pub type Hash32 = [u8; 32];

/// A purpose that hashes are made for.
pub(crate) struct Context {
    text: &'static str,
    key: OnceLock<ContextKey>,
}

impl Context {
    /// The purpose with this context string; those of format v1 stand in `core/DESIGN.md`.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text,
            key: OnceLock::new(),
        }
    }

    /// A hasher for this purpose.
    pub(crate) fn hasher(&self) -> Hasher {
        Hasher::new_from_context_key(self.key.get_or_init(|| hash_derive_key_context(self.text)))
    }

    /// The hash of `bytes` for this purpose.
    pub(crate) fn hash(&self, bytes: &[u8]) -> Hash32 {
        self.hasher().update(bytes).finalize().into()
    }
}

/// The first `N` bytes of a hash.
pub(crate) fn first<const N: usize>(hash: &Hash32) -> [u8; N] {
    const { assert!(N <= 32, "a hash has 32 bytes") };
    let mut bytes = [0; N];
    let (beginning, _) = hash.split_at(N);
    bytes.copy_from_slice(beginning);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cached_context_hashes_like_derive_key() {
        static PURPOSE: Context = Context::new("planledger v1 2026-11-23 frame");
        let expected = blake3::derive_key("planledger v1 2026-11-23 frame", b"value");
        assert_eq!(PURPOSE.hash(b"value"), expected);
        assert_eq!(
            PURPOSE.hash(b"value"),
            expected,
            "once the context is cached"
        );
        let parts = PURPOSE.hasher().update(b"val").update(b"ue").finalize();
        assert_eq!(<[u8; 32]>::from(parts), expected);
    }
}
