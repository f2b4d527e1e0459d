//! A clock and randomness for unit tests: other instants and other bytes at each call, and the same in
//! each run. Tests outside of this crate have theirs in `planledger-fixtures`, which these cannot use:
//! it is built on a copy of this crate that is not the one under test.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::{Clock, Entropy, Timestamp};

pub(crate) struct Counting(AtomicU64);

impl Counting {
    pub(crate) fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Clock for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        // Other bytes in every block of eight.
        for bytes in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            bytes.copy_from_slice(&number[..bytes.len()]);
        }
        Ok(())
    }
}
