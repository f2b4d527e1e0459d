//! The key that authenticates a register and makes its fingerprints.

use blake3::Hasher;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hash::{Hash32, first};
use crate::seal::MasterKey;

/// Length of the code that authenticates a record, in bytes.
pub(super) const MAC: usize = 16;

/// The key that authenticates a register and makes its fingerprints. It follows from the master
/// key, so whoever has only the files cannot make a register that is accepted. It also follows from
/// the generation, so fingerprints that are equal by chance in one generation differ in the next.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RegisterKey {
    prints: [u8; 32],
    records: [u8; 32],
}

impl RegisterKey {
    pub(crate) fn new(master: &MasterKey, generation: u64) -> Self {
        let key = |purpose| master.derived(purpose, &generation.to_be_bytes());
        Self {
            prints: key("planledger v1 2026-11-28 register fingerprint"),
            records: key("planledger v1 2026-11-28 register record"),
        }
    }

    /// The fingerprint of some bytes.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        u64::from_be_bytes(first(&keyed(&self.prints, parts)))
    }

    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; MAC] {
        first(&keyed(&self.records, parts))
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Hash32 {
    let mut hasher = Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
