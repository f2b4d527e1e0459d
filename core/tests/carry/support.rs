//! A ledger to carry over, and what is looked at in the new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::carry::{Carried, CarryError, Import, NewLedger, Salvage};
use planledger_core::doctor;
use planledger_core::domain::erasure::Target;
use planledger_core::domain::ledger::{LedgerEvent, PlaceHeld};
use planledger_core::domain::{Actor, Event};
use planledger_core::ids::{CommandId, Position, StreamKind};
use planledger_core::ledger::{Payload, RecordedEvent};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, events, numbered};
use planledger_fixtures::school::LEADER;
use tempfile::TempDir;

use crate::audit::school::{NotarisedSchool, PLAN, STUDENT};
use crate::erasure::{decide, place};

/// A ledger with a checkpoint, a redacted event, an erased student if `erased`, and a checkpoint of that.
pub(super) fn school(erased: bool) -> NotarisedSchool {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    let wrong = school.write(PLAN, "stod i den forkerte plan").position;
    school.write(crate::audit::school::OTHERS, "bliver staaende");
    redact(&school, wrong);
    if erased {
        decide(&school.ledger, Target::Person(STUDENT));
        school.ledger.carry_out_erasures().unwrap();
    }
    school.checkpoint();
    school.ledger.settle();
    school
}

pub(super) fn redact(school: &NotarisedSchool, position: Position) {
    let target = place(&school.ledger, position);
    decide(&school.ledger, target);
    school.ledger.carry_out_erasures().unwrap();
}

pub(super) fn new_ledger(dir: &Path) -> NewLedger {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    NewLedger {
        options: TempLedger::options_in(dir),
        sent: (
            CommandId::from_bytes(numbered(0x78, number)),
            Actor::Person(LEADER),
        ),
        reason: "Ny leverandør".parse().unwrap(),
    }
}

/// Exports a ledger that nobody has open. Gives the file, which goes with the folder.
pub(super) fn export(dir: &Path) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.jsonl");
    let mut out = fs::File::create(&path).unwrap();
    doctor::export(&TempLedger::options_in(dir), &mut out).unwrap();
    (folder, path)
}

pub(super) fn import(file: &Path, to: &Path, accept_missing: bool) -> Result<Carried, CarryError> {
    let import = Import {
        file,
        accept_missing,
        into: new_ledger(to),
        watch: &|_| {},
    };
    import.run()
}

pub(super) fn salvage(from: &Path, to: &Path) -> Result<Carried, CarryError> {
    let salvage = Salvage {
        damaged: &TempLedger::options_in(from),
        into: new_ledger(to),
        master_key: None,
        watch: &|_| {},
    };
    salvage.run()
}

pub(super) fn assert_sound(dir: &Path) {
    let found = verify_dir(&TempLedger::options_in(dir), Depth::Full, &|_, _, _| {}).unwrap();
    let faults: Vec<_> = found.faults().collect();
    assert!(faults.is_empty(), "{faults:?}");
}

pub(super) fn events_in(dir: &Path) -> Vec<RecordedEvent> {
    events(&TempLedger::open_in(dir))
}

/// What an event of the ledger itself says.
pub(super) fn own(event: &RecordedEvent) -> LedgerEvent {
    let Payload::Json(json) = &event.payload else {
        panic!("{event:?}")
    };
    let code = event.event_type.unwrap().code;
    match Event::from_json(code, event.schema, json).unwrap() {
        Event::Ledger(event) => event,
        other => panic!("{other:?}"),
    }
}

pub(super) fn held(event: &RecordedEvent) -> PlaceHeld {
    match own(event) {
        LedgerEvent::PlaceHeld(held) => held,
        other => panic!("{other:?}"),
    }
}

/// The event is the same as before: everything but the key.
pub(super) fn assert_same(was: &RecordedEvent, is: &RecordedEvent) {
    let head = |event: &RecordedEvent| {
        (
            (event.position, event.command, event.actor),
            (event.on_behalf_of, event.recorded_at),
        )
    };
    assert_eq!(head(is), head(was), "{was:?}");
    if was.stream.kind == StreamKind::Ledger {
        let PlaceHeld::Own(held) = held(is) else {
            panic!("{is:?}")
        };
        assert_eq!((held.stream, held.revision), (was.stream, was.revision));
        assert_eq!(*held.event, own(was));
        return;
    }
    assert_eq!((is.stream, is.revision), (was.stream, was.revision));
    assert_eq!((is.event_type, is.schema), (was.event_type, was.schema));
    assert_ne!(is.key, was.key, "keys are the new ledger's own");
    // An act names keys, and holds what is left under keys.
    let sealed = |event: &RecordedEvent| {
        let name = event.event_type.unwrap().name;
        matches!(name, "erasure.text_settled" | "erasure.carried_out")
    };
    if !sealed(was) {
        assert_eq!(is.payload, was.payload, "{was:?}");
    }
}

/// Changes a byte of the frame that holds a position, so that the frame is lost.
pub(super) fn damage(dir: &Path, position: Position) {
    let path = dir.join("journal/segment-00000001.log");
    let mut bytes = fs::read(&path).unwrap();
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let entries = |at: usize| u32::from_be_bytes(bytes[at + 16..at + 20].try_into().unwrap());
    let frames = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"PLF1"));
    let holds = |at: &usize| {
        let first = number(at + 28);
        (first..first + u64::from(entries(*at))).contains(&position.get())
    };
    let frame = frames.into_iter().find(holds).unwrap();
    bytes[frame + 80] ^= 1;
    fs::write(path, bytes).unwrap();
}
