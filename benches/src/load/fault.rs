//! Why a measurement was given up. None of them leaves half a figure: there is no report then.

use planledger::client::ConnectError;
use planledger::upload::UploadError;
use planledger_benches::place::PlaceError;
use planledger_core::text::TextError;
use tonic::Status;

/// Why a measurement was given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Fault {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server did not start, or not as it should.
    #[error("the server did not start: {0}")]
    Start(String),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A call failed.
    #[error("a call failed: {}: {}", .0.code(), .0.message())]
    Call(Box<Status>),
    /// What the measurement needs could not be recorded.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A ledger of the driver's own failed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A server failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// A server of the driver's own failed.
    #[error(transparent)]
    Serve(#[from] planledger::server::ServeError),
    /// A text is refused.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Something cannot be printed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Somebody wants no more of it.
    #[error("interrupted: servers are stopped, and what they wrote is removed")]
    Interrupted,
    /// A figure would be of something else than it says.
    #[error("{0}")]
    Untrue(String),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl From<tokio::task::JoinError> for Fault {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Untrue(format!("a client ended early: {error}"))
    }
}
