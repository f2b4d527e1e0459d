//! Doing it: broken off anywhere and gone on with, it comes to the same as if it never was.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::Phase;
use planledger_core::domain::{Actor, Reason};
use planledger_core::journal::{Fault, PowerCut};
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{Begun, open, run, start, undo};

use crate::aftermath::After;
use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// A school whose teacher deleted everything and left, with a recovery of all of it begun.
fn begun(place: &FaultyLedger) -> Ledger {
    let ledger = place.school();
    place.deletes_everything(&ledger);
    place.departs(&ledger, TEACHER);
    let steps = begin(
        &ledger,
        LEADER,
        RECOVERY,
        &restore(teams_with_contents(), Some(STEADY)),
    );
    assert_eq!(
        steps, 10,
        "two teams, year plans and units, and two owners of each"
    );
    ledger
}

/// Runs and is killed at an operation of the disk, counted from the start of the run; whether it got
/// that far. What is left is what the machine has when it comes up again.
fn killed(place: &mut FaultyLedger, ledger: Ledger, operation: u64, after: After) -> bool {
    place
        .disk
        .inject(place.disk.operations() + operation, Fault::Kill);
    let killed = run(&ledger, RECOVERY, &mut |_| {}).is_err();
    drop(ledger);
    place.disk = after.leaves(&place.disk);
    killed
}

#[test]
fn killed_at_any_write_it_goes_on_and_does_every_step_once() {
    let unbroken = FaultyLedger::new();
    let ledger = begun(&unbroken);
    let started = said(&ledger).len();
    let mut last = Default::default();
    let recovery = run(&ledger, RECOVERY, &mut |progress| last = progress).unwrap();
    assert_eq!((last.tried, last.left_out, last.steps), (10, 0, 10));
    assert_eq!(
        (&recovery.phase, &recovery.left_out[..]),
        (&Phase::Finished, &[][..])
    );
    let expected = said(&ledger);
    assert_eq!(
        expected.len(),
        started + 11,
        "every step, and that it is finished"
    );
    let mut amid = BTreeSet::new();
    // How many steps go down in one write is chance; a part of the write is kept, so some steps
    // always survive without the others.
    for after in [
        After::Restart,
        After::Reboot(PowerCut::LosesAll),
        After::Reboot(PowerCut::KeepsBlocks(7)),
        After::Reboot(PowerCut::KeepsBytes(512)),
        After::Reboot(PowerCut::KeepsBytes(1024)),
        After::Reboot(PowerCut::KeepsBytes(2048)),
    ] {
        for operation in 0.. {
            let mut place = FaultyLedger::new();
            let ledger = begun(&place);
            if !killed(&mut place, ledger, operation, after) {
                break;
            }
            if operation % 2 == 0 {
                place.forget_derived();
            }
            let ledger = place.open();
            let done = said(&ledger).len() - started;
            assert_eq!(open(&ledger).unwrap().is_empty(), done == 11);
            amid.insert(done);
            assert_eq!(run(&ledger, RECOVERY, &mut |_| {}).unwrap().left_out, []);
            assert_eq!(said(&ledger), expected, "{operation} {after:?}");
            assert!(open(&ledger).unwrap().is_empty());
            // And once more: it is done.
            run(&ledger, RECOVERY, &mut |_| {}).unwrap();
            assert_eq!(said(&ledger), expected);
        }
    }
    assert!(amid.iter().any(|done| (1..10).contains(done)), "{amid:?}");
}

/// Broken off before it could say that it is finished, with every step done.
#[test]
fn what_was_done_before_it_was_broken_off_and_changed_since_is_not_done_again() {
    let (place, ledger) = FaultyLedger::with_school();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    let broken_off = catch_unwind(AssertUnwindSafe(|| {
        run(&ledger, RECOVERY, &mut |progress| {
            assert!(progress.tried < progress.steps)
        })
    }));
    assert!(broken_off.is_err());
    drop(ledger);
    let ledger = place.open();
    assert_eq!(owners(&ledger), vec![Some(STEADY); 7]);
    let to = TEACHER;
    let transfer = PlanCommand::TransferOwnership { to, reason: None };
    place.does(&ledger, LEADER, (PLANS[0], transfer));
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(recovery.left_out, []);
    assert_eq!(owner(&ledger, PLANS[0].into()), Some(TEACHER));
}

#[test]
fn begun_again_with_the_same_id_it_is_begun_once() {
    let (_place, ledger) = FaultyLedger::with_school();
    let wish = all_to(TEACHER, STEADY);
    let digest = dry_run(&ledger, &wish).unwrap().digest;
    let start = || {
        start(
            &ledger,
            (Actor::Person(LEADER), None),
            RECOVERY,
            &wish,
            &BTreeSet::new(),
            digest,
        )
    };
    let first = start().unwrap();
    assert_eq!(first.steps, 7);
    let again = Begun {
        receipt: None,
        steps: 7,
    };
    let at = ledger.position();
    assert_eq!(start().unwrap(), again);
    assert_eq!(ledger.position(), at);
    run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    // The dry run would be another one by now; that it was begun is still so.
    assert_eq!(start().unwrap(), again);
}

#[test]
fn two_who_run_it_at_once_do_every_step_once() {
    let unbroken = FaultyLedger::new();
    let ledger = begun(&unbroken);
    run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    let count = said(&ledger).len();
    let place = FaultyLedger::new();
    let ledger = begun(&place);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| run(&ledger, RECOVERY, &mut |_| {}).unwrap());
        }
    });
    assert_eq!(said(&ledger).len(), count);
    assert_eq!(owners(&ledger)[..4], [Some(STEADY); 4]);
}

#[test]
fn steps_that_cannot_be_done_any_more_are_left_out_with_the_reason() {
    let (place, ledger) = FaultyLedger::with_school();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    for (plan, to) in [(PLANS[0], PEDAGOGUE), (PLANS[1], STEADY)] {
        let transfer = PlanCommand::TransferOwnership { to, reason: None };
        place.does(&ledger, TEACHER, (plan, transfer));
    }
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    let left_out: Vec<_> = recovery
        .left_out
        .iter()
        .map(|left| (left.step, left.reason))
        .collect();
    assert_eq!(
        left_out,
        [(4, Reason::OwnerChanged), (5, Reason::AlreadyOwner)]
    );
    assert_eq!(owner(&ledger, PLANS[0].into()), Some(PEDAGOGUE));
}

#[test]
fn when_the_successor_or_who_began_it_leaves_meanwhile_nothing_goes_to_them_or_by_them() {
    for (leaves, reason) in [
        (STEADY, Reason::PersonDeparted),
        (LEADER, Reason::ActorDeparted),
    ] {
        let (place, ledger) = FaultyLedger::with_school();
        begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
        place.departs(&ledger, leaves);
        let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        assert_eq!(recovery.left_out.len(), 7);
        assert!(recovery.left_out.iter().all(|left| left.reason == reason));
        assert_eq!(owners(&ledger), vec![Some(TEACHER); 7]);
        // There is nothing to take back.
        undo(&ledger, (SYSTEM, None), RECOVERY, None).unwrap();
        run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        assert_eq!(owners(&ledger), vec![Some(TEACHER); 7]);
    }
}
