//! A recovery that ends early: what was done stays, and the rest is left out with a reason.

use std::ops::ControlFlow;

use planledger_core::domain::recovery::Phase;
use planledger_core::domain::{Actor, Reason};
use planledger_core::recovery::{RunError, end_early, run, run_until, undo};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

#[test]
fn what_was_not_done_is_left_out_with_a_reason_and_can_no_longer_be_done() {
    let (_place, ledger) = FaultyLedger::with_school();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    let before = owners(&ledger);
    // Broken off before the first step.
    let broken = run_until(&ledger, RECOVERY, &mut |_| ControlFlow::Break(()));
    assert!(matches!(broken, Err(RunError::BrokenOff)));
    let ended = end_early(&ledger, RECOVERY).unwrap();
    assert_eq!(ended.phase, Phase::Finished);
    assert_eq!(ended.left_out.len(), ended.steps.len());
    let mut reasons = ended.left_out.iter().map(|left| left.reason);
    assert!(reasons.all(|reason| reason == Reason::RightEnded));
    assert_eq!(owners(&ledger), before);
    // It has ended: nothing more happens, however often it is asked for.
    assert_eq!(run(&ledger, RECOVERY, &mut |_| {}).unwrap(), ended);
    assert_eq!(end_early(&ledger, RECOVERY).unwrap(), ended);
}

#[test]
fn what_was_done_before_stays_and_can_be_undone() {
    let (_place, ledger) = FaultyLedger::with_school();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    let before = owners(&ledger);
    let mut told = 0;
    let broken = run_until(&ledger, RECOVERY, &mut |progress| {
        told = progress.tried;
        match progress.tried {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    });
    assert!(matches!(broken, Err(RunError::BrokenOff)));
    assert!(told > 0);
    let ended = end_early(&ledger, RECOVERY).unwrap();
    let changed = owners(&ledger);
    let taken = changed
        .iter()
        .filter(|owner| **owner == Some(STEADY))
        .count();
    assert_eq!(taken, ended.steps.len() - ended.left_out.len());
    let who = (Actor::Person(DEPUTY), None);
    undo(&ledger, who, RECOVERY, None).unwrap();
    // Whoever undoes it may not, either, after a while.
    let ended = end_early(&ledger, RECOVERY).unwrap();
    let Phase::Undone { left_out } = ended.phase else {
        panic!("{ended:?}")
    };
    assert_eq!(left_out.len(), taken);
    assert_eq!(owners(&ledger), changed);
    assert!(before != changed);
}
