//! What the register knows of a document, and maps of it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::derived::values::Place;

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

/// What the register knows of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::derived) struct Known {
    /// What tells it from every other document.
    pub(in crate::derived) fingerprint: u64,
    /// Where it lies.
    pub(in crate::derived) place: Place,
}

/// The name under which the register knows a document, and what it knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::derived) struct Print {
    pub(in crate::derived) name: u64,
    /// `None` for a document that is not there.
    pub(in crate::derived) known: Option<Known>,
}
