//! Year plans.

use planledger_core::domain::view::{YearPlanGoalView, YearPlanUnitView, YearPlanView};
use planledger_core::domain::year_plan::{
    GoalDetails, Scale, ScaleChoice, UnitDetails, Wording, WordingChoice, YearPlan,
    YearPlanCommand, YearPlanDetails,
};
use planledger_core::ids::{CatalogueId, CatalogueItemId, Revision, YearPlanId};

use super::actor::{write_deletion, write_told};
use super::choice::Choice;
use super::fields::{Fields, ViolationReason};
use super::proto;
use super::proto::wording_choice::Wording as Choices;
use super::proto::year_plan_command::Operation;
use super::scalar::{count, string};

pub(super) fn read(
    fields: &mut Fields,
    command: proto::YearPlanCommand,
) -> Option<(YearPlanId, YearPlanCommand)> {
    let id = fields.id("year_plan_id", &command.year_plan_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateYearPlan(_) => "create_year_plan",
        Operation::RetitleYearPlan(_) => "retitle_year_plan",
        Operation::AddSubject(_) => "add_subject",
        Operation::RemoveSubject(_) => "remove_subject",
        Operation::AddUnit(_) => "add_unit",
        Operation::ReviseUnit(_) => "revise_unit",
        Operation::DeleteUnit(_) => "delete_unit",
        Operation::UndeleteUnit(_) => "undelete_unit",
        Operation::AddGoal(_) => "add_goal",
        Operation::ReviseGoal(_) => "revise_goal",
        Operation::RetireGoal(_) => "retire_goal",
        Operation::DeleteYearPlan(_) => "delete_year_plan",
        Operation::UndeleteYearPlan(_) => "undelete_year_plan",
        Operation::TransferYearPlanOwnership(_) => "transfer_year_plan_ownership",
        Operation::MoveYearPlan(_) => "move_year_plan",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<YearPlanCommand> {
    match operation {
        Operation::CreateYearPlan(m) => {
            let details = fields.message("details", m.details, read_details);
            let owner = fields.id("owner_id", &m.owner_id);
            Some(YearPlanCommand::Create {
                details: details?,
                owner: owner?,
            })
        }
        Operation::RetitleYearPlan(m) => {
            let title = fields.text("title", &m.title);
            Some(YearPlanCommand::Retitle { title: title? })
        }
        Operation::AddSubject(m) => {
            let subject = fields.text("subject", &m.subject);
            Some(YearPlanCommand::AddSubject { subject: subject? })
        }
        Operation::RemoveSubject(m) => {
            let subject = fields.text("subject", &m.subject);
            Some(YearPlanCommand::RemoveSubject { subject: subject? })
        }
        Operation::AddUnit(m) => {
            let unit = fields.id("unit_id", &m.unit_id);
            let details = fields.message("details", m.details, read_unit);
            Some(YearPlanCommand::AddUnit {
                unit: unit?,
                details: details?,
            })
        }
        Operation::ReviseUnit(m) => {
            let unit = fields.id("unit_id", &m.unit_id);
            let details = fields.message("details", m.details, read_unit);
            Some(YearPlanCommand::ReviseUnit {
                unit: unit?,
                details: details?,
            })
        }
        Operation::DeleteUnit(m) => {
            let unit = fields.id("unit_id", &m.unit_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(YearPlanCommand::DeleteUnit {
                unit: unit?,
                reason: reason?,
            })
        }
        Operation::UndeleteUnit(m) => {
            let unit = fields.id("unit_id", &m.unit_id);
            Some(YearPlanCommand::UndeleteUnit { unit: unit? })
        }
        Operation::AddGoal(m) => {
            let unit = fields.id("unit_id", &m.unit_id);
            let goal = fields.id("goal_id", &m.goal_id);
            let details = fields.message("details", m.details, read_goal);
            Some(YearPlanCommand::AddGoal {
                unit: unit?,
                goal: goal?,
                details: details?,
            })
        }
        Operation::ReviseGoal(m) => {
            let goal = fields.id("goal_id", &m.goal_id);
            let wording = fields.message("wording", m.wording, read_wording);
            let scale = read_scale_choice(fields, m.scale, m.catalogue_scale);
            Some(YearPlanCommand::ReviseGoal {
                goal: goal?,
                wording: wording?,
                scale: scale?,
            })
        }
        Operation::RetireGoal(m) => {
            let goal = fields.id("goal_id", &m.goal_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(YearPlanCommand::RetireGoal {
                goal: goal?,
                reason: reason?,
            })
        }
        Operation::DeleteYearPlan(m) => {
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(YearPlanCommand::Delete { reason: reason? })
        }
        Operation::UndeleteYearPlan(_) => Some(YearPlanCommand::Undelete),
        Operation::TransferYearPlanOwnership(m) => {
            let to = fields.id("to_person_id", &m.to_person_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(YearPlanCommand::TransferOwnership {
                to: to?,
                reason: reason?,
            })
        }
        Operation::MoveYearPlan(m) => {
            let to = fields.id("institution_id", &m.institution_id);
            let team = fields.optional_id("team_id", m.team_id.as_deref());
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(YearPlanCommand::MoveToInstitution {
                to: to?,
                team: team?,
                reason: reason?,
            })
        }
    }
}

fn read_details(fields: &mut Fields, details: proto::YearPlanDetails) -> Option<YearPlanDetails> {
    let kind = fields.choice("kind", details.kind);
    let institution = fields.id("institution_id", &details.institution_id);
    let team = fields.id("team_id", &details.team_id);
    let school_year = fields.id("school_year_id", &details.school_year_id);
    let title = fields.text("title", &details.title);
    let subjects = fields.set("subjects", details.subjects, |fields, subject| {
        fields.text("", &subject)
    });
    Some(YearPlanDetails {
        kind: kind?,
        institution: institution?,
        team: team?,
        school_year: school_year?,
        title: title?,
        subjects: subjects?,
    })
}

fn read_unit(fields: &mut Fields, details: proto::UnitDetails) -> Option<UnitDetails> {
    let title = fields.text("title", &details.title);
    let subject = fields.optional_text("subject", details.subject.as_deref());
    let description = fields.optional_text("description", details.description.as_deref());
    Some(UnitDetails {
        title: title?,
        subject: subject?,
        description: description?,
    })
}

fn read_goal(
    fields: &mut Fields,
    goal: proto::NewGoal,
) -> Option<GoalDetails<WordingChoice, ScaleChoice>> {
    let kind = fields.choice("kind", goal.kind);
    let area = fields.choice("area", goal.area);
    let wording = fields.message("wording", goal.wording, read_wording);
    let scale = read_scale_choice(fields, goal.scale, goal.catalogue_scale);
    Some(GoalDetails {
        kind: kind?,
        area: area?,
        wording: wording?,
        scale: scale?,
    })
}

fn read_wording(fields: &mut Fields, choice: proto::WordingChoice) -> Option<WordingChoice> {
    match choice.wording {
        Some(Choices::OwnText(text)) => {
            let text = fields.text("own_text", &text);
            Some(WordingChoice::Own { text: text? })
        }
        Some(Choices::CatalogueItem(source)) => fields.within("catalogue_item", |fields| {
            let catalogue = fields.id("catalogue_id", &source.catalogue_id);
            let item = fields.id("item_id", &source.item_id);
            Some(WordingChoice::Catalogue {
                catalogue: catalogue?,
                item: item?,
            })
        }),
        None => fields.missing("wording"),
    }
}

/// Reads a scale, which is the teacher's own or a catalogue's, and never both.
fn read_scale_choice(
    fields: &mut Fields,
    own: Option<proto::Scale>,
    chosen: Option<proto::CatalogueItemRef>,
) -> Option<ScaleChoice> {
    let Some(chosen) = chosen else {
        return fields
            .message("scale", own, read_scale)
            .map(ScaleChoice::Own);
    };
    if own.is_some() {
        let what = "must not be set beside scale: a goal has one scale";
        fields.violate("catalogue_scale", ViolationReason::Duplicate, what);
        return None;
    }
    fields.within("catalogue_scale", |fields| {
        let catalogue = fields.id("catalogue_id", &chosen.catalogue_id);
        let item = fields.id("item_id", &chosen.item_id);
        Some(ScaleChoice::Catalogue {
            catalogue: catalogue?,
            item: item?,
        })
    })
}

/// Writes a scale that a command names: the teacher's own, or a catalogue's.
fn write_scale_choice(
    choice: &ScaleChoice,
) -> (Option<proto::Scale>, Option<proto::CatalogueItemRef>) {
    match choice {
        ScaleChoice::Own(scale) => (Some(write_scale(scale)), None),
        ScaleChoice::Catalogue { catalogue, item } => {
            let source = proto::CatalogueItemRef {
                catalogue_id: catalogue.to_string(),
                item_id: item.to_string(),
            };
            (None, Some(source))
        }
    }
}

fn read_scale(fields: &mut Fields, scale: proto::Scale) -> Option<Scale> {
    let title = fields.text("title", &scale.title);
    let levels = fields.texts("levels", &scale.levels);
    Some(Scale {
        title: title?,
        levels: levels?,
    })
}

/// Writes a year plan's command. `None` for a step of a recovery, because recoveries have their own
/// methods.
pub(super) fn write(id: YearPlanId, command: &YearPlanCommand) -> Option<proto::YearPlanCommand> {
    write_operation(command).map(|operation| proto::YearPlanCommand {
        year_plan_id: id.to_string(),
        operation: Some(operation),
    })
}

fn write_operation(command: &YearPlanCommand) -> Option<Operation> {
    Some(match command {
        YearPlanCommand::Create { details, owner } => {
            Operation::CreateYearPlan(proto::CreateYearPlan {
                details: Some(write_details(details)),
                owner_id: owner.to_string(),
            })
        }
        YearPlanCommand::Retitle { title } => Operation::RetitleYearPlan(proto::RetitleYearPlan {
            title: title.to_string(),
        }),
        YearPlanCommand::AddSubject { subject } => Operation::AddSubject(proto::AddSubject {
            subject: subject.to_string(),
        }),
        YearPlanCommand::RemoveSubject { subject } => {
            Operation::RemoveSubject(proto::RemoveSubject {
                subject: subject.to_string(),
            })
        }
        YearPlanCommand::AddUnit { unit, details } => Operation::AddUnit(proto::AddUnit {
            unit_id: unit.to_string(),
            details: Some(write_unit(details)),
        }),
        YearPlanCommand::ReviseUnit { unit, details } => Operation::ReviseUnit(proto::ReviseUnit {
            unit_id: unit.to_string(),
            details: Some(write_unit(details)),
        }),
        YearPlanCommand::DeleteUnit { unit, reason } => Operation::DeleteUnit(proto::DeleteUnit {
            unit_id: unit.to_string(),
            reason: string(reason.as_ref()),
        }),
        YearPlanCommand::UndeleteUnit { unit } => Operation::UndeleteUnit(proto::UndeleteUnit {
            unit_id: unit.to_string(),
        }),
        YearPlanCommand::AddGoal {
            unit,
            goal,
            details,
        } => {
            let (scale, catalogue_scale) = write_scale_choice(&details.scale);
            Operation::AddGoal(proto::AddGoal {
                unit_id: unit.to_string(),
                goal_id: goal.to_string(),
                details: Some(proto::NewGoal {
                    kind: details.kind.number(),
                    area: details.area.number(),
                    wording: Some(write_choice(&details.wording)),
                    scale,
                    catalogue_scale,
                }),
            })
        }
        YearPlanCommand::ReviseGoal {
            goal,
            wording,
            scale,
        } => {
            let (scale, catalogue_scale) = write_scale_choice(scale);
            Operation::ReviseGoal(proto::ReviseGoal {
                goal_id: goal.to_string(),
                wording: Some(write_choice(wording)),
                scale,
                catalogue_scale,
            })
        }
        YearPlanCommand::RetireGoal { goal, reason } => Operation::RetireGoal(proto::RetireGoal {
            goal_id: goal.to_string(),
            reason: string(reason.as_ref()),
        }),
        YearPlanCommand::Delete { reason } => Operation::DeleteYearPlan(proto::DeleteYearPlan {
            reason: string(reason.as_ref()),
        }),
        YearPlanCommand::Undelete => Operation::UndeleteYearPlan(proto::UndeleteYearPlan {}),
        YearPlanCommand::TransferOwnership { to, reason } => {
            Operation::TransferYearPlanOwnership(proto::TransferYearPlanOwnership {
                to_person_id: to.to_string(),
                reason: string(reason.as_ref()),
            })
        }
        YearPlanCommand::MoveToInstitution { to, team, reason } => {
            Operation::MoveYearPlan(proto::MoveYearPlan {
                institution_id: to.to_string(),
                team_id: string(team.as_ref()),
                reason: string(reason.as_ref()),
            })
        }
        YearPlanCommand::HandOver { .. }
        | YearPlanCommand::HandBack { .. }
        | YearPlanCommand::Move { .. }
        | YearPlanCommand::MoveBack { .. }
        | YearPlanCommand::CopyUnit { .. } => return None,
    })
}

pub(super) fn write_details(details: &YearPlanDetails) -> proto::YearPlanDetails {
    proto::YearPlanDetails {
        kind: details.kind.number(),
        institution_id: details.institution.to_string(),
        team_id: details.team.to_string(),
        school_year_id: details.school_year.to_string(),
        title: details.title.to_string(),
        subjects: details.subjects.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn write_unit(details: &UnitDetails) -> proto::UnitDetails {
    proto::UnitDetails {
        title: details.title.to_string(),
        subject: string(details.subject.as_ref()),
        description: string(details.description.as_ref()),
    }
}

fn write_choice(wording: &WordingChoice) -> proto::WordingChoice {
    let wording = match wording {
        WordingChoice::Own { text } => Choices::OwnText(text.to_string()),
        WordingChoice::Catalogue { catalogue, item } => {
            Choices::CatalogueItem(write_source(*catalogue, *item))
        }
    };
    proto::WordingChoice {
        wording: Some(wording),
    }
}

pub(super) fn write_wording(wording: &Wording) -> proto::Wording {
    match wording {
        Wording::Own { text } => proto::Wording {
            text: text.to_string(),
            source: None,
        },
        Wording::Catalogue {
            catalogue,
            item,
            text,
        } => proto::Wording {
            text: text.to_string(),
            source: Some(write_source(*catalogue, *item)),
        },
    }
}

fn write_source(catalogue: CatalogueId, item: CatalogueItemId) -> proto::CatalogueItemRef {
    proto::CatalogueItemRef {
        catalogue_id: catalogue.to_string(),
        item_id: item.to_string(),
    }
}

pub(super) fn write_scale(scale: &Scale) -> proto::Scale {
    proto::Scale {
        title: scale.title.to_string(),
        levels: scale.levels.iter().map(ToString::to_string).collect(),
    }
}

/// A year plan as a viewer sees it. The revision is that of the year plan's stream.
pub fn year_plan(revision: Revision, view: &YearPlanView) -> proto::YearPlan {
    proto::YearPlan {
        year_plan_id: view.id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&view.details)),
        owner_id: view.owner.to_string(),
        units: view.units.iter().map(unit_of).collect(),
        deletion: view.deleted.as_ref().map(write_told),
    }
}

/// A year plan in a list. For staff: it says who deleted it and why.
pub fn year_plan_summary(
    id: YearPlanId,
    revision: Revision,
    year_plan: &YearPlan,
) -> proto::YearPlanSummary {
    let units = year_plan.units.iter();
    proto::YearPlanSummary {
        year_plan_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&year_plan.details)),
        owner_id: year_plan.owner.to_string(),
        unit_count: count(units.filter(|unit| unit.deleted.is_none()).count()),
        deletion: year_plan.deleted.as_ref().map(write_deletion),
    }
}

fn unit_of(unit: &YearPlanUnitView) -> proto::Unit {
    let goals = unit.goals.iter();
    proto::Unit {
        unit_id: unit.id.to_string(),
        details: Some(write_unit(&unit.details)),
        goals: goals.map(write_goal).collect(),
        deletion: unit.deleted.as_ref().map(write_told),
    }
}

fn write_goal(goal: &YearPlanGoalView) -> proto::Goal {
    let revisions = goal.revisions.iter().map(|revision| proto::GoalRevision {
        wording: Some(write_wording(&revision.wording)),
        scale: Some(write_scale(&revision.scale)),
    });
    proto::Goal {
        goal_id: goal.id.to_string(),
        kind: goal.kind.number(),
        area: goal.area.number(),
        first_revision: goal.first_revision,
        revisions: revisions.collect(),
        retired: goal.retired,
    }
}
