//! Runs recoveries: shows a dry run first, then carries it out and shows progress. Also lists and
//! undoes recoveries.

use clap::Args;
use indicatif::ProgressBar;
use planledger_core::ids::RecoveryId;
use planledger_core::text::ReasonText;
use planledger_proto::v1::{
    GetRecoveryRequest, GetRecoveryResponse, ListRecoveriesRequest, ListRecoveriesResponse,
    ProposeRecoveryRequest, ProposeRecoveryResponse, Recovery, RecoveryProgress, RecoveryWish,
    RunRecoveryRequest, UndoRecoveryRequest, run_recovery_response, undo_recovery_response,
};
use tonic::Status;
use uuid::Uuid;

use super::super::consent::{Consent, Mode, agreed, is_unknown};
use super::super::error::CliError;
use super::super::id::id;
use super::super::names::Names;
use super::super::output;
use super::super::remote::Remote;
use super::shown::{begun_by, phase, print, print_proposal, print_summary};
use crate::client::Client;
use crate::settings::File;

/// Number of items asked for on each page.
const PAGE: i32 = 1_000;

/// The flags for a recovery that is shown before it is carried out.
#[derive(Debug, Args)]
pub(super) struct Do {
    #[command(flatten)]
    consent: Consent,
    /// Id of the recovery; to watch a recovery again after a lost answer, give the id that it had
    #[arg(long, value_name = "UUID", value_parser = id::<RecoveryId>())]
    recovery_id: Option<RecoveryId>,
    /// The digest of a dry run: do exactly what that dry run showed, or nothing
    #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
    digest: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Do {
    pub(super) async fn run(self, file: &File, wish: RecoveryWish) -> Result<(), CliError> {
        let mode = self.consent.mode(self.json)?;
        let client = self.remote.connect(file).await?;
        let digest = match (&self.digest, mode) {
            // A user who gives the digest has seen the dry run.
            (Some(digest), Mode::Go) => digest.clone(),
            (_, mode) => {
                let proposal = propose(&client, &wish).await?;
                if mode == Mode::DryRun && self.json {
                    return output::json(&proposal);
                }
                if mode != Mode::Go {
                    print_proposal(&client, &proposal).await?;
                }
                if mode == Mode::DryRun {
                    return Ok(());
                }
                if proposal.steps == 0 {
                    if mode == Mode::Go && !self.json {
                        print_proposal(&client, &proposal).await?;
                    }
                    return Err(CliError::Refused(
                        "none of these steps can be done".to_owned(),
                    ));
                }
                if mode == Mode::Ask && !agreed(&format!("Do these {} steps?", proposal.steps))? {
                    return Err(CliError::Refused("nothing was done".to_owned()));
                }
                self.digest.clone().unwrap_or(proposal.digest)
            }
        };
        let id = self.recovery_id.map_or_else(Uuid::new_v4, |id| id.uuid());
        let id = id.to_string();
        let request = RunRecoveryRequest {
            recovery_id: id.clone(),
            wish: Some(wish),
            digest: digest.clone(),
            on_behalf_of: None,
        };
        let bar = Bar::default();
        let ended = run(&client, request, &bar).await;
        bar.clear();
        let summary = ended.map_err(|status| {
            if is_unknown(status.code()) {
                output::note(format!(
                    "the connection was lost; the recovery continues on the server; to watch it, \
                    run the same command with --yes --recovery-id {id} --digest {digest}"
                ));
            }
            CliError::from(status)
        })?;
        if self.json {
            return output::json(&summary);
        }
        print_summary(&summary);
        Ok(())
    }
}

/// Reads all pages of the dry run.
async fn propose(
    client: &Client,
    wish: &RecoveryWish,
) -> Result<ProposeRecoveryResponse, CliError> {
    let mut all = ProposeRecoveryResponse::default();
    loop {
        let request = ProposeRecoveryRequest {
            wish: Some(wish.clone()),
            min_position: 0,
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = client.ownership().propose_recovery(request).await?;
        let page = page.into_inner();
        if !all.items.is_empty() && page.digest != all.digest {
            let message = "something changed while the dry run was being read; try again";
            return Err(CliError::Refused(message.to_owned()));
        }
        let items = std::mem::take(&mut all.items);
        all = page;
        all.items.splice(..0, items);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}
/// A progress bar that appears with the first message.
#[derive(Default)]
struct Bar(std::cell::OnceCell<ProgressBar>);

impl Bar {
    fn show(&self, progress: RecoveryProgress) {
        let steps = u64::from(progress.steps);
        let bar = self.0.get_or_init(|| output::progress(steps, "steps"));
        bar.set_length(steps);
        bar.set_position(progress.tried.into());
    }

    fn clear(&self) {
        if let Some(bar) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}

fn cut_off() -> Status {
    Status::unavailable("the server ended the call before the recovery had finished")
}

async fn run(client: &Client, request: RunRecoveryRequest, bar: &Bar) -> Result<Recovery, Status> {
    use run_recovery_response::Update;
    let mut updates = client.ownership().run_recovery(request).await?.into_inner();
    while let Some(message) = updates.message().await? {
        match message.update {
            Some(Update::Progress(progress)) => bar.show(progress),
            Some(Update::Summary(summary)) => return Ok(summary),
            None => {}
        }
    }
    Err(cut_off())
}

async fn undo(
    client: &Client,
    request: UndoRecoveryRequest,
    bar: &Bar,
) -> Result<Recovery, Status> {
    use undo_recovery_response::Update;
    let mut updates = client
        .ownership()
        .undo_recovery(request)
        .await?
        .into_inner();
    while let Some(message) = updates.message().await? {
        match message.update {
            Some(Update::Progress(progress)) => bar.show(progress),
            Some(Update::Summary(summary)) => return Ok(summary),
            None => {}
        }
    }
    Err(cut_off())
}
#[derive(Debug, Args)]
pub(in crate::cli) struct Undo {
    /// The transfer, restore or merger to undo
    #[arg(value_parser = id::<RecoveryId>())]
    recovery: RecoveryId,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Undo {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let mode = self.consent.mode(self.json)?;
        let client = self.remote.connect(file).await?;
        if mode != Mode::Go {
            let found = get(&client, self.recovery).await?;
            if self.json {
                return output::json(&found);
            }
            print(&client, &found).await?;
            if mode == Mode::DryRun {
                return Ok(());
            }
            if !agreed("Undo this recovery?")? {
                return Err(CliError::Refused("nothing was undone".to_owned()));
            }
        }
        let request = UndoRecoveryRequest {
            recovery_id: self.recovery.to_string(),
            reason: self.reason.map(|reason| reason.to_string()),
            on_behalf_of: None,
        };
        let bar = Bar::default();
        let ended = undo(&client, request, &bar).await;
        bar.clear();
        let summary = ended?;
        if self.json {
            return output::json(&summary);
        }
        print_summary(&summary);
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Recoveries {
    /// Show this transfer, restore or merger, with its steps
    #[arg(value_parser = id::<RecoveryId>())]
    recovery: Option<RecoveryId>,
    /// Only those that have not finished
    #[arg(long, conflicts_with = "recovery")]
    open: bool,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Recoveries {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        if let Some(recovery) = self.recovery {
            let found = get(&client, recovery).await?;
            return match self.json {
                true => output::json(&found),
                false => print(&client, &found).await,
            };
        }
        let found = list(&client, self.open).await?;
        if self.json {
            return output::json(&found);
        }
        if found.recoveries.is_empty() {
            output::line("none");
            return Ok(());
        }
        let heading = ["begun", "by", "phase", "steps", "left out", "id"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        let mut names = Names::default();
        for recovery in &found.recoveries {
            rows.push(vec![
                output::instant(recovery.started_at.as_ref()),
                begun_by(&client, &mut names, recovery).await?,
                phase(recovery.phase()).to_owned(),
                recovery.steps.to_string(),
                recovery.left_out.len().to_string(),
                recovery.recovery_id.clone(),
            ]);
        }
        output::table(&rows);
        Ok(())
    }
}

async fn list(client: &Client, open_only: bool) -> Result<ListRecoveriesResponse, CliError> {
    let mut all = ListRecoveriesResponse::default();
    loop {
        let request = ListRecoveriesRequest {
            open_only,
            min_position: 0,
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = client.ownership().list_recoveries(request).await?;
        let recoveries = std::mem::take(&mut all.recoveries);
        all = page.into_inner();
        all.recoveries.splice(..0, recoveries);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn get(client: &Client, id: RecoveryId) -> Result<GetRecoveryResponse, CliError> {
    let mut all = GetRecoveryResponse::default();
    loop {
        let request = GetRecoveryRequest {
            recovery_id: id.to_string(),
            min_position: 0,
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let page = client.ownership().get_recovery(request).await?;
        let steps = std::mem::take(&mut all.steps);
        all = page.into_inner();
        all.steps.splice(..0, steps);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}
