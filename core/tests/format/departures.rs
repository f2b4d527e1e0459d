//! A ledger with events of an earlier schema, as the version before wrote it.

use planledger_fixtures::evidence::{believing, export, range, readable};
use std::collections::BTreeMap;
use std::sync::Arc;

use planledger_core::audit::verify_bundle;
use planledger_core::domain::person::{PersonCommand, PersonEvent};
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::domain::{Aggregate, Event};
use planledger_core::ids::{CommandId, PersonId};
use planledger_core::ledger::{Envelope, Ledger, Payload};
use planledger_core::notary::Notary;
use planledger_core::tlog::{Algorithm, Policy, Signer};
use planledger_core::verify::{Depth, verify_dir};

use crate::format::fixture::{Fixture, hex};
use crate::format::golden::options;
use planledger_fixtures::IntoCommand;
use planledger_fixtures::school::*;

/// The newest event of a person: schema and JSON.
fn last_said(ledger: &Ledger, person: PersonId) -> (u16, String) {
    let found = ledger.history(person.into(), None, 1).unwrap().remove(0);
    assert_eq!(found.event_type.unwrap().name, "person.departed");
    match found.payload {
        Payload::Json(json) => (found.schema, String::from_utf8(json).unwrap()),
        Payload::Left(_) | Payload::Redacted | Payload::Erased => panic!("redacted"),
    }
}

#[test]
fn departures_of_the_first_schema_come_to_the_same_persons_and_the_same_plan() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::departures();
    fixture.unpack(dir.path());
    let found = verify_dir(&options(dir.path()), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    let ledger = Ledger::open(options(dir.path())).unwrap();
    ledger.settle();
    let derived: BTreeMap<_, _> = ledger.derived().dump().unwrap();
    let before = fixture.documents();
    assert_eq!(before.len(), 3);
    for (key, document) in before {
        assert!(
            derived.get(&key) == Some(&document),
            "document {}",
            hex(&key)
        );
    }
    let read = ledger.read(|reading| plan_view(reading, PLAN, Viewer::Staff));
    let view = read.unwrap().0.unwrap();
    assert_eq!((view.owner, view.owner_departed), (TEACHER, true));
    let last_day = |person| {
        let read = ledger.read(|reading| reading.stream(person));
        match &*read.unwrap().0.unwrap().0 {
            Aggregate::Person(person) => person.departed.as_ref().unwrap().on,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(last_day(TEACHER), Some(day(11, 30)));
    assert_eq!(last_day(GUARDIAN), None);
}

#[test]
fn an_old_event_is_shown_as_it_stands_in_the_journal_and_a_new_one_has_the_present_schema() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::departures().unpack(dir.path());
    let ledger = Ledger::open(options(dir.path())).unwrap();
    let shown = r#"{"departed":{"on":"2026-11-30","reason":"Ny skole"}}"#;
    assert_eq!(last_said(&ledger, TEACHER), (1, shown.to_owned()));
    let commands = [
        PersonCommand::Return,
        PersonCommand::Depart {
            on: Some(day(12, 1)),
            reason: None,
        },
    ];
    for (number, command) in (0xD1..).zip(commands) {
        let command = (TEACHER, command).into_command();
        let envelope = Envelope::new(CommandId::from_bytes([number; 16]), command);
        ledger.execute(SYSTEM, envelope).unwrap();
    }
    let shown = r#"{"departed":{"last_day":"2026-12-01"}}"#;
    assert_eq!(last_said(&ledger, TEACHER), (2, shown.to_owned()));
    drop(ledger);
    let found = verify_dir(&options(dir.path()), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
}

/// Who checks evidence sees the bytes that hashes and seals cover; only what is made of them goes up the
/// steps.
#[test]
fn a_bundle_shows_an_old_event_as_it_was_written_and_reads_it_as_a_present_one() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::departures().unpack(dir.path());
    let ledger = Ledger::open(options(dir.path())).unwrap();
    let last = ledger.position();
    let signer = || Signer::new("planledger.example/test", Algorithm::Ed25519, [0x5E; 32]).unwrap();
    let notary = Notary::open(ledger.clone(), dir.path(), signer()).unwrap();
    notary.checkpoint().unwrap();
    let bundle = export(&ledger, &Arc::new(notary), readable(range(1, last.get())));
    let how = believing(Policy::of_logs(vec![signer().verifier()]));
    let mut departures = Vec::new();
    verify_bundle(&mut bundle.as_bytes(), &how, &mut |recorded, event| {
        if let (Payload::Json(json), Event::Person(PersonEvent::Departed { last_day, .. })) =
            (&recorded.payload, event)
        {
            let json = String::from_utf8(json.clone()).unwrap();
            departures.push((recorded.schema, json, *last_day));
        }
    })
    .unwrap();
    let first = r#"{"departed":{"on":"2026-11-30","reason":"Ny skole"}}"#;
    let second = r#"{"departed":{}}"#;
    assert_eq!(
        departures,
        [
            (1, first.to_owned(), Some(day(11, 30))),
            (1, second.to_owned(), None),
        ]
    );
}
