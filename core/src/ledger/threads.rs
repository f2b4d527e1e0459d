//! Starts the threads of the engine.

use super::OpenError;
use crate::turns::{self, JoinHandle};

/// Starts a thread with a name that the operating system shows.
pub(crate) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    turns::spawn(&format!("ledger-{name}"), run).map_err(|source| OpenError::Io {
        path: name.into(),
        source,
    })
}
