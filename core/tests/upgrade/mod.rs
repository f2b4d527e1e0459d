//! Whole ledgers that every earlier form of the program wrote open, verify and go on. Which they are, and how each
//! was made, stands in `planledger_fixtures::earlier`.
//!
//! A ledger is checked as its version left it, before anything of this version has opened it. Then it is opened:
//! derived state of another version is made again. Its plans are as the server of then told them. It takes a
//! command, signs a checkpoint and records a read, is closed, checked, opened again and checked once more.

mod told;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger_core::access_log::{AccessLog, AccessNotary, Read, Seen, Shown, Wanted};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{PersonId, PlanId, Position};
use planledger_core::ledger::{Envelope, Ledger, Options};
use planledger_core::notary::Notary;
use planledger_core::tlog::{Algorithm, Signer};
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};
use planledger_fixtures::earlier::{self, Earlier};
use planledger_fixtures::place::{Random, START, command_id};
use planledger_fixtures::repeatable;

/// The id of the nth of a kind, as the story numbers them.
fn id(kind: u32, number: u64) -> uuid::Uuid {
    format!("{kind:08}-0000-4000-8000-{number:012}")
        .parse()
        .unwrap()
}

fn plan(number: u64) -> PlanId {
    PlanId::from_uuid(id(6, number))
}

fn person(number: u64) -> PersonId {
    PersonId::from_uuid(id(3, number))
}

fn leader() -> Actor {
    Actor::Person(person(3))
}

fn options(dir: &Path) -> Options {
    let master = Earlier::master(dir);
    Options::new(dir, master, repeatable::clock(START), Random)
}

/// Nothing is wrong with a directory.
fn sound(earlier: &Earlier, dir: &Path, when: &str) -> Verification {
    let found = verify_dir(&options(dir), Depth::Full, &|_, _, _| {}).unwrap();
    let faults: Vec<_> = found.faults().collect();
    assert!(faults.is_empty(), "{}, {when}: {faults:?}", earlier.name);
    assert!(found.whole);
    found
}

fn signer(dir: &Path) -> Signer {
    match fs::read_to_string(dir.join("keys/checkpoint.key")) {
        Ok(text) => Signer::from_secret(text.trim()).unwrap(),
        // The first versions signed nothing.
        Err(_) => Signer::new("ledger.example/test", Algorithm::Ed25519, [9; 32]).unwrap(),
    }
}

fn write_status(ledger: &Ledger, number: u64, words: &str) -> Position {
    let text = words.parse().unwrap();
    let command = Command::Plan(plan(1), PlanCommand::WriteStatus { text });
    let envelope = Envelope::new(command_id(number), command);
    let receipt = ledger.execute(leader(), envelope).unwrap();
    assert!(!receipt.replayed);
    receipt.position
}

/// Records a read, and finds it beside those of then.
fn read_again(earlier: &Earlier, ledger: &Ledger, dir: &Path) {
    let log = AccessLog::open(ledger.clone(), dir, Arc::new(Random)).unwrap();
    let before = reads(&log);
    assert_eq!(before > 0, earlier.reads, "{}", earlier.name);
    let read = Read {
        student: person(4),
        actor: leader(),
        on_behalf_of: None,
        at: START.plus(3_600_000_000_000),
        seen: Seen {
            shown: Shown::Plan,
            method: "GetPlan".to_owned(),
            plan: Some(plan(1)),
            viewer: None,
            position: ledger.position(),
            events: 0,
            purpose: None,
        },
    };
    log.hand_in(vec![read], None).unwrap();
    log.settle().unwrap();
    assert_eq!(reads(&log), before + 1, "{}", earlier.name);
    let notary = AccessNotary::open(Arc::new(log), dir, &signer(dir)).unwrap();
    notary.checkpoint().unwrap();
}

fn reads(log: &AccessLog) -> usize {
    let wanted = Wanted {
        after: None,
        since: None,
        until: None,
        limit: 100,
    };
    log.records(person(4), &wanted).unwrap().records.len()
}

fn goes_on(earlier: &Earlier) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    earlier.unpack(dir);
    let found = sound(earlier, dir, "as it was left");
    let segments = fs::read_dir(dir.join("journal")).unwrap().filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_str().unwrap().ends_with(".log")
    });
    assert!(segments.count() >= 3, "{}", earlier.name);

    let ledger = Ledger::open(options(dir)).unwrap();
    assert_eq!(ledger.position(), found.events);
    assert_eq!(ledger.status().root, found.root);
    assert_eq!(told::plans(&ledger), earlier.told, "{}", earlier.name);
    let written = write_status(&ledger, 1, "Skrevet af en nyere udgave");
    assert!(written > found.events);
    // Its texts open, and so do those of every event.
    let events = planledger_fixtures::place::events(&ledger);
    assert_eq!(events.len() as u64, written.get());
    let notary = Notary::open(ledger.clone(), dir, signer(dir)).unwrap();
    let signed = notary.checkpoint().unwrap();
    assert!(signed.checkpoint.position() >= written);
    read_again(earlier, &ledger, dir);
    drop(notary);
    ledger.settle();
    drop(ledger);

    let found = sound(earlier, dir, "after a command");
    let checkpoints = found.part(PartName::Checkpoints).unwrap().checked;
    assert!(checkpoints > 0, "{}", earlier.name);
    let ledger = Ledger::open(options(dir)).unwrap();
    // What this version derived it takes up again.
    assert_eq!(ledger.status().derived_again, 0, "{}", earlier.name);
    let told = told::plans(&ledger);
    let expected = earlier.told.replace(
        "Læser flydende, gerne og meget",
        "Skrevet af en nyere udgave",
    );
    assert_eq!(told, expected, "{}", earlier.name);
    write_status(&ledger, 2, "Og videre");
    ledger.settle();
    drop(ledger);
    sound(earlier, dir, "opened again");
}

#[test]
fn a_ledger_without_checkpoints_goes_on() {
    goes_on(&earlier::WITHOUT_CHECKPOINTS);
}

#[test]
fn a_ledger_whose_derived_state_had_no_register_goes_on() {
    goes_on(&earlier::WITHOUT_REGISTER);
}

#[test]
fn a_ledger_of_the_first_schemas_goes_on() {
    goes_on(&earlier::REGISTER_2);
}

#[test]
fn a_ledger_of_the_first_access_log_goes_on() {
    goes_on(&earlier::REGISTER_6);
}

#[test]
fn a_ledger_of_the_first_acts_goes_on() {
    goes_on(&earlier::REGISTER_9);
}

#[test]
fn a_ledger_of_the_first_own_ids_goes_on() {
    goes_on(&earlier::REGISTER_9_OWN_IDS);
}

#[test]
fn a_ledger_with_packed_documents_goes_on() {
    goes_on(&earlier::REGISTER_11);
}

#[test]
fn a_ledger_whose_register_knows_places_goes_on() {
    goes_on(&earlier::REGISTER_12);
}

#[test]
fn no_packed_ledger_is_left_out_and_none_is_large() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/earlier");
    let mut packed = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        assert!(file.metadata().unwrap().len() < 100_000, "{file:?}");
        let name = file.file_name().into_string().unwrap();
        packed.extend(name.strip_suffix(".lz4").map(str::to_owned));
    }
    packed.sort_unstable();
    let mut named: Vec<_> = earlier::ALL.iter().map(|one| one.name.to_owned()).collect();
    named.sort_unstable();
    assert_eq!(packed, named);
}
