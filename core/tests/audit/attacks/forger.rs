//! A forger who holds every key writes another history: everything in the directory fits together.
//! Only who kept an earlier checkpoint, or trusts a witness that did, knows better (P5).

use std::fs;

use planledger_core::audit::FaultKind;
use planledger_core::domain::Event;
use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::{Actor, Command};
use planledger_core::ledger::Envelope;
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::{Algorithm, Signer, WitnessError};
use planledger_core::verify::PartName;

use super::{audit, audit_of, witness};
use crate::audit::directory::{Directory, fault};
use crate::audit::school::{ORIGIN, OTHERS, PLAN, TEACHER, signer};
use crate::audit::story::Story;
use planledger_fixtures::place::{TempLedger, command_id, copy};

/// The forged directory is sound by itself, and found out by who kept a checkpoint.
fn found_out(directory: &Directory, forged: &Directory) {
    assert_eq!(forged.faults(), []);
    assert!(audit(forged, None).is_ok());
    let kept = directory.newest_checkpoint();
    assert_eq!(audit(forged, Some(&kept)), Err(FaultKind::Growth));
    let refused = witness(forged, &kept);
    assert!(
        matches!(
            refused,
            Err(WitnessError::Inconsistent { .. }
                | WitnessError::Forked { .. }
                | WitnessError::Backwards { .. })
        ),
        "{refused:?}"
    );
}

fn say(story: &mut Story, position: u64, words: &str) {
    let text = words.parse().unwrap();
    story.at(position).event = Event::Plan(PlanEvent::StatusWritten { text });
}

#[test]
fn a_rewritten_entry_is_found_out() {
    let directory = Directory::new();
    let kept = directory.kept();
    let position = *Story::read(directory.path())
        .of_stream(PLAN)
        .last()
        .unwrap();
    let second = kept[1].checkpoint.size;
    assert!(position > second);
    let forged = directory.forged(|story| say(story, position, "læser aldrig"));
    found_out(&directory, &forged);
    // One checkpoint from before the change does not tell; that is what a newer one is for.
    assert!(audit(&forged, Some(&kept[1])).is_ok());
    // A forger without the signing key has to leave the checkpoints as they are.
    fs::remove_dir_all(forged.file("checkpoints")).unwrap();
    copy(&directory.file("checkpoints"), &forged.file("checkpoints"));
    let found = forged.verify();
    assert_eq!(fault(&found, PartName::Journal), None);
    assert_eq!(
        fault(&found, PartName::Checkpoints),
        Some(("CHECKPOINT", second + 1))
    );
    let ledger = TempLedger::open_in(forged.path());
    let refused = Notary::open(ledger, forged.path(), signer());
    assert!(matches!(refused, Err(NotaryError::Forked { .. })));
}

#[test]
fn a_dropped_event_and_a_swapped_pair_are_found_out() {
    let directory = Directory::new();
    let story = Story::read(directory.path());
    let last = *story.of_stream(OTHERS).last().unwrap();
    found_out(&directory, &directory.forged(|story| story.remove(&[last])));
    let first = story.of_stream(PLAN)[1];
    let swapped = directory.forged(|story| story.swap_with_times(first, first + 1));
    found_out(&directory, &swapped);
}

#[test]
fn a_forked_history_is_found_out_by_whoever_saw_the_other_branch() {
    let directory = Directory::new();
    let position = *Story::read(directory.path())
        .of_stream(PLAN)
        .last()
        .unwrap();
    let one = directory.forged(|story| say(story, position, "læser godt"));
    let other = directory.forged(|story| say(story, position, "læser dårligt"));
    found_out(&one, &other);
    found_out(&other, &one);
    // Both branches' checkpoints in one place prove that the log's owner signed two histories.
    one.edit("checkpoints/checkpoints.txt", |bytes| {
        let note = other.newest_checkpoint().note;
        bytes.extend_from_slice(format!("{note}\n").as_bytes());
    });
    let second = one.kept()[1].checkpoint.size;
    assert_eq!(
        one.fault(PartName::Checkpoints),
        Some(("CHECKPOINT", second + 1))
    );
}

#[test]
fn an_entry_put_into_the_past_is_found_out() {
    let directory = Directory::new();
    let forged = directory.forged(|story| {
        let at = story.of_stream(PLAN)[2];
        let text = "læste også i går".parse().unwrap();
        story.insert_before(at, at, Event::Plan(PlanEvent::StatusWritten { text }));
    });
    assert_eq!(forged.verify().events, directory.verify().events.next());
    found_out(&directory, &forged);
}

#[test]
fn an_old_backup_that_is_put_back_is_found_out() {
    let directory = Directory::new();
    let backup = tempfile::tempdir().unwrap();
    copy(directory.path(), backup.path());
    let go_on = |words: &str, id| {
        let (ledger, notary) = directory.open();
        let text = words.parse().unwrap();
        let command = Command::Plan(PLAN, PlanCommand::WriteStatus { text });
        let envelope = Envelope::new(command_id(id), command);
        ledger.execute(Actor::Person(TEACHER), envelope).unwrap();
        let kept = notary.checkpoint().unwrap();
        ledger.settle();
        kept
    };
    let put_back = |parts: &[&str]| {
        for part in parts {
            fs::remove_dir_all(directory.file(part)).unwrap();
            copy(&backup.path().join(part), &directory.file(part));
        }
    };
    let kept = go_on("læser flydende", 1_000);
    assert_eq!(directory.faults(), []);
    // Some of it: what is newer tells.
    put_back(&["journal", "derived", "tlog"]);
    let found = directory.verify();
    let end = found.events.next().get();
    assert_eq!(
        fault(&found, PartName::Checkpoints),
        Some(("CHECKPOINT", end))
    );
    let ledger = TempLedger::open_in(directory.path());
    let refused = Notary::open(ledger.clone(), directory.path(), signer());
    assert!(matches!(refused, Err(NotaryError::RolledBack { .. })));
    drop(ledger);
    // All of it: the directory cannot know.
    put_back(&["journal", "derived", "tlog", "checkpoints", "keys"]);
    assert_eq!(directory.faults(), []);
    assert_eq!(audit(&directory, Some(&kept)), Err(FaultKind::Growth));
    assert!(witness(&directory, &kept).is_err());
    // And gone on with, as far as it had come before.
    let other = go_on("kan ikke læse", 1_001);
    assert_eq!(other.checkpoint.size, kept.checkpoint.size);
    assert_eq!(directory.faults(), []);
    assert_eq!(audit(&directory, Some(&kept)), Err(FaultKind::Growth));
    assert!(matches!(
        witness(&directory, &kept),
        Err(WitnessError::Forked { .. })
    ));
}

#[test]
fn a_replaced_signing_key_is_found_out_by_whoever_knows_the_right_one() {
    let directory = Directory::new();
    let first = directory.kept()[0].checkpoint.size;
    let other = Signer::new(ORIGIN, Algorithm::Ed25519, [0x66; 32]).unwrap();
    let ledger = TempLedger::open_in(directory.path());
    let refused = Notary::open(ledger.clone(), directory.path(), other.clone());
    assert!(matches!(refused, Err(NotaryError::Key { .. })));
    drop(ledger);
    // Checkpoints signed again by another key than is on record.
    let signed = directory.forged_with(&signer(), &other, |_| {});
    assert_eq!(
        signed.fault(PartName::Checkpoints),
        Some(("SIGNATURE", first))
    );
    // On record as well: everything fits, but it is not the key that was published.
    let forged = directory.forged_with(&other, &other, |story| {
        let key = story.of_ledger()[0];
        story.at(key).event = Event::Ledger(LedgerEvent::KeyIntroduced {
            key: other.verifier(),
        });
    });
    let found = forged.verify();
    assert!(found.is_sound());
    assert_eq!(found.key, Some(other.verifier()));
    let found = audit_of(&forged, other.clone(), None);
    assert_eq!(found, Err(FaultKind::Signature));
    // A change of key that the key before it did not sign.
    let rotated = directory.forged_with(&other, &other, |story| {
        let rotated = LedgerEvent::KeyRotated {
            from: signer().verifier(),
            to: other.verifier(),
            statement: "I say so".to_owned(),
        };
        let (next, key) = (first + 1, story.of_ledger()[0]);
        story.insert_before(next, key, Event::Ledger(rotated));
    });
    assert_eq!(
        rotated.fault(PartName::Checkpoints),
        Some(("SIGNATURE", first + 1))
    );
}
