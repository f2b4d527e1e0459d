//! A clock and randomness that are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::time::{Clock, Entropy, Timestamp};

/// One microsecond further each time it is asked.
pub(crate) fn clock(from: Timestamp) -> impl Clock {
    let asked = AtomicU64::new(1);
    move || from.plus(1_000 * asked.fetch_add(1, Ordering::Relaxed))
}

/// Other bytes each time.
pub(crate) fn entropy() -> impl Entropy {
    let calls = AtomicU64::new(0);
    move |bytes: &mut [u8]| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&call.to_be_bytes())
            .finalize_xof()
            .fill(bytes);
        Ok(())
    }
}
