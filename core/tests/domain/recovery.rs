use planledger_core::domain::recovery::{
    LeftOut, MOST_STEPS, Phase, Recovery, RecoveryCommand, RecoveryEvent, Step,
};
use planledger_core::domain::{Actor, Aggregate, Field, Reason};
use planledger_core::ids::RecoveryId;

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

const RECOVERY: RecoveryId = RecoveryId::from_bytes([0xE1; 16]);

fn steps() -> Vec<Step> {
    vec![
        Step::UndeleteTeam { team: TEAM },
        Step::PlanOwner {
            plan: PLAN,
            from: TEACHER,
            to: PEDAGOGUE,
        },
    ]
}

fn start(steps: Vec<Step>) -> RecoveryCommand {
    RecoveryCommand::Start {
        steps,
        on_behalf_of: Some(Actor::Person(PEDAGOGUE)),
        reason: why("Orlov"),
    }
}

fn started() -> RecoveryEvent {
    RecoveryEvent::Started {
        steps: steps(),
        on_behalf_of: Some(Actor::Person(PEDAGOGUE)),
        reason: why("Orlov"),
    }
}

fn left_out() -> Vec<LeftOut> {
    vec![LeftOut {
        step: 1,
        reason: Reason::OwnerChanged,
    }]
}

fn finish() -> RecoveryCommand {
    let left_out = left_out();
    RecoveryCommand::Finish { left_out }
}

fn finished() -> RecoveryEvent {
    let left_out = left_out();
    RecoveryEvent::Finished { left_out }
}

fn undo() -> RecoveryCommand {
    RecoveryCommand::Undo {
        on_behalf_of: None,
        reason: why("Alligevel ikke"),
    }
}

fn undo_started() -> RecoveryEvent {
    RecoveryEvent::UndoStarted {
        by: Actor::Person(LEADER),
        on_behalf_of: None,
        reason: why("Alligevel ikke"),
    }
}

fn finish_undo() -> RecoveryCommand {
    RecoveryCommand::FinishUndo {
        left_out: Vec::new(),
    }
}

fn undone() -> RecoveryEvent {
    RecoveryEvent::Undone {
        left_out: Vec::new(),
    }
}

fn running() -> Given {
    given(a_plan()).and((RECOVERY, started()))
}

fn state(given: &Given) -> Recovery {
    match given.state(RECOVERY) {
        Aggregate::Recovery(recovery) => recovery.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recovery_is_started_finished_undone_and_at_its_end() {
    let after = given(a_plan())
        .when(LEADER, (RECOVERY, start(steps())))
        .then([started()]);
    let now = state(&after);
    assert_eq!((&now.phase, now.is_open()), (&Phase::Running, true));
    assert_eq!(now.steps, steps());
    assert_eq!(now.by, Actor::Person(LEADER));
    assert_eq!(now.on_behalf_of, Some(Actor::Person(PEDAGOGUE)));
    let after = after.when(SYSTEM, (RECOVERY, finish())).then([finished()]);
    let now = state(&after);
    assert_eq!((&now.phase, now.is_open()), (&Phase::Finished, false));
    assert_eq!((now.left_out(0), now.left_out(1)), (false, true));
    let after = after
        .when(LEADER, (RECOVERY, undo()))
        .then([undo_started()]);
    assert!(state(&after).is_open());
    let after = after
        .when(SYSTEM, (RECOVERY, finish_undo()))
        .then([undone()]);
    let now = state(&after);
    assert_eq!(now.left_out, left_out(), "what was left out the first time");
    assert!(!now.is_open());
}

#[test]
fn an_end_that_is_reached_is_reached_once() {
    running()
        .when(SYSTEM, (RECOVERY, finish_undo()))
        .then_nothing()
        .and((RECOVERY, finished()))
        .when(SYSTEM, (RECOVERY, finish()))
        .then_nothing()
        .and((RECOVERY, undo_started()))
        .when(SYSTEM, (RECOVERY, finish()))
        .then_nothing()
        .and((RECOVERY, undone()))
        .when(SYSTEM, (RECOVERY, finish_undo()))
        .then_nothing();
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let id = Some(Field::Target);
    let too_many = vec![Step::UndeleteTeam { team: TEAM }; MOST_STEPS + 1];
    let mut seen = vec![
        given(a_plan())
            .when(LEADER, (RECOVERY, start(Vec::new())))
            .then_refused(Reason::NothingToDo, None),
        given(a_plan())
            .when(LEADER, (RECOVERY, start(too_many)))
            .then_refused(Reason::TooManySteps, None),
        running()
            .when(LEADER, (RECOVERY, start(steps())))
            .then_refused(Reason::AlreadyExists, id),
        running()
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::RecoveryRunning, None),
        running()
            .and((RECOVERY, finished()))
            .and((RECOVERY, undo_started()))
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::AlreadyUndone, None),
        running()
            .and((RECOVERY, finished()))
            .and((RECOVERY, undo_started()))
            .and((RECOVERY, undone()))
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::AlreadyUndone, None),
    ];
    for command in [finish(), undo(), finish_undo()] {
        seen.extend(refusals! {
            given(a_plan()), LEADER, (RECOVERY, command) => RecoveryNotFound at Target;
        });
    }
    seen
}
