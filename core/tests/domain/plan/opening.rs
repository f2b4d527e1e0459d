use planledger_core::domain::Reason;
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::PlanEvent;
use planledger_core::domain::year_plan::{YearPlanEvent, YearPlanKind};
use planledger_core::ids::{PersonId, YearPlanId};
use planledger_fixtures::commands::open_plan;
use planledger_fixtures::events;

use super::{state, withdrawn};
use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

fn opened(student: PersonId, kind: YearPlanKind, year_plan: YearPlanId) -> PlanEvent {
    events::plan_opened(student, kind, year_plan, TEACHER)
}

#[test]
fn a_plan_is_opened_for_a_student_and_a_year_plan_whose_owner_owns_it() {
    let after = given(a_year_plan())
        .when(PEDAGOGUE, (PLAN, open_plan(STUDENT, YEAR_PLAN, None)))
        .then([opened(STUDENT, YearPlanKind::Subject, YEAR_PLAN)]);
    let plan = state(&after);
    assert_eq!((plan.student, plan.owner), (STUDENT, TEACHER));
    // Every gate is closed.
    assert!(!plan.shared && plan.units.is_empty());
    assert!(plan.sections.is_empty() && plan.visible_to.is_empty());
}

#[test]
fn a_plan_is_opened_for_another_owner() {
    given(a_year_plan())
        .when(
            TEACHER,
            (PLAN, open_plan(STUDENT, YEAR_PLAN, Some(PEDAGOGUE))),
        )
        .then([events::plan_opened(
            STUDENT,
            YearPlanKind::Subject,
            YEAR_PLAN,
            PEDAGOGUE,
        )]);
}

#[test]
fn a_plan_for_a_combined_year_plan_is_a_combined_plan() {
    let created = events::year_plan_created(combined_year_plan(), TEACHER);
    given(a_team())
        .and((COMBINED, created))
        .when(TEACHER, (PLAN, open_plan(STUDENT, COMBINED, None)))
        .then([opened(STUDENT, YearPlanKind::Combined, COMBINED)]);
}

#[test]
fn a_student_has_one_plan_for_a_year_plan_however_often_it_is_opened() {
    for id in [PLAN, OTHER_PLAN] {
        given(a_plan())
            .when(
                PEDAGOGUE,
                (id, open_plan(STUDENT, YEAR_PLAN, Some(PEDAGOGUE))),
            )
            .then_answered_by(PLAN);
    }
    given(a_plan())
        .when(TEACHER, (OTHER_PLAN, open_plan(CLASSMATE, YEAR_PLAN, None)))
        .then([opened(CLASSMATE, YearPlanKind::Subject, YEAR_PLAN)]);
}

/// Whoever asks again must find the plan, whatever has become of what it was opened from (P1).
#[test]
fn opening_again_finds_the_plan_also_after_its_year_plan_or_student_is_gone() {
    given(a_plan())
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .when(TEACHER, (OTHER_PLAN, open_plan(STUDENT, YEAR_PLAN, None)))
        .then_answered_by(PLAN);
    let ended = events::affiliation_ended(SCHOOL, Role::Student);
    given(a_plan())
        .and((STUDENT, ended))
        .when(TEACHER, (OTHER_PLAN, open_plan(STUDENT, YEAR_PLAN, None)))
        .then_answered_by(PLAN);
}

pub(super) fn refusals() -> Vec<Reason> {
    let by = |owner| (PLAN, open_plan(STUDENT, YEAR_PLAN, Some(owner)));
    refusals! {
        given(a_year_plan()), TEACHER, (PLAN, open_plan(NOBODY, YEAR_PLAN, None))
            => PersonNotFound at Student;
        given(a_year_plan()), TEACHER, (PLAN, open_plan(PEDAGOGUE, YEAR_PLAN, None))
            => NotAStudent at Student;
        given(a_year_plan()), TEACHER, (PLAN, open_plan(STUDENT, OTHER_YEAR_PLAN, None))
            => YearPlanNotFound at YearPlan;
        given(a_year_plan()).and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None })), TEACHER,
            (PLAN, open_plan(STUDENT, YEAR_PLAN, None)) => YearPlanDeleted at YearPlan;
        given(a_year_plan()), TEACHER, by(NOBODY) => PersonNotFound at Owner;
        given(a_year_plan()), TEACHER, by(CLERK) => NotStaff at Owner;
        given(a_year_plan()).and((PEDAGOGUE, events::departed())), TEACHER, by(PEDAGOGUE)
            => PersonDeparted at Owner;
        // An id names one plan for ever.
        given(a_plan()), TEACHER, (PLAN, open_plan(CLASSMATE, YEAR_PLAN, None))
            => AlreadyExists at Target;
        // A plan that was withdrawn is restored, not opened a second time.
        given(a_plan()).and((PLAN, withdrawn())), TEACHER,
            (OTHER_PLAN, open_plan(STUDENT, YEAR_PLAN, None)) => PlanWithdrawn;
    }
}
