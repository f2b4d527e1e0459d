use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanEvent};
use planledger_core::domain::{Actor, Aggregate, Field, Reason};
use planledger_core::ids::UnitId;
use planledger_fixtures::events;

use super::{
    a_combined_year_plan, add_unit, delete_unit, revise_unit, state, subjects, unit_deleted,
};
use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

#[test]
fn subjects_come_and_go_in_a_combined_year_plan() {
    let add = YearPlanCommand::AddSubject {
        subject: name("Natur/teknologi"),
    };
    let remove = YearPlanCommand::RemoveSubject {
        subject: name("Matematik"),
    };
    let after = given(a_combined_year_plan())
        .when(TEACHER, (COMBINED, add.clone()))
        .then([YearPlanEvent::SubjectAdded {
            subject: name("Natur/teknologi"),
        }])
        .when(TEACHER, (COMBINED, add))
        .then_nothing()
        .when(TEACHER, (COMBINED, remove))
        .then([YearPlanEvent::SubjectRemoved {
            subject: name("Matematik"),
        }]);
    let Aggregate::YearPlan(now) = after.state(COMBINED) else {
        panic!()
    };
    assert_eq!(
        now.details.subjects,
        subjects(&["Dansk", "Natur/teknologi"])
    );
}

#[test]
fn units_are_added_in_order_and_revised() {
    let mut no_subject = unit_details("Eventyr");
    no_subject.subject = None;
    no_subject.description = Some(text("Fra Grimm til i dag"));
    let after = given(a_year_plan())
        .when(
            TEACHER,
            (YEAR_PLAN, add_unit(OTHER_UNIT, no_subject.clone())),
        )
        .then([events::unit_added(OTHER_UNIT, no_subject.clone())])
        .when(TEACHER, (YEAR_PLAN, revise_unit(UNIT, no_subject.clone())))
        .then([YearPlanEvent::UnitRevised {
            unit: UNIT,
            details: no_subject.clone(),
        }])
        .when(TEACHER, (YEAR_PLAN, revise_unit(UNIT, no_subject)))
        .then_nothing();
    let units: Vec<_> = state(&after).units.iter().map(|unit| unit.id).collect();
    assert_eq!(units, [UNIT, OTHER_UNIT]);
}

#[test]
fn a_deleted_unit_keeps_its_goals_and_comes_back() {
    let before = state(&given(a_year_plan()));
    let delete = YearPlanCommand::DeleteUnit {
        unit: UNIT,
        reason: why("Erstattet"),
    };
    let after = given(a_year_plan())
        .when(TEACHER, (YEAR_PLAN, delete))
        .then([YearPlanEvent::UnitDeleted {
            unit: UNIT,
            reason: why("Erstattet"),
        }]);
    let unit = state(&after).unit(UNIT).unwrap().clone();
    assert_eq!(unit.goals, [SUBJECT_GOAL, REFLECTION_GOAL]);
    let deletion = unit.deleted.unwrap();
    assert_eq!(
        (deletion.by, deletion.reason),
        (Actor::Person(TEACHER), why("Erstattet"))
    );
    let after = after
        .when(
            TEACHER,
            (YEAR_PLAN, YearPlanCommand::UndeleteUnit { unit: UNIT }),
        )
        .then([YearPlanEvent::UnitUndeleted { unit: UNIT }]);
    assert_eq!(state(&after), before);
}

pub(super) fn refusals() -> Vec<Reason> {
    [unit_refusals(), subject_refusals()].concat()
}

fn unit_refusals() -> Vec<Reason> {
    let unknown = UnitId::from_bytes([1; 16]);
    let mut other_subject = unit_details("Brøker");
    other_subject.subject = Some(name("Matematik"));
    let undelete = |unit| YearPlanCommand::UndeleteUnit { unit };
    refusals! {
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add_unit(UNIT, unit_details("Igen")))
            => AlreadyExists at Unit;
        // A unit's subject is one of the year plan's.
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add_unit(OTHER_UNIT, other_subject.clone()))
            => SubjectNotFound at DetailsSubject;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, revise_unit(UNIT, other_subject))
            => SubjectNotFound at DetailsSubject;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, revise_unit(unknown, unit_details("?")))
            => UnitNotFound at Unit;
        given(a_year_plan()).and((YEAR_PLAN, unit_deleted())), TEACHER,
            (YEAR_PLAN, revise_unit(UNIT, unit_details("?"))) => UnitDeleted at Unit;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, delete_unit(unknown)) => UnitNotFound at Unit;
        given(a_year_plan()).and((YEAR_PLAN, unit_deleted())), TEACHER,
            (YEAR_PLAN, delete_unit(UNIT)) => UnitDeleted at Unit;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, undelete(unknown)) => UnitNotFound at Unit;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, undelete(UNIT)) => NotDeleted;
    }
}

fn subject_refusals() -> Vec<Reason> {
    let add = YearPlanCommand::AddSubject {
        subject: name("Matematik"),
    };
    let remove = |subject| YearPlanCommand::RemoveSubject {
        subject: name(subject),
    };
    let field = Some(Field::Subject);
    let uses_danish = events::unit_added(UNIT, unit_details("Noveller"));
    let only_danish = YearPlanEvent::SubjectRemoved {
        subject: name("Matematik"),
    };
    vec![
        given(a_year_plan())
            .when(TEACHER, (YEAR_PLAN, add))
            .then_refused(Reason::NotCombined, None),
        given(a_year_plan())
            .when(TEACHER, (YEAR_PLAN, remove("Dansk")))
            .then_refused(Reason::NotCombined, None),
        given(a_combined_year_plan())
            .when(TEACHER, (COMBINED, remove("Engelsk")))
            .then_refused(Reason::SubjectNotFound, field),
        // Also a deleted unit uses its subject, since it may come back.
        given(a_combined_year_plan())
            .and((COMBINED, uses_danish))
            .and((COMBINED, unit_deleted()))
            .when(TEACHER, (COMBINED, remove("Dansk")))
            .then_refused(Reason::SubjectInUse, field),
        given(a_combined_year_plan())
            .and((COMBINED, only_danish))
            .when(TEACHER, (COMBINED, remove("Dansk")))
            .then_refused(Reason::SubjectCountInvalid, field),
    ]
}
