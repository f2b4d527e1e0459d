//! What a check of the directory says of records of the access log that are lost.

use super::report::{Part, PartName, Verification};
use crate::audit::{Fault, FaultKind};
use crate::ids::Position;

/// A loss that a check of the directory has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLoss {
    /// How many of the first records are sound and stay.
    pub kept: Position,
    /// What is wrong, one sentence for each part.
    pub faults: Vec<String>,
}

/// What is lost of the access log, by a check of the directory; `None` if nothing is.
///
/// If only its end is missing, what is there stays. With any other fault nobody can say what of it is as it
/// was written, and nothing stays.
pub fn find_loss(found: &Verification) -> Option<FoundLoss> {
    let part = |name| found.part(name);
    let (log, checkpoints) = (
        part(PartName::AccessLog)?,
        part(PartName::AccessCheckpoints)?,
    );
    let faults: Vec<_> = [log, checkpoints]
        .into_iter()
        .filter_map(|part| Some(format!("{}: {}", part.name.name(), part.fault.as_ref()?)))
        .collect();
    if faults.is_empty() {
        return None;
    }
    let end_is_missing = |part: &Part, kind: FaultKind| {
        let next = Position::new(log.checked).next();
        let is_end = |fault: &Fault| (fault.kind, fault.position) == (kind, next);
        part.fault.as_ref().is_none_or(is_end)
    };
    let only_the_end = end_is_missing(log, FaultKind::Missing)
        && end_is_missing(checkpoints, FaultKind::Checkpoint);
    Some(FoundLoss {
        kept: match only_the_end {
            true => Position::new(log.checked),
            false => Position::ZERO,
        },
        faults,
    })
}
