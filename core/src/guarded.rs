//! Asking sled. It panics on some broken files instead of returning an error, also long after it
//! opened them.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of asking sled when it was not an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SledError {
    /// It says what is wrong.
    #[error("sled: {0}")]
    Said(#[from] sled::Error),
    /// It panicked.
    #[error("sled failed because of an internal error")]
    Panicked,
}

impl SledError {
    /// Whether somebody still holds the lock of the store.
    pub(crate) fn is_locked(&self) -> bool {
        match self {
            // sled gives the system's error as text only.
            Self::Said(sled::Error::Io(error)) => {
                error.to_string().contains("could not acquire lock")
            }
            Self::Said(_) | Self::Panicked => false,
        }
    }
}

/// Asks sled for something.
pub(crate) fn guarded<T>(ask: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, SledError> {
    match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SledError::Panicked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_open_is_told_from_one_that_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let open = || guarded(|| sled::Config::new().path(dir.path().join("store")).open());
        let held = open().unwrap();
        assert!(open().unwrap_err().is_locked());
        drop(held);
        let broken = sled::Error::Io(std::io::Error::other("failed to fill whole buffer"));
        assert!(!SledError::Said(broken).is_locked());
    }
}
