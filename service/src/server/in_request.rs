//! Tasks that work on a request beside its handler. What they log has the id of the request too, as what
//! the handler logs.

use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

/// Like [`tokio::spawn`].
pub(super) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(work.instrument(Span::current()))
}

/// Like [`tokio::task::spawn_blocking`].
pub(super) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
}
