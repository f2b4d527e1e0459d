//! The fingerprint of a document, and maps of fingerprints.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are hashes already, so they are not hashed again.
pub(in crate::derived) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// A hasher that takes numbers as they are, because they are hashes already.
#[derive(Default)]
pub(in crate::derived) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// The name under which the register knows a document, and the document's fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::derived) struct Print {
    pub(in crate::derived) name: u64,
    /// The fingerprint; `None` for a document that is not there.
    pub(super) value: Option<u64>,
}
