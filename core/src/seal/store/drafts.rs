//! New keys from when they are made until a commit uses them.

use super::error::KeyStoreError;
use super::slot::{Randomness, SLOT, Wrapping, about, encode_slot};
use crate::fields::Fields;
use crate::ids::KeyId;
use crate::seal::key::ScopeKey;
use crate::seal::scope::KeyScope;
use crate::time::{Entropy, Timestamp};
use zeroize::Zeroizing;

/// A key that nothing durable uses yet.
pub(super) struct Draft {
    pub(super) scope: KeyScope,
    pub(super) key: ScopeKey,
    now: Timestamp,
    random: Randomness,
}

impl Draft {
    pub(super) fn new(
        scope: KeyScope,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyStoreError> {
        let mut random = Zeroizing::new([0; 16 + 32 + Randomness::LEN]);
        let filled = entropy.fill(random.as_mut_slice());
        filled.map_err(KeyStoreError::Entropy)?;
        let mut fields = Fields(random.as_slice());
        Ok(Self {
            scope,
            key: ScopeKey::new(KeyId::from_bytes(fields.take()), fields.take()),
            now,
            random: Randomness::new(fields.take()),
        })
    }

    /// Its slot, in a write that `group` slots come before.
    pub(super) fn slot(
        &self,
        group: u64,
        wrapping: Wrapping<'_>,
    ) -> Result<[u8; SLOT], KeyStoreError> {
        let about = about(self.scope, self.key.id, self.now);
        encode_slot(&about, &self.key, group, wrapping, &self.random)
            .map_err(|_| KeyStoreError::Poisoned)
    }
}
