//! Starts the threads of the engine.

use std::thread;

use super::OpenError;

/// Starts a thread with a name that the operating system shows.
pub(crate) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, OpenError> {
    let named = thread::Builder::new().name(format!("ledger-{name}"));
    named.spawn(run).map_err(|source| OpenError::Io {
        path: name.into(),
        source,
    })
}
