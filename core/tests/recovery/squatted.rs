//! Somebody who may write takes the ids of a recovery's commands before the recovery does. Everybody
//! who knows the recovery's id can compute them, and nobody changes with them what it does.

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::Phase;
use planledger_core::domain::{Actor, Reason};
use planledger_core::ids::{CommandId, PersonId};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger};
use planledger_core::recovery::{RunError, run, undo};
use planledger_fixtures::IntoCommand;
use planledger_fixtures::own_ids::of_recovery;

use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// Sends a command under each of these ids. Which of them are refused does not matter here.
fn take(ledger: &Ledger, who: PersonId, ids: [CommandId; 2], command: impl IntoCommand) {
    let command = command.into_command();
    for id in ids {
        let envelope = Envelope::new(id, command.clone());
        match ledger.execute(Actor::Person(who), envelope) {
            Ok(_) | Err(ExecuteError::IdReused { .. } | ExecuteError::IdReserved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What anybody may send who has a plan: it changes nothing.
fn nothing() -> impl IntoCommand {
    (PLANS[0], PlanCommand::Share)
}

/// The attack that was found: the leader is told that it is undone already, and nothing is.
#[test]
fn a_student_who_takes_the_id_of_an_undo_does_not_prevent_it() {
    let (_place, ledger) = FaultyLedger::with_school();
    carry_out(&ledger, &all_to(TEACHER, STEADY));
    take(
        &ledger,
        STUDENT,
        of_recovery(RECOVERY, "undo", 0),
        nothing(),
    );
    for step in 0..7 {
        let ids = of_recovery(RECOVERY, "undo step", step);
        take(&ledger, STUDENT, ids, nothing());
    }
    take(
        &ledger,
        STUDENT,
        of_recovery(RECOVERY, "finish undo", 0),
        nothing(),
    );
    let who = (Actor::Person(DEPUTY), None);
    let receipt = undo(&ledger, who, RECOVERY, why("Alligevel ikke")).unwrap();
    let again = undo(&ledger, who, RECOVERY, why("Alligevel ikke")).unwrap();
    assert!(again.replayed && again.position == receipt.position);
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert!(matches!(recovery.phase, Phase::Undone { left_out } if left_out.is_empty()));
    assert_eq!(owners(&ledger), vec![Some(TEACHER); 7]);
    // Somebody else is told so, and this time it is true.
    let refused = undo(&ledger, (SYSTEM, None), RECOVERY, None).unwrap_err();
    let RunError::Refused(refusal) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.reason, Reason::AlreadyUndone);
}

#[test]
fn whoever_takes_the_ids_of_its_beginning_and_end_prevents_neither() {
    let (_place, ledger) = FaultyLedger::with_school();
    for purpose in ["start", "finish"] {
        take(
            &ledger,
            TEACHER,
            of_recovery(RECOVERY, purpose, 0),
            nothing(),
        );
    }
    let recovery = carry_out(&ledger, &all_to(TEACHER, STEADY));
    assert_eq!(
        (recovery.phase, recovery.left_out.len()),
        (Phase::Finished, 0)
    );
    assert_eq!(owners(&ledger), vec![Some(STEADY); 7]);
}

/// An event in the right stream, with the right id, and another content: the recovery would take it
/// for its own step.
#[test]
fn an_event_under_the_id_of_a_step_is_not_taken_for_the_step() {
    for early in [true, false] {
        let (_place, ledger) = FaultyLedger::with_school();
        let write = |times: &str| {
            for (step, plan) in (4..).zip(PLANS) {
                let text = text(&format!("Læser {times} {step}"));
                let write = PlanCommand::WriteStatus { text };
                take(
                    &ledger,
                    TEACHER,
                    of_recovery(RECOVERY, "step", step),
                    (plan, write),
                );
            }
        };
        if early {
            write("før");
        }
        begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
        if !early {
            write("efter");
        }
        let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        assert_eq!(recovery.left_out, []);
        assert_eq!(owners(&ledger), vec![Some(STEADY); 7], "{early}");
    }
}
