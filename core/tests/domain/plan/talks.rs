use planledger_core::domain::plan::{PlanCommand, PlanEvent, TalkDetails, TalkKind};
use planledger_core::domain::{Actor, Reason};
use planledger_core::ids::PersonId;
use planledger_fixtures::commands;
use planledger_fixtures::events;

use super::state;
use crate::domain::harness::{given, plan, refusals};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, Fact};

fn record(details: TalkDetails) -> PlanCommand {
    commands::record_talk(TALK, details)
}

fn correct(details: TalkDetails) -> PlanCommand {
    commands::correct_talk(TALK, details)
}

fn recorded() -> Fact {
    let event = events::talk_recorded(TALK, talk("Aftalt"));
    Fact::from((PLAN, event)).by(TEACHER)
}

fn held_by(persons: [PersonId; 2]) -> TalkDetails {
    TalkDetails {
        held_by: persons.into(),
        ..talk("Aftalt")
    }
}

fn nobody() -> PersonId {
    PersonId::from_bytes([0x3F; 16])
}

#[test]
fn a_talk_names_all_who_held_it_and_otherwise_whoever_recorded_it_held_it() {
    for holders in [
        [TEACHER, PEDAGOGUE],
        [PEDAGOGUE, LEADER],
        [TEACHER, STUDENT],
    ] {
        let details = held_by(holders);
        let after = given(a_plan())
            .when(LEADER, plan(record(details.clone())))
            .then([events::talk_recorded(TALK, details)]);
        let found = &state(&after).talks[&TALK];
        assert_eq!(found.details.holders(found.by), holders.into());
    }
    let after = given(a_plan())
        .when(PEDAGOGUE, plan(record(talk("Aftalt"))))
        .then([events::talk_recorded(TALK, talk("Aftalt"))]);
    let found = &state(&after).talks[&TALK];
    assert_eq!(found.details.holders(found.by), [PEDAGOGUE].into());
}

#[test]
fn staff_record_talks_of_every_kind() {
    for kind in [
        TalkKind::StudentTalk,
        TalkKind::FeedbackTalk,
        TalkKind::LearningTalk,
        TalkKind::SchoolHomeTalk,
    ] {
        for actor in [TEACHER, PEDAGOGUE, LEADER] {
            let details = TalkDetails {
                kind,
                ..talk("Aftalt")
            };
            given(a_plan())
                .when(actor, plan(record(details.clone())))
                .then([events::talk_recorded(TALK, details)]);
        }
    }
}

#[test]
fn a_corrected_talk_says_who_recorded_it_and_when_it_was_corrected() {
    let reason = why("Forkert dag");
    let command = PlanCommand::CorrectTalk {
        talk: TALK,
        details: talk("Aftalt noget andet"),
        reason: reason.clone(),
    };
    let after = given(a_plan())
        .and(recorded())
        .when(TEACHER, plan(correct(talk("Aftalt"))))
        .then_nothing()
        .when(PEDAGOGUE, plan(command))
        .then([PlanEvent::TalkCorrected {
            talk: TALK,
            details: talk("Aftalt noget andet"),
            reason,
        }]);
    let found = &state(&after).talks[&TALK];
    assert_eq!(found.details, talk("Aftalt noget andet"));
    assert_eq!(found.by, Actor::Person(TEACHER));
    assert!(found.corrected_at > Some(found.at));
}

pub(super) fn refusals() -> Vec<Reason> {
    let mut seen = refusals! {
        given(a_plan()).and(recorded()), TEACHER, plan(record(talk("Igen")))
            => AlreadyExists at Talk;
        given(a_plan()), TEACHER, plan(correct(talk("Igen"))) => TalkNotFound at Talk;
        // Somebody who holds a talk is staff, and everybody named is known.
        given(a_plan()), TEACHER, plan(record(held_by([STUDENT, GUARDIAN])))
            => TalkWithoutStaff at DetailsHeldBy;
        given(a_plan()).and(recorded()), TEACHER, plan(correct(held_by([CLERK, STUDENT])))
            => TalkWithoutStaff at DetailsHeldBy;
        given(a_plan()), TEACHER, plan(record(held_by([TEACHER, nobody()])))
            => PersonNotFound at DetailsHeldBy;
    };
    // Talks are held and recorded by teacher, pedagogue or leader; never by the student.
    let others = [STUDENT, CLASSMATE, GUARDIAN, CLERK, NOBODY].map(ActsAs::actor);
    for actor in others.into_iter().chain([SYSTEM]) {
        for command in [record(talk("Ord")), correct(talk("Ord"))] {
            seen.extend(refusals! {
                given(a_plan()), actor, plan(command) => TalkNotAllowed;
            });
        }
    }
    seen
}
