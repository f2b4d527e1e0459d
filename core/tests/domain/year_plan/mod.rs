mod goals;
mod moves;
mod units;

use planledger_fixtures::commands;
use planledger_fixtures::events;
use std::collections::BTreeSet;

use planledger_core::domain::institution::InstitutionEvent;
use planledger_core::domain::team::TeamEvent;
use planledger_core::domain::year_plan::{
    GoalKind, Scale, UnitDetails, WordingChoice, YearPlan, YearPlanCommand, YearPlanDetails,
    YearPlanEvent,
};
use planledger_core::domain::{Actor, Aggregate, Field, Reason};
use planledger_core::ids::{GoalId, InstitutionId, PersonId, SchoolYearId, TeamId, UnitId};
use planledger_core::text::Name;

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::Fact;
use planledger_fixtures::school::*;

fn create(details: YearPlanDetails, owner: PersonId) -> YearPlanCommand {
    YearPlanCommand::Create { details, owner }
}

fn subjects(names: &[&str]) -> BTreeSet<Name> {
    names.iter().map(|subject| name(subject)).collect()
}

fn a_combined_year_plan() -> Vec<Fact> {
    let mut facts = a_team();
    let created = events::year_plan_created(combined_year_plan(), TEACHER);
    facts.push((COMBINED, created).into());
    facts
}

fn deleted() -> YearPlanEvent {
    YearPlanEvent::Deleted { reason: None }
}

fn unit_deleted() -> YearPlanEvent {
    events::unit_deleted(UNIT)
}

fn add_unit(unit: UnitId, details: UnitDetails) -> YearPlanCommand {
    YearPlanCommand::AddUnit { unit, details }
}

fn revise_unit(unit: UnitId, details: UnitDetails) -> YearPlanCommand {
    YearPlanCommand::ReviseUnit { unit, details }
}

fn delete_unit(unit: UnitId) -> YearPlanCommand {
    YearPlanCommand::DeleteUnit { unit, reason: None }
}

fn add_goal(unit: UnitId, goal: GoalId) -> YearPlanCommand {
    commands::add_goal(unit, goal, chosen_goal(GoalKind::Subject, "Kan analysere"))
}

fn revise_goal(goal: GoalId, words: &str, scale: Scale) -> YearPlanCommand {
    commands::revise_goal(goal, WordingChoice::Own { text: text(words) }, scale)
}

fn retire_goal(goal: GoalId) -> YearPlanCommand {
    YearPlanCommand::RetireGoal { goal, reason: None }
}

fn transfer(to: PersonId) -> YearPlanCommand {
    YearPlanCommand::TransferOwnership { to, reason: None }
}

fn state(given: &Given) -> YearPlan {
    match given.state(YEAR_PLAN) {
        Aggregate::YearPlan(plan) => plan.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subject_year_plan_has_one_subject_and_a_combined_one_several() {
    for details in [subject_year_plan(), combined_year_plan()] {
        given(a_team())
            .when(
                TEACHER,
                (OTHER_YEAR_PLAN, create(details.clone(), PEDAGOGUE)),
            )
            .then([events::year_plan_created(details, PEDAGOGUE)]);
    }
}

#[test]
fn a_year_plan_is_retitled() {
    let retitle = |value| YearPlanCommand::Retitle {
        title: title(value),
    };
    let after = given(a_year_plan())
        .when(TEACHER, (YEAR_PLAN, retitle("Dansk i 7.b")))
        .then_nothing()
        .when(TEACHER, (YEAR_PLAN, retitle("Dansk, hele året")))
        .then([YearPlanEvent::Retitled {
            title: title("Dansk, hele året"),
        }]);
    assert_eq!(state(&after).details.title, title("Dansk, hele året"));
}

#[test]
fn a_deleted_year_plan_comes_back_as_it_was() {
    let before = state(&given(a_year_plan()));
    let delete = YearPlanCommand::Delete {
        reason: why("Oprettet to gange"),
    };
    let after = given(a_year_plan())
        .when(TEACHER, (YEAR_PLAN, delete))
        .then([YearPlanEvent::Deleted {
            reason: why("Oprettet to gange"),
        }]);
    let deletion = state(&after).deleted.unwrap();
    assert_eq!(
        (deletion.by, deletion.reason),
        (Actor::Person(TEACHER), why("Oprettet to gange"))
    );
    let after = after
        .when(TEACHER, (YEAR_PLAN, YearPlanCommand::Undelete))
        .then([YearPlanEvent::Undeleted {}]);
    assert_eq!(state(&after), before);
}

#[test]
fn a_year_plan_changes_hands_also_when_it_is_deleted_or_its_owner_has_left() {
    let after = given(a_year_plan())
        .and((YEAR_PLAN, deleted()))
        .and((TEACHER, events::departed()))
        .when(LEADER, (YEAR_PLAN, transfer(PEDAGOGUE)))
        .then([YearPlanEvent::OwnershipTransferred {
            from: TEACHER,
            to: PEDAGOGUE,
            reason: None,
        }]);
    assert_eq!(state(&after).owner, PEDAGOGUE);
}

#[test]
fn a_year_plan_is_worked_with_also_when_its_team_is_deleted() {
    let team_deleted = TeamEvent::Deleted { reason: None };
    given(a_year_plan())
        .and((TEAM, team_deleted))
        .when(TEACHER, (YEAR_PLAN, add_goal(UNIT, OTHER_GOAL)))
        .then([events::goal_added(
            UNIT,
            OTHER_GOAL,
            goal(GoalKind::Subject, "Kan analysere"),
        )]);
}

/// What a year plan needs to be created.
fn creation_refusals() -> Vec<Reason> {
    let with = |change: &dyn Fn(&mut YearPlanDetails)| {
        let mut details = subject_year_plan();
        change(&mut details);
        (OTHER_YEAR_PLAN, create(details, TEACHER))
    };
    let owned_by = |owner| (OTHER_YEAR_PLAN, create(subject_year_plan(), owner));
    let mut none = combined_year_plan();
    none.subjects.clear();
    let _count = Some(Field::DetailsSubjects);
    refusals! {
        given(a_year_plan()), TEACHER, (YEAR_PLAN, create(subject_year_plan(), TEACHER))
            => AlreadyExists at Target;
        given(a_team()), TEACHER, with(&|plan| plan.subjects.clear())
            => SubjectCountInvalid at DetailsSubjects;
        given(a_team()), TEACHER, with(&|plan| plan.subjects = subjects(&["Dansk", "Matematik"]))
            => SubjectCountInvalid at DetailsSubjects;
        given(a_team()), TEACHER, (OTHER_YEAR_PLAN, create(none, TEACHER))
            => SubjectCountInvalid at DetailsSubjects;
        given(a_team()), TEACHER,
            with(&|plan| plan.institution = InstitutionId::from_bytes([1; 16]))
            => InstitutionNotFound at DetailsInstitution;
        given(a_team()).and((SCHOOL, InstitutionEvent::Closed { reason: None })), TEACHER,
            with(&|_| ()) => InstitutionClosed at DetailsInstitution;
        given(a_team()), TEACHER, with(&|plan| plan.school_year = SchoolYearId::from_bytes([1; 16]))
            => SchoolYearNotFound at DetailsSchoolYear;
        given(a_team()), TEACHER, with(&|plan| plan.team = TeamId::from_bytes([1; 16]))
            => TeamNotFound at DetailsTeam;
        given(a_team()).and((TEAM, TeamEvent::Deleted { reason: None })), TEACHER, with(&|_| ())
            => TeamDeleted at DetailsTeam;
        given(a_team()), TEACHER, owned_by(NOBODY) => PersonNotFound at Owner;
        given(a_team()), TEACHER, owned_by(STUDENT) => NotStaff at Owner;
        given(a_team()).and((TEACHER, events::departed())), LEADER, owned_by(TEACHER) => PersonDeparted at Owner;
    }
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let _to = Some(Field::NewOwner);
    let mut seen = [
        creation_refusals(),
        units::refusals(),
        goals::refusals(),
        moves::refusals(),
        refusals! {
            given(a_year_plan()), TEACHER, (YEAR_PLAN, YearPlanCommand::Undelete) => NotDeleted;
            given(a_year_plan()), TEACHER, (YEAR_PLAN, transfer(TEACHER))
                => AlreadyOwner at NewOwner;
            given(a_year_plan()), TEACHER, (YEAR_PLAN, transfer(CLERK)) => NotStaff at NewOwner;
        },
    ]
    .concat();
    let edits = [
        YearPlanCommand::Retitle { title: title("Ny") },
        YearPlanCommand::AddSubject {
            subject: name("Dansk"),
        },
        YearPlanCommand::RemoveSubject {
            subject: name("Dansk"),
        },
        add_unit(OTHER_UNIT, unit_details("Ny")),
        revise_unit(UNIT, unit_details("Ny")),
        delete_unit(UNIT),
        YearPlanCommand::UndeleteUnit { unit: UNIT },
        add_goal(UNIT, OTHER_GOAL),
        revise_goal(SUBJECT_GOAL, "Nye ord", scale()),
        retire_goal(SUBJECT_GOAL),
        YearPlanCommand::Delete { reason: None },
    ];
    // A deleted year plan takes nothing but being undeleted and transferred.
    for command in edits.clone() {
        seen.extend(refusals! {
            given(a_year_plan()).and((YEAR_PLAN, deleted())), TEACHER, (YEAR_PLAN, command)
                => YearPlanDeleted;
        });
    }
    for command in edits
        .into_iter()
        .chain([YearPlanCommand::Undelete, transfer(TEACHER)])
    {
        seen.extend(refusals! {
            given(a_team()), TEACHER, (YEAR_PLAN, command) => YearPlanNotFound at Target;
        });
    }
    seen
}
