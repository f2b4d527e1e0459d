//! Whatever is wrong with a backup is found without putting it back.

use planledger_core::backup::{Pace, check};
use planledger_core::domain::Actor;
use planledger_core::notary::Notary;
use planledger_fixtures::place::{TempLedger, files};

use super::support::{Places, in_small_segments};
use crate::audit::school::{TEACHER, signer};
use crate::ledger::support::put_institution;

#[test]
fn a_changed_byte_a_missing_file_and_another_signer_are_found() {
    let place = TempLedger::new();
    let ledger = in_small_segments(&place);
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    for number in 0..40 {
        let put = put_institution(number, number, "Skolen ved fjorden");
        ledger.execute(Actor::Person(TEACHER), put).unwrap();
    }
    notary.checkpoint().unwrap();
    let places = Places::new();
    places.back_up(place.path());
    let is_sound = || {
        let (data, keys) = (places.data(), places.keys());
        check(&data, Some(&keys), None, None, Pace::new(None), &|_| {}).is_ok()
    };
    let all = files(places.path());
    assert!(all.len() > 5);
    for (path, bytes) in &all {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(path, &changed).unwrap();
            assert!(!is_sound(), "byte {at} of {}", path.display());
        }
        std::fs::remove_file(path).unwrap();
        assert!(!is_sound(), "without {}", path.display());
        std::fs::write(path, bytes).unwrap();
        assert!(is_sound());
    }
    let other = planledger_core::tlog::Signer::new(
        crate::audit::school::ORIGIN,
        planledger_core::tlog::Algorithm::Ed25519,
        [9; 32],
    );
    let key = other.unwrap().verifier();
    let refused = check(
        &places.data(),
        None,
        None,
        Some(&key),
        Pace::new(None),
        &|_| {},
    );
    assert!(refused.unwrap_err().to_string().contains("signed"));
}
