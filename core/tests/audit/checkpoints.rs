//! Checkpoints of a running ledger: made, kept, published; and a journal that is not theirs.

use std::fs;
use std::path::Path;

use planledger_core::ids::Position;
use planledger_core::merkle::{check_consistency, check_inclusion};
use planledger_core::notary::{Notary, NotaryError, key_on_record};
use planledger_core::tlog::{Algorithm, SignedCheckpoint, Signer};

use crate::audit::school::{NotarisedSchool, ORIGIN, PLAN, signer};
use planledger_fixtures::place::{TempLedger, copy, files};

#[test]
fn a_checkpoint_is_made_when_something_happened_and_kept_for_ever() {
    let mut school = NotarisedSchool::new();
    let first = school.checkpoint();
    assert_eq!(school.checkpoint(), first);
    assert_eq!(first.checkpoint.position(), school.ledger.position());
    assert_eq!(first.checkpoint.root, school.ledger.status().root);
    first.verify([&signer().verifier()]).unwrap();
    school.write(PLAN, "læser højt");
    let second = school.checkpoint();
    assert!(second.checkpoint.size > first.checkpoint.size);
    let published = fs::read(school.place.path().join("tlog/checkpoint")).unwrap();
    assert_eq!(SignedCheckpoint::parse(&published).unwrap(), second);
    let place = school.close();
    let (_ledger, notary) = NotarisedSchool::reopen(place.path());
    assert_eq!(notary.checkpoint().unwrap(), second);
    assert_eq!(notary.at_least(1).unwrap(), Some(first));
}

#[test]
fn every_event_is_proved_in_every_checkpoint_behind_it() {
    let mut school = NotarisedSchool::new();
    let mut kept = Vec::new();
    for n in 0..20 {
        for m in 0..n {
            school.write(PLAN, &format!("{n} {m}"));
        }
        kept.push(school.checkpoint().checkpoint);
    }
    for checkpoint in &kept {
        for position in 1..=checkpoint.size {
            let position = Position::new(position);
            let proof = school.notary.inclusion(position, checkpoint.size).unwrap();
            assert_eq!(proof.signed.checkpoint, *checkpoint);
            let leaf = leaf(&school, position);
            let index = position.get() - 1;
            let (size, root) = (checkpoint.size, &checkpoint.root);
            check_inclusion(index, size, &leaf, &proof.path, root).unwrap();
        }
        for earlier in kept
            .iter()
            .filter(|earlier| earlier.size <= checkpoint.size)
        {
            let proof = school
                .notary
                .consistency(earlier.size, checkpoint.size)
                .unwrap();
            let (signed, root, proof) = proof;
            assert_eq!(
                (signed.checkpoint, root),
                (checkpoint.clone(), earlier.root)
            );
            check_consistency(
                earlier.size,
                checkpoint.size,
                &proof,
                &root,
                &checkpoint.root,
            )
            .unwrap();
        }
    }
}

fn leaf(school: &NotarisedSchool, position: Position) -> [u8; 32] {
    let path = school.place.path().join("tlog/tile/entries");
    let index = position.get() - 1;
    let bundle = path.join(format!("{:03}", index / 256));
    let bytes = match fs::read(&bundle) {
        Ok(bytes) => bytes,
        Err(_) => {
            let partial = bundle.with_extension("p");
            let newest = fs::read_dir(partial).unwrap();
            let widths = newest.map(|entry| entry.unwrap().path());
            let width = |path: &std::path::PathBuf| -> u64 {
                path.file_name().unwrap().to_str().unwrap().parse().unwrap()
            };
            fs::read(widths.max_by_key(width).unwrap()).unwrap()
        }
    };
    let entry = &bytes[(index % 256) as usize * 232..][..232];
    assert_eq!(entry[..2], 230u16.to_be_bytes());
    planledger_core::merkle::hash_leaf(&entry[2..])
}

#[test]
fn tiles_and_heads_that_are_missing_or_wrong_are_made_anew() {
    let mut school = NotarisedSchool::new();
    for n in 0..600 {
        school.write(PLAN, &n.to_string());
    }
    let before = school.checkpoint();
    let place = school.close();
    let tlog = place.path().join("tlog");
    let expected = files(&tlog.join("tile"));
    for harm in [
        |tlog: &Path| fs::remove_dir_all(tlog).unwrap(),
        |tlog: &Path| fs::write(tlog.join("tile/0/000"), vec![7; 8_192]).unwrap(),
        |tlog: &Path| fs::write(tlog.join("tile/0/001"), b"short").unwrap(),
        |tlog: &Path| fs::write(tlog.join("size"), b"100000\n").unwrap(),
        |tlog: &Path| fs::remove_file(tlog.join("tile/1/000.p/2")).unwrap(),
        |tlog: &Path| fs::remove_dir_all(tlog.parent().unwrap().join("derived")).unwrap(),
    ] {
        harm(&tlog);
        let (ledger, notary) = NotarisedSchool::reopen(place.path());
        assert_eq!(notary.checkpoint().unwrap(), before);
        // A tile that is not on the way to the newest root is wrong until it is used.
        for position in 1..=before.checkpoint.size {
            let position = Position::new(position);
            notary.inclusion(position, before.checkpoint.size).unwrap();
        }
        drop((ledger, notary));
        assert_eq!(files(&tlog.join("tile")), expected);
    }
}

#[test]
fn an_old_journal_put_back_is_not_signed_on() {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    let old = tempfile::tempdir().unwrap();
    school.ledger.settle();
    copy(
        &school.place.path().join("journal"),
        &old.path().join("journal"),
    );
    school.write(PLAN, "læser højt");
    school.checkpoint();
    let place = school.close();
    for part in ["journal", "derived", "tlog"] {
        fs::remove_dir_all(place.path().join(part)).unwrap();
    }
    copy(&old.path().join("journal"), &place.path().join("journal"));
    let ledger = TempLedger::open_in(place.path());
    let refused = Notary::open(ledger, place.path(), signer());
    assert!(matches!(refused, Err(NotaryError::RolledBack { .. })));
}

/// Otherwise a checkpoint would be signed over a history that is gone.
#[test]
fn tiles_that_go_beyond_what_was_put_back_are_not_built_on() {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    let old = tempfile::tempdir().unwrap();
    school.ledger.settle();
    for part in ["journal", "checkpoints"] {
        copy(&school.place.path().join(part), &old.path().join(part));
    }
    school.write(PLAN, "læser højt");
    school.write(PLAN, "læser lavt");
    let lost = school.checkpoint().checkpoint;
    let NotarisedSchool {
        place,
        ledger,
        notary,
        commands,
    } = school;
    drop((ledger, notary));
    for part in ["journal", "checkpoints", "derived"] {
        fs::remove_dir_all(place.path().join(part)).unwrap();
    }
    for part in ["journal", "checkpoints"] {
        copy(&old.path().join(part), &place.path().join(part));
    }
    let ledger = TempLedger::open_in(place.path());
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    let mut school = NotarisedSchool::around(place, ledger, notary);
    school.commands = commands;
    school.write(PLAN, "læser igen");
    let next = school.checkpoint().checkpoint;
    assert!(next.size < lost.size);
    assert_eq!(next.root, school.ledger.status().root);
    let proof = school.notary.inclusion(next.position(), next.size).unwrap();
    assert_eq!(proof.signed.checkpoint, next);
}

#[test]
fn another_journal_of_the_same_length_is_not_signed_on() {
    let school = NotarisedSchool::new();
    school.checkpoint();
    let other = NotarisedSchool::new();
    other.checkpoint();
    let kept = fs::read(other.place.path().join("checkpoints/checkpoints.txt")).unwrap();
    let place = school.close();
    fs::write(place.path().join("checkpoints/checkpoints.txt"), kept).unwrap();
    let ledger = TempLedger::open_in(place.path());
    let refused = Notary::open(ledger, place.path(), signer());
    assert!(matches!(refused, Err(NotaryError::Forked { .. })));
}

/// The second time the statement of the change is the same as the first time.
#[test]
fn a_key_that_signed_before_can_come_back_and_go_again() {
    let school = NotarisedSchool::new();
    let other = || Signer::new(ORIGIN, Algorithm::Ed25519, [0x11; 32]).unwrap();
    let NotarisedSchool {
        place,
        ledger,
        notary,
        ..
    } = school;
    drop(notary);
    let keys = [signer(), other(), signer(), other()];
    for pair in keys.windows(2) {
        let [now, next] = pair else { panic!() };
        let notary = Notary::open(ledger.clone(), place.path(), now.clone()).unwrap();
        notary.rotate(next).unwrap();
        let recorded = key_on_record(&ledger).unwrap();
        assert_eq!(recorded, Some(next.verifier()));
    }
}

#[test]
fn another_key_than_the_one_on_record_does_not_sign() {
    let school = NotarisedSchool::new();
    school.checkpoint();
    let NotarisedSchool {
        place,
        ledger,
        notary,
        ..
    } = school;
    drop(notary);
    let other = Signer::new(ORIGIN, Algorithm::Ed25519, [0x11; 32]).unwrap();
    let refused = Notary::open(ledger, place.path(), other);
    assert!(matches!(refused, Err(NotaryError::Key { .. })));
}
