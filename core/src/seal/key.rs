//! The key of a person, an institution or the ledger.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::cipher::{self, EventKey};
use crate::ids::{KeyId, Revision, StreamId};

/// A scope's key. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ScopeKey {
    /// The id of the key, which entries name.
    #[zeroize(skip)]
    pub id: KeyId,
    pub(super) secret: [u8; 32],
}

impl std::fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScopeKey({})", self.id)
    }
}

impl ScopeKey {
    /// The key with this id and secret.
    pub fn new(id: KeyId, secret: [u8; 32]) -> Self {
        Self { id, secret }
    }

    /// The key of one event. Whoever has it can open that event and no other.
    pub fn event_key(&self, stream: StreamId, revision: Revision) -> EventKey {
        cipher::event_key(&self.secret, stream, revision)
    }

    /// A hash that only holders of the key can compute. It is used for digests of commands, so that
    /// short texts cannot be guessed from the digests.
    pub fn keyed_digest(&self, bytes: &[u8]) -> [u8; 16] {
        cipher::keyed_digest(&self.secret, bytes)
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}
