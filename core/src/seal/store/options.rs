//! What a key store is opened with.

use std::io;
use std::sync::Arc;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::rescue::RescueKey;
use crate::disk::Disk;
use crate::ids::LedgerId;
use crate::time::Entropy;

/// The key that wraps all other keys. It comes from a file, from the environment, or from a key
/// management service that hands it out.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey(pub(super) [u8; 32]);

impl MasterKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key.
    ///
    /// # Errors
    /// When the source of random bytes fails.
    pub fn random(entropy: &dyn Entropy) -> io::Result<Self> {
        let mut key = Self([0; 32]);
        entropy.fill(&mut key.0)?;
        Ok(key)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for another purpose, computed from this key.
    pub(crate) fn derived(&self, purpose: &'static str, about: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(purpose);
        hasher.update(&self.0).update(about);
        hasher.finalize().into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

/// What a key store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStoreMode {
    /// For reading and for new keys. A key store is made if there is none.
    Create,
    /// For reading and for new keys. The key store must exist.
    Existing,
    /// For reading only. Not a byte is changed; not even what a crash left at the end is cut off.
    ReadOnly,
}

/// How to open a key store.
pub struct KeyStoreOptions {
    /// The folder that holds `keys.log`.
    pub disk: Arc<dyn Disk>,
    /// The ledger that the key store belongs to.
    pub ledger: LedgerId,
    /// The master key.
    pub master: MasterKey,
    /// For a new store: the public key for which all keys are also wrapped, so that they can be
    /// restored if the master key is lost. For a store of an earlier version, whose header has no tag:
    /// the recipient that it has to name; if `None`, it may name nobody.
    pub rescue: Option<RescueKey>,
    /// What the key store is opened for.
    pub mode: KeyStoreMode,
}
