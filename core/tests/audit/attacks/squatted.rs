//! Somebody who may write takes the ids of the notary's commands before the notary does. Everybody can
//! compute these ids, and nobody can keep the notary from its work with them (P5).

use std::sync::Arc;

use planledger_core::audit::{Scope, verify_bundle};
use planledger_core::domain::ledger::{LedgerEvent, NotedReads};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command, Event};
use planledger_core::ids::{CommandId, Position};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger};
use planledger_core::tlog::{Algorithm, Signer};
use planledger_fixtures::decoded;
use planledger_fixtures::evidence::believing;
use planledger_fixtures::own_ids::of_notary;
use planledger_fixtures::place::{events, events_after};

use crate::audit::school::{NotarisedSchool, ORIGIN, PLAN, TEACHER, policy};

/// Sends a command that changes nothing under each of these ids. Which of them are refused does not
/// matter here.
fn take(ledger: &Ledger, ids: [CommandId; 2]) {
    let position = ledger.position();
    for id in ids {
        let command = Command::Plan(PLAN, PlanCommand::Share);
        match ledger.execute(Actor::Person(TEACHER), Envelope::new(id, command)) {
            Ok(receipt) => assert!(receipt.events == 0 || receipt.replayed),
            Err(ExecuteError::IdReused { .. } | ExecuteError::IdReserved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(ledger.position(), position);
}

fn said(ledger: &Ledger) -> Vec<LedgerEvent> {
    let events = events(ledger);
    let said = events.iter().filter_map(|event| match decoded(event).1 {
        Event::Ledger(said) => Some(said),
        _ => None,
    });
    said.collect()
}

/// The attack that was found: the id of the first key is the same on every ledger.
#[test]
fn whoever_takes_the_id_of_the_checkpoint_key_prevents_no_checkpoint_and_no_bundle() {
    let school = NotarisedSchool::new();
    take(&school.ledger, of_notary("key", 0));
    let signed = school.notary.checkpoint().unwrap();
    assert_eq!(signed.checkpoint.position(), school.ledger.position());
    assert!(matches!(
        said(&school.ledger)[0],
        LedgerEvent::KeyIntroduced { .. }
    ));
    let bundle = school.export(Scope::Plan(PLAN));
    verify_bundle(&mut bundle.as_bytes(), &believing(policy()), &mut |_, _| {}).unwrap();
}

#[test]
fn whoever_takes_the_ids_of_the_next_two_hundred_heads_prevents_no_checkpoint() {
    let mut school = NotarisedSchool::new();
    let before = school.ledger.position().get();
    for through in before..before + 200 {
        take(&school.ledger, of_notary("heads", through));
    }
    let mut sizes = Vec::new();
    while school.ledger.position().get() < before + 200 {
        let signed = school.notary.checkpoint().unwrap();
        // What is last in a checkpoint is a record of heads.
        assert_eq!(signed.checkpoint.position(), school.ledger.position());
        let last = events_after(&school.ledger, Position::new(signed.checkpoint.size - 1));
        let (_, last) = decoded(&last[0]);
        assert!(matches!(
            last,
            Event::Ledger(LedgerEvent::HeadsRecorded { .. })
        ));
        sizes.push(signed.checkpoint.size);
        school.write(PLAN, &format!("læser side {}", sizes.len()));
    }
    assert_eq!(sizes.len(), 100);
}

#[test]
fn whoever_takes_the_ids_of_a_rotation_or_of_a_note_about_reads_prevents_neither() {
    let school = NotarisedSchool::new();
    school.checkpoint();
    let noted = NotedReads {
        records: Position::new(12),
        root: [5; 32],
    };
    take(&school.ledger, of_notary("access log", 12));
    school.notary.note_access_log(noted).unwrap();
    assert_eq!(said(&school.ledger)[2], LedgerEvent::AccessLogNoted(noted));
    let next = Signer::new(ORIGIN, Algorithm::Ed25519, [0x11; 32]).unwrap();
    let former = u64::from(next.verifier().id());
    for about in [former, school.ledger.position().get()] {
        take(&school.ledger, of_notary("rotate", about));
    }
    let NotarisedSchool { ledger, notary, .. } = school;
    Arc::into_inner(notary).unwrap().rotate(&next).unwrap();
    assert!(
        matches!(&said(&ledger)[3], LedgerEvent::KeyRotated { to, .. } if *to == next.verifier())
    );
}

/// The ids of what was recorded stand in every event, so they are known for certain.
#[test]
fn an_id_that_the_notary_has_used_is_taken_for_everybody_else_and_for_no_other_act() {
    let mut school = NotarisedSchool::new();
    for round in 0..3 {
        school.checkpoint();
        let ids = events(&school.ledger)
            .into_iter()
            .map(|event| event.command);
        for id in ids.collect::<Vec<_>>() {
            take(&school.ledger, [id; 2]);
        }
        school.write(PLAN, &format!("læser bog {round}"));
    }
    let signed = school.checkpoint();
    assert_eq!(signed.checkpoint.position(), school.ledger.position());
}
