//! An export becomes a new ledger.

use std::fs;

use planledger_core::backup::{Create, Folder, Lost, Pace, Restore, Until};
use planledger_core::domain::erasure::Target;
use planledger_core::domain::ledger::{LedgerEvent, PlaceHeld};
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::{Command, Reason};
use planledger_core::entry::{ENTRY_LEN, leaf};
use planledger_core::ids::{CommandId, Position};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, OpenError, Payload};
use planledger_core::merkle::Frontier;
use planledger_core::notary::Notary;
use planledger_core::tlog::{Algorithm, SignedCheckpoint, Signer};
use planledger_fixtures::place::{START, TempLedger, events, files, numbered};
use planledger_fixtures::repeatable;
use planledger_fixtures::school::SYSTEM;

use super::support::*;
use crate::audit::school::{NotarisedSchool, OTHERS, PLAN, STUDENT, signer};
use crate::erasure::{decide, place};

#[test]
fn every_event_stands_where_it_stood_and_the_proofs_of_then_lie_beside() {
    for erased in [false, true] {
        let school = school(erased);
        let before = events(&school.ledger);
        let signed = school.notary.latest().unwrap().unwrap();
        let old = school.close();
        let (_folder, file) = export(old.path());
        let to = tempfile::tempdir().unwrap();
        let carried = import(&file, to.path(), false).unwrap();
        assert!(carried.is_whole());
        assert_eq!(carried.events, before.len() as u64);
        assert_sound(to.path());
        let after = events_in(to.path());
        assert_eq!(after.len(), before.len() + 1);
        for (was, is) in before.iter().zip(&after) {
            assert_same(was, is);
        }
        let LedgerEvent::CarriedOver(record) = own(&after[before.len()]) else {
            panic!("{:?}", after[before.len()])
        };
        assert_eq!(record.ledger, carried.from);
        assert_ne!(carried.ledger, carried.from);
        assert_eq!(record.position.get(), before.len() as u64);
        assert_eq!((record.lost, record.renumbered), (0, 0));
        assert_eq!(record.root, carried.root);
        assert_eq!(record.checkpoint.unwrap().root, signed.checkpoint.root);

        // With what lies beside, nobody needs the new ledger's word for the old one.
        let entries = fs::read(to.path().join("origin/entries")).unwrap();
        let (head, entries) = entries.split_at(24);
        assert_eq!(head[8..], *carried.from.as_bytes());
        let mut leaves = Frontier::default();
        for entry in entries
            .chunks(ENTRY_LEN)
            .take(signed.checkpoint.size as usize)
        {
            leaves.push(leaf(entry.try_into().unwrap()));
        }
        assert_eq!(leaves.root(), signed.checkpoint.root);
        let kept = fs::read(to.path().join("origin/checkpoints.txt")).unwrap();
        let kept = SignedCheckpoint::parse(kept.strip_suffix(b"\n").unwrap()).unwrap();
        kept.verify([&signer().verifier()]).unwrap();
        assert_eq!(kept, signed);
        let hash = blake3::Hasher::new_derive_key("planledger v1 2026-11-30 origin entries")
            .update(head)
            .update(entries)
            .finalize();
        assert_eq!(record.entries, *hash.as_bytes());
    }
}

#[test]
fn nothing_of_who_was_erased_comes_back_and_nothing_can_be_recorded_of_them() {
    let old = school(true).close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    let ledger = TempLedger::open_in(to.path());
    let of = |stream: planledger_core::ids::StreamId| {
        let all = events(&ledger).into_iter();
        all.filter(move |event| event.stream == stream)
    };
    assert!(of(PLAN.into()).all(|event| event.payload == Payload::Erased));
    assert!(of(OTHERS.into()).all(|event| matches!(event.payload, Payload::Json(_))));
    let put = PersonCommand::Put {
        name: "Igen".parse().unwrap(),
        affiliations: Default::default(),
        departed: false,
        record: None,
    };
    let id = CommandId::from_bytes(numbered(0x79, 1));
    let sent = ledger.execute(SYSTEM, Envelope::new(id, Command::Person(STUDENT, put)));
    match sent.unwrap_err() {
        ExecuteError::Refused { refusal, .. } => assert_eq!(refusal.reason, Reason::PersonErased),
        other => panic!("{other}"),
    }
}

#[test]
fn the_new_ledger_goes_on_with_a_key_of_its_own_and_knows_the_commands_of_before() {
    let school = school(false);
    let before = events(&school.ledger);
    let old = school.close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    let ledger = TempLedger::open_in(to.path());
    let own = Signer::new("planledger.example/new", Algorithm::Ed25519, [0x5F; 32]).unwrap();
    let notary = Notary::open(ledger.clone(), to.path(), own).unwrap();
    let of_plan = before
        .iter()
        .find(|event| event.stream == PLAN.into())
        .unwrap();
    let text = "går videre".parse().unwrap();
    let write = planledger_core::domain::plan::PlanCommand::WriteStatus { text };
    let again = Envelope::new(of_plan.command, Command::Plan(PLAN, write.clone()));
    let sent = ledger.execute(of_plan.actor, again);
    assert!(
        matches!(sent, Err(ExecuteError::IdReused { .. })),
        "{sent:?}"
    );
    let id = CommandId::from_bytes(numbered(0x79, 2));
    let teacher = before
        .iter()
        .rfind(|event| event.stream == OTHERS.into())
        .unwrap()
        .actor;
    let receipt = ledger.execute(teacher, Envelope::new(id, Command::Plan(PLAN, write)));
    assert!(receipt.unwrap().position > Position::new(before.len() as u64));
    let signed = notary.checkpoint().unwrap();
    assert_eq!(signed.checkpoint.origin, "planledger.example/new");
    ledger.settle();
    drop((notary, ledger));
    assert_sound(to.path());
}

#[test]
fn a_redaction_that_was_decided_is_carried_out_in_the_new_ledger() {
    let mut school = school(false);
    let wrong = school.write(PLAN, "Kanariefuglen sang").position;
    decide(&school.ledger, place(&school.ledger, wrong));
    let old = school.close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    let ledger = TempLedger::open_in(to.path());
    assert_eq!(ledger.carry_out_erasures().unwrap().len(), 1);
    let event = &events(&ledger)[wrong.get() as usize - 1];
    let left = r#"{"status_written":{"text":"[redacted]"}}"#;
    assert_eq!(event.payload, Payload::Left(left.into()));
    ledger.settle();
    drop(ledger);
    assert_sound(to.path());
}

#[test]
fn a_ledger_can_be_carried_over_twice() {
    let school = school(true);
    let before = events(&school.ledger);
    let old = school.close();
    let (_folder, file) = export(old.path());
    let (second, third) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = import(&file, second.path(), false).unwrap();
    let (_folder, file) = export(second.path());
    let carried = import(&file, third.path(), false).unwrap();
    assert_eq!(carried.from, first.ledger);
    assert_sound(third.path());
    let after = events_in(third.path());
    for (was, is) in before.iter().zip(&after) {
        assert_same(was, is);
    }
    // What the second one said of itself is of an earlier ledger now.
    let PlaceHeld::Own(said) = held(&after[before.len()]) else {
        panic!()
    };
    assert!(matches!(*said.event, LedgerEvent::CarriedOver(_)));
}

#[test]
fn what_is_missing_in_an_export_is_refused_or_named_and_never_invented() {
    let school = school(false);
    let before = events(&school.ledger);
    let lost = before
        .iter()
        .rfind(|event| event.stream == PLAN.into())
        .unwrap();
    let old = school.close();
    let middle = Position::new(6);
    damage(old.path(), middle);
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    let refused = import(&file, to.path(), false).unwrap_err().to_string();
    assert!(refused.starts_with("MISSING_EVENTS"), "{refused}");
    assert_eq!(to.path().read_dir().unwrap().count(), 0);
    let carried = import(&file, to.path(), true).unwrap();
    assert!(!carried.is_whole());
    assert!(lost.position > middle);
    let lost = carried.lost[0];
    assert!((lost.first..=lost.last).contains(&middle));
    assert_sound(to.path());
    let after = events_in(to.path());
    assert!(matches!(held(&after[5]), PlaceHeld::Lost(_)));
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing_that_opens_and_begins_anew() {
    let school = school(false);
    let old = school.close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    // As after a crash before the last step.
    fs::write(to.path().join("restoring"), "").unwrap();
    let opened = Ledger::open(TempLedger::options_in(to.path()));
    assert!(matches!(opened, Err(OpenError::Unfinished { .. })));
    import(&file, to.path(), false).unwrap();
    assert_sound(to.path());
    // Somebody's ledger is never written over.
    let before = files(to.path());
    assert!(import(&file, to.path(), false).is_err());
    assert_eq!(files(to.path()), before);
}

#[test]
fn a_backup_has_what_is_kept_of_the_earlier_ledger_too() {
    let school = school(false);
    let old = school.close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    let (ledger, notary) = NotarisedSchool::reopen(to.path());
    drop((ledger, notary));
    let place = tempfile::tempdir().unwrap();
    let [data, keys] = ["data", "keys"].map(|name| Folder::new(place.path().join(name)));
    let clock = repeatable::clock(START);
    let create = Create {
        dir: to.path(),
        place: &data,
        keys: &keys,
        signer: &signer(),
        with_signing_key: false,
        read_all: false,
        clock: &clock,
        watch: &|_| {},
    };
    create.run(Pace::new(None)).unwrap();
    let back = tempfile::tempdir().unwrap();
    let new = new_ledger(back.path());
    let restore = Restore {
        place: &data,
        keys: &keys,
        number: None,
        key: None,
        until: Until::End,
        lost: Lost::default(),
        options: new.options,
        sent: new.sent,
        reason: new.reason,
        signing_key: None,
        watch: &|_| {},
    };
    restore.run().unwrap();
    let kept = |dir: &std::path::Path| {
        let all = files(&dir.join("origin"));
        all.into_values().collect::<Vec<_>>()
    };
    assert_eq!(kept(back.path()).len(), 3);
    assert_eq!(kept(back.path()), kept(to.path()));
    assert_sound(back.path());
}

#[test]
fn a_pending_erasure_is_of_the_same_person() {
    let school = school(false);
    decide(&school.ledger, Target::Person(STUDENT));
    let old = school.close();
    let (_folder, file) = export(old.path());
    let to = tempfile::tempdir().unwrap();
    import(&file, to.path(), false).unwrap();
    let ledger = TempLedger::open_in(to.path());
    assert_eq!(ledger.carry_out_erasures().unwrap().len(), 1);
    let of_plan = events(&ledger)
        .into_iter()
        .filter(|event| event.stream == PLAN.into());
    assert!(
        of_plan
            .into_iter()
            .all(|event| event.payload == Payload::Erased)
    );
}
