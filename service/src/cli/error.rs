//! Why a command line command failed.

use tonic_types::StatusExt;

use crate::client::ConnectError;
use crate::settings::SettingsError;

/// Why a command line command failed.
#[derive(Debug)]
pub(super) enum CliError {
    /// The request was refused, or a check found a fault: exit code 1.
    Refused(String),
    /// The command was used wrongly: exit code 2.
    Usage(String),
}

impl CliError {
    /// Makes a [`CliError::Refused`] with the text of an error.
    pub(super) fn refused(error: impl std::fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<SettingsError> for CliError {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<planledger_core::ledger::ReadError> for CliError {
    fn from(error: planledger_core::ledger::ReadError) -> Self {
        Self::refused(error)
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<tonic::Status> for CliError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(words(&status))
    }
}

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Usage(_) => Self::Usage(error.to_string()),
            ConnectError::Unreachable { .. } => Self::Refused(error.to_string()),
        }
    }
}

/// The server's message for a refused call, with its reason and the wrong fields.
pub(super) fn words(status: &tonic::Status) -> String {
    let details = status.get_error_details();
    let mut text = match details.error_info() {
        Some(info) => format!("{}: {}", info.reason, status.message()),
        None => format!("{:?}: {}", status.code(), status.message()),
    };
    for violation in details
        .bad_request()
        .iter()
        .flat_map(|bad| &bad.field_violations)
    {
        text.push_str(&format!(
            "\n  {}: {}",
            violation.field, violation.description
        ));
    }
    text
}
