//! No text brings the reader of policies down, a refusal names a line that is there, and a quorum
//! is met by all witnesses if it is met by some.

use std::collections::HashSet;

use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Checkpoint, Policy, SignedCheckpoint, Signer};

fn signer(name: &str, algorithm: Algorithm, seed: u8) -> Signer {
    Signer::new(name, algorithm, [seed; 32]).expect("a name")
}

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let policy: Policy = match text.parse() {
        Ok(policy) => policy,
        Err(error) => {
            assert!((0..=text.split('\n').count()).contains(&error.line));
            return;
        }
    };
    let names: HashSet<_> = policy
        .witnesses()
        .iter()
        .map(|witness| &witness.name)
        .collect();
    assert_eq!(names.len(), policy.witnesses().len());
    // The log and witnesses of the seeds.
    let log = signer("log.example/1", Algorithm::Ed25519, 1);
    let checkpoint = Checkpoint {
        origin: "log.example/1".to_owned(),
        size: 1,
        root: [1; 32],
    };
    let mut signed = SignedCheckpoint::sign(checkpoint, &log, Timestamp::default());
    let mut met = false;
    for seed in 2..6 {
        let witness = signer(&format!("w{seed}.example"), Algorithm::Cosignature, seed);
        let text = signed.note.text().to_owned();
        signed
            .note
            .add(witness.sign(&text, Timestamp::from_nanos(1_000_000_000)));
        let Ok(found) = policy.check(&signed) else {
            return;
        };
        assert!(found.quorum || !met);
        met = found.quorum;
    }
}
