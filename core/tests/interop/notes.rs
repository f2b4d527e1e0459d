//! Notes, keys and checkpoints against the crates `signed_note` and `tlog_tiles`, and against the
//! examples of the specifications.

use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    Algorithm, Checkpoint, Note, NoteError, SignedCheckpoint, Signer, VerifierKey,
};
use proptest::prelude::*;
use signed_note::{Signer as _, StandardSigner, StandardVerifier, Verifier as _, VerifierList};
use tlog_tiles::{Checkpoint as TheirCheckpoint, Hash};

fn now() -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000)
}

fn log(name: &str, seed: [u8; 32]) -> Signer {
    Signer::new(name, Algorithm::Ed25519, seed).unwrap()
}

fn known(key: &VerifierKey) -> VerifierList {
    let verifier = StandardVerifier::new(&key.to_string()).unwrap();
    VerifierList::new(vec![Box::new(verifier)])
}

/// Texts as the format allows them: lines, empty ones too, without control characters.
fn texts() -> impl Strategy<Value = String> {
    let line = "[^\\p{Cc}]{0,12}|— a AAAAAAE=";
    prop::collection::vec(line, 1..5).prop_map(|lines| lines.join("\n") + "\n")
}

fn names() -> impl Strategy<Value = String> {
    "[a-z]{1,8}(\\.[a-zåø]{1,5})?(/[0-9]{1,3})?"
}

proptest! {
    #[test]
    fn what_is_signed_here_is_believed_there_and_the_other_way(
        text in texts(), name in names(), seed in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
    ) {
        let ours = log(&name, seed);
        let theirs = StandardSigner::new(&ours.secret()).unwrap();
        prop_assert_eq!(theirs.name(), &name);
        prop_assert_eq!(theirs.key_id(), ours.verifier().id());
        let here = Note::new(text.clone(), vec![ours.sign(&text, now())]).to_string();
        let mut there = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        there.add_sigs(&[&theirs]).unwrap();
        // Ed25519 signs the same bytes always the same.
        prop_assert_eq!(here.as_bytes(), there.to_bytes());
        let read = signed_note::Note::from_bytes(here.as_bytes()).unwrap();
        prop_assert_eq!(read.text(), text.as_bytes());
        let (verified, unknown) = read.verify(&known(&ours.verifier())).unwrap();
        prop_assert_eq!((verified.len(), unknown.len()), (1, 0));
        let read = Note::parse(&there.to_bytes()).unwrap();
        prop_assert_eq!(read.text(), &text);
        prop_assert_eq!(read.verify([&ours.verifier()]).unwrap().len(), 1);
        // Another key of the same name is another key.
        if other != seed {
            let other = log(&name, other).verifier();
            prop_assert!(signed_note::Note::from_bytes(here.as_bytes()).unwrap()
                .verify(&known(&other)).is_err());
            prop_assert_eq!(read.verify([&other]), Err(NoteError::Unsigned));
        }
    }

    #[test]
    fn a_changed_note_is_judged_as_signed_note_judges_it(
        text in texts(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let signer = log("log.example/1", [7; 32]);
        let note = Note::new(text.clone(), vec![signer.sign(&text, now())]);
        let mut bytes = note.to_string().into_bytes();
        let at = at.index(bytes.len());
        match cut {
            true => drop(bytes.remove(at)),
            false => bytes[at] = byte,
        }
        let key = signer.verifier();
        let here = Note::parse(&bytes);
        let there = signed_note::Note::from_bytes(&bytes);
        match (&here, &there) {
            (Ok(here), Ok(there)) => {
                prop_assert_eq!(here.text().as_bytes(), there.text());
                prop_assert_eq!(here.to_string().into_bytes(), there.to_bytes());
                let there = there.verify(&known(&key)).is_ok();
                prop_assert_eq!(here.verify([&key]).is_ok(), there);
            }
            // Stricter here: a text is not empty, and names hold no control characters.
            (Err(_), Ok(there)) => prop_assert!(
                there.text() == b"\n" || there.verify(&known(&key)).is_err()
            ),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "taken here, there: {error}"),
        }
    }

    #[test]
    fn a_changed_key_is_judged_as_signed_note_judges_it(
        name in names(), seed in any::<[u8; 32]>(),
        at in any::<prop::sample::Index>(), character in "[ -~]", cut in any::<bool>(),
    ) {
        let mut key = log(&name, seed).verifier().to_string();
        let places: Vec<_> = key.char_indices().map(|(at, _)| at).collect();
        let at = *at.get(&places);
        key.remove(at);
        if !cut {
            key.insert_str(at, &character);
        }
        // Read from files and flags, a key may have white space around it here.
        prop_assume!(key.trim() == key);
        let here = key.parse::<VerifierKey>();
        let there = StandardVerifier::new(&key);
        prop_assert_eq!(here.is_ok(), there.is_ok(), "{}", key);
        if let (Ok(here), Ok(there)) = (here, there) {
            prop_assert_eq!((here.name(), here.id()), (there.name(), there.key_id()));
        }
    }

    #[test]
    fn checkpoints_read_the_same_there(
        origin in names(), size in any::<u64>(), root in any::<[u8; 32]>(),
        extension in prop::collection::vec("[ -~]{1,9}", 0..3),
        at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let checkpoint = Checkpoint { origin: origin.clone(), size, root };
        let extension: String = extension.iter().map(|line| format!("{line}\n")).collect();
        let text = checkpoint.text() + &extension;
        let theirs = TheirCheckpoint::new(&origin, size, Hash(root), &extension).unwrap();
        prop_assert_eq!(theirs.to_bytes(), text.as_bytes());
        prop_assert_eq!(Checkpoint::parse(&text), Ok(checkpoint));
        let mut changed = text.into_bytes();
        let at = at.index(changed.len());
        changed[at] = byte;
        let Ok(changed) = String::from_utf8(changed) else { return Ok(()) };
        let here = Checkpoint::parse(&changed).ok();
        let there = TheirCheckpoint::from_bytes(changed.as_bytes()).ok();
        if let (Some(here), Some(there)) = (&here, &there) {
            let there = (there.origin(), there.size(), there.hash().0);
            prop_assert_eq!((here.origin.as_str(), here.size, here.root), there);
        }
        // The text of a note ends with a newline, which is seen to before it is read here.
        if changed.ends_with('\n') {
            prop_assert_eq!(here.is_some(), there.is_some(), "{:?}", changed);
        }
    }
}

/// The examples of C2SP `signed-note`, `tlog-checkpoint` and `tlog-cosignature`.
#[test]
fn the_examples_of_the_specifications_read() {
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnag\
                v1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let key: VerifierKey = key.parse().unwrap();
    let read = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(read.verify([&key]).unwrap().len(), 1);
    let checkpoint = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2\
                      jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5I\
                      ZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let read = SignedCheckpoint::parse(checkpoint.as_bytes()).unwrap();
    assert_eq!(read.checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(read.checkpoint.size, 20_852_163);
    let cosigned = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeol\
                    MI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let read = SignedCheckpoint::parse(format!("{checkpoint}{cosigned}").as_bytes()).unwrap();
    let cosignature = &read.note.signatures()[1];
    // Eight bytes of time, as the example of the signed message has it, then the signature.
    assert_eq!(cosignature.signature.len(), 8 + 64);
    let time: [u8; 8] = cosignature.signature[..8].try_into().unwrap();
    assert_eq!(u64::from_be_bytes(time), 1_679_315_147);
}

/// Many signatures by keys that nobody here knows, one by a key that is known, and keys that share
/// a name or an id with it but not both.
#[test]
fn unknown_signatures_are_passed_over_and_a_known_one_has_to_hold() {
    let text = "log.example/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let known_key = log("log.example/1", [1; 32]);
    let mut note = Note::new(text.to_owned(), Vec::new());
    for seed in 2..40 {
        note.add(log("log.example/1", [seed; 32]).sign(text, now()));
        note.add(log(&format!("log{seed}.example"), [1; 32]).sign(text, now()));
    }
    // 64 is the most; 38 names are here twice.
    assert_eq!(
        Note::parse(note.to_string().as_bytes()),
        Err(NoteError::TooLarge)
    );
    let mut note = Note::new(text.to_owned(), Vec::new());
    for seed in 2..30 {
        note.add(log("log.example/1", [seed; 32]).sign(text, now()));
        note.add(log(&format!("log{seed}.example"), [1; 32]).sign(text, now()));
    }
    let key = known_key.verifier();
    let judge = |note: &Note| {
        let bytes = note.to_string();
        let here = Note::parse(bytes.as_bytes()).unwrap();
        let there = signed_note::Note::from_bytes(bytes.as_bytes()).unwrap();
        let there = there.verify(&known(&key)).is_ok();
        assert_eq!(here.verify([&key]).is_ok(), there);
        there
    };
    assert!(!judge(&note));
    let mut sound = note.clone();
    sound.add(known_key.sign(text, now()));
    assert!(judge(&sound));
    let mut forged = known_key.sign(text, now());
    forged.signature[40] ^= 1;
    note.add(forged);
    assert!(!judge(&note));
}

/// A kind of signature that nobody else knows does not keep others from reading the note.
#[test]
fn a_checkpoint_that_a_monitor_has_cosigned_is_read_there_as_before() {
    let (signer, name) = (log("log.example/1", [7; 32]), "monitor.example/1");
    let monitor = Signer::new(name, Algorithm::Monitor, [8; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "log.example/1".to_owned(),
        size: 7,
        root: [3; 32],
    };
    let mut signed = SignedCheckpoint::sign(checkpoint.clone(), &signer, now());
    signed.note.add(monitor.sign(&checkpoint.text(), now()));
    let note = signed.note.to_string();
    let read = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let (verified, unknown) = read.verify(&known(&signer.verifier())).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 1));
    assert_eq!(unknown[0].name(), name);
    // The key's id is what the specification makes of a type that has no number.
    assert_eq!(unknown[0].id(), monitor.verifier().id());
    let vkey = monitor.verifier().to_string();
    assert!(StandardVerifier::new(&vkey).is_err());
    let read = TheirCheckpoint::from_bytes(read.text()).unwrap();
    assert_eq!(read.size(), 7);
    // Nor does it keep a witness from cosigning.
    let request = planledger_core::tlog::AddCheckpoint {
        old_size: 0,
        proof: Vec::new(),
        signed,
    };
    let witness = Signer::new("w.example", Algorithm::Cosignature, [9; 32]).unwrap();
    let key = signer.verifier();
    let genuine = request.genuine([&key]).unwrap();
    genuine.cosign(None, &witness, now()).unwrap();
}
