//! Threads of the engine.

use std::thread;

use super::OpenError;

/// Begins a thread that is seen under this name.
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
