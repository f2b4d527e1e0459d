//! Sealing. Every payload is encrypted under the key of the person whom it is about, or of the
//! institution that it belongs to (P6). What is not encrypted identifies nobody.

mod cipher;
mod scope;
mod store;

pub(crate) use self::cipher::NONCE_LEN;
pub use self::cipher::{
    EventKey, SealError, commitment, document_key, open, open_document, seal, seal_document,
};
pub use self::scope::KeyScope;
pub use self::store::{
    KeyCount, KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions, MasterKey, RescueKey,
    open_with_rescue_key,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{KeyId, StreamId};

/// A scope's key. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ScopeKey {
    /// The id of the key, which entries name.
    #[zeroize(skip)]
    pub id: KeyId,
    secret: [u8; 32],
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
    pub fn event_key(&self, stream: StreamId, revision: crate::ids::Revision) -> EventKey {
        cipher::event_key(&self.secret, stream, revision)
    }

    /// A hash that only holders of the key can compute. It is used for digests of commands, so that
    /// short texts cannot be guessed from the digests.
    pub fn keyed_digest(&self, bytes: &[u8]) -> [u8; 16] {
        cipher::keyed_digest(&self.secret, bytes)
    }

    fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}
