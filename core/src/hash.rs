//! BLAKE3 in `derive_key` mode with each context hashed once instead of for every input.

use std::sync::OnceLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};

use crate::entry::Hash32;

/// A purpose that hashes are made for.
pub(crate) struct Context {
    text: &'static str,
    key: OnceLock<ContextKey>,
}

impl Context {
    /// The purpose with this context string.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text,
            key: OnceLock::new(),
        }
    }

    /// Begins a hash for this purpose.
    pub(crate) fn hasher(&self) -> blake3::Hasher {
        let key = self.key.get_or_init(|| hash_derive_key_context(self.text));
        blake3::Hasher::new_from_context_key(key)
    }

    /// The hash of `bytes` for this purpose.
    pub(crate) fn hash(&self, bytes: &[u8]) -> Hash32 {
        *self.hasher().update(bytes).finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cached_context_hashes_like_derive_key() {
        static CONTEXT: Context = Context::new("planledger v1 2026-11-23 frame");
        for input in [b"x".as_slice(), b"", &[7; 5_000]] {
            let expected = blake3::derive_key("planledger v1 2026-11-23 frame", input);
            assert_eq!(CONTEXT.hash(input), expected);
        }
    }
}
