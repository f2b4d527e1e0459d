//! Plans: commands, and plans in lists. The module `view` holds what people see of a plan.

use planledger_core::domain::plan::{Assessment, Item, Plan, PlanCommand, TalkDetails, UnitRef};
use planledger_core::ids::{PlanId, Revision};

use super::choice::Choice;
use super::fields::{Fields, ViolationReason};
use super::instant::{timestamp, write_date};
use super::proto;
use super::proto::plan_command::Operation;
use super::scalar::string;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::PlanCommand,
) -> Option<(PlanId, PlanCommand)> {
    let id = fields.id("plan_id", &command.plan_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::OpenPlan(_) => "open_plan",
        Operation::IncludeUnit(_) => "include_unit",
        Operation::ExcludeUnit(_) => "exclude_unit",
        Operation::ShowSection(_) => "show_section",
        Operation::HideSection(_) => "hide_section",
        Operation::ShowItem(_) => "show_item",
        Operation::HideItem(_) => "hide_item",
        Operation::WriteStatus(_) => "write_status",
        Operation::WriteFollowUp(_) => "write_follow_up",
        Operation::ClearStatus(_) => "clear_status",
        Operation::ClearFollowUp(_) => "clear_follow_up",
        Operation::RecordEvaluation(_) => "record_evaluation",
        Operation::CorrectEvaluation(_) => "correct_evaluation",
        Operation::RecordTalk(_) => "record_talk",
        Operation::CorrectTalk(_) => "correct_talk",
        Operation::SharePlan(_) => "share_plan",
        Operation::UnsharePlan(_) => "unshare_plan",
        Operation::SetVisibility(_) => "set_visibility",
        Operation::WithdrawPlan(_) => "withdraw_plan",
        Operation::RestorePlan(_) => "restore_plan",
        Operation::TransferPlanOwnership(_) => "transfer_plan_ownership",
        Operation::MoveToYearPlan(_) => "move_to_year_plan",
    }
}

// This function is longer than a screen because it is a table. It has one arm for each operation,
// and each arm only moves values.
fn read_operation(fields: &mut Fields, operation: Operation) -> Option<PlanCommand> {
    match operation {
        Operation::OpenPlan(m) => {
            let student = fields.id("student_id", &m.student_id);
            let year_plan = fields.id("year_plan_id", &m.year_plan_id);
            let owner = fields.optional_id("owner_id", m.owner_id.as_deref());
            Some(PlanCommand::Open {
                student: student?,
                year_plan: year_plan?,
                owner: owner?,
            })
        }
        Operation::IncludeUnit(m) => fields
            .message("unit", m.unit, read_unit)
            .map(PlanCommand::IncludeUnit),
        Operation::ExcludeUnit(m) => fields
            .message("unit", m.unit, read_unit)
            .map(PlanCommand::ExcludeUnit),
        Operation::ShowSection(m) => {
            let section = fields.choice("section", m.section);
            Some(PlanCommand::ShowSection { section: section? })
        }
        Operation::HideSection(m) => {
            let section = fields.choice("section", m.section);
            Some(PlanCommand::HideSection { section: section? })
        }
        Operation::ShowItem(m) => {
            let item = fields.message("item", m.item, read_item);
            Some(PlanCommand::ShowItem { item: item? })
        }
        Operation::HideItem(m) => {
            let item = fields.message("item", m.item, read_item);
            Some(PlanCommand::HideItem { item: item? })
        }
        Operation::WriteStatus(m) => {
            let text = fields.text("text", &m.text);
            Some(PlanCommand::WriteStatus { text: text? })
        }
        Operation::WriteFollowUp(m) => {
            let text = fields.text("text", &m.text);
            let follow_up_on = fields.optional_date("follow_up_on", m.follow_up_on.as_deref());
            Some(PlanCommand::WriteFollowUp {
                text: text?,
                follow_up_on: follow_up_on?,
            })
        }
        Operation::ClearStatus(_) => Some(PlanCommand::ClearStatus),
        Operation::ClearFollowUp(_) => Some(PlanCommand::ClearFollowUp),
        Operation::RecordEvaluation(m) => {
            let evaluation = fields.id("evaluation_id", &m.evaluation_id);
            let unit = fields.message("unit", m.unit, read_unit);
            let goal = fields.id("goal_id", &m.goal_id);
            let assessment = fields.message("assessment", m.assessment, read_assessment);
            Some(PlanCommand::RecordEvaluation {
                evaluation: evaluation?,
                unit: unit?,
                goal: goal?,
                assessment: assessment?,
            })
        }
        Operation::CorrectEvaluation(m) => {
            let evaluation = fields.id("evaluation_id", &m.evaluation_id);
            let assessment = fields.message("assessment", m.assessment, read_assessment);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PlanCommand::CorrectEvaluation {
                evaluation: evaluation?,
                assessment: assessment?,
                reason: reason?,
            })
        }
        Operation::RecordTalk(m) => {
            let talk = fields.id("talk_id", &m.talk_id);
            let details = fields.message("details", m.details, read_talk);
            Some(PlanCommand::RecordTalk {
                talk: talk?,
                details: details?,
            })
        }
        Operation::CorrectTalk(m) => {
            let talk = fields.id("talk_id", &m.talk_id);
            let details = fields.message("details", m.details, read_talk);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PlanCommand::CorrectTalk {
                talk: talk?,
                details: details?,
                reason: reason?,
            })
        }
        Operation::SharePlan(_) => Some(PlanCommand::Share),
        Operation::UnsharePlan(_) => Some(PlanCommand::Unshare),
        Operation::SetVisibility(m) => {
            let audience = fields.choice("audience", m.audience);
            Some(PlanCommand::SetVisibility {
                audience: audience?,
                visible: m.visible,
            })
        }
        Operation::WithdrawPlan(m) => {
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PlanCommand::Withdraw { reason: reason? })
        }
        Operation::RestorePlan(_) => Some(PlanCommand::Restore),
        Operation::TransferPlanOwnership(m) => {
            let to = fields.id("to_person_id", &m.to_person_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PlanCommand::TransferOwnership {
                to: to?,
                reason: reason?,
            })
        }
        Operation::MoveToYearPlan(m) => {
            let to = fields.id("year_plan_id", &m.year_plan_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PlanCommand::MoveToYearPlan {
                to: to?,
                reason: reason?,
            })
        }
    }
}

fn read_unit(fields: &mut Fields, unit: proto::UnitRef) -> Option<UnitRef> {
    let year_plan = fields.id("year_plan_id", &unit.year_plan_id);
    let unit = fields.id("unit_id", &unit.unit_id);
    Some(UnitRef {
        year_plan: year_plan?,
        unit: unit?,
    })
}

fn read_item(fields: &mut Fields, item: proto::Item) -> Option<Item> {
    match item.item {
        Some(proto::item::Item::GoalId(id)) => fields.id("goal_id", &id).map(Item::Goal),
        Some(proto::item::Item::EvaluationId(id)) => {
            fields.id("evaluation_id", &id).map(Item::Evaluation)
        }
        Some(proto::item::Item::TalkId(id)) => fields.id("talk_id", &id).map(Item::Talk),
        None => fields.missing("item"),
    }
}

fn read_assessment(fields: &mut Fields, assessment: proto::Assessment) -> Option<Assessment> {
    let level = fields.optional(assessment.level, |fields, level| {
        u8::try_from(level)
            .map_err(|_| {
                fields.violate("level", ViolationReason::OutOfRange, "must be at most 255");
            })
            .ok()
    });
    let comment = fields.optional_text("comment", assessment.comment.as_deref());
    Some(Assessment {
        level: level?,
        comment: comment?,
    })
}

fn read_talk(fields: &mut Fields, details: proto::TalkDetails) -> Option<TalkDetails> {
    let kind = fields.choice("kind", details.kind);
    let held_on = fields.date("held_on", &details.held_on);
    let notes = fields.text("notes", &details.notes);
    let held_by = fields.ids("held_by_ids", &details.held_by_ids);
    Some(TalkDetails {
        kind: kind?,
        held_on: held_on?,
        notes: notes?,
        held_by: held_by?,
    })
}

/// Writes a plan's command. `None` for commands that have their own methods: a revert, for which
/// the server reads the past, and the steps of a recovery.
pub(super) fn write(id: PlanId, command: &PlanCommand) -> Option<proto::PlanCommand> {
    write_operation(command).map(|operation| proto::PlanCommand {
        plan_id: id.to_string(),
        operation: Some(operation),
    })
}

// This function is longer than a screen because it is a table. It has one arm for each operation,
// and each arm only moves values.
fn write_operation(command: &PlanCommand) -> Option<Operation> {
    Some(match command {
        PlanCommand::Open {
            student,
            year_plan,
            owner,
        } => Operation::OpenPlan(proto::OpenPlan {
            student_id: student.to_string(),
            year_plan_id: year_plan.to_string(),
            owner_id: string(owner.as_ref()),
        }),
        PlanCommand::IncludeUnit(unit) => Operation::IncludeUnit(proto::IncludeUnit {
            unit: Some(write_unit(*unit)),
        }),
        PlanCommand::ExcludeUnit(unit) => Operation::ExcludeUnit(proto::ExcludeUnit {
            unit: Some(write_unit(*unit)),
        }),
        PlanCommand::ShowSection { section } => Operation::ShowSection(proto::ShowSection {
            section: section.number(),
        }),
        PlanCommand::HideSection { section } => Operation::HideSection(proto::HideSection {
            section: section.number(),
        }),
        PlanCommand::ShowItem { item } => Operation::ShowItem(proto::ShowItem {
            item: Some(write_item(*item)),
        }),
        PlanCommand::HideItem { item } => Operation::HideItem(proto::HideItem {
            item: Some(write_item(*item)),
        }),
        PlanCommand::WriteStatus { text } => Operation::WriteStatus(proto::WriteStatus {
            text: text.to_string(),
        }),
        PlanCommand::WriteFollowUp { text, follow_up_on } => {
            Operation::WriteFollowUp(proto::WriteFollowUp {
                text: text.to_string(),
                follow_up_on: follow_up_on.map(write_date),
            })
        }
        PlanCommand::ClearStatus => Operation::ClearStatus(proto::ClearStatus {}),
        PlanCommand::ClearFollowUp => Operation::ClearFollowUp(proto::ClearFollowUp {}),
        PlanCommand::RecordEvaluation {
            evaluation,
            unit,
            goal,
            assessment,
        } => Operation::RecordEvaluation(proto::RecordEvaluation {
            evaluation_id: evaluation.to_string(),
            unit: Some(write_unit(*unit)),
            goal_id: goal.to_string(),
            assessment: Some(write_assessment(assessment)),
        }),
        PlanCommand::CorrectEvaluation {
            evaluation,
            assessment,
            reason,
        } => Operation::CorrectEvaluation(proto::CorrectEvaluation {
            evaluation_id: evaluation.to_string(),
            assessment: Some(write_assessment(assessment)),
            reason: string(reason.as_ref()),
        }),
        PlanCommand::RecordTalk { talk, details } => Operation::RecordTalk(proto::RecordTalk {
            talk_id: talk.to_string(),
            details: Some(write_talk(details)),
        }),
        PlanCommand::CorrectTalk {
            talk,
            details,
            reason,
        } => Operation::CorrectTalk(proto::CorrectTalk {
            talk_id: talk.to_string(),
            details: Some(write_talk(details)),
            reason: string(reason.as_ref()),
        }),
        PlanCommand::Share => Operation::SharePlan(proto::SharePlan {}),
        PlanCommand::Unshare => Operation::UnsharePlan(proto::UnsharePlan {}),
        PlanCommand::SetVisibility { audience, visible } => {
            Operation::SetVisibility(proto::SetVisibility {
                audience: audience.number(),
                visible: *visible,
            })
        }
        PlanCommand::Withdraw { reason } => Operation::WithdrawPlan(proto::WithdrawPlan {
            reason: string(reason.as_ref()),
        }),
        PlanCommand::Restore => Operation::RestorePlan(proto::RestorePlan {}),
        PlanCommand::TransferOwnership { to, reason } => {
            Operation::TransferPlanOwnership(proto::TransferPlanOwnership {
                to_person_id: to.to_string(),
                reason: string(reason.as_ref()),
            })
        }
        PlanCommand::MoveToYearPlan { to, reason } => {
            Operation::MoveToYearPlan(proto::MoveToYearPlan {
                year_plan_id: to.to_string(),
                reason: string(reason.as_ref()),
            })
        }
        PlanCommand::Revert(_)
        | PlanCommand::HandOver { .. }
        | PlanCommand::HandBack { .. }
        | PlanCommand::Move { .. } => return None,
    })
}

pub(super) fn write_unit(unit: UnitRef) -> proto::UnitRef {
    proto::UnitRef {
        year_plan_id: unit.year_plan.to_string(),
        unit_id: unit.unit.to_string(),
    }
}

pub(super) fn write_item(item: Item) -> proto::Item {
    let item = match item {
        Item::Goal(id) => proto::item::Item::GoalId(id.to_string()),
        Item::Evaluation(id) => proto::item::Item::EvaluationId(id.to_string()),
        Item::Talk(id) => proto::item::Item::TalkId(id.to_string()),
    };
    proto::Item { item: Some(item) }
}

pub(super) fn write_assessment(assessment: &Assessment) -> proto::Assessment {
    proto::Assessment {
        level: assessment.level.map(u32::from),
        comment: string(assessment.comment.as_ref()),
    }
}

pub(super) fn write_talk(details: &TalkDetails) -> proto::TalkDetails {
    proto::TalkDetails {
        kind: details.kind.number(),
        held_on: write_date(details.held_on),
        notes: details.notes.to_string(),
        held_by_ids: details.held_by.iter().map(ToString::to_string).collect(),
    }
}

/// A plan in a list.
pub fn summary(id: PlanId, revision: Revision, plan: &Plan) -> proto::PlanSummary {
    proto::PlanSummary {
        plan_id: id.to_string(),
        revision: revision.get(),
        student_id: plan.student.to_string(),
        kind: plan.kind.number(),
        year_plan_id: plan.year_plan.to_string(),
        owner_id: plan.owner.to_string(),
        opened_at: Some(timestamp(plan.opened_at)),
        changed_at: Some(timestamp(plan.changed_at)),
        shared: plan.shared,
        visible_to: plan.visible_to.iter().map(|a| a.number()).collect(),
        withdrawn: plan.withdrawn,
    }
}
