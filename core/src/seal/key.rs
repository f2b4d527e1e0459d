//! The key of a person, an institution or the ledger.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::cipher::{self, EventKey, NONCE_LEN, commitment};
use crate::entry::Entry;
use crate::ids::{KeyId, Revision, StreamId};

/// A scope's key. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ScopeKey {
    /// The id of the key, which entries name.
    #[zeroize(skip)]
    pub id: KeyId,
    pub(super) secret: [u8; 32],
    /// The key of [`ScopeKey::keyed_digest`], which follows from the secret.
    digest: [u8; 32],
}

impl std::fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScopeKey({})", self.id)
    }
}

impl ScopeKey {
    /// The key with this id and secret.
    pub fn new(id: KeyId, secret: [u8; 32]) -> Self {
        let digest = cipher::digest_key(&secret);
        Self { id, secret, digest }
    }

    /// The key of a new event with this nonce. Whoever has it can open that event and no other.
    ///
    /// After a restore from an older backup a revision is used again, for another event. The nonce is
    /// another one then, so a key that was disclosed before does not open the new event.
    pub fn new_event_key(
        &self,
        stream: StreamId,
        revision: Revision,
        nonce: &[u8; NONCE_LEN],
    ) -> EventKey {
        cipher::nonce_event_key(&self.secret, stream, revision, nonce)
    }

    /// The key of an event as earlier versions made it, without the nonce.
    pub fn event_key(&self, stream: StreamId, revision: Revision) -> EventKey {
        cipher::event_key(&self.secret, stream, revision)
    }

    /// The key of the event of an entry. Which of both ways made it is told by the entry's commitment.
    pub fn key_of(&self, entry: &Entry) -> EventKey {
        let key = self.new_event_key(entry.stream, entry.revision, &entry.nonce);
        match commitment(&key) == entry.key_commitment {
            true => key,
            false => self.event_key(entry.stream, entry.revision),
        }
    }

    /// A hash that only holders of the key can compute. It is used for digests of commands, so that
    /// short texts cannot be guessed from the digests.
    pub fn keyed_digest(&self, bytes: &[u8]) -> [u8; 16] {
        cipher::keyed_digest(&self.digest, bytes)
    }

    /// The key that seals what the access log says about whoever has this key. It has the same id,
    /// and whoever has keys of single events cannot compute it.
    pub(crate) fn for_access_log(&self) -> Self {
        Self::new(self.id, cipher::access_log_secret(&self.secret))
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}
