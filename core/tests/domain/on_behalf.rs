//! Rules about who may do something look at the person for whom a system acts, and not at the system.

use planledger_core::domain::institution::InstitutionEvent;
use planledger_core::domain::plan::{Evaluator, Plan, PlanCommand, PlanEvent};
use planledger_core::domain::{Actor, Aggregate, Field, Reason};
use planledger_fixtures::{ActsAs, Fact, commands, events};

use super::harness::{Given, given, plan};
use planledger_fixtures::school::*;

fn state(given: &Given) -> &Plan {
    match given.state(PLAN) {
        Aggregate::Plan(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn evaluate() -> PlanCommand {
    commands::record_evaluation(EVALUATION, THE_UNIT, REFLECTION_GOAL, level(2))
}

fn evaluated(by: Evaluator) -> PlanEvent {
    PlanEvent::EvaluationRecorded {
        evaluation: EVALUATION,
        unit: THE_UNIT,
        goal: REFLECTION_GOAL,
        goal_revision: 1,
        by,
        assessment: level(2),
    }
}

/// What a system did for somebody.
fn for_person(fact: impl Into<Fact>, person: impl ActsAs) -> Fact {
    Fact {
        actor: SYSTEM,
        on_behalf_of: Some(person.actor()),
        ..fact.into()
    }
}

#[test]
fn a_system_evaluates_on_the_side_of_whom_it_acts_for() {
    for (person, side) in [
        (TEACHER, Evaluator::Staff),
        (PEDAGOGUE, Evaluator::Staff),
        (LEADER, Evaluator::Staff),
        (STUDENT, Evaluator::Student),
    ] {
        let after = given(a_plan())
            .when_for(SYSTEM, person, plan(evaluate()))
            .then([evaluated(side)]);
        assert_eq!(state(&after).evaluations[0].actor, Actor::Person(person));
    }
}

#[test]
fn each_side_corrects_its_own_through_a_system_too() {
    let correct = || plan(commands::correct_evaluation(EVALUATION, level(0)));
    let by_student =
        || given(a_plan()).and(for_person((PLAN, evaluated(Evaluator::Student)), STUDENT));
    by_student()
        .when_for(SYSTEM, STUDENT, correct())
        .then([PlanEvent::EvaluationCorrected {
            evaluation: EVALUATION,
            assessment: level(0),
            reason: None,
        }]);
    by_student()
        .when_for(SYSTEM, TEACHER, correct())
        .then_refused(Reason::EvaluationOfAnotherSide, Some(Field::Evaluation));
}

#[test]
fn a_talk_that_a_system_records_was_held_by_whom_it_acts_for() {
    let after = given(a_plan())
        .when_for(
            SYSTEM,
            TEACHER,
            plan(commands::record_talk(TALK, talk("Aftalt"))),
        )
        .then([events::talk_recorded(TALK, talk("Aftalt"))]);
    let found = &state(&after).talks[&TALK];
    assert_eq!(found.by, Actor::Person(TEACHER));
    assert_eq!(found.details.holders(found.by), [TEACHER].into());
}

#[test]
fn a_system_records_the_survey_for_whoever_works_there() {
    let details = survey_details("Aftalt");
    let after = given(a_plan())
        .when_for(
            SYSTEM,
            LEADER,
            (
                SCHOOL,
                commands::record_survey_discussion(DISCUSSION, details.clone()),
            ),
        )
        .then([InstitutionEvent::SurveyDiscussed {
            discussion: DISCUSSION,
            details,
        }]);
    let Aggregate::Institution(now) = after.state(SCHOOL) else {
        panic!()
    };
    assert_eq!(
        now.survey_discussions[&DISCUSSION].by,
        Actor::Person(LEADER)
    );
}

#[test]
fn what_a_system_writes_for_a_person_is_the_persons() {
    let status = PlanCommand::WriteStatus { text: text("Ord") };
    let after = given(a_plan())
        .when_for(SYSTEM, PEDAGOGUE, plan(status.clone()))
        .then([PlanEvent::StatusWritten { text: text("Ord") }]);
    let written = |after: &Given| state(after).status.as_ref().map(|found| found.by);
    assert_eq!(written(&after), Some(Actor::Person(PEDAGOGUE)));
    // Nobody has a person's rights by acting for a system.
    let after = given(a_plan())
        .when_for(TEACHER, SYSTEM, plan(status))
        .then([PlanEvent::StatusWritten { text: text("Ord") }]);
    assert_eq!(written(&after), Some(Actor::Person(TEACHER)));
}

#[test]
fn a_system_does_for_a_person_what_the_person_may_and_no_more() {
    // A member of staff who acts for a student or guardian acts with that person's rights.
    let record = || plan(commands::record_talk(TALK, talk("Aftalt")));
    for person in [STUDENT, GUARDIAN] {
        given(a_plan())
            .when_for(TEACHER, person, record())
            .then_refused(Reason::TalkNotAllowed, None);
    }
    for person in [GUARDIAN, CLASSMATE, CLERK, NOBODY] {
        given(a_plan())
            .when_for(SYSTEM, person, plan(evaluate()))
            .then_refused(Reason::EvaluatorNotAllowed, None);
        given(a_plan())
            .when_for(SYSTEM, person, record())
            .then_refused(Reason::TalkNotAllowed, None);
        given(a_plan())
            .when_for(
                SYSTEM,
                person,
                (
                    SCHOOL,
                    commands::record_survey_discussion(DISCUSSION, survey_details("Ord")),
                ),
            )
            .then_refused(Reason::SurveyNotAllowed, None);
    }
    given(a_plan())
        .when_for(SYSTEM, STUDENT, record())
        .then_refused(Reason::TalkNotAllowed, None);
}
