//! Words that the imports share.

use crate::cli::error::{CliError, words};
use crate::upload::UploadError;

/// Why nothing could be looked at, before anything is written.
pub(super) fn failed_looking(error: &UploadError) -> CliError {
    CliError::Refused(format!("{}\nnothing was written", said(error)))
}

/// Why an import did not come to its end.
pub(super) fn failed_sending(error: &UploadError) -> CliError {
    CliError::Refused(format!(
        "{}\nwhat was recorded before stays; import the same files again to go on",
        said(error)
    ))
}

fn said(error: &UploadError) -> String {
    match error {
        UploadError::Call(status) => words(status),
        UploadError::Fault(_) | UploadError::CutShort(_) => error.to_string(),
    }
}

pub(super) fn count(name: &str, number: u64) -> Vec<String> {
    vec![name.to_owned(), number.to_string()]
}
