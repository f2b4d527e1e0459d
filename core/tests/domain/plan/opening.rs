use planledger_core::domain::person::{PersonEvent, Role};
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::year_plan::{YearPlanEvent, YearPlanKind};
use planledger_core::domain::{Field, Reason};
use planledger_core::ids::{PersonId, YearPlanId};

use super::{state, withdrawn};
use crate::domain::harness::given;
use planledger_fixtures::school::*;

fn open(student: PersonId, year_plan: YearPlanId, owner: Option<PersonId>) -> PlanCommand {
    PlanCommand::Open {
        student,
        year_plan,
        owner,
    }
}

fn opened(student: PersonId, kind: YearPlanKind, year_plan: YearPlanId) -> PlanEvent {
    PlanEvent::Opened {
        student,
        kind,
        year_plan,
        owner: TEACHER,
    }
}

#[test]
fn a_plan_is_opened_for_a_student_and_a_year_plan_whose_owner_owns_it() {
    let after = given(a_year_plan())
        .when(PEDAGOGUE, (PLAN, open(STUDENT, YEAR_PLAN, None)))
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
        .when(TEACHER, (PLAN, open(STUDENT, YEAR_PLAN, Some(PEDAGOGUE))))
        .then([PlanEvent::Opened {
            student: STUDENT,
            kind: YearPlanKind::Subject,
            year_plan: YEAR_PLAN,
            owner: PEDAGOGUE,
        }]);
}

#[test]
fn a_plan_for_a_combined_year_plan_is_a_combined_plan() {
    let created = YearPlanEvent::Created {
        details: combined_year_plan(),
        owner: TEACHER,
    };
    given(a_team())
        .and((COMBINED, created))
        .when(TEACHER, (PLAN, open(STUDENT, COMBINED, None)))
        .then([opened(STUDENT, YearPlanKind::Combined, COMBINED)]);
}

#[test]
fn a_student_has_one_plan_for_a_year_plan_however_often_it_is_opened() {
    for id in [PLAN, OTHER_PLAN] {
        given(a_plan())
            .when(PEDAGOGUE, (id, open(STUDENT, YEAR_PLAN, Some(PEDAGOGUE))))
            .then_answered_by(PLAN);
    }
    given(a_plan())
        .when(TEACHER, (OTHER_PLAN, open(CLASSMATE, YEAR_PLAN, None)))
        .then([opened(CLASSMATE, YearPlanKind::Subject, YEAR_PLAN)]);
}

/// Whoever asks again must find the plan, whatever has become of what it was opened from (P1).
#[test]
fn opening_again_finds_the_plan_also_after_its_year_plan_or_student_is_gone() {
    given(a_plan())
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .when(TEACHER, (OTHER_PLAN, open(STUDENT, YEAR_PLAN, None)))
        .then_answered_by(PLAN);
    let ended = PersonEvent::AffiliationEnded {
        institution: SCHOOL,
        role: Role::Student,
    };
    given(a_plan())
        .and((STUDENT, ended))
        .when(TEACHER, (OTHER_PLAN, open(STUDENT, YEAR_PLAN, None)))
        .then_answered_by(PLAN);
}

pub(super) fn refusals() -> Vec<Reason> {
    let gone = PersonEvent::Departed {
        last_day: None,
        reason: None,
    };
    let by = |owner| (PLAN, open(STUDENT, YEAR_PLAN, Some(owner)));
    vec![
        given(a_year_plan())
            .when(TEACHER, (PLAN, open(NOBODY, YEAR_PLAN, None)))
            .then_refused(Reason::PersonNotFound, Some(Field::Student)),
        given(a_year_plan())
            .when(TEACHER, (PLAN, open(PEDAGOGUE, YEAR_PLAN, None)))
            .then_refused(Reason::NotAStudent, Some(Field::Student)),
        given(a_year_plan())
            .when(TEACHER, (PLAN, open(STUDENT, OTHER_YEAR_PLAN, None)))
            .then_refused(Reason::YearPlanNotFound, Some(Field::YearPlan)),
        given(a_year_plan())
            .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
            .when(TEACHER, (PLAN, open(STUDENT, YEAR_PLAN, None)))
            .then_refused(Reason::YearPlanDeleted, Some(Field::YearPlan)),
        given(a_year_plan())
            .when(TEACHER, by(NOBODY))
            .then_refused(Reason::PersonNotFound, Some(Field::Owner)),
        given(a_year_plan())
            .when(TEACHER, by(CLERK))
            .then_refused(Reason::NotStaff, Some(Field::Owner)),
        given(a_year_plan())
            .and((PEDAGOGUE, gone))
            .when(TEACHER, by(PEDAGOGUE))
            .then_refused(Reason::PersonDeparted, Some(Field::Owner)),
        // An id names one plan for ever.
        given(a_plan())
            .when(TEACHER, (PLAN, open(CLASSMATE, YEAR_PLAN, None)))
            .then_refused(Reason::AlreadyExists, Some(Field::Target)),
        // A plan that was withdrawn is restored, not opened a second time.
        given(a_plan())
            .and((PLAN, withdrawn()))
            .when(TEACHER, (OTHER_PLAN, open(STUDENT, YEAR_PLAN, None)))
            .then_refused(Reason::PlanWithdrawn, None),
    ]
}
