//! What is there already is not copied again; what changed is; what is not kept goes.

use std::collections::BTreeSet;

use planledger_core::backup::{Keep, Pace, Place, check, forget, list};
use planledger_core::domain::Actor;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_fixtures::place::{START, TempLedger};

use super::support::{Places, in_small_segments};
use crate::audit::school::{TEACHER, signer};
use crate::ledger::support::put_institution;

fn more(ledger: &Ledger, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let put = put_institution(number, number % 4, &format!("Skole {number}"));
        ledger.execute(Actor::Person(TEACHER), put).unwrap();
    }
}

fn objects(places: &Places) -> BTreeSet<String> {
    let found = places.data().list("objects").unwrap();
    found.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn closed_segments_are_neither_read_nor_stored_again() {
    let place = TempLedger::new();
    let ledger = in_small_segments(&place);
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    more(&ledger, 0..60);
    notary.checkpoint().unwrap();
    let places = Places::new();
    let first = places.back_up(place.path());
    let again = places.back_up(place.path());
    assert_eq!(again.manifest.number, 2);
    assert_eq!(again.step.stored, 0);
    assert!(again.step.read < first.step.read / 2, "{:?}", again.step);
    assert_eq!(again.manifest.root, first.manifest.root);
    more(&ledger, 60..70);
    let third = places.back_up(place.path());
    assert!(third.step.stored > 0 && third.step.stored < third.step.bytes / 2);
    assert_eq!(third.manifest.root, ledger.status().root);
}

#[test]
fn a_segment_in_which_a_text_was_redacted_is_stored_again_and_the_old_one_goes_with_its_backup() {
    let place = TempLedger::new();
    let ledger = in_small_segments(&place);
    more(&ledger, 0..60);
    let places = Places::new();
    let first = places.back_up(place.path());
    let before = objects(&places);
    let target = crate::erasure::place(&ledger, Position::new(2));
    crate::erasure::decide(&ledger, target);
    ledger.carry_out_erasures().unwrap();
    let second = places.back_up(place.path());
    let name = "journal/segment-00000001.log";
    let (old, new) = (
        first.manifest.file(name).unwrap(),
        second.manifest.file(name).unwrap(),
    );
    assert_eq!(old.len, new.len);
    assert_ne!(old.parts, new.parts);
    assert_eq!(old.end, new.end);
    assert!(objects(&places).is_superset(&before));

    let (data, keys) = (places.data(), places.keys());
    let keep = Keep {
        last: Some(1),
        ..Keep::default()
    };
    let gone = forget(&data, Some(&keys), &keep, START).unwrap();
    assert_eq!(gone, [1]);
    assert!(forget(&data, Some(&keys), &keep, START).unwrap().is_empty());
    let left = objects(&places);
    for part in &old.parts {
        let object = part.object();
        assert!(!left.contains(object.strip_prefix("objects/").unwrap()));
    }
    check(&data, Some(&keys), None, None, Pace::new(None), &|_| {}).unwrap();
    assert_eq!(list(&data, None).unwrap().len(), 1);
}

#[test]
fn a_damaged_closed_segment_is_taken_from_the_backup_before_and_never_copied() {
    let place = TempLedger::new();
    let ledger = in_small_segments(&place);
    more(&ledger, 0..60);
    let places = Places::new();
    places.back_up(place.path());
    more(&ledger, 60..64);
    drop(ledger);
    let path = place.path().join("journal/segment-00000002.log");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let second = places.back_up(place.path());
    assert_eq!(second.manifest.number, 2);
    // Without a sound copy there is no backup that counts.
    let other = Places::new();
    let refused = super::support::create(place.path(), &other.data(), &other.keys());
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("segment-00000002.log")
    );
    assert!(list(&other.data(), None).unwrap().is_empty());
}

#[test]
fn a_place_keeps_the_backups_of_one_ledger() {
    let place = TempLedger::new();
    more(&in_small_segments(&place), 0..3);
    let places = Places::new();
    places.back_up(place.path());
    let other = TempLedger::new();
    more(&other.open(), 0..3);
    let refused = super::support::create(other.path(), &places.data(), &places.keys());
    assert!(refused.unwrap_err().to_string().contains("another place"));
}
