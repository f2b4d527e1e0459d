//! The rescue recipient.

use std::fmt;

use x25519_dalek::{PublicKey, StaticSecret};

use crate::hex;

/// The public half of the rescue key, whose private half is kept in a safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RescueKey(pub [u8; 32]);

impl RescueKey {
    /// The public half of a private one.
    pub fn of(private: &[u8; 32]) -> Self {
        Self(PublicKey::from(&StaticSecret::from(*private)).to_bytes())
    }

    /// Whether the key is a point of low order. What is sealed for such a key can be opened by anybody,
    /// because all secrets that are agreed with it are the same.
    pub fn is_weak(self) -> bool {
        // Whose secret it is makes no difference: every one is a multiple of the small orders.
        let any = StaticSecret::from([1; 32]);
        !any.diffie_hellman(&PublicKey::from(self.0))
            .was_contributory()
    }
}

impl fmt::Display for RescueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}
