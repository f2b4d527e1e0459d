//! The answer about a stream that has no state: it never had one, or the person was erased (P4).

use planledger_core::domain::Reason;
use planledger_core::ids::StreamId;
use planledger_core::ledger::Reading;

use crate::wire::Failure;

/// The failure for a stream without a state. Whoever gets it may read the stream.
pub(super) fn missing(
    reading: &Reading<'_>,
    reason: Reason,
    field: &str,
    id: impl Into<StreamId>,
) -> Failure {
    let stream = id.into();
    match reading.was_erased(stream) {
        Ok(true) => Failure::erased(field, stream),
        Ok(false) => Failure::no_stream(reason, field, stream),
        Err(error) => error.into(),
    }
}
