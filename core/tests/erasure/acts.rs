//! What an act does.

use planledger_core::audit::{Scope, verify_bundle};
use planledger_core::domain::Reason;
use planledger_core::domain::erasure::Target;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::entry::Hash32;
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog, SegmentOptions};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, Payload, RecordedEvent};
use planledger_core::seal::{KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey};
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};
use planledger_fixtures::commands;
use planledger_fixtures::evidence::believing;
use planledger_fixtures::place::{MASTER, TempLedger, events, files};
use planledger_fixtures::school::{SYSTEM, YEAR_PLAN};
use std::path::Path;
use std::sync::Arc;

use super::{decide, fresh, place};
use crate::audit::school::{CLASSMATE, NotarisedSchool, OTHERS, PLAN, SECOND, STUDENT, policy};

fn verified(dir: &Path) -> Verification {
    verify_dir(&TempLedger::options_in(dir), Depth::Full, &|_, _, _| {}).unwrap()
}

fn assert_sound(dir: &Path) {
    let found = verified(dir);
    let faults: Vec<_> = found.faults().collect();
    assert!(faults.is_empty(), "{faults:?}");
}

fn keys(dir: &Path) -> KeyStore {
    let disk = || OsDisk::new(dir.join("journal")).unwrap();
    let log = SegmentLog::open(Arc::new(disk()), SegmentOptions::default()).unwrap();
    KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(OsDisk::new(dir.join("keys")).unwrap()),
        ledger: log.ledger_id(),
        master: MasterKey::from_bytes(MASTER),
        rescue: None,
        mode: KeyStoreMode::ReadOnly,
    })
    .unwrap()
}

/// Every file in which these bytes stand.
fn holding(dir: &Path, wanted: &[u8]) -> Vec<std::path::PathBuf> {
    let found = files(dir).into_iter();
    let holds = |bytes: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    found
        .filter(|(_, bytes)| holds(bytes))
        .map(|(path, _)| path)
        .collect()
}

fn of(ledger: &Ledger, stream: impl Into<StreamId>) -> Vec<RecordedEvent> {
    let stream = stream.into();
    let all = events(ledger).into_iter();
    all.filter(|event| event.stream == stream).collect()
}

/// The sealed payload of an event, as the journal holds it.
fn sealed(dir: &Path, position: planledger_core::ids::Position) -> Vec<u8> {
    let disk = OsDisk::new(dir.join("journal")).unwrap();
    let how = SegmentOptions {
        mode: planledger_core::journal::OpenMode::ReadOnly,
        ..SegmentOptions::default()
    };
    let log = SegmentLog::open(Arc::new(disk), how).unwrap();
    log.entry(position).unwrap().unwrap().sealed.unwrap()
}

fn root(ledger: &Ledger) -> Hash32 {
    ledger.status().root
}

#[test]
fn after_an_erasure_nothing_of_the_person_can_be_read_and_everything_else_can() {
    let school = NotarisedSchool::new();
    let before = school.export(Scope::Student(STUDENT));
    let others = of(&school.ledger, OTHERS);
    let root_before = root(&school.ledger);
    decide(&school.ledger, Target::Person(STUDENT));
    let done = school.ledger.carry_out_erasures().unwrap();
    assert_eq!(done.len(), 1);
    assert!(school.ledger.carry_out_erasures().unwrap().is_empty());

    for stream in [StreamId::from(STUDENT), PLAN.into(), SECOND.into()] {
        let events = of(&school.ledger, stream);
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| event.payload == Payload::Erased));
        let (found, _) = school.ledger.read(|now| now.stream(stream)).unwrap();
        assert_eq!(found, None);
        let (erased, _) = school.ledger.read(|now| now.was_erased(stream)).unwrap();
        assert!(erased);
    }
    assert_eq!(of(&school.ledger, OTHERS), others);
    let (erased, _) = school
        .ledger
        .read(|now| now.was_erased(OTHERS.into()))
        .unwrap();
    assert!(!erased);
    assert_ne!(root(&school.ledger), root_before, "three events were added");

    // Bundles of before and after verify, and the later one shows that the texts are gone.
    let check = |bundle: &str| {
        verify_bundle(&mut bundle.as_bytes(), &believing(policy()), &mut |_, _| {}).unwrap()
    };
    let (was, is) = (
        check(&before),
        check(&school.export(Scope::Student(STUDENT))),
    );
    assert_eq!((was.redacted, was.opened), (0, was.events));
    assert_eq!(
        (is.events, is.opened, is.redacted, is.erased),
        (was.events, 0, 0, was.events)
    );
    let all = check(&school.export(planledger_fixtures::evidence::range(1, 12)));
    assert!(all.erased > 0 && all.opened > 0);

    let place = school.close();
    assert_sound(place.path());
    let again = place.open();
    assert_eq!(of(&again, OTHERS), others);
    assert!(again.carry_out_erasures().unwrap().is_empty());
    drop(again);
    assert_sound(place.path());
}

/// The wrapped key is what stands on the disk. Texts stand there under it only, but whoever looks for
/// them looks for them too.
#[test]
fn neither_text_nor_name_nor_key_is_in_any_byte_of_the_directory() {
    let mut school = NotarisedSchool::new();
    let canary = "Kanariefuglen Ærø sang hele dagen";
    school.write(PLAN, canary);
    school.ledger.settle();
    let scope = planledger_core::seal::KeyScope::Person(STUDENT);
    let place = school.close();
    let key = keys(place.path()).active(scope).unwrap();
    let path = place.path().join("keys/keys.log");
    let slots = std::fs::read(&path).unwrap();
    let slot = slots
        .chunks(256)
        .find(|slot| slot[22..38] == *key.id.as_bytes())
        .unwrap();
    let (wrapped, nonce) = (slot[70..118].to_vec(), slot[46..70].to_vec());
    let torn = place.path().join("keys/keys.torn");
    std::fs::write(&torn, slot).unwrap();
    let aside = place.path().join("derived.set-aside");
    std::fs::create_dir_all(&aside).unwrap();
    std::fs::write(aside.join("copy"), slot).unwrap();
    assert_eq!(holding(place.path(), &wrapped).len(), 3);

    let ledger = place.open();
    decide(&ledger, Target::Person(STUDENT));
    ledger.carry_out_erasures().unwrap();
    ledger.settle();
    drop(ledger);
    for gone in [
        wrapped.as_slice(),
        &nonce,
        canary.as_bytes(),
        "Ida Kjær".as_bytes(),
    ] {
        assert_eq!(
            holding(place.path(), gone),
            Vec::<std::path::PathBuf>::new()
        );
    }
    let keys = keys(place.path());
    assert!(keys.is_destroyed(key.id) && keys.active(scope).is_none());
    assert_eq!(keys.id_of(scope), Some(key.id));
    assert!(!aside.exists() && !torn.exists());
}

#[test]
fn a_redaction_takes_one_text_and_no_other() {
    let mut school = NotarisedSchool::new();
    let receipt = school.write(PLAN, "stod i den forkerte plan");
    let kept = school.write(PLAN, "er rigtig");
    school.ledger.settle();
    let before = of(&school.ledger, PLAN);
    let bytes = sealed(school.place.path(), receipt.position);
    let target = place(&school.ledger, receipt.position);
    decide(&school.ledger, target);
    school.ledger.carry_out_erasures().unwrap();
    let after = of(&school.ledger, PLAN);
    for (was, is) in before.iter().zip(&after) {
        match is.position == receipt.position {
            true => {
                let left = r#"{"status_written":{"text":"[redacted]"}}"#;
                assert_eq!(is.payload, Payload::Left(left.into()));
            }
            false => assert_eq!(is, was),
        }
    }
    assert!(after.iter().any(|event| event.position == kept.position));
    let bundle = school.export(Scope::Plan(PLAN));
    let report = verify_bundle(&mut bundle.as_bytes(), &believing(policy()), &mut |_, _| {});
    let report = report.unwrap();
    assert_eq!((report.redacted, report.erased), (1, 0));
    let place = school.close();
    assert_eq!(
        holding(place.path(), &bytes),
        Vec::<std::path::PathBuf>::new()
    );
    assert_sound(place.path());
    drop(place.open());
    assert_sound(place.path());
}

#[test]
fn what_holds_no_text_and_what_is_not_there_is_not_redacted() {
    let mut school = NotarisedSchool::new();
    let shared = school.plan(PLAN, PlanCommand::Unshare).position;
    let written = school.write(PLAN, "hej").position;
    let Target::Event(there) = place(&school.ledger, written) else {
        panic!("it is an event")
    };
    let elsewhere = Target::Event(planledger_core::domain::erasure::EventPlace {
        position: shared,
        ..there
    });
    for target in [place(&school.ledger, shared), elsewhere] {
        let request = planledger_core::domain::erasure::ErasureCommand::Request {
            target,
            basis: "Artikel 17".parse().unwrap(),
            reason: "Bedt om".parse().unwrap(),
            retention: None,
        };
        let id = planledger_core::ids::ErasureId::of(target);
        let refused = school.ledger.execute(
            Actor::Person(planledger_fixtures::school::LEADER),
            Envelope::new(fresh(), Command::Erasure(id, request)),
        );
        assert_eq!(reason(refused), Reason::EventNotRedactable);
    }
}

fn reason<T: std::fmt::Debug>(answer: Result<T, ExecuteError>) -> Reason {
    match answer.unwrap_err() {
        ExecuteError::Refused { refusal, .. } => refusal.reason,
        other => panic!("{other}"),
    }
}

#[test]
fn nothing_is_recorded_of_who_was_erased_and_no_id_is_used_again() {
    let school = NotarisedSchool::new();
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    let put = |person: PersonId| {
        let put = PersonCommand::Put {
            name: "Igen".parse().unwrap(),
            affiliations: Default::default(),
            departed: false,
            record: None,
        };
        Command::Person(person, put)
    };
    let ask = |command| {
        school
            .ledger
            .execute(SYSTEM, Envelope::new(fresh(), command))
    };
    assert_eq!(reason(ask(put(STUDENT))), Reason::PersonErased);
    // A plan of somebody else under the id of one that was erased would continue its stream.
    let open = Command::Plan(PLAN, commands::open_plan(CLASSMATE, YEAR_PLAN, None));
    assert!(ask(open).is_ok_and(|receipt| receipt.stream == OTHERS.into()));
    let open = Command::Plan(
        PLAN,
        commands::open_plan(
            CLASSMATE,
            planledger_fixtures::school::OTHER_YEAR_PLAN,
            None,
        ),
    );
    assert_eq!(reason(ask(open)), Reason::PersonErased);
    ask(put(CLASSMATE)).unwrap();
}

#[test]
fn an_id_that_was_used_of_who_was_erased_is_used_up_and_tells_nothing_of_them() {
    let school = NotarisedSchool::new();
    let of_person = |person: PersonId| {
        events(&school.ledger)
            .iter()
            .find(|event| event.stream == person.into())
            .map(|event| event.command)
            .unwrap()
    };
    let used = [
        of_person(STUDENT),
        of(&school.ledger, PLAN).last().unwrap().command,
    ];
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    for id in used {
        for about in [
            Command::Plan(OTHERS, PlanCommand::Unshare),
            Command::Person(CLASSMATE, PersonCommand::Return),
        ] {
            let sent = school.ledger.execute(SYSTEM, Envelope::new(id, about));
            assert!(
                matches!(sent, Err(ExecuteError::IdReused { .. })),
                "{sent:?}"
            );
        }
    }
}

#[test]
fn a_key_that_is_gone_without_an_act_is_a_fault_and_so_is_a_text_that_is_there_after_one() {
    let school = NotarisedSchool::new();
    school.ledger.settle();
    let place = school.close();
    let copy = tempfile::tempdir().unwrap();
    planledger_fixtures::place::copy(place.path(), copy.path());
    // Somebody destroys a key without an act on record.
    let disk = OsDisk::new(copy.path().join("keys")).unwrap();
    let ledger = {
        let disk = OsDisk::new(copy.path().join("journal")).unwrap();
        SegmentLog::open(Arc::new(disk), SegmentOptions::default())
            .unwrap()
            .ledger_id()
    };
    let store = KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(disk),
        ledger,
        master: MasterKey::from_bytes(MASTER),
        rescue: None,
        mode: KeyStoreMode::Existing,
    })
    .unwrap();
    store
        .destroy(planledger_core::seal::KeyScope::Person(STUDENT))
        .unwrap();
    drop(store);
    let contents = |dir: &Path| verified(dir).part(PartName::Contents).unwrap().clone();
    let fault = contents(copy.path()).fault.expect("a key is gone");
    assert!(fault.what.contains("no erasure is on record"), "{fault:?}");

    // An act that says that it is carried out, and is not.
    let old = std::fs::read(place.path().join("keys/keys.log")).unwrap();
    let ledger = place.open();
    decide(&ledger, Target::Person(STUDENT));
    ledger.carry_out_erasures().unwrap();
    drop(ledger);
    assert!(contents(place.path()).fault.is_none());
    std::fs::write(place.path().join("keys/keys.log"), old).unwrap();
    let fault = contents(place.path()).fault.expect("the text is there");
    assert!(fault.what.contains("can still be read"), "{fault:?}");
}
