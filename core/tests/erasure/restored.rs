//! An older copy is put back: nobody is served before the acts are carried out again.

use planledger_core::domain::erasure::Target;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::Position;
use planledger_core::ledger::{Envelope, Ledger, OpenError, Options, Payload, Undone};
use planledger_core::verify::{Depth, verify_dir};
use planledger_fixtures::place::{TempLedger, copy, events};
use std::path::Path;

use super::{decide, fresh, place};
use crate::audit::school::{NotarisedSchool, PLAN, STUDENT, TEACHER};

fn refused(dir: &Path, count: usize) {
    match Ledger::open(TempLedger::options_in(dir)) {
        Err(OpenError::ErasuresUndone { count: found }) => assert_eq!(found, count),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opens"),
    }
}

pub(crate) fn reapplied(dir: &Path) -> Ledger {
    let options = Options {
        undone: Undone::CarryOutAgain,
        ..TempLedger::options_in(dir)
    };
    drop(Ledger::open(options).unwrap());
    let found = verify_dir(&TempLedger::options_in(dir), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults().collect::<Vec<_>>());
    TempLedger::open_in(dir)
}

/// Puts these folders of an older copy back.
fn put_back(from: &Path, to: &Path, folders: &[&str]) {
    for folder in folders {
        std::fs::remove_dir_all(to.join(folder)).unwrap();
        copy(&from.join(folder), &to.join(folder));
    }
}

#[test]
fn an_older_copy_of_keys_or_journal_is_not_served_before_the_acts_are_carried_out_again() {
    let mut school = NotarisedSchool::new();
    let written = school.write(PLAN, "stod i den forkerte plan").position;
    school.ledger.settle();
    let current = school.close();
    let older = tempfile::tempdir().unwrap();
    copy(current.path(), older.path());
    let ledger = current.open();
    let target = place(&ledger, written);
    decide(&ledger, target);
    ledger.carry_out_erasures().unwrap();
    decide(&ledger, Target::Person(STUDENT));
    ledger.carry_out_erasures().unwrap();
    drop(ledger);
    for (folders, count) in [
        (&["keys"][..], 1),
        (&["journal", "keys", "derived"][..], 2),
        (&["journal", "derived"][..], 2),
    ] {
        let dir = tempfile::tempdir().unwrap();
        copy(current.path(), dir.path());
        put_back(older.path(), dir.path(), folders);
        refused(dir.path(), count);
        let ledger = reapplied(dir.path());
        let found = events(&ledger);
        let gone = &found[written.get() as usize - 1];
        assert_eq!(gone.payload, Payload::Erased, "{folders:?}");
    }
    // Without the file of acts, an older journal does not know what was decided after it.
    std::fs::remove_dir_all(current.path().join("erasures")).unwrap();
    put_back(
        older.path(),
        current.path(),
        &["journal", "keys", "derived"],
    );
    drop(current.open());
}

/// The newest thing that the older copy holds is one group of commands, and what was redacted is in the
/// middle of it: it must not be taken for a torn end.
#[test]
fn an_older_copy_that_ends_with_the_redacted_group_is_whole_after_it_was_done_again() {
    let school = NotarisedSchool::new();
    let write = |text: &str| {
        let text = text.parse().unwrap();
        let command = Command::Plan(PLAN, PlanCommand::WriteStatus { text });
        Envelope::new(fresh(), command)
    };
    let group = ["er god til at læse", "stod i den forkerte plan", "skriver"].map(write);
    let teacher = Actor::Person(TEACHER);
    let receipts = school
        .ledger
        .execute_batch(teacher, group.to_vec())
        .unwrap();
    let (written, last) = (receipts[1].position, receipts[2].position);
    school.ledger.settle();
    let current = school.close();
    let older = tempfile::tempdir().unwrap();
    copy(current.path(), older.path());
    let ledger = current.open();
    decide(&ledger, place(&ledger, written));
    ledger.carry_out_erasures().unwrap();
    drop(ledger);
    put_back(
        older.path(),
        current.path(),
        &["journal", "keys", "derived"],
    );
    refused(current.path(), 1);
    let ledger = reapplied(current.path());
    let found = events(&ledger);
    let payload = |position: Position| &found[position.get() as usize - 1].payload;
    assert!(matches!(payload(written), Payload::Left(_)), "{written}");
    assert!(matches!(payload(last), Payload::Json(_)), "{last}");
    // What comes after it is recorded, and found by the next start.
    let after = ledger.execute(teacher, write("læser højt")).unwrap();
    ledger.settle();
    drop(ledger);
    let ledger = reapplied(current.path());
    let found = events(&ledger);
    assert_eq!(found.last().unwrap().position, after.position);
    let gone = &found[written.get() as usize - 1];
    assert!(matches!(gone.payload, Payload::Left(_)));
}

#[test]
fn a_changed_file_of_acts_is_found() {
    let school = NotarisedSchool::new();
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    let place = school.close();
    let file = place.path().join("erasures/acts.txt");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("Artikel 17", "Artikel 18")).unwrap();
    match Ledger::open(place.options()) {
        Err(OpenError::Acts { line: 1 }) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opens"),
    }
}
