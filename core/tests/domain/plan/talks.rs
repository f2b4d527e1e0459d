use planledger_core::domain::plan::{PlanCommand, PlanEvent, TalkDetails, TalkKind};
use planledger_core::domain::{Actor, Field, Reason};

use super::state;
use crate::domain::harness::{given, plan};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, Fact};

fn record(details: TalkDetails) -> PlanCommand {
    PlanCommand::RecordTalk {
        talk: TALK,
        details,
    }
}

fn correct(details: TalkDetails) -> PlanCommand {
    PlanCommand::CorrectTalk {
        talk: TALK,
        details,
        reason: None,
    }
}

fn recorded() -> Fact {
    let event = PlanEvent::TalkRecorded {
        talk: TALK,
        details: talk("Aftalt"),
    };
    Fact::from((PLAN, event)).by(TEACHER)
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
                .then([PlanEvent::TalkRecorded {
                    talk: TALK,
                    details,
                }]);
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
    let mut seen = vec![
        given(a_plan())
            .and(recorded())
            .when(TEACHER, plan(record(talk("Igen"))))
            .then_refused(Reason::AlreadyExists, Some(Field::Talk)),
        given(a_plan())
            .when(TEACHER, plan(correct(talk("Igen"))))
            .then_refused(Reason::TalkNotFound, Some(Field::Talk)),
    ];
    // Talks are held and recorded by teacher, pedagogue or leader; never by the student.
    let others = [STUDENT, CLASSMATE, GUARDIAN, CLERK, NOBODY].map(ActsAs::actor);
    for actor in others.into_iter().chain([SYSTEM]) {
        for command in [record(talk("Ord")), correct(talk("Ord"))] {
            seen.push(
                given(a_plan())
                    .when(actor, plan(command))
                    .then_refused(Reason::TalkNotAllowed, None),
            );
        }
    }
    seen
}
