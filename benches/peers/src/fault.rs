//! Why a comparison was given up. There is no table then.

use std::error::Error;

/// Why a comparison was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something cannot be read or printed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A system failed, or did not start.
    #[error("{system}: {reason}")]
    System {
        /// Which one.
        system: &'static str,
        /// What it said.
        reason: String,
    },
    /// A figure would be of something else than it says.
    #[error("{0}")]
    Untrue(String),
}

impl Fault {
    /// What a system said, with its causes.
    pub(crate) fn said(system: &'static str, error: &dyn Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            let next_said = next.to_string();
            if !reason.ends_with(&next_said) {
                reason = format!("{reason}: {next_said}");
            }
            cause = next.source();
        }
        Self::System { system, reason }
    }
}

impl From<tokio::task::JoinError> for Fault {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Untrue(format!("a client ended early: {error}"))
    }
}
