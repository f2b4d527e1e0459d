//! The status of the ledger.

use planledger_core::access_log::AccessLogError;
use planledger_core::domain::ledger::{CarriedOver, RestoreOnRecord};
use planledger_core::ids::Position;
use planledger_core::ledger::Status;
use planledger_core::time::Timestamp;

use super::instant::timestamp;
use super::proto;

/// Writes the answer of `GetStatus`. `started_at` is the instant when the server started. `recording` says
/// whether reads are recorded, or why not; `None` if the server keeps no access log. `restores` are the
/// older states that were put back, `origin` the earlier ledger that the events come from.
pub fn status(
    status: &Status,
    started_at: Timestamp,
    recording: Option<Result<(), AccessLogError>>,
    not_writable_because: Option<String>,
    restores: &[RestoreOnRecord],
    origin: Option<&CarriedOver>,
) -> proto::GetStatusResponse {
    let access_log = match recording {
        Some(Ok(())) => proto::AccessLogState::Recording,
        Some(Err(AccessLogError::Waiting(_))) => proto::AccessLogState::Waiting,
        Some(Err(_)) => proto::AccessLogState::Failed,
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
        // One answer does not contradict itself, whatever changes meanwhile.
        writable: not_writable_because.is_none(),
        derived_rebuilds: status.derived_again,
        deriving: deriving.map(|(done, all)| proto::Deriving { done, all }),
        forks: status.forks,
        access_log: access_log.into(),
        not_writable_because,
        restores: restores.iter().map(put_back).collect(),
        carried_over: origin.map(carried_over),
    }
}

fn put_back(restore: &RestoreOnRecord) -> proto::PutBack {
    proto::PutBack {
        position: restore.position.get(),
        reached: restore.reached.get(),
        restored_at: Some(timestamp(restore.restored_at)),
        checkpoint_size: restore.beyond.map_or(0, |beyond| beyond.size.get()),
        lost_commands: restore.commands,
    }
}

fn carried_over(origin: &CarriedOver) -> proto::CarriedOver {
    proto::CarriedOver {
        ledger_id: origin.ledger.to_string(),
        position: origin.position.get(),
        reached: origin.reached.get(),
        lost: origin.lost,
        renumbered: origin.renumbered,
        carried_at: Some(timestamp(origin.carried_at)),
        checkpoint_size: origin.checkpoint.map_or(0, |known| known.size.get()),
    }
}
