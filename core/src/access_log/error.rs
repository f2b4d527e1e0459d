//! Why the access log cannot be written or opened.

use std::sync::Arc;

use crate::ids::LedgerId;
use crate::ledger;

/// Why a read was not recorded. What was read must not be shown then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessLogError {
    /// Too many reads wait to be recorded. Try again.
    #[error("too many reads wait to be recorded; try again")]
    Busy,
    /// A write or sync failed, now or earlier. Nothing is recorded any more until the program is
    /// started again.
    #[error("the access log cannot be written: {0}")]
    Failed(Arc<str>),
    /// The access log is closing.
    #[error("the access log is closing")]
    Closed,
}

/// Why the access log does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The journal of the access log, or the directory, cannot be opened or read.
    #[error("access log: {0}")]
    Journal(#[from] ledger::OpenError),
    /// The journal belongs to another ledger.
    #[error(
        "access log: the journal belongs to {found}, and not to this ledger, which has {expected}"
    )]
    Foreign {
        /// The id that the journal has.
        found: LedgerId,
        /// The id that it must have.
        expected: LedgerId,
    },
}

impl From<crate::journal::OpenError> for OpenError {
    fn from(error: crate::journal::OpenError) -> Self {
        Self::Journal(error.into())
    }
}

impl From<crate::journal::ReadError> for OpenError {
    fn from(error: crate::journal::ReadError) -> Self {
        Self::Journal(ledger::OpenError::from(ledger::ReadError::from(error)))
    }
}

impl From<ledger::ReadError> for OpenError {
    fn from(error: ledger::ReadError) -> Self {
        Self::Journal(error.into())
    }
}
