//! Streams of answers, and how they end.

use std::time::Duration;

use tokio::sync::mpsc;
use tonic::Status;

use crate::wire::Failure;

/// How long a stream that has to end waits for its client to read that.
const FAREWELL: Duration = Duration::from_secs(10);

/// Ends a stream with a status that says why: an end without one would look like all there is.
pub(super) async fn goodbye<T>(sender: &mpsc::Sender<Result<T, Status>>) {
    let status = Err(Failure::shutting_down().into());
    // A client that does not read within that time is cut off with its connection.
    let _ = tokio::time::timeout(FAREWELL, sender.send(status)).await;
}
