//! Why the access log cannot be written or opened.

use std::sync::Arc;

use crate::ids::{LedgerId, Position};
use crate::ledger;

/// Why a read was not recorded. What was read must not be shown then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessLogError {
    /// Too many reads wait to be recorded. Try again.
    #[error("too many reads wait to be recorded; try again")]
    Busy,
    /// There is no room for the next segment, so nothing was written. What was handed in before is recorded
    /// once there is room, and then everything goes on by itself.
    #[error("the access log has no room for its next segment: {0}")]
    Waiting(Arc<str>),
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
    /// The first segments are missing, and no act on record removes so many of them. Restore the access
    /// log from its backup.
    #[error(
        "access log: the records up to {removed} were removed, but the acts on record remove those up to \
         {recorded} only; restore access/journal from its backup"
    )]
    Unrecorded {
        /// The last record that was removed.
        removed: Position,
        /// The last one that an act removes.
        recorded: Position,
    },
    /// An act that removes records could not be carried out.
    #[error("access log: an act that removes records cannot be carried out: {0}")]
    Act(#[from] ledger::ErasureError),
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
