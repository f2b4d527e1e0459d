//! A backup or a restore that is interrupted, at every step, is begun again.

use planledger_core::backup::{Pace, Until, check, list};
use planledger_core::domain::Actor;
use planledger_core::ledger::{Ledger, OpenError};
use planledger_core::notary::Notary;
use planledger_fixtures::place::{TempLedger, events};

use super::support::{Failing, Places, create, in_small_segments, restore};
use crate::audit::school::{TEACHER, signer};
use crate::ledger::support::put_institution;

fn some(place: &TempLedger) -> Ledger {
    let ledger = in_small_segments(place);
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    for number in 0..30 {
        let put = put_institution(number, number, "Skolen ved fjorden");
        ledger.execute(Actor::Person(TEACHER), put).unwrap();
    }
    notary.checkpoint().unwrap();
    ledger
}

#[test]
fn an_interrupted_backup_does_not_count_and_the_next_one_goes_on_with_what_it_stored() {
    let place = TempLedger::new();
    let ledger = some(&place);
    for operations in 0.. {
        let places = Places::new();
        let failing = Failing::after(places.data(), operations);
        let interrupted = create(place.path(), &failing, &places.keys());
        let Err(error) = interrupted else {
            assert!(operations > 8, "{operations} operations");
            break;
        };
        assert!(error.to_string().contains("the place is gone"), "{error}");
        assert!(list(&places.data(), None).unwrap().is_empty());
        let whole = places.back_up(place.path());
        assert_eq!(whole.manifest.number, 1);
        let written = (operations - 3).max(0) as u64;
        assert!(
            written == 0 || whole.step.stored < whole.step.bytes,
            "after {operations}"
        );
    }
    drop(ledger);
}

#[test]
fn an_interrupted_restore_leaves_nothing_that_opens_and_is_begun_again() {
    let place = TempLedger::new();
    let ledger = some(&place);
    let before = events(&ledger);
    let places = Places::new();
    places.back_up(place.path());
    drop(ledger);
    let (data, keys) = (places.data(), places.keys());
    for operations in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let failing = Failing::after(places.data(), operations);
        let Err(error) = restore(dir.path(), &failing, &keys, Until::End).run() else {
            assert!(operations > 8, "{operations} operations");
            break;
        };
        assert!(error.to_string().contains("the place is gone"), "{error}");
        if dir.path().join("restoring").exists() {
            match Ledger::open(TempLedger::options_in(dir.path())) {
                Err(OpenError::Unfinished { .. }) => {}
                Err(other) => panic!("{other}"),
                Ok(_) => panic!("it opens after {operations} operations"),
            }
        }
        restore(dir.path(), &data, &keys, Until::End).run().unwrap();
        let ledger = TempLedger::open_in(dir.path());
        assert_eq!(events(&ledger)[..before.len()], before);
    }
    check(&data, Some(&keys), None, None, Pace::new(None), &|_| {}).unwrap();
}

#[test]
fn a_ledger_is_not_restored_over_another() {
    let place = TempLedger::new();
    drop(some(&place));
    let places = Places::new();
    places.back_up(place.path());
    let (data, keys) = (places.data(), places.keys());
    let refused = restore(place.path(), &data, &keys, Until::End).run();
    assert!(refused.unwrap_err().to_string().contains("new directory"));
    drop(in_small_segments(&place));
}
