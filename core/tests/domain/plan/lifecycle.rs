use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::year_plan::{YearPlanDetails, YearPlanEvent, YearPlanKind};
use planledger_core::domain::{Field, Reason};
use planledger_core::ids::{PlanId, YearPlanId};
use planledger_fixtures::commands;
use planledger_fixtures::events;

use super::{move_to, state, transfer, withdrawn};
use crate::domain::harness::{given, plan};
use planledger_fixtures::Fact;
use planledger_fixtures::school::*;

fn moved(from: YearPlanId, to: YearPlanId) -> PlanEvent {
    PlanEvent::MovedToYearPlan {
        from,
        to,
        reason: None,
    }
}

fn created(details: YearPlanDetails) -> YearPlanEvent {
    events::year_plan_created(details, PEDAGOGUE)
}

/// The plan, and a second subject year plan that it can move to.
fn a_plan_and_another_year_plan() -> Vec<Fact> {
    let mut facts = a_plan();
    facts.push((OTHER_YEAR_PLAN, created(subject_year_plan())).into());
    facts
}

fn opened(kind: YearPlanKind, year_plan: YearPlanId) -> PlanEvent {
    events::plan_opened(STUDENT, kind, year_plan, TEACHER)
}

#[test]
fn a_withdrawn_plan_comes_back_as_it_was() {
    let before = given(a_plan()).and(evaluated(EVALUATION, SUBJECT_GOAL, 2));
    let was = state(&before);
    let reason = why("Åbnet ved en fejl");
    let withdraw = PlanCommand::Withdraw {
        reason: reason.clone(),
    };
    let after = before
        .when(TEACHER, plan(withdraw))
        .then([PlanEvent::Withdrawn { reason }]);
    assert!(state(&after).withdrawn);
    assert_eq!(state(&after).evaluations, was.evaluations);
    let after = after
        .when(TEACHER, plan(PlanCommand::Restore))
        .then([PlanEvent::Restored {}]);
    let now = state(&after);
    assert_eq!(
        planledger_core::domain::plan::Plan {
            changed_at: was.changed_at,
            ..now
        },
        was
    );
}

#[test]
fn a_plan_changes_hands_also_when_it_is_withdrawn_or_its_owner_has_left() {
    let after = given(a_plan())
        .and((PLAN, withdrawn()))
        .and((TEACHER, events::departed()))
        .when(LEADER, plan(transfer(PEDAGOGUE)))
        .then([PlanEvent::OwnershipTransferred {
            from: TEACHER,
            to: PEDAGOGUE,
            reason: None,
        }]);
    assert_eq!(state(&after).owner, PEDAGOGUE);
}

#[test]
fn a_plan_moves_to_another_year_plan_and_keeps_its_units() {
    let unit = unit_in(OTHER_YEAR_PLAN, OTHER_UNIT);
    let added = events::unit_added(OTHER_UNIT, unit_details("Eventyr"));
    let after = given(a_plan_and_another_year_plan())
        .and((OTHER_YEAR_PLAN, added))
        // Also when what it hung on is deleted: that is what moving is for.
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .when(TEACHER, plan(move_to(OTHER_YEAR_PLAN)))
        .then([moved(YEAR_PLAN, OTHER_YEAR_PLAN)])
        .when(TEACHER, plan(PlanCommand::IncludeUnit(unit)))
        .then([PlanEvent::UnitIncluded(unit)])
        .when(
            TEACHER,
            plan(commands::record_evaluation(
                EVALUATION,
                THE_UNIT,
                SUBJECT_GOAL,
                level(1),
            )),
        )
        .then([PlanEvent::EvaluationRecorded {
            evaluation: EVALUATION,
            unit: THE_UNIT,
            goal: SUBJECT_GOAL,
            goal_revision: 1,
            by: planledger_core::domain::plan::Evaluator::Staff,
            assessment: level(1),
        }]);
    assert_eq!(state(&after).year_plan, OTHER_YEAR_PLAN);
    assert_eq!(state(&after).units, [THE_UNIT, unit]);
}

#[test]
fn a_plan_that_moved_away_leaves_room_for_another() {
    let open = commands::open_plan(STUDENT, YEAR_PLAN, None);
    given(a_plan_and_another_year_plan())
        .and((PLAN, moved(YEAR_PLAN, OTHER_YEAR_PLAN)))
        .when(TEACHER, (OTHER_PLAN, open))
        .then([opened(YearPlanKind::Subject, YEAR_PLAN)]);
}

pub(super) fn refusals() -> Vec<Reason> {
    let to = Some(Field::YearPlan);
    let owner = Some(Field::NewOwner);
    let has_another: (PlanId, PlanEvent) =
        (OTHER_PLAN, opened(YearPlanKind::Subject, OTHER_YEAR_PLAN));
    vec![
        given(a_plan())
            .when(TEACHER, plan(PlanCommand::Restore))
            .then_refused(Reason::NotWithdrawn, None),
        given(a_plan())
            .when(TEACHER, plan(transfer(TEACHER)))
            .then_refused(Reason::AlreadyOwner, owner),
        given(a_plan())
            .when(TEACHER, plan(transfer(STUDENT)))
            .then_refused(Reason::NotStaff, owner),
        given(a_plan())
            .when(TEACHER, plan(transfer(NOBODY)))
            .then_refused(Reason::PersonNotFound, owner),
        given(a_plan())
            .and((PEDAGOGUE, events::departed()))
            .when(TEACHER, plan(transfer(PEDAGOGUE)))
            .then_refused(Reason::PersonDeparted, owner),
        given(a_plan())
            .when(TEACHER, plan(move_to(YEAR_PLAN)))
            .then_refused(Reason::AlreadyThere, to),
        given(a_plan())
            .when(TEACHER, plan(move_to(OTHER_YEAR_PLAN)))
            .then_refused(Reason::YearPlanNotFound, to),
        given(a_plan_and_another_year_plan())
            .and((OTHER_YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
            .when(TEACHER, plan(move_to(OTHER_YEAR_PLAN)))
            .then_refused(Reason::YearPlanDeleted, to),
        // A subject plan does not become a combined one, nor the other way round.
        given(a_plan())
            .and((COMBINED, created(combined_year_plan())))
            .when(TEACHER, plan(move_to(COMBINED)))
            .then_refused(Reason::PlanKindMismatch, to),
        given(a_year_plan())
            .and((COMBINED, created(combined_year_plan())))
            .and((PLAN, opened(YearPlanKind::Combined, COMBINED)))
            .when(TEACHER, plan(move_to(YEAR_PLAN)))
            .then_refused(Reason::PlanKindMismatch, to),
        given(a_plan_and_another_year_plan())
            .and(has_another)
            .when(TEACHER, plan(move_to(OTHER_YEAR_PLAN)))
            .then_refused(Reason::PlanExistsForYearPlan, to),
    ]
}
