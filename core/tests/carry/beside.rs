//! What is kept of the earlier ledger is checked with the rest of the directory: each of its files may be missing
//! or changed, and is then named.

use std::fs;
use std::path::Path;

use planledger_core::audit::FaultKind;
use planledger_core::verify::{Depth, PartName, verify_dir};
use planledger_fixtures::place::TempLedger;
use tempfile::TempDir;

use super::support::*;
use crate::audit::school::{NotarisedSchool, PLAN};

/// A ledger whose events come from a whole one.
fn carried() -> TempDir {
    let old = school(true).close();
    let to = tempfile::tempdir().unwrap();
    assert!(salvage(old.path(), to.path()).unwrap().is_whole());
    to
}

/// A ledger whose events come from one that had lost the second event of a plan.
fn carried_in_part() -> TempDir {
    let school: NotarisedSchool = school(false);
    let events = planledger_fixtures::place::events(&school.ledger);
    let of_plan = events.iter().filter(|event| event.stream == PLAN.into());
    let lost = of_plan.map(|event| event.position).nth(1).unwrap();
    let old = school.close();
    damage(old.path(), lost);
    let to = tempfile::tempdir().unwrap();
    assert!(!salvage(old.path(), to.path()).unwrap().is_whole());
    to
}

/// What is said of the files; nothing else has a fault.
fn said(dir: &Path) -> Option<(FaultKind, String)> {
    let found = verify_dir(
        &TempLedger::options_in(dir),
        Depth::Integrity,
        &|_, _, _| {},
    )
    .unwrap();
    assert!(found.part(PartName::Origin).is_some());
    let faults: Vec<_> = found.faults().collect();
    assert!(
        faults.iter().all(|(part, _)| *part == PartName::Origin),
        "{faults:?}"
    );
    let mut faults = faults.into_iter();
    let (_, fault) = faults.next()?;
    Some((fault.kind, fault.what.clone()))
}

#[test]
fn whoever_began_by_himself_has_nothing_to_compare() {
    let old = school(false).close();
    let options = TempLedger::options_in(old.path());
    let found = verify_dir(&options, Depth::Integrity, &|_, _, _| {}).unwrap();
    assert!(found.is_sound());
    assert_eq!(found.part(PartName::Origin), None);
}

#[test]
fn what_was_kept_is_counted_and_sound() {
    for dir in [carried(), carried_in_part()] {
        let options = TempLedger::options_in(dir.path());
        let found = verify_dir(&options, Depth::Full, &|_, _, _| {}).unwrap();
        let part = found.part(PartName::Origin).unwrap();
        assert_eq!(part.fault, None);
        let ledger = TempLedger::open_in(dir.path());
        let origin = ledger.origin().unwrap().unwrap();
        assert_eq!(part.checked, origin.position.get());
    }
}

#[test]
fn each_file_that_is_missing_is_named() {
    for dir in [carried(), carried_in_part()] {
        for name in ["entries", "checkpoints.txt", "report.json"] {
            let path = dir.path().join("origin").join(name);
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let (kind, what) = said(dir.path()).unwrap();
            assert_eq!(kind, FaultKind::Missing, "{what}");
            assert!(
                what.contains(&format!("origin/{name} is missing")),
                "{what}"
            );
            fs::write(&path, bytes).unwrap();
            assert_eq!(said(dir.path()), None);
        }
        fs::remove_dir_all(dir.path().join("origin")).unwrap();
        assert_eq!(said(dir.path()).unwrap().0, FaultKind::Missing);
    }
}

#[test]
fn no_byte_of_the_entries_can_change_and_none_can_be_added_or_taken_away() {
    for dir in [carried(), carried_in_part()] {
        let path = dir.path().join("origin/entries");
        let whole = fs::read(&path).unwrap();
        let changed = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let (kind, what) = said(dir.path()).unwrap();
            assert_eq!(kind, FaultKind::Entry, "{what}");
            assert!(what.contains("origin/entries was changed"), "{what}");
        };
        for at in (0..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            changed(&bytes);
        }
        changed(&whole[..whole.len() - 1]);
        changed(&whole[..whole.len() - 230]);
        changed(&[whole.as_slice(), &[0; 230]].concat());
        changed(&[]);
    }
}

#[test]
fn the_checkpoint_on_record_must_be_there_and_signed() {
    for dir in [carried(), carried_in_part()] {
        let path = dir.path().join("origin/checkpoints.txt");
        let whole = fs::read_to_string(&path).unwrap();
        let changed = |text: &str| {
            fs::write(&path, text).unwrap();
            let (kind, what) = said(dir.path()).unwrap();
            assert_eq!(kind, FaultKind::Checkpoint, "{what}");
            assert!(
                what.contains("origin/checkpoints.txt was changed"),
                "{what}"
            );
        };
        // None is there, and then one with another signature.
        changed("");
        let signature = whole.trim_end().rfind(' ').unwrap() + 10;
        let other = if &whole[signature..=signature] == "A" {
            "B"
        } else {
            "A"
        };
        let mut forged = whole.clone();
        forged.replace_range(signature..=signature, other);
        changed(&forged);
    }
}

#[test]
fn a_report_that_says_something_else_than_record_and_entries_is_named() {
    for dir in [carried(), carried_in_part()] {
        let path = dir.path().join("origin/report.json");
        let whole: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let fields = [
            "from",
            "lastPosition",
            "recordedAtPosition",
            "reached",
            "root",
            "checkpoint",
            "lost",
            "missing",
            "renumbered",
        ];
        for field in fields {
            let mut changed = whole.clone();
            changed[field] = serde_json::json!([{"first": 1, "last": 9}, 7]);
            fs::write(&path, changed.to_string()).unwrap();
            let (kind, what) = said(dir.path()).unwrap();
            assert_eq!(kind, FaultKind::Format, "{what}");
            assert!(
                what.contains(&format!("its field {field} is not")),
                "{what}"
            );
        }
        fs::write(&path, "{").unwrap();
        assert!(said(dir.path()).unwrap().1.contains("it is no JSON"));
    }
}
