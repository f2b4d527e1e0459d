//! BLAKE3 in `derive_key` mode with the context hashed once instead of for every frame.

use std::sync::OnceLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};

pub(super) static FRAME_HEADER: Context = Context::new("planledger v1 2026-11-23 frame header");
pub(super) static FRAME: Context = Context::new("planledger v1 2026-11-23 frame");
pub(super) static SEGMENT_HEADER: Context = Context::new("planledger v1 2026-11-23 segment header");

/// A purpose that hashes are made for.
pub(super) struct Context {
    text: &'static str,
    key: OnceLock<ContextKey>,
}

impl Context {
    const fn new(text: &'static str) -> Self {
        Self {
            text,
            key: OnceLock::new(),
        }
    }

    /// The hash of `bytes` for this purpose.
    pub(super) fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        let key = self.key.get_or_init(|| hash_derive_key_context(self.text));
        *blake3::Hasher::new_from_context_key(key)
            .update(bytes)
            .finalize()
            .as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cached_context_hashes_like_derive_key() {
        assert_eq!(
            FRAME.hash(b"x"),
            blake3::derive_key("planledger v1 2026-11-23 frame", b"x")
        );
    }
}
