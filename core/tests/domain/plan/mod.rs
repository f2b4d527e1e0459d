mod contents;
mod evaluations;
mod lifecycle;
mod opening;
mod talks;

use planledger_core::domain::plan::{Audience, Item, Plan, PlanCommand, PlanEvent, Section};
use planledger_core::domain::{Aggregate, Reason};
use planledger_fixtures::commands;

use crate::domain::harness::{Given, given, plan, refusals};
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
        commands::write_follow_up(text("Ord"), None),
        commands::record_evaluation(EVALUATION, THE_UNIT, SUBJECT_GOAL, level(1)),
        commands::correct_evaluation(EVALUATION, level(1)),
        commands::record_talk(TALK, talk("Ord")),
        commands::correct_talk(TALK, talk("Ord")),
        PlanCommand::Share,
        PlanCommand::Unshare,
        commands::set_visibility(Audience::Guardians, true),
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
        seen.extend(refusals! {
            given(a_year_plan()), TEACHER, plan(command.clone()) => PlanNotFound at Target;
        });
        let stays_possible = matches!(
            command,
            PlanCommand::Restore | PlanCommand::TransferOwnership { .. }
        );
        if !stays_possible {
            seen.extend(refusals! {
                given(a_plan()).and((PLAN, withdrawn())), TEACHER, plan(command) => PlanWithdrawn;
            });
        }
    }
    seen
}
