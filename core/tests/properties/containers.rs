//! P1: nothing that is asked of containers, said of people or imported removes or changes anything
//! that was recorded in a plan.

use planledger_core::domain::plan::{Assessment, Audience, PlanCommand};
use planledger_core::domain::view::{PlanView, Viewer, plan_view};
use planledger_core::domain::{Aggregate, Command, Reason};
use planledger_core::ids::{EvaluationId, PlanId, Position};
use planledger_core::journal::{CommitLog, StoredEntry};
use planledger_core::ledger::Ledger;
use planledger_fixtures::commands;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, PLANS, STEADY, container_acts, foundings, plan_acts};
use crate::properties::check::check;
use crate::properties::place::{JournalledLedger, run};
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;

const VIEWERS: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Audience(Audience::Student),
    Viewer::Audience(Audience::Guardians),
    Viewer::Audience(Audience::Others),
];

/// What was done to plans, then what was done around them.
fn stories() -> impl Strategy<Value = (Vec<Act>, Vec<Act>)> {
    let plans = (foundings(), prop::collection::vec(plan_acts(), 0..50));
    (
        plans.prop_map(|(founding, acts)| [founding, acts].concat()),
        prop::collection::vec(container_acts(), 1..50),
    )
}

#[test]
fn no_container_command_departure_or_import_takes_anything_from_a_plan() {
    check(1_500, &stories(), |(plans, containers)| {
        let mut memory = Memory::default();
        for act in plans {
            // Whatever is refused is not part of the story.
            let _ = memory.execute(act.actor, &act.command);
        }
        let before = memory.clone();
        for act in containers {
            let _ = memory.execute(act.actor, &act.command);
        }
        for id in before.plans() {
            prop_assert_eq!(memory.state(id), before.state(id));
            for viewer in VIEWERS {
                keeps(before.view(id, viewer), memory.view(id, viewer))?;
            }
        }
        for id in before.plans() {
            can_be_worked_on(&mut memory, id)?;
        }
        Ok(())
    });
}

/// Whatever was in a view is in it still. Containers may be retitled and gone, units renamed,
/// goals reworded and out of use; nothing that was written, said or rated may be.
fn keeps(before: Option<PlanView>, after: Option<PlanView>) -> TestCaseResult {
    let Some(before) = before else {
        prop_assert!(after.is_none(), "containers open no gates");
        return Ok(());
    };
    let after = after.expect("containers close no gates");
    prop_assert_eq!(&after.status, &before.status);
    prop_assert_eq!(&after.follow_up, &before.follow_up);
    prop_assert_eq!(after.follow_up_on, before.follow_up_on);
    prop_assert_eq!(&after.talks, &before.talks);
    prop_assert_eq!(after.changed_at, before.changed_at);
    prop_assert_eq!(after.owner, before.owner);
    prop_assert_eq!(after.year_plan.id, before.year_plan.id);
    prop_assert!(after.year_plan.title.is_some() && after.team.is_some());
    prop_assert_eq!(after.units.len(), before.units.len());
    for (after, before) in after.units.iter().zip(&before.units) {
        prop_assert_eq!((after.unit, after.included), (before.unit, before.included));
        prop_assert!(after.details.is_some());
        for before in &before.goals {
            let after = after.goals.iter().find(|goal| goal.id == before.id);
            let after = after.expect("no goal is lost");
            prop_assert_eq!(&after.evaluations, &before.evaluations);
            prop_assert_eq!((after.kind, after.shown), (before.kind, before.shown));
        }
    }
    Ok(())
}

/// A plan can be written, evaluated, shown and handed on whatever has become of everything else.
fn can_be_worked_on(memory: &mut Memory, id: PlanId) -> TestCaseResult {
    let Some(Aggregate::Plan(plan)) = memory.state(id).cloned() else {
        panic!("{id} is a plan")
    };
    let mut commands = Vec::new();
    if plan.withdrawn {
        commands.push(PlanCommand::Restore);
    }
    let text = text("Det går videre");
    commands.push(PlanCommand::WriteStatus { text });
    for audience in Audience::ALL {
        let visible = true;
        commands.push(PlanCommand::SetVisibility { audience, visible });
    }
    commands.push(PlanCommand::Share);
    if plan.owner != STEADY {
        let (to, reason) = (STEADY, None);
        commands.push(PlanCommand::TransferOwnership { to, reason });
    }
    commands.extend(evaluations(memory, &plan));
    for command in commands {
        let command = Command::Plan(id, command);
        let answer = memory.execute(STEADY, &command);
        prop_assert!(answer.is_ok(), "{command:?}: {answer:?}");
    }
    prop_assert!(memory.view(id, VIEWERS[2]).is_some());
    Ok(())
}

/// An evaluation of each goal in use of the plan's units.
fn evaluations(memory: &Memory, plan: &planledger_core::domain::plan::Plan) -> Vec<PlanCommand> {
    let mut commands = Vec::new();
    for unit in &plan.units {
        let Some(Aggregate::YearPlan(year_plan)) = memory.state(unit.year_plan) else {
            panic!("a year plan is gone")
        };
        let goals = year_plan.goals.iter();
        let goals = goals.filter(|(_, goal)| goal.unit == unit.unit && !goal.retired);
        for (goal, _) in goals {
            let mut id = [0xE0; 16];
            id[0] = commands.len() as u8;
            commands.push(commands::record_evaluation(
                EvaluationId::from_bytes(id),
                *unit,
                *goal,
                Assessment {
                    level: Some(0),
                    comment: None,
                },
            ));
        }
    }
    commands
}

fn entries(log: &dyn CommitLog) -> Vec<StoredEntry> {
    let positions = 1..=log.tail().position.get();
    positions
        .map(|position| log.entry(Position::new(position)).unwrap().unwrap())
        .collect()
}

fn view(ledger: &Ledger, id: PlanId, viewer: Viewer) -> Option<PlanView> {
    let read = ledger.read(|reading| plan_view(reading, id, viewer));
    read.unwrap().0
}

/// The same on disk: entry, leaf, back pointer and sealed payload of every event stay, byte for
/// byte, and what is read from them too, also by another process.
#[test]
fn in_a_ledger_every_recorded_event_stays_byte_for_byte() {
    check(12, &stories(), |(plans, containers)| {
        let place = JournalledLedger::new();
        let (ledger, log) = place.open();
        run(&ledger, plans);
        let before = entries(&*log);
        let views = PLANS.map(|id| VIEWERS.map(|viewer| view(&ledger, id, viewer)));
        let half = containers.len() / 2;
        run(&ledger, containers[..half].to_vec());
        drop((ledger, log));
        let (ledger, log) = place.open();
        let granted = run(&ledger, containers[half..].to_vec());
        let unexpected = granted.iter().filter_map(|answer| answer.as_ref().err());
        for error in unexpected {
            prop_assert!(is_refused(error), "{}", error);
        }
        prop_assert_eq!(&entries(&*log)[..before.len()], &before[..]);
        for (id, before) in PLANS.into_iter().zip(views) {
            for (viewer, before) in VIEWERS.into_iter().zip(before) {
                keeps(before, view(&ledger, id, viewer))?;
            }
        }
        Ok(())
    });
}

fn is_refused(error: &planledger_core::ledger::ExecuteError) -> bool {
    match error {
        planledger_core::ledger::ExecuteError::Refused { refusal, .. } => {
            Reason::ALL.contains(&refusal.reason)
        }
        _ => false,
    }
}
