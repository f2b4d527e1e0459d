//! Requests to revert a plan, and their answers.

use jiff::civil::Date;
use planledger_core::domain::Actor;
use planledger_core::domain::plan::{Reverted, Reverting, Stay};
use planledger_core::ids::{CommandId, PlanId, Revision};
use planledger_core::text::{ReasonText, Text};

use super::actor::read_actor;
use super::choice::Choice;
use super::errors::Failure;
use super::fields::Fields;
use super::instant::write_date;
use super::plan;
use super::proto;
use super::proto::revert_change::Change;
use super::request::{AsOf, read_as_of};
use super::scalar::string;

/// A request to revert the text of a plan to an earlier moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevertPlan {
    /// The command's id.
    pub id: CommandId,
    /// The plan.
    pub plan: PlanId,
    /// The moment to go back to.
    pub to: AsOf,
    /// The reason for the revert, which is recorded.
    pub reason: ReasonText,
    /// The revision that the plan must have; any revision if `None`.
    pub expected_revision: Option<Revision>,
    /// The actor on whose behalf the caller acts, if there is one.
    pub on_behalf_of: Option<Actor>,
    /// True if the server should only say what would change.
    pub dry_run: bool,
}

/// Reads `RevertPlan`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn revert_plan(request: proto::RevertPlanRequest) -> Result<RevertPlan, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("command_id", &request.command_id);
        let plan = fields.id("plan_id", &request.plan_id);
        let to = fields.message("to", request.to, read_as_of);
        let reason = fields.text("reason", &request.reason);
        let on_behalf_of = fields.optional(request.on_behalf_of, |fields, actor| {
            fields.within("on_behalf_of", |fields| read_actor(fields, actor))
        });
        Some(RevertPlan {
            id: id?,
            plan: plan?,
            to: to?,
            reason: reason?,
            expected_revision: request.expected_revision.map(Revision::new),
            on_behalf_of: on_behalf_of?,
            dry_run: request.dry_run,
        })
    })?)
}

/// Writes the messages of what a revert changes, and of what stays as it is.
pub fn reverting(reverting: Reverting) -> (Vec<proto::RevertChange>, Vec<proto::RevertStay>) {
    let Reverting { changes, stays } = reverting;
    (
        changes.into_iter().map(change).collect(),
        stays.into_iter().map(stay).collect(),
    )
}

fn change(change: Reverted) -> proto::RevertChange {
    let change = match change {
        Reverted::Status { was, becomes } => Change::Status(proto::RevertStatus {
            was: string(was.as_ref()),
            becomes: string(becomes.as_ref()),
        }),
        Reverted::FollowUp { was, becomes } => Change::FollowUp(proto::RevertFollowUp {
            was: was.map(follow_up),
            becomes: becomes.map(follow_up),
        }),
        Reverted::Evaluation { id, was, becomes } => Change::Evaluation(proto::RevertEvaluation {
            evaluation_id: id.to_string(),
            was: Some(plan::write_assessment(&was)),
            becomes: Some(plan::write_assessment(&becomes)),
        }),
        Reverted::Talk { id, was, becomes } => Change::Talk(proto::RevertTalk {
            talk_id: id.to_string(),
            was: Some(plan::write_talk(&was)),
            becomes: Some(plan::write_talk(&becomes)),
        }),
    };
    proto::RevertChange {
        change: Some(change),
    }
}

fn follow_up((text, follow_up_on): (Text, Option<Date>)) -> proto::FollowUp {
    proto::FollowUp {
        text: text.to_string(),
        follow_up_on: follow_up_on.map(write_date),
    }
}

fn stay(stay: Stay) -> proto::RevertStay {
    proto::RevertStay {
        item: Some(plan::write_item(stay.item)),
        why: stay.why.number(),
    }
}
