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
    #[error("sled stopped at something that it did not expect")]
    Panicked,
}

/// Asks sled for something.
pub(crate) fn guarded<T>(ask: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, SledError> {
    match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SledError::Panicked),
    }
}
