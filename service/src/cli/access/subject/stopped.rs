//! Why a part of a copy was not read.

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::super::super::error::CliError;

/// Why a part of a copy was not read.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The server refuses it to whoever asks, or does not have it. The copy says so.
    Refused {
        /// The reason code: `ACCESS_DENIED`.
        code: String,
        /// In a sentence.
        why: String,
    },
    /// Something else: then there is no copy at all.
    Failed(CliError),
}

impl From<Status> for Stopped {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::PermissionDenied
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::Unimplemented => {}
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::InvalidArgument
            | Code::DeadlineExceeded
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
            | Code::Unauthenticated => return Self::Failed(status.into()),
        }
        let details = status.get_error_details();
        let code = match details.error_info() {
            Some(info) => info.reason.clone(),
            None => format!("{:?}", status.code()),
        };
        Self::Refused {
            code,
            why: status.message().to_owned(),
        }
    }
}

impl From<CliError> for Stopped {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}
