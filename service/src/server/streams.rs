//! Ends streams of answers.

use std::time::Duration;

use tokio::sync::mpsc;
use tonic::Status;

use crate::wire::Failure;

/// How long an ending stream waits until its client has read the last status.
const FAREWELL: Duration = Duration::from_secs(10);

/// Ends a stream with a status that says that the server is stopping. Without that status, the
/// client would believe that it has received everything.
pub(super) async fn goodbye<T>(sender: &mpsc::Sender<Result<T, Status>>) {
    let status = Err(Failure::shutting_down().into());
    // A client that does not read in that time loses its connection.
    let _ = tokio::time::timeout(FAREWELL, sender.send(status)).await;
}
