//! A ledger in which an earlier version recorded its own acts, under ids that clients could use too. It
//! goes on wherever it was broken off, and does nothing twice.

use std::path::Path;

use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::{Phase, Recovery, RecoveryEvent};
use planledger_core::domain::{Actor, Aggregate, Event, Reason};
use planledger_core::ids::{CommandId, PersonId, Position, StreamId};
use planledger_core::ledger::{Envelope, Ledger, RecordedEvent};
use planledger_core::notary::Notary;
use planledger_core::recovery::{RunError, open, run, undo};
use planledger_core::tlog::{Algorithm, Signer};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::own_ids::{of_notary, of_recovery};
use planledger_fixtures::place::{TempLedger, events};
use planledger_fixtures::school::*;
use planledger_fixtures::{IntoCommand, decoded};

use crate::format::fixture::Fixture;
use crate::recovery::place::RECOVERY;

const STEPS: u64 = 3;

fn signer() -> Signer {
    Signer::new("planledger.example/test", Algorithm::Ed25519, [0x5E; 32]).unwrap()
}

/// Where each frame of a segment ends.
fn ends(segment: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_be_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
    let mut ends = vec![128];
    while let Some(end) = ends.last().copied().filter(|end| *end < segment.len()) {
        ends.push(end + 72 + number(end + 4) + 32 + number(end + 8));
    }
    ends
}

/// Puts the first bytes of the journal into a directory, with all keys and the checkpoint.
fn unpack(dir: &Path, end: usize) {
    let fixture = Fixture::acts();
    fixture.unpack(dir);
    let segment = dir.join("journal/segment-00000001.log");
    std::fs::write(segment, &fixture.segment()[..end]).unwrap();
    std::fs::create_dir(dir.join("checkpoints")).unwrap();
    let kept = fixture.file("checkpoints/checkpoints.txt");
    std::fs::write(dir.join("checkpoints/checkpoints.txt"), kept).unwrap();
}

/// The ledger as it is if the journal ends after so many bytes.
fn broken_off(end: usize) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    unpack(dir.path(), end);
    let ledger = TempLedger::open_in(dir.path());
    (dir, ledger)
}

fn whole() -> (tempfile::TempDir, Ledger) {
    broken_off(Fixture::acts().segment().len())
}

fn of_recovery_stream(event: &RecordedEvent) -> Option<RecoveryEvent> {
    match decoded(event).1 {
        Event::Recovery(said) => Some(said),
        _ => None,
    }
}

fn owners(ledger: &Ledger) -> [PersonId; 3] {
    let state = |stream: StreamId| {
        let (found, _) = ledger.read(|reading| reading.stream(stream)).unwrap();
        match &*found.unwrap().0 {
            Aggregate::Team(team) => team.owner.unwrap(),
            Aggregate::YearPlan(plan) => plan.owner,
            Aggregate::Plan(plan) => plan.owner,
            other => panic!("{other:?}"),
        }
    };
    [TEAM.into(), YEAR_PLAN.into(), PLAN.into()].map(state)
}

/// The position of the event that began the recovery, and of the one that began its undo.
fn beginnings(ledger: &Ledger) -> (Position, Position) {
    let all = events(ledger);
    let place = |wanted: fn(&RecoveryEvent) -> bool| {
        let is = |event: &&RecordedEvent| of_recovery_stream(event).is_some_and(|e| wanted(&e));
        all.iter().find(is).unwrap().position
    };
    (
        place(|said| matches!(said, RecoveryEvent::Started { .. })),
        place(|said| matches!(said, RecoveryEvent::UndoStarted { .. })),
    )
}

/// The fixture is what it is meant to be: its ids are those of earlier versions.
#[test]
fn its_own_commands_have_ids_of_earlier_versions() {
    let (_dir, ledger) = whole();
    let (started, undone) = beginnings(&ledger);
    let of = |position: Position| events(&ledger)[position.get() as usize - 1].command;
    let former = |purpose, step| of_recovery(RECOVERY, purpose, step)[0];
    assert_eq!(of(started), former("start", 0));
    assert_eq!(of(undone), former("undo", 0));
    for step in 0..STEPS as u32 {
        let position = started.plus(1 + u64::from(step));
        assert_eq!(of(position), former("step", step));
    }
    let all: Vec<_> = events(&ledger).iter().map(|event| event.command).collect();
    assert!(all.contains(&of_notary("key", 0)[0]));
    assert!(!all.iter().any(CommandId::is_of_ledger));
}

#[test]
fn it_is_sound_and_its_notary_goes_on() {
    let (dir, ledger) = whole();
    let before = ledger.position();
    let notary = Notary::open(ledger.clone(), dir.path(), signer()).unwrap();
    let signed = notary.checkpoint().unwrap();
    // The key is on record already.
    assert_eq!(signed.checkpoint.position(), before.next());
    let last = events(&ledger).pop().unwrap();
    assert!(matches!(
        decoded(&last).1,
        Event::Ledger(LedgerEvent::HeadsRecorded { .. })
    ));
    assert_eq!(last.command, of_notary("heads", before.get())[1]);
    assert!(last.command.is_of_ledger());
    drop((notary, ledger));
    let options = TempLedger::options_in(dir.path());
    let found = verify_dir(&options, Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
}

#[test]
fn a_recovery_that_was_broken_off_anywhere_goes_on_and_does_every_step_once() {
    let (_dir, ledger) = whole();
    let (started, undone) = beginnings(&ledger);
    let last = ledger.position();
    drop(ledger);
    let mut amid = 0;
    for end in ends(Fixture::acts().segment()) {
        let (_dir, ledger) = broken_off(end);
        let position = ledger.position();
        if position < started {
            continue;
        }
        amid += open(&ledger).unwrap().len();
        let Recovery {
            phase, left_out, ..
        } = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
        assert_eq!(left_out, []);
        if position < undone {
            assert_eq!(phase, Phase::Finished);
            assert_eq!(owners(&ledger), [PEDAGOGUE; 3]);
            assert_eq!(ledger.position(), started.plus(STEPS + 1));
        } else {
            assert!(matches!(phase, Phase::Undone { left_out } if left_out.is_empty()));
            assert_eq!(owners(&ledger), [TEACHER; 3]);
            assert_eq!(ledger.position(), last);
        }
    }
    assert_eq!(
        amid as u64,
        2 * (STEPS + 1),
        "after no step, one, two, and all of them"
    );
}

#[test]
fn whoever_asked_an_earlier_version_for_the_undo_gets_its_receipt_again() {
    let (_dir, ledger) = whole();
    let (_, undone) = beginnings(&ledger);
    let last = ledger.position();
    let leader = (Actor::Person(LEADER), None);
    let receipt = undo(&ledger, leader, RECOVERY, why("Alligevel ikke")).unwrap();
    assert!(receipt.replayed);
    assert_eq!(receipt.position, undone);
    assert_eq!(receipt.command, of_recovery(RECOVERY, "undo", 0)[0]);
    for (who, reason) in [
        (LEADER, why("Noget andet")),
        (STUDENT, why("Alligevel ikke")),
    ] {
        let refused = undo(&ledger, (Actor::Person(who), None), RECOVERY, reason);
        let Err(RunError::Refused(refusal)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(refusal.reason, Reason::AlreadyUndone);
    }
    assert_eq!(ledger.position(), last);
}

/// Clients can still use the ids of earlier versions, so an event of somebody else counts for nothing.
#[test]
fn an_event_of_a_client_under_the_id_of_a_step_is_not_taken_for_the_step() {
    let (_dir, ledger) = whole();
    let (started, _) = beginnings(&ledger);
    drop(ledger);
    let mut all = ends(Fixture::acts().segment()).into_iter().map(broken_off);
    let (_dir, ledger) = all
        .find(|(_, ledger)| ledger.position() == started)
        .unwrap();
    let write = PlanCommand::WriteStatus {
        text: text("Et trin, men ikke af genopretningen"),
    };
    let id = of_recovery(RECOVERY, "step", 2)[0];
    let envelope = Envelope::new(id, (PLAN, write).into_command());
    ledger.execute(Actor::Person(TEACHER), envelope).unwrap();
    let recovery = run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(
        (recovery.phase, recovery.left_out),
        (Phase::Finished, Vec::new())
    );
    assert_eq!(owners(&ledger), [PEDAGOGUE; 3]);
}
