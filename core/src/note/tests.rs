use super::*;

/// The example from the specification.
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

#[test]
fn the_note_of_the_specification_verifies_and_no_other() {
    let key: VerifierKey = VKEY.parse().unwrap();
    assert_eq!(key.to_string(), VKEY);
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(note.verify([&key]).unwrap().len(), 1);
    let changed = NOTE.replace("example message", "example massage");
    let forged = Note::parse(changed.as_bytes()).unwrap().verify([&key]);
    assert!(matches!(forged, Err(NoteError::Forged { .. })));
    let renamed = NOTE.replace("com/foo", "com/bar");
    let unknown = Note::parse(renamed.as_bytes()).unwrap().verify([&key]);
    assert_eq!(unknown, Err(NoteError::Unsigned));
}

#[test]
fn a_cosignature_says_when_it_was_made() {
    let witness = Signer::new("w.example/1", Algorithm::Cosignature, [3; 32]).unwrap();
    let text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let at = Timestamp::from_nanos(1_679_315_147_999_999_999);
    let mut note = Note::new(text.to_owned(), vec![witness.sign(text, at)]);
    let key = witness.verifier();
    let found = note.verify([&key]).unwrap();
    assert_eq!(found[0].time, Some(1_679_315_147));
    note.signatures[0].signature[7] ^= 1;
    assert!(note.verify([&key]).is_err());
    assert_eq!(
        Signer::from_secret(&witness.secret()).unwrap().verifier(),
        key
    );
    assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
}

#[test]
fn what_is_no_note_is_refused_with_its_reason() {
    for (bytes, expected) in [
        ("", NoteError::Malformed),
        ("text\n", NoteError::Malformed),
        ("text\n\n", NoteError::Malformed),
        ("\n\u{2014} a AAAAAAE=\n", NoteError::Malformed),
        ("text\n\n\u{2014} a AAAAAAE=", NoteError::Malformed),
        ("text\n\n\u{2014} a AAAA\n", NoteError::Signature(1)),
        (
            "text\n\n\u{2014} a AAAAAAE=\n- a AAAAAAE=\n",
            NoteError::Signature(2),
        ),
        ("text\n\n\u{2014} a+b AAAAAAE=\n", NoteError::Signature(1)),
        ("te\rxt\n\n\u{2014} a AAAAAAE=\n", NoteError::Control),
    ] {
        assert_eq!(Note::parse(bytes.as_bytes()), Err(expected), "{bytes:?}");
    }
    for (key, expected) in [
        ("a+530d903a", KeyError::Malformed),
        (
            "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            KeyError::Name,
        ),
        (
            "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            KeyError::Hash,
        ),
        (
            "a+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            KeyError::Algorithm(6),
        ),
    ] {
        assert_eq!(key.parse::<VerifierKey>(), Err(expected), "{key}");
    }
}

/// A monitor says something else than a witness, so neither signature passes for the other, not even of
/// the same secret.
#[test]
fn a_monitors_signature_is_of_a_kind_of_its_own() {
    let of = |algorithm| Signer::new("m.example/1", algorithm, [3; 32]).unwrap();
    let (monitor, witness) = (of(Algorithm::Monitor), of(Algorithm::Cosignature));
    let text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let at = Timestamp::from_nanos(1_679_315_147_999_999_999);
    let by_monitor = monitor.sign(text, at);
    let note = Note::new(text.to_owned(), vec![by_monitor.clone()]);
    let key = monitor.verifier();
    let found = note.verify([&key]).unwrap();
    assert_eq!(found[0].time, Some(1_679_315_147));
    assert_ne!(key.id(), witness.verifier().id());
    assert_eq!(note.verify([&witness.verifier()]), Err(NoteError::Unsigned));
    // As if it were the other's.
    let renamed = NoteSignature {
        key_id: witness.verifier().id(),
        ..by_monitor
    };
    let forged = Note::new(text.to_owned(), vec![renamed]);
    let name = "m.example/1".to_owned();
    assert_eq!(
        forged.verify([&witness.verifier()]),
        Err(NoteError::Forged { name })
    );
    let read = Signer::from_secret(&monitor.secret()).unwrap();
    assert_eq!(read.verifier(), key);
    let parsed: VerifierKey = key.to_string().parse().unwrap();
    assert_eq!((parsed.algorithm(), &parsed), (Algorithm::Monitor, &key));
    // Another private type is not known.
    let other = key.to_string().replace(
        &BASE64.encode(b"\xffplanledger monitor v1")[..8],
        &BASE64.encode(b"\xffanother")[..8],
    );
    assert_eq!(
        other.parse::<VerifierKey>(),
        Err(KeyError::Algorithm(255)),
        "{other}"
    );
}
