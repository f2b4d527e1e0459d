//! Keys that are gone, or are not the right ones.

use std::fs;

use planledger_core::ids::{Position, StreamId};
use planledger_core::ledger::{Ledger, OpenError};
use planledger_core::seal::KeyStoreError;
use planledger_core::verify::{Depth, PartName, verify_dir};

use crate::audit::directory::{Directory, fault};
use crate::audit::school::{CLASSMATE, OTHERS, PLAN, STUDENT, TEACHER, signer};
use crate::audit::story::Story;
use planledger_fixtures::place::TempLedger;

const SLOT: usize = 256;
const KEYS: &str = "keys/keys.log";

#[test]
fn a_key_that_is_gone_is_found_at_the_first_event_it_sealed() {
    let directory = Directory::new();
    let story = Story::read(directory.path());
    let position = story.of_stream(TEACHER)[0];
    let whole = fs::read(directory.file(KEYS)).unwrap();
    // The newest key: nothing in the key store says that there was one more.
    directory.edit(KEYS, |bytes| bytes.truncate(bytes.len() - SLOT));
    let found = directory.verify();
    assert_eq!(fault(&found, PartName::Contents), Some(("KEY", position)));
    assert_eq!(fault(&found, PartName::Journal), None);
    let contents = found.part(PartName::Contents).unwrap();
    assert_eq!(contents.checked, position - 1);
    // Derived state cannot be compared then, which is said.
    let note = &found.part(PartName::Derived).unwrap().note;
    assert!(note.as_ref().unwrap().contains("not compared"), "{note:?}");
    // It would go on with another key for the same person, so it does not start; whether there is
    // derived state or not.
    let opened = || Ledger::open(TempLedger::options_in(directory.path()));
    let error = opened().err().unwrap();
    assert!(
        matches!(error, OpenError::Keys(KeyStoreError::Older { has, needs }) if has + 1 == needs),
        "{error}"
    );
    let aside = directory.file("aside");
    fs::rename(directory.file("derived"), &aside).unwrap();
    let error = opened().err().unwrap();
    let lacks = |error: &OpenError| match error {
        OpenError::Keys(KeyStoreError::Lacks { position: at, .. }) => at.get() == position,
        _ => false,
    };
    assert!(lacks(&error), "{error}");
    fs::remove_dir_all(directory.file("derived")).unwrap();
    fs::rename(&aside, directory.file("derived")).unwrap();
    // One of zeros counts as never written; looking at it changes nothing.
    fs::write(directory.file(KEYS), &whole).unwrap();
    directory.edit(KEYS, |bytes| {
        let from = bytes.len() - SLOT;
        bytes[from..].fill(0);
    });
    let before = fs::read(directory.file(KEYS)).unwrap();
    let found = directory.verify();
    assert_eq!(fault(&found, PartName::Contents), Some(("KEY", position)));
    let note = &found.part(PartName::Contents).unwrap().note;
    assert!(note.as_ref().unwrap().contains("256 bytes"), "{note:?}");
    assert_eq!(fs::read(directory.file(KEYS)).unwrap(), before);
    // From the middle: a later slot knows how many there were.
    fs::write(directory.file(KEYS), &whole).unwrap();
    directory.edit(KEYS, |bytes| drop(bytes.drain(2 * SLOT..3 * SLOT)));
    let opened = Ledger::open(TempLedger::options_in(directory.path()));
    let gone =
        |error: &OpenError| matches!(error, OpenError::Keys(KeyStoreError::Damaged { slot: 2 }));
    assert!(opened.is_err_and(|error| gone(&error)));
    let options = TempLedger::options_in(directory.path());
    let found = verify_dir(&options, Depth::Full, &|_, _, _| {});
    assert!(found.is_err_and(|error| gone(&error)));
}

/// Sealed under another person's key, an event opens for somebody that it is not about.
#[test]
fn an_event_sealed_under_the_key_of_another_is_found() {
    let directory = Directory::new();
    let story = Story::read(directory.path());
    let key_of = |stream: StreamId| story.key_of(stream);
    let (student, classmate) = (key_of(STUDENT.into()), key_of(CLASSMATE.into()));
    // The whole of a student's plan: its opening says whose it is.
    let positions = story.of_stream(OTHERS);
    let forged = directory.forged(|story| {
        for position in &positions {
            story.at(*position).entry.key = student;
        }
    });
    let first = positions[0];
    assert_eq!(forged.fault(PartName::Contents), Some(("KEY", first)));
    // One event: the key does not change along a plan.
    let position = story.of_stream(PLAN)[2];
    let forged = directory.forged_journal(&signer(), |story| {
        story.at(position).entry.key = classmate;
    });
    assert_eq!(forged.fault(PartName::Journal), Some(("KEY", position)));
    assert_eq!(Position::new(position), forged.verify().events.next());
}
