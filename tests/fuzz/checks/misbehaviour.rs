//! No bytes bring the checker of proofs of misbehaviour down, and it says the same twice. Whatever it
//! believes has one form only. Files that are compared bring nothing down either.

use planledger_core::audit::compare::{Misbehaviour, Piece, check_misbehaviour, compare};
use planledger_core::tlog::{Algorithm, Policy, Signer};

pub(crate) fn check(bytes: &[u8]) {
    // The key of the seeds.
    let signer = Signer::new("planledger.example/test", Algorithm::Ed25519, [0x5E; 32]);
    let policy = Policy::of_logs(vec![signer.expect("a name").verifier()]);
    let first = check_misbehaviour(bytes, &policy);
    assert_eq!(first, check_misbehaviour(bytes, &policy));
    if let Ok(found) = &first {
        let document: Misbehaviour = serde_json::from_slice(bytes).expect("a document");
        assert_eq!(document.to_text().expect("a text").as_bytes(), bytes);
        assert!(!found.finding.to_string().is_empty());
        assert!(!found.signed_by.is_empty());
    }
    let piece = bytes.to_vec();
    let pieces: [&dyn Piece; 2] = [&piece, &piece];
    if let Ok(compared) = compare(&pieces, &policy) {
        for (found, proof) in compared.found {
            let checked = check_misbehaviour(proof.as_bytes(), &policy);
            assert_eq!(checked, Ok(found));
        }
    }
}
