//! An older state is put back: up to a position or an instant, with what is known of what came after.

use planledger_core::backup::{Lost, Until};
use planledger_core::domain::erasure::Target;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::Position;
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, OpenError, Payload};
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::time::Timestamp;
use planledger_core::tlog::Kept;
use planledger_fixtures::place::{TempLedger, command_id, copy, events};

use super::support::{Places, restore};
use crate::audit::school::{NotarisedSchool, PLAN, STUDENT, TEACHER, signer};

fn write(id: u64, text: &str) -> Envelope {
    let text = text.parse().unwrap();
    Envelope::new(
        command_id(id),
        Command::Plan(PLAN, PlanCommand::WriteStatus { text }),
    )
}

fn send(ledger: &Ledger, id: u64, text: &str) -> Result<Position, ExecuteError> {
    let receipt = ledger.execute(Actor::Person(TEACHER), write(id, text))?;
    Ok(receipt.position)
}

fn is_lost(ledger: &Ledger, id: u64, text: &str) -> bool {
    match send(ledger, id, text) {
        Err(ExecuteError::LostInRestore { index: 0, command }) => command == command_id(id),
        Err(other) => panic!("{other}"),
        Ok(_) => false,
    }
}

/// Three commands after a first one, a backup that has all, and each way to say up to where.
#[test]
fn commands_that_are_cut_off_are_refused_with_a_reason_and_checkpoints_beyond_stay_as_evidence() {
    let school = NotarisedSchool::new();
    let first = send(&school.ledger, 501, "læser kort").unwrap();
    let early = school.checkpoint();
    let cut = send(&school.ledger, 502, "læser længe").unwrap();
    let at = events(&school.ledger)[cut.get() as usize - 1].recorded_at;
    send(&school.ledger, 503, "læser højt").unwrap();
    send(&school.ledger, 504, "skriver").unwrap();
    let late = school.checkpoint();
    let places = Places::new();
    places.back_up(school.place.path());
    drop(school.close());
    for until in [
        Until::Position(cut),
        Until::Instant(at),
        Until::Instant(at.plus(1)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let done = places.put_back(dir.path(), until);
        let restored = &done.restored;
        assert_eq!(restored.position, cut, "{until:?}");
        assert_eq!(restored.reached.get(), late.checkpoint.size);
        let beyond = restored.beyond.unwrap();
        assert_eq!(beyond.size.get(), late.checkpoint.size);
        assert_eq!(beyond.root, late.checkpoint.root);
        assert_eq!(restored.commands, 2);
        let (ledger, notary) = NotarisedSchool::reopen(dir.path());
        assert_eq!(notary.latest().unwrap().as_ref(), Some(&early));
        assert!(is_lost(&ledger, 503, "læser højt"));
        assert!(is_lost(&ledger, 504, "noget andet"));
        // What was put back is known as ever, and what is new is taken.
        assert_eq!(send(&ledger, 502, "læser længe").unwrap(), cut);
        assert_eq!(send(&ledger, 501, "læser kort").unwrap(), first);
        send(&ledger, 505, "læser højt").unwrap();
        notary.checkpoint().unwrap();
        drop((ledger, notary));
        let text = std::fs::read_to_string(dir.path().join("checkpoints/beyond.txt")).unwrap();
        assert_eq!(text, format!("{}\n", late.note));
        let kept = Kept::read_all(&dir.path().join("checkpoints")).unwrap();
        assert!(kept.notes.iter().all(|signed| signed != &late));
        // The ids stand in a file, whose hash is on record.
        let file = dir.path().join("restored/commands");
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&file, bytes).unwrap();
        for _ in 0..2 {
            let refused = Ledger::open(TempLedger::options_in(dir.path()))
                .err()
                .unwrap();
            assert!(matches!(refused, OpenError::LostCommands), "{refused}");
            std::fs::remove_file(&file).unwrap_or_default();
        }
    }
    let (data, keys) = (places.data(), places.keys());
    let dir = tempfile::tempdir().unwrap();
    let too_far = Until::Position(Position::new(10_000));
    assert!(restore(dir.path(), &data, &keys, too_far).run().is_err());
    let too_late = Until::Instant(Timestamp::from_nanos(u64::MAX));
    assert!(restore(dir.path(), &data, &keys, too_late).run().is_err());
}

/// The disk is lost after the backup, but what is left of it says what is missing.
#[test]
fn what_is_left_of_the_lost_directory_says_which_commands_acts_and_checkpoints_came_after() {
    let school = NotarisedSchool::new();
    send(&school.ledger, 601, "læser kort").unwrap();
    school.checkpoint();
    let places = Places::new();
    let created = places.back_up(school.place.path());
    send(&school.ledger, 602, "læser længe").unwrap();
    crate::erasure::decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    let late = school.checkpoint();
    let lost = school.close();

    // Without it nothing of that is known: the person's text is there again.
    let dir = tempfile::tempdir().unwrap();
    let done = places.put_back(dir.path(), Until::End);
    assert_eq!(done.restored.reached, done.restored.position);
    drop(done);

    let dir = tempfile::tempdir().unwrap();
    let (data, keys) = (places.data(), places.keys());
    let mut with = restore(dir.path(), &data, &keys, Until::End);
    with.lost = Lost {
        dir: Some(lost.path()),
        ..Lost::default()
    };
    let done = with.run().unwrap();
    assert_eq!(done.lost_was_whole, Some(true));
    assert_eq!(done.restored.position, created.manifest.position);
    assert_eq!(done.restored.reached.get(), late.checkpoint.size);
    assert_eq!(done.restored.beyond.unwrap().root, late.checkpoint.root);
    let (ledger, notary) = NotarisedSchool::reopen(dir.path());
    let erased = events(&ledger)
        .iter()
        .filter(|event| event.payload == Payload::Erased)
        .count();
    assert!(erased > 2, "{erased}");
    let refused = send(&ledger, 602, "læser længe");
    assert!(
        matches!(refused, Err(ExecuteError::LostInRestore { .. })),
        "{refused:?}"
    );
    notary.checkpoint().unwrap();
}

/// Whoever puts the files of a backup in place by hand instead is stopped, as ever.
#[test]
fn an_older_journal_without_the_act_is_still_refused() {
    let school = NotarisedSchool::new();
    let older = tempfile::tempdir().unwrap();
    school.ledger.settle();
    copy(
        &school.place.path().join("journal"),
        &older.path().join("journal"),
    );
    copy(
        &school.place.path().join("keys"),
        &older.path().join("keys"),
    );
    send(&school.ledger, 701, "læser kort").unwrap();
    school.checkpoint();
    copy(
        &school.place.path().join("checkpoints"),
        &older.path().join("checkpoints"),
    );
    drop(school.close());
    let ledger = TempLedger::open_in(older.path());
    let refused = Notary::open(ledger, older.path(), signer()).err().unwrap();
    assert!(
        matches!(refused, NotaryError::RolledBack { .. }),
        "{refused}"
    );
    // Nor is a backup made of it that would look like the newest.
    let places = Places::new();
    let refused = super::support::create(older.path(), &places.data(), &places.keys());
    assert!(refused.unwrap_err().to_string().contains("what is missing"));
}

/// A restored ledger is backed up and put back again: what was lost the first time stays refused.
#[test]
fn what_was_lost_once_stays_refused_after_the_next_restore() {
    let school = NotarisedSchool::new();
    let cut = send(&school.ledger, 801, "læser kort").unwrap();
    send(&school.ledger, 802, "læser længe").unwrap();
    let late = school.checkpoint();
    let places = Places::new();
    places.back_up(school.place.path());
    drop(school.close());
    let dir = tempfile::tempdir().unwrap();
    places.put_back(dir.path(), Until::Position(cut));
    let (ledger, notary) = NotarisedSchool::reopen(dir.path());
    let second = send(&ledger, 803, "læser højt").unwrap();
    send(&ledger, 804, "skriver").unwrap();
    notary.checkpoint().unwrap();
    drop((ledger, notary));
    let created = places.back_up(dir.path());
    assert_eq!(created.manifest.number, 2);
    let again = tempfile::tempdir().unwrap();
    let done = places.put_back(again.path(), Until::Position(second));
    let ledger = TempLedger::open_in(again.path());
    assert!(is_lost(&ledger, 802, "læser længe"));
    assert!(is_lost(&ledger, 804, "skriver"));
    assert_eq!(ledger.restores().unwrap().len(), 2);
    let text = std::fs::read_to_string(again.path().join("checkpoints/beyond.txt")).unwrap();
    assert!(text.contains(&late.note.to_string()));
    assert!(done.restored.reached.get() >= late.checkpoint.size);
}
