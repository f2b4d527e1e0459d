mod contents;
mod evaluations;
mod lifecycle;
mod opening;
mod talks;

use planledger_core::domain::plan::{Audience, Item, Plan, PlanCommand, PlanEvent, Section};
use planledger_core::domain::{Aggregate, Field, Reason};

use crate::domain::harness::{Given, given, plan};
use planledger_fixtures::school::*;

fn state(given: &Given) -> Plan {
    match given.state(PLAN) {
        Aggregate::Plan(plan) => plan.clone(),
        other => panic!("{other:?}"),
    }
}

fn withdrawn() -> PlanEvent {
    PlanEvent::Withdrawn { reason: None }
}

fn transfer(to: planledger_core::ids::PersonId) -> PlanCommand {
    PlanCommand::TransferOwnership { to, reason: None }
}

fn move_to(to: planledger_core::ids::YearPlanId) -> PlanCommand {
    PlanCommand::MoveToYearPlan { to, reason: None }
}

/// Everything that can be asked of a plan that is there.
fn everything() -> Vec<PlanCommand> {
    let item = Item::Goal(SUBJECT_GOAL);
    let section = Section::Goals;
    vec![
        PlanCommand::IncludeUnit(THE_UNIT),
        PlanCommand::ExcludeUnit(THE_UNIT),
        PlanCommand::ShowSection { section },
        PlanCommand::HideSection { section },
        PlanCommand::ShowItem { item },
        PlanCommand::HideItem { item },
        PlanCommand::WriteStatus { text: text("Ord") },
        PlanCommand::WriteFollowUp {
            text: text("Ord"),
            follow_up_on: None,
        },
        PlanCommand::RecordEvaluation {
            evaluation: EVALUATION,
            unit: THE_UNIT,
            goal: SUBJECT_GOAL,
            assessment: level(1),
        },
        PlanCommand::CorrectEvaluation {
            evaluation: EVALUATION,
            assessment: level(1),
            reason: None,
        },
        PlanCommand::RecordTalk {
            talk: TALK,
            details: talk("Ord"),
        },
        PlanCommand::CorrectTalk {
            talk: TALK,
            details: talk("Ord"),
            reason: None,
        },
        PlanCommand::Share,
        PlanCommand::Unshare,
        PlanCommand::SetVisibility {
            audience: Audience::Guardians,
            visible: true,
        },
        PlanCommand::Withdraw { reason: None },
        PlanCommand::Restore,
        transfer(PEDAGOGUE),
        move_to(OTHER_YEAR_PLAN),
    ]
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut seen = [
        opening::refusals(),
        contents::refusals(),
        evaluations::refusals(),
        talks::refusals(),
        lifecycle::refusals(),
    ]
    .concat();
    for command in everything() {
        seen.push(
            given(a_year_plan())
                .when(TEACHER, plan(command.clone()))
                .then_refused(Reason::PlanNotFound, Some(Field::Target)),
        );
        let stays_possible = matches!(
            command,
            PlanCommand::Restore | PlanCommand::TransferOwnership { .. }
        );
        if !stays_possible {
            seen.push(
                given(a_plan())
                    .and((PLAN, withdrawn()))
                    .when(TEACHER, plan(command))
                    .then_refused(Reason::PlanWithdrawn, None),
            );
        }
    }
    seen
}
