//! `ledger status`: shows the status of a running server's ledger.

use clap::Args;
use planledger_proto::v1::{AccessLogState, CarriedOver, Deriving, GetStatusRequest, PutBack};

use super::super::error::CliError;
use super::super::output;
use super::super::remote::Remote;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Status {
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let status = client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await?
            .into_inner();
        if self.json {
            return output::json(&status);
        }
        let reads = access_log(status.access_log()).to_owned();
        let restores = put_back(&status.restores);
        let origin = carried_over(status.carried_over.as_ref());
        let last = output::instant(status.last_recorded_at.as_ref());
        let rows = [
            ("ledger", status.ledger_id),
            ("events", status.position.to_string()),
            ("commits", status.commit_count.to_string()),
            ("last recorded", last),
            ("started", output::instant(status.started_at.as_ref())),
            ("version", status.version),
            (
                "takes commands",
                takes_commands(status.writable, status.not_writable_because),
            ),
            ("access log", reads),
            (
                "derived state",
                derived(status.derived_rebuilds, status.deriving),
            ),
            ("forked streams", forked(status.forks)),
            ("put back from backups", restores),
            ("carried over from", origin),
        ];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        output::table(&rows);
        Ok(())
    }
}

/// Describes whether commands are accepted, and why not if it is known.
fn takes_commands(writable: bool, because: Option<String>) -> String {
    match (writable, because) {
        (true, _) => "yes".to_owned(),
        (false, None) => "no".to_owned(),
        (false, Some(because)) => format!("no: {because}"),
    }
}

/// Describes derived state: whether it is sound, and how often it was rebuilt since the server
/// started.
fn derived(rebuilds: u64, deriving: Option<Deriving>) -> String {
    let times = match rebuilds {
        0 => return "sound".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    match deriving {
        Some(Deriving { done, all }) => {
            format!("being rebuilt from the journal: {done} of {all} events")
        }
        None => format!("was found faulty and rebuilt {times} since the server started"),
    }
}

/// Describes whether reads of plans are recorded.
const fn access_log(state: AccessLogState) -> &'static str {
    match state {
        AccessLogState::Unspecified => "-",
        AccessLogState::Recording => "records reads",
        AccessLogState::Failed => "cannot be written: no plans are shown until a restart",
        AccessLogState::Waiting => "has no room: no plans are shown until there is",
        AccessLogState::Disabled => "none",
    }
}

/// Describes which older states were put back.
fn put_back(restores: &[PutBack]) -> String {
    let one = |restore: &PutBack| {
        let when = output::instant(restore.restored_at.as_ref());
        let missing = restore.reached.saturating_sub(restore.position);
        format!(
            "{when} to position {}, {missing} events missing",
            restore.position
        )
    };
    match restores {
        [] => "never".to_owned(),
        restores => restores.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

/// Describes which earlier ledger the events come from.
fn carried_over(origin: Option<&CarriedOver>) -> String {
    let Some(origin) = origin else {
        return "no other ledger".to_owned();
    };
    let when = output::instant(origin.carried_at.as_ref());
    let missing = origin.lost + origin.reached.saturating_sub(origin.position);
    format!(
        "ledger {}, {when}, up to position {}, {missing} events missing",
        origin.ledger_id, origin.position
    )
}

fn forked(forks: u64) -> String {
    match forks {
        0 => "none".to_owned(),
        _ => format!("{forks} not settled; run planledger ledger forks to see them"),
    }
}
