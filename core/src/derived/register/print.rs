//! A document's fingerprint, and maps of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Maps from hashes: nothing is gained by hashing them again.
pub(in crate::derived) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// A hasher for numbers that are hashes already.
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

/// Under which name a document stands in the register, and what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::derived) struct Print {
    pub(super) name: u64,
    /// Its fingerprint; `None` for a document that is not there.
    pub(super) value: Option<u64>,
}
