//! A run that is broken off anywhere goes on to the same end.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use planledger_core::domain::Actor;
use planledger_core::domain::recovery::{Phase, Recovery};
use planledger_core::ids::PersonId;
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{self, Rule, RunError, Wish};

use crate::common::school::*;
use crate::place::{
    Place, check, events, everything_to, found, owners, propose, recovery_id, things,
};

const BY: (Actor, Option<Actor>) = (Actor::Person(LEADER), None);

fn begin(ledger: &Ledger, wish: &Wish) -> u32 {
    let digest = propose(ledger, wish).unwrap().digest;
    recovery::start(ledger, BY, recovery_id(0), wish, digest)
        .unwrap()
        .steps
}

fn run(ledger: &Ledger) -> Recovery {
    recovery::run(ledger, recovery_id(0), &mut |_| {}).unwrap()
}

/// Breaks it off once so many steps were tried.
fn run_some(ledger: &Ledger, some: u32) -> Result<Recovery, RunError> {
    recovery::run_until(
        ledger,
        recovery_id(0),
        &mut |progress| match progress.tried < some {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        },
    )
}

fn owned_by(ledger: &Ledger, person: PersonId) -> usize {
    owners(ledger)
        .values()
        .filter(|owner| **owner == Some(person))
        .count()
}

/// Events by their type, of what a recovery did.
fn changes(ledger: &Ledger) -> BTreeMap<&'static str, usize> {
    let mut changes = BTreeMap::new();
    for event in events(ledger) {
        let name = event.event_type.unwrap().name;
        if name.contains("ownership") || name.starts_with("recovery") {
            *changes.entry(name).or_default() += 1;
        }
    }
    changes
}

#[test]
fn a_run_and_its_undoing_go_on_after_the_power_is_cut_at_any_step() {
    let steps = things().len() as u32;
    let wish = everything_to(Rule::To(PEDAGOGUE));
    for some in 0..=steps {
        let mut place = Place::new();
        let ledger = place.open();
        found(&ledger);
        assert_eq!(begin(&ledger, &wish), steps);
        let broken = run_some(&ledger, some);
        assert!(matches!(broken, Err(RunError::BrokenOff)));
        drop(ledger);
        place.reboot();
        if some % 2 == 1 {
            place.forget();
        }
        let ledger = place.open();
        assert_eq!(recovery::open(&ledger).unwrap(), [recovery_id(0)]);
        check(&ledger);
        let ended = run(&ledger);
        assert_eq!((&ended.phase, ended.left_out.len()), (&Phase::Finished, 0));
        assert_eq!(owned_by(&ledger, PEDAGOGUE), things().len());
        assert!(recovery::open(&ledger).unwrap().is_empty());
        assert_eq!(run(&ledger), ended, "once more changes nothing");

        recovery::undo(&ledger, BY, recovery_id(0), None).unwrap();
        let broken = run_some(&ledger, some);
        assert!(matches!(broken, Err(RunError::BrokenOff)));
        drop(ledger);
        place.reboot();
        let ledger = place.open();
        let undone = run(&ledger);
        assert_eq!(undone.phase, Phase::Undone { left_out: vec![] });
        assert_eq!(owned_by(&ledger, TEACHER), things().len());
        check(&ledger);
        // Each step is there once, and once back.
        assert_eq!(
            changes(&ledger),
            BTreeMap::from([
                ("plan.ownership_transferred", 12),
                ("recovery.finished", 1),
                ("recovery.started", 1),
                ("recovery.undo_started", 1),
                ("recovery.undone", 1),
                ("team.ownership_transferred", 6),
                ("year_plan.ownership_transferred", 6),
            ]),
            "{some}"
        );
    }
}

#[test]
fn who_began_it_and_left_since_does_no_more_of_it_and_the_recovery_says_so() {
    let place = Place::new();
    let ledger = place.open();
    found(&ledger);
    let wish = everything_to(Rule::To(PEDAGOGUE));
    let steps = begin(&ledger, &wish);
    crate::place::depart(&ledger, LEADER);
    let ended = run(&ledger);
    assert_eq!(ended.left_out.len(), steps as usize);
    let reason = planledger_core::domain::Reason::ActorDeparted;
    assert!(ended.left_out.iter().all(|left| left.reason == reason));
    assert_eq!(owned_by(&ledger, TEACHER), things().len());
}
