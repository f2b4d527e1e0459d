//! `planledger plan revert`: reverts the text of a plan to an earlier moment.

use clap::Args;
use planledger_core::ids::{CommandId, PlanId};
use planledger_core::text::ReasonText;
use planledger_proto::v1::revert_change::Change;
use planledger_proto::v1::{
    Assessment, FollowUp, RevertChange, RevertPlanRequest, RevertPlanResponse, RevertStay,
    RevertStayReason, TalkDetails, Viewer, as_of, item,
};
use uuid::Uuid;

use super::super::consent::{Consent, Mode, agreed, is_unknown};
use super::super::error::CliError;
use super::super::moment::{self, as_of, moment};
use super::super::names::short;
use super::super::output;
use super::super::remote::Remote;
use super::super::sheet::talk_kind;
use super::super::shown::Lines;
use super::diff::compared;
use super::item::{Aspect, Titles};
use super::read::view_at;
use crate::client::Client;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in super::super) struct Revert {
    /// The plan
    plan: PlanId,
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    #[arg(help = format!("The moment to go back to: {}", moment::HELP))]
    to: as_of::Moment,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: ReasonText,
    #[command(flatten)]
    consent: Consent,
    /// Id of the command; to send a command again after a lost answer, give the id that it had
    #[arg(long, value_name = "UUID")]
    command_id: Option<CommandId>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Revert {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let mode = self.consent.mode(self.json)?;
        let ask = mode == Mode::Ask;
        let client = self.remote.connect(file).await?;
        let id = self.command_id.map_or_else(Uuid::new_v4, |id| id.uuid());
        let mut request = RevertPlanRequest {
            command_id: id.to_string(),
            plan_id: self.plan.to_string(),
            to: Some(as_of(self.to)),
            reason: self.reason.to_string(),
            dry_run: mode != Mode::Go,
            ..RevertPlanRequest::default()
        };
        if ask {
            let dry = self.send(&client, request.clone()).await?;
            self.print(&client, &dry).await?;
            if dry.changes.is_empty() {
                return Ok(());
            }
            if !agreed("Revert?")? {
                return Err(CliError::Refused("nothing was reverted".to_owned()));
            }
            // The request names the shown position and revision. So the server does exactly what
            // was shown, or nothing.
            request.to = Some(as_of(as_of::Moment::Position(dry.to_position)));
            request.expected_revision = Some(dry.revision);
            request.dry_run = false;
            print_receipt(&self.send(&client, request).await?);
            return Ok(());
        }
        let found = self.send(&client, request).await?;
        if self.json {
            return output::json(&found);
        }
        self.print(&client, &found).await?;
        print_receipt(&found);
        Ok(())
    }

    async fn send(
        &self,
        client: &Client,
        request: RevertPlanRequest,
    ) -> Result<RevertPlanResponse, CliError> {
        let (id, dry_run) = (request.command_id.clone(), request.dry_run);
        match client.commands().revert_plan(request).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => {
                if !dry_run && is_unknown(status.code()) {
                    output::note(format!(
                        "the answer was lost, so it is not known whether the plan was reverted; \
                        run the same command again with --command-id {id}, and nothing is done \
                        twice"
                    ));
                }
                Err(status.into())
            }
        }
    }

    async fn print(&self, client: &Client, found: &RevertPlanResponse) -> Result<(), CliError> {
        output::line(format!(
            "plan {}, back to how it stood at position {}",
            self.plan, found.to_position
        ));
        if found.changes.is_empty() {
            output::line("there is nothing to change");
        }
        let mut titles = Titles::default();
        if let Some(view) = view_at(client, self.plan, Viewer::Staff, None).await? {
            titles.learn(&view);
        }
        for change in &found.changes {
            output::lines(&changed(change, &titles));
        }
        for stay in &found.stays {
            output::line(stays(stay, &titles));
        }
        Ok(())
    }
}

fn print_receipt(found: &RevertPlanResponse) {
    if let Some(receipt) = found.receipt.as_ref().filter(|it| !it.unchanged) {
        output::line(format!(
            "recorded at position {}, {} events",
            receipt.position, receipt.event_count
        ));
    }
}

/// A change in text for people.
fn changed(change: &RevertChange, titles: &Titles) -> Lines {
    match &change.change {
        Some(Change::Status(it)) => {
            let said = |text: &Option<String>| vec![("text", text.clone().unwrap_or_default())];
            compared("Status", &said(&it.was), &said(&it.becomes))
        }
        Some(Change::FollowUp(it)) => compared(
            "Follow-up",
            &follow_up(it.was.as_ref()),
            &follow_up(it.becomes.as_ref()),
        ),
        Some(Change::Evaluation(it)) => compared(
            &titles.evaluation(&it.evaluation_id),
            &assessment(it.was.as_ref(), titles.levels(&it.evaluation_id)),
            &assessment(it.becomes.as_ref(), titles.levels(&it.evaluation_id)),
        ),
        Some(Change::Talk(it)) => compared(
            &format!("Talk {}", short(&it.talk_id)),
            &talk(it.was.as_ref()),
            &talk(it.becomes.as_ref()),
        ),
        None => compared("Something newer than this version", &[], &[]),
    }
}

fn follow_up(found: Option<&FollowUp>) -> Vec<Aspect> {
    let found = found.cloned().unwrap_or_default();
    vec![
        ("text", found.text),
        ("day", found.follow_up_on.unwrap_or_default()),
    ]
}

fn assessment(found: Option<&Assessment>, levels: &[String]) -> Vec<Aspect> {
    let found = found.cloned().unwrap_or_default();
    let level = found.level.map(|level| {
        let title = levels.get(usize::try_from(level).unwrap_or(usize::MAX));
        title.map_or_else(|| format!("number {level} from the lowest"), String::clone)
    });
    vec![
        ("level", level.unwrap_or_default()),
        ("comment", found.comment.unwrap_or_default()),
    ]
}

fn talk(found: Option<&TalkDetails>) -> Vec<Aspect> {
    let found = found.cloned().unwrap_or_default();
    vec![
        ("kind", talk_kind(found.kind()).to_owned()),
        ("held", found.held_on),
        (
            "held by",
            found
                .held_by_ids
                .iter()
                .map(|id| short(id))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("notes", found.notes),
    ]
}

/// An item that the revert does not change, and the reason.
fn stays(stay: &RevertStay, titles: &Titles) -> String {
    let item = match stay.item.as_ref().and_then(|it| it.item.as_ref()) {
        Some(item::Item::EvaluationId(id)) => titles.evaluation(id),
        Some(item::Item::TalkId(id)) => format!("Talk {}", short(id)),
        Some(item::Item::GoalId(_)) | None => "Something newer than this version".to_owned(),
    };
    let why = match stay.why() {
        RevertStayReason::RecordedSince => {
            "it was recorded later, and recorded evaluations and talks are never removed"
        }
        RevertStayReason::OfAnotherSide => "only the side that made the evaluation can correct it",
        RevertStayReason::HeldByStaff => "only staff can correct talks",
        RevertStayReason::Unspecified => "for a reason newer than this version",
    };
    format!("= {item} stays: {why}")
}
