//! No bytes bring a witness down; what it reads it would write the same; and it cosigns nothing but
//! the same again and a log that it sees for the first time, since no proof of growth from a root
//! that is of nothing can be found.

use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    AddCheckpoint, Algorithm, Latest, SignedCheckpoint, Signer, add_checkpoint,
};

pub(crate) fn check(bytes: &[u8]) {
    let mut request = match AddCheckpoint::parse(bytes) {
        Ok(request) => request,
        Err(error) => {
            assert_eq!(error.http_status(), 400);
            return;
        }
    };
    assert_eq!(request.body().as_bytes(), bytes);
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let witness = Signer::new("w.example", Algorithm::Cosignature, [2; 32]).expect("a name");
    // Whatever log it is of is known here and has signed it.
    let origin = &request.signed.checkpoint.origin;
    let Ok(log) = Signer::new(origin, Algorithm::Ed25519, [1; 32]) else {
        return;
    };
    let logs = [log.verifier()];
    let unsigned = add_checkpoint(&request, &logs, None, &witness, now);
    assert!(unsigned.is_err() || request.signed.verify(&logs).is_ok());
    let checkpoint = request.signed.checkpoint.clone();
    request.signed = SignedCheckpoint::sign(checkpoint.clone(), &log, now);
    let old = request.old_size;
    for root in [[7; 32], checkpoint.root] {
        let known = Some(Latest { size: old, root });
        if let Ok((latest, _)) = add_checkpoint(&request, &logs, known, &witness, now) {
            assert_eq!(
                (latest.size, latest.root),
                (checkpoint.size, checkpoint.root)
            );
            assert!(request.proof.is_empty());
            assert!(old == 0 || (old, root) == (checkpoint.size, checkpoint.root));
        }
    }
    let fresh = add_checkpoint(&request, &logs, None, &witness, now);
    assert!(fresh.is_err() || (old == 0 && request.proof.is_empty()));
}
