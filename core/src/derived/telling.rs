//! The parts of a value that tell it from every other value that was ever written under its key.

use crate::entry::TAG_LEN;
use crate::seal::NONCE_LEN;

/// The parts of a value that tell it from every other.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a>(&'a [u8], &'a [u8]);

impl<'a> Telling<'a> {
    /// Both parts.
    pub(super) fn parts(&self) -> (&'a [u8], &'a [u8]) {
        (self.0, self.1)
    }

    /// The whole value.
    pub(super) fn whole(value: &'a [u8]) -> Self {
        Self(value, &[])
    }

    /// For a sealed value, the nonce and the tag. The nonce follows from the text, and the tag fits
    /// no other text and no other bytes before the nonce. Decrypting the value checks that.
    pub(super) fn sealed(value: &'a [u8], before_nonce: usize) -> Self {
        let nonce = value.get(before_nonce..before_nonce + NONCE_LEN);
        let tag = value.get(value.len().saturating_sub(TAG_LEN)..);
        match (nonce, tag) {
            (Some(nonce), Some(tag)) => Self(nonce, tag),
            _ => Self::whole(value),
        }
    }
}
