//! Nonces, drawn many at once. One system call for each nonce would take a large part of the time
//! of sealing.

use std::io;
use std::sync::Arc;

use crate::time::Entropy;

const LEN: usize = 24;
const AHEAD: usize = 128;

/// Random nonces, each given out once.
pub(crate) struct Nonces {
    entropy: Arc<dyn Entropy>,
    drawn: std::vec::IntoIter<[u8; LEN]>,
}

impl Nonces {
    pub(crate) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            drawn: Vec::new().into_iter(),
        }
    }

    /// A nonce that was not given out before.
    ///
    /// # Errors
    /// When the source of random bytes fails. Nothing may be sealed then.
    pub(crate) fn next(&mut self) -> io::Result<[u8; LEN]> {
        if let Some(nonce) = self.drawn.next() {
            return Ok(nonce);
        }
        let mut more = vec![[0; LEN]; AHEAD];
        self.entropy.fill(more.as_flattened_mut())?;
        self.drawn = more.into_iter();
        self.drawn.next().ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::counting::Counting;

    #[test]
    fn no_nonce_comes_twice_and_none_comes_when_randomness_fails() {
        let (counting, draws) = (Counting::from(0), AtomicU64::new(0));
        let twice = move |bytes: &mut [u8]| match draws.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => counting.fill(bytes),
            _ => Err(io::ErrorKind::Other.into()),
        };
        let mut nonces = Nonces::new(Arc::new(twice));
        let given: Vec<_> = std::iter::from_fn(|| nonces.next().ok()).collect();
        assert_eq!(given.len(), 2 * AHEAD);
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
        assert!(nonces.next().is_err(), "and it goes on failing");
    }
}
