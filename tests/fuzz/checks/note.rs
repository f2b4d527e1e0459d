//! No bytes bring the reader of notes, checkpoints and keys down; what is read is written again to
//! the byte; and the crate `signed_note` is of one mind about it.

use std::sync::LazyLock;

use planledger_core::tlog::{
    Algorithm, Note, NoteSignature, SignedCheckpoint, Signer, VerifierKey,
};
use signed_note::{StandardVerifier, Verifier as _, VerifierList};

/// The key of the first seed, and one of its name that made none of the signatures.
static KEYS: LazyLock<[VerifierKey; 2]> = LazyLock::new(|| {
    let read = |text: &str| text.parse().expect("a key");
    let key = read("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let other = Signer::new("example.com/foo", Algorithm::Cosignature, [1; 32]);
    [key, other.expect("a name").verifier()]
});

pub(crate) fn check(bytes: &[u8]) {
    let there = signed_note::Note::from_bytes(bytes);
    match Note::parse(bytes) {
        Ok(note) => {
            assert_eq!(note.to_string().as_bytes(), bytes);
            let there = there.expect("the other reader takes it too");
            assert_eq!(there.text(), note.text().as_bytes());
            let known = StandardVerifier::new(&KEYS[0].to_string()).expect("a key");
            let known = VerifierList::new(vec![Box::new(known)]);
            assert_eq!(
                note.verify(&KEYS[..1]).is_ok(),
                there.verify(&known).is_ok()
            );
            let _ = note.verify(&*KEYS);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert!(signed.note.text().starts_with(&signed.checkpoint.text()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(line) = NoteSignature::parse(text, 1) {
        assert_eq!(line.to_string(), text);
    }
    let here = text.parse::<VerifierKey>();
    let there = StandardVerifier::new(text.trim());
    match (&here, &there) {
        (Ok(here), Ok(there)) => {
            assert_eq!((here.name(), here.id()), (there.name(), there.key_id()))
        }
        // Cosignatures' keys are not known there.
        (Ok(here), Err(_)) => assert_eq!(here.algorithm(), Algorithm::Cosignature),
        // Stricter here: weak keys and names with control characters are refused.
        (Err(error), _) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(signer) = Signer::from_secret(text) {
        let again = Signer::from_secret(&signer.secret()).expect("what was written");
        assert_eq!(again.verifier(), signer.verifier());
    }
}
