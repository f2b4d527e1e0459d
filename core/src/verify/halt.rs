//! Why a check ends early.

use crate::audit::{Fault, FaultKind};
use crate::journal::{Damage, DamageReason, FrameError, ReadError};
use crate::ledger::{OpenError, ReadError as LedgerReadError};

/// Why a reading stopped before the end.
pub(super) enum Halt {
    Fault(Fault),
    Failed(OpenError),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ReadError> for Halt {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged(damage) => Self::Fault(damaged(&damage)),
            ReadError::Io { .. } => Self::Failed(LedgerReadError::from(error).into()),
        }
    }
}

/// Turns damage of the journal's files into a fault.
pub(super) fn damaged(damage: &Damage) -> Fault {
    let nth = |index: u32| damage.position.plus(u64::from(index));
    let (position, kind) = match damage.reason {
        DamageReason::Frame(FrameError::Payload(index)) => (nth(index), FaultKind::Payload),
        DamageReason::Frame(FrameError::Entry(index)) => (nth(index), FaultKind::Entry),
        DamageReason::Frame(FrameError::Chain) | DamageReason::Misplaced => {
            (damage.position, FaultKind::Order)
        }
        DamageReason::Frame(
            FrameError::Short { .. }
            | FrameError::Magic
            | FrameError::Header
            | FrameError::Counts
            | FrameError::Checksum
            | FrameError::Command(_),
        )
        | DamageReason::SegmentHeader
        | DamageReason::Length { .. } => (damage.position, FaultKind::Format),
        DamageReason::Missing | DamageReason::Removed | DamageReason::EndLost(_) => {
            (damage.position, FaultKind::Missing)
        }
        DamageReason::Leaf | DamageReason::Leaves => (damage.position, FaultKind::Leaf),
    };
    Fault::new(position, kind, damage.to_string())
}
