//! The status of the ledger.

use planledger_core::ids::Position;
use planledger_core::ledger::Status;
use planledger_core::time::Timestamp;

use super::instant::timestamp;
use super::proto;

/// Writes the answer of `GetStatus`. `started_at` is the instant when the server started. `recording` says
/// whether reads are recorded; `None` if the server keeps no access log.
pub fn status(
    status: &Status,
    started_at: Timestamp,
    recording: Option<bool>,
    not_writable_because: Option<String>,
) -> proto::GetStatusResponse {
    let access_log = match recording {
        Some(true) => proto::AccessLogState::Recording,
        Some(false) => proto::AccessLogState::Failed,
        None => proto::AccessLogState::Disabled,
    };
    let recorded = status.position > Position::ZERO;
    let deriving = status.deriving;
    proto::GetStatusResponse {
        ledger_id: status.ledger.to_string(),
        position: status.position.get(),
        commit_count: status.commit.get(),
        last_recorded_at: recorded.then(|| timestamp(status.recorded_at)),
        started_at: Some(timestamp(started_at)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        writable: status.writable,
        derived_rebuilds: status.derived_again,
        deriving: deriving.map(|(done, all)| proto::Deriving { done, all }),
        forks: status.forks,
        access_log: access_log.into(),
        not_writable_because,
    }
}
