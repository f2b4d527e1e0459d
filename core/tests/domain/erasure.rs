//! Who may have text destroyed: two people, and never one.

use planledger_core::domain::Reason;
use planledger_core::domain::erasure::{
    Done, Erasure, ErasureCommand, ErasureEvent, Phase, Target,
};
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Aggregate};
use planledger_core::ids::{ErasureId, PersonId};
use planledger_core::time::Timestamp;
use planledger_fixtures::Fact;
use planledger_fixtures::school::*;

use crate::domain::harness::{Given, given, plan, refusals};

const PERSON: Target = Target::Person(STUDENT);

fn id() -> ErasureId {
    ErasureId::of_person(STUDENT)
}

fn request_of(target: Target) -> (ErasureId, ErasureCommand) {
    let request = ErasureCommand::Request {
        target,
        basis: "Artikel 17".parse().unwrap(),
        reason: "Bedt om".parse().unwrap(),
        retention: None,
    };
    (ErasureId::of(target), request)
}

fn approve() -> (ErasureId, ErasureCommand) {
    (id(), ErasureCommand::Approve { reason: None })
}

fn withdraw() -> (ErasureId, ErasureCommand) {
    (id(), ErasureCommand::Withdraw { reason: None })
}

fn requested() -> ErasureEvent {
    ErasureEvent::Requested {
        target: PERSON,
        basis: "Artikel 17".parse().unwrap(),
        reason: "Bedt om".parse().unwrap(),
        retention: None,
    }
}

fn with(facts: Vec<Fact>) -> Given {
    let mut all = a_school();
    all.extend(a_plan());
    all.extend(facts);
    given(all)
}

fn asked() -> Fact {
    Fact::from((id(), requested())).by(LEADER)
}

fn approved() -> Fact {
    Fact::from((id(), ErasureEvent::Approved { reason: None })).by(CLERK)
}

fn withdrawn() -> Fact {
    Fact::from((id(), ErasureEvent::Withdrawn { reason: None })).by(CLERK)
}

#[test]
fn one_asks_and_another_approves_and_then_nothing_is_recorded_of_the_person() {
    let given = with(vec![])
        .when(LEADER, request_of(PERSON))
        .then([requested()])
        .when(CLERK, approve())
        .then([ErasureEvent::Approved { reason: None }]);
    let Aggregate::Erasure(act) = given.state(id()) else {
        panic!("it is an act")
    };
    assert!(act.is_proved() && !act.is_carried_out());
    assert!(act.record().is_none());
    let share = plan(PlanCommand::Share);
    let given = given.when(CLERK, approve()).then_nothing();
    given.clone().when(TEACHER, share).then_refused(
        Reason::PersonErased,
        Some(planledger_core::domain::Field::Target),
    );
    let done = ErasureEvent::CarriedOut { key: None };
    let carry_out = ErasureCommand::CarryOut { key: None };
    let given = given.when(SYSTEM, (id(), carry_out.clone())).then([done]);
    given.when(SYSTEM, (id(), carry_out)).then_nothing();
}

#[test]
fn nothing_is_carried_out_that_nobody_has_approved() {
    let carry_out = || (id(), ErasureCommand::CarryOut { key: None });
    with(vec![asked()]).when(SYSTEM, carry_out()).then_nothing();
    with(vec![asked(), withdrawn()])
        .when(SYSTEM, carry_out())
        .then_nothing();
}

#[test]
fn a_request_that_was_taken_back_can_be_made_again() {
    with(vec![asked()])
        .when(LEADER, withdraw())
        .then([ErasureEvent::Withdrawn { reason: None }])
        .when(LEADER, withdraw())
        .then_nothing()
        .when(CLERK, request_of(PERSON))
        .then([requested()])
        .when(LEADER, approve())
        .then([ErasureEvent::Approved { reason: None }]);
}

/// Whoever acts for somebody, and for whom somebody acts, are both one of the two.
#[test]
fn one_person_behind_two_systems_does_not_count_twice() {
    with(vec![])
        .when_for(SYSTEM, LEADER, request_of(PERSON))
        .then([requested()])
        .when(LEADER, approve())
        .then_refused(Reason::ErasureNeedsAnotherPerson, None);
}

#[test]
fn an_act_counts_only_if_two_people_decided_it() {
    let done = |by| Done {
        by,
        on_behalf_of: None,
        at: Timestamp::default(),
    };
    let act = |asked, approved| Erasure {
        target: PERSON,
        basis: "Artikel 17".parse().unwrap(),
        reason: "Bedt om".parse().unwrap(),
        retention: None,
        requested: done(asked),
        phase: Phase::Approved(done(approved)),
        reads: None,
        left: None,
    };
    let (one, other) = (Actor::Person(LEADER), Actor::Person(CLERK));
    assert!(act(one, other).is_proved());
    assert!(!act(one, one).is_proved());
    assert!(!act(SYSTEM, other).is_proved());
    assert!(!act(one, SYSTEM).is_proved());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let rename = |person: PersonId| {
        let name = "En anden".parse().unwrap();
        (person, PersonCommand::Rename { name })
    };
    refusals! {
        with(vec![]), CLERK, approve() => ErasureNotFound at Target;
        with(vec![]), CLERK, withdraw() => ErasureNotFound at Target;
        with(vec![]), SYSTEM, request_of(PERSON) => ErasureNeedsPerson;
        with(vec![asked()]), SYSTEM, approve() => ErasureNeedsPerson;
        with(vec![asked()]), LEADER, approve() => ErasureNeedsAnotherPerson;
        with(vec![asked()]), CLERK, request_of(PERSON) => ErasureUnderWay;
        with(vec![asked(), approved()]), LEADER, withdraw() => ErasureUnderWay;
        with(vec![asked(), withdrawn()]), CLERK, approve() => ErasureWithdrawn;
        with(vec![]), LEADER, request_of(Target::Person(NOBODY)) => PersonNotFound at Target;
        with(vec![asked(), approved()]), LEADER, request_of(PERSON) => PersonErased at Target;
        with(vec![asked(), approved()]), SYSTEM, rename(STUDENT) => PersonErased at Target;
    }
}
