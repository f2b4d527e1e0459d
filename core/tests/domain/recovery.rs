//! Recoveries and their steps, and who has left.

use planledger_core::domain::person::PersonEvent;
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::recovery::{
    LeftOut, MOST_STEPS, Phase, Recovery, RecoveryCommand, RecoveryEvent, Step,
};
use planledger_core::domain::team::{Team, TeamCommand, TeamEvent};
use planledger_core::domain::world::Context;
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanEvent};
use planledger_core::domain::{Actor, Aggregate, Command, Reason, Stop, decide};
use planledger_core::ids::{PersonId, RecoveryId};

use crate::common::Fact;
use crate::common::school::*;
use crate::harness::{Given, given, plan};

const RECOVERY: RecoveryId = RecoveryId::from_bytes([0xE1; 16]);
const TO: Option<&str> = Some("to_person_id");

fn gone(person: PersonId) -> (PersonId, PersonEvent) {
    let departed = PersonEvent::Departed {
        on: None,
        reason: None,
    };
    (person, departed)
}

/// The plan's, the year plan's and the team's owner changes, as a step or as its undoing.
fn hands(from: PersonId, to: PersonId, back: bool) -> [Command; 3] {
    let reason = None;
    let team = match back {
        false => TeamCommand::HandOver {
            from: Some(from),
            to,
            reason: None,
        },
        true => TeamCommand::HandBack {
            from,
            to: Some(to),
            reason: None,
        },
    };
    let (year_plan, on_plan) = match back {
        false => (
            YearPlanCommand::HandOver {
                from,
                to,
                reason: None,
            },
            PlanCommand::HandOver { from, to, reason },
        ),
        true => (
            YearPlanCommand::HandBack {
                from,
                to,
                reason: None,
            },
            PlanCommand::HandBack { from, to, reason },
        ),
    };
    [
        Command::Team(TEAM, team),
        Command::YearPlan(YEAR_PLAN, year_plan),
        plan(on_plan),
    ]
}

/// What the three owners are.
fn owners(given: &Given) -> [Option<PersonId>; 3] {
    let owner = |state: &Aggregate| match state {
        Aggregate::Team(team) => team.owner,
        Aggregate::YearPlan(plan) => Some(plan.owner),
        Aggregate::Plan(plan) => Some(plan.owner),
        other => panic!("{other:?}"),
    };
    [
        owner(given.state(TEAM)),
        owner(given.state(YEAR_PLAN)),
        owner(given.state(PLAN)),
    ]
}

#[test]
fn a_step_hands_over_once_and_only_from_whom_it_expects() {
    for at in 0..3 {
        let [over, back] = [false, true].map(|back| match back {
            false => hands(TEACHER, PEDAGOGUE, false)[at].clone(),
            true => hands(PEDAGOGUE, TEACHER, true)[at].clone(),
        });
        let after = given(a_plan());
        assert_eq!(owners(&after)[at], Some(TEACHER));
        let before = after.clone().world().recorded().len();
        let mut world = after.world();
        world.execute(LEADER, &over).unwrap();
        assert_eq!(world.recorded().len(), before + 1);
        // Once more changes nothing; neither does it when it has come to whom it was to go to.
        assert!(world.execute(LEADER, &over).unwrap().events.is_empty());
        // Taken back, also when whom it goes back to has left since.
        world.record(Fact::from(gone(TEACHER)));
        assert_eq!(world.execute(LEADER, &back).unwrap().events.len(), 1);
        assert!(world.execute(LEADER, &back).unwrap().events.is_empty());
        // Whoever else has got it meanwhile keeps it.
        let given_on = hands(TEACHER, LEADER, false)[at].clone();
        world.execute(LEADER, &given_on).unwrap();
        for late in [&over, &back] {
            let refusal = world.execute(LEADER, late).unwrap_err();
            assert_eq!(refusal.reason, Reason::OwnerChanged);
            let person = ("person_id", LEADER.to_string());
            assert!(refusal.details.contains(&person));
        }
    }
}

#[test]
fn a_team_that_had_no_owner_has_none_again() {
    let created = TeamEvent::Created {
        details: team_details(),
        owner: None,
    };
    let over = TeamCommand::HandOver {
        from: None,
        to: TEACHER,
        reason: None,
    };
    let back = TeamCommand::HandBack {
        from: TEACHER,
        to: None,
        reason: why("Fortrudt"),
    };
    let after = given(a_school())
        .and((TEAM, created))
        .when(LEADER, (TEAM, over))
        .then([TeamEvent::OwnershipTransferred {
            from: None,
            to: TEACHER,
            reason: None,
        }])
        .when(LEADER, (TEAM, back.clone()))
        .then([TeamEvent::OwnershipGivenUp {
            from: TEACHER,
            reason: why("Fortrudt"),
        }])
        .when(LEADER, (TEAM, back))
        .then_nothing();
    let Aggregate::Team(Team { owner, .. }) = after.state(TEAM) else {
        panic!("no team");
    };
    assert_eq!(*owner, None);
}

#[test]
fn a_plan_is_moved_once_and_only_from_where_it_is_expected() {
    let other = YearPlanEvent::Created {
        details: subject_year_plan(),
        owner: TEACHER,
    };
    let step = |from, to| {
        plan(PlanCommand::Move {
            from,
            to,
            reason: None,
        })
    };
    let moved = |from, to| PlanEvent::MovedToYearPlan {
        from,
        to,
        reason: None,
    };
    given(a_plan())
        .and((OTHER_YEAR_PLAN, other))
        .when(LEADER, step(YEAR_PLAN, OTHER_YEAR_PLAN))
        .then([moved(YEAR_PLAN, OTHER_YEAR_PLAN)])
        .when(LEADER, step(YEAR_PLAN, OTHER_YEAR_PLAN))
        .then_nothing()
        .when(LEADER, step(OTHER_YEAR_PLAN, YEAR_PLAN))
        .then([moved(OTHER_YEAR_PLAN, YEAR_PLAN)])
        .when(LEADER, step(OTHER_YEAR_PLAN, COMBINED))
        .then_refused(Reason::MovedMeanwhile, None);
}

#[test]
fn a_unit_is_copied_once_with_the_goals_that_are_in_use() {
    let created = YearPlanEvent::Created {
        details: subject_year_plan(),
        owner: TEACHER,
    };
    let retired = YearPlanEvent::GoalRetired {
        goal: REFLECTION_GOAL,
        reason: None,
    };
    let copy = YearPlanCommand::CopyUnit {
        unit: OTHER_UNIT,
        from: THE_UNIT,
        goals: vec![
            (SUBJECT_GOAL, OTHER_GOAL),
            (REFLECTION_GOAL, REFLECTION_GOAL),
        ],
    };
    let facts = given(a_year_plan())
        .and((YEAR_PLAN, retired))
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .and((OTHER_YEAR_PLAN, created));
    let (unit, goal) = match facts.state(YEAR_PLAN) {
        Aggregate::YearPlan(plan) => {
            let goal = &plan.goals[&SUBJECT_GOAL];
            let revision = goal.present().unwrap().clone();
            let details = planledger_core::domain::year_plan::GoalDetails {
                kind: goal.kind,
                area: goal.area,
                wording: revision.wording,
                scale: revision.scale,
            };
            (plan.unit(UNIT).unwrap().details.clone(), details)
        }
        other => panic!("{other:?}"),
    };
    facts
        .when(LEADER, (OTHER_YEAR_PLAN, copy.clone()))
        .then([
            YearPlanEvent::UnitAdded {
                unit: OTHER_UNIT,
                details: unit,
            },
            YearPlanEvent::GoalAdded {
                unit: OTHER_UNIT,
                goal: OTHER_GOAL,
                details: goal,
            },
        ])
        .when(LEADER, (OTHER_YEAR_PLAN, copy))
        .then_nothing();
}

fn start() -> RecoveryCommand {
    RecoveryCommand::Start {
        steps: vec![Step::UndeleteTeam { team: TEAM }],
        on_behalf_of: None,
        reason: why("Slettet ved en fejl"),
    }
}

fn undo() -> RecoveryCommand {
    RecoveryCommand::Undo {
        on_behalf_of: None,
        reason: None,
    }
}

fn state(given: &Given) -> Recovery {
    match given.state(RECOVERY) {
        Aggregate::Recovery(recovery) => recovery.clone(),
        other => panic!("{other:?}"),
    }
}

/// A recovery that was begun, and what happened to it then.
fn begun(events: impl IntoIterator<Item = RecoveryEvent>) -> Given {
    let started =
        given(a_team())
            .when(LEADER, (RECOVERY, start()))
            .then([RecoveryEvent::Started {
                steps: vec![Step::UndeleteTeam { team: TEAM }],
                on_behalf_of: None,
                reason: why("Slettet ved en fejl"),
            }]);
    let mut events = events.into_iter();
    events
        .by_ref()
        .fold(started, |given, event| given.and((RECOVERY, event)))
}

fn finished() -> RecoveryEvent {
    RecoveryEvent::Finished { left_out: vec![] }
}

fn undo_started() -> RecoveryEvent {
    RecoveryEvent::UndoStarted {
        by: Actor::Person(LEADER),
        on_behalf_of: None,
        reason: None,
    }
}

#[test]
fn a_recovery_is_begun_ended_and_undone_once() {
    let left_out = vec![LeftOut {
        step: 0,
        reason: Reason::NotDeleted,
    }];
    let finish = RecoveryCommand::Finish {
        left_out: left_out.clone(),
    };
    let finish_undo = RecoveryCommand::FinishUndo {
        left_out: left_out.clone(),
    };
    let after = begun([])
        .when(SYSTEM, (RECOVERY, finish_undo.clone()))
        .then_nothing()
        .when(SYSTEM, (RECOVERY, finish.clone()))
        .then([RecoveryEvent::Finished {
            left_out: left_out.clone(),
        }])
        .when(SYSTEM, (RECOVERY, finish))
        .then_nothing();
    assert!(state(&after).left_out(0) && !state(&after).left_out(1));
    assert_eq!(state(&after).by, Actor::Person(LEADER));
    let after = after
        .when(LEADER, (RECOVERY, undo()))
        .then([undo_started()])
        .when(SYSTEM, (RECOVERY, finish_undo.clone()))
        .then([RecoveryEvent::Undone {
            left_out: left_out.clone(),
        }])
        .when(SYSTEM, (RECOVERY, finish_undo))
        .then_nothing();
    assert_eq!(state(&after).phase, Phase::Undone { left_out });
    assert!(!state(&after).is_open());
}

/// Everything is asked in the name of somebody who has left.
fn in_the_name_of_who_left(command: Command) -> Reason {
    let mut world = given(a_plan()).world();
    world.record(Fact::from(gone(TEACHER)));
    let context = Context {
        actor: SYSTEM,
        on_behalf_of: Some(Actor::Person(TEACHER)),
    };
    match decide(&world, &context, &command) {
        Err(Stop::Refused(refusal)) => {
            assert_eq!(refusal.details, [("person_id", TEACHER.to_string())]);
            refusal.reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let elsewhere = Some("transfer_team_ownership.to_person_id");
    let at_the_other = planledger_core::domain::person::PersonCommand::Put {
        name: name("Andetsteds"),
        affiliations: [affiliation(
            OTHER_SCHOOL,
            planledger_core::domain::person::Role::Teacher,
        )]
        .into(),
        departed: false,
    };
    let move_on = |given: Given| {
        let mut world = given.world();
        world.does(SYSTEM, (CLERK, at_the_other.clone()));
        world
    };
    let mut seen = vec![
        given(a_team())
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::RecoveryNotFound, Some("recovery_id")),
        begun([])
            .when(LEADER, (RECOVERY, start()))
            .then_refused(Reason::AlreadyExists, Some("recovery_id")),
        begun([])
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::RecoveryRunning, None),
        begun([finished(), undo_started()])
            .when(LEADER, (RECOVERY, undo()))
            .then_refused(Reason::AlreadyUndone, None),
    ];
    for (steps, reason) in [
        (0, Reason::NothingToDo),
        (MOST_STEPS + 1, Reason::TooManySteps),
    ] {
        let start = RecoveryCommand::Start {
            steps: vec![Step::UndeleteTeam { team: TEAM }; steps],
            on_behalf_of: None,
            reason: None,
        };
        seen.push(
            given(a_team())
                .when(LEADER, (RECOVERY, start))
                .then_refused(reason, None),
        );
    }
    for back in [false, true] {
        for command in hands(PEDAGOGUE, LEADER, back) {
            seen.push(
                given(a_plan())
                    .when(LEADER, command)
                    .then_refused(Reason::OwnerChanged, None),
            );
        }
    }
    let to_nobody_there = |successor, reason, facts: Vec<Fact>| {
        hands(TEACHER, successor, false).map(|command| {
            given(facts.clone())
                .when(LEADER, command)
                .then_refused(reason, TO)
        })
    };
    seen.extend(to_nobody_there(STUDENT, Reason::NotStaff, a_plan()));
    seen.extend(to_nobody_there(NOBODY, Reason::PersonNotFound, a_plan()));
    let left = [a_plan(), vec![Fact::from(gone(PEDAGOGUE))]].concat();
    seen.extend(to_nobody_there(PEDAGOGUE, Reason::PersonDeparted, left));
    // Staff of another school take nothing over here, by whichever command.
    let mut elsewhere_world = move_on(given(a_plan()));
    for (command, field) in hands(TEACHER, CLERK, false)
        .into_iter()
        .map(|command| (command, TO))
        .chain([(
            Command::Team(
                TEAM,
                TeamCommand::TransferOwnership {
                    to: CLERK,
                    reason: None,
                },
            ),
            elsewhere,
        )])
    {
        let refusal = elsewhere_world.execute(LEADER, &command).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.field),
            (Reason::SuccessorElsewhere, field)
        );
        seen.push(refusal.reason);
    }
    let moved = plan(PlanCommand::Move {
        from: OTHER_YEAR_PLAN,
        to: COMBINED,
        reason: None,
    });
    seen.push(
        given(a_plan())
            .when(LEADER, moved)
            .then_refused(Reason::MovedMeanwhile, None),
    );
    let come_back = Command::Person(
        TEACHER,
        planledger_core::domain::person::PersonCommand::Return,
    );
    let write = plan(PlanCommand::WriteStatus { text: text("Ord") });
    for command in [
        come_back,
        write,
        Command::Team(TEAM, TeamCommand::Reopen),
        Command::YearPlan(YEAR_PLAN, YearPlanCommand::Undelete),
        Command::Recovery(RECOVERY, start()),
    ] {
        seen.push(in_the_name_of_who_left(command.clone()));
        seen.push(
            given(a_plan())
                .and(gone(TEACHER))
                .when(TEACHER, command)
                .then_refused(Reason::ActorDeparted, None),
        );
    }
    seen
}
