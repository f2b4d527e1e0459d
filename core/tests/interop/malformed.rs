//! Input that is none: arbitrary bytes, and sound input that was changed. Nothing brings a reader
//! down, what is refused is refused with a reason, and what is taken says the same when it is
//! written and read again.

use std::collections::HashMap;

use planledger_core::audit::Line;
use planledger_core::entry::{Entry, EntryBytes, Hash32};
use planledger_core::heads::{StreamHead, bucket_bytes, read_bucket};
use planledger_core::merkle::{
    FromTiles, Frontier, TileSource, check_consistency, check_inclusion, consistency, inclusion,
    peaks, root,
};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    AddCheckpoint, Algorithm, Checkpoint, Note, NoteSignature, Policy, SignedCheckpoint, Signer,
    VerifierKey,
};
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000)
}

fn signer(name: &str, algorithm: Algorithm, seed: u8) -> Signer {
    Signer::new(name, algorithm, [seed; 32]).unwrap()
}

fn signed() -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        origin: "log.example/1".to_owned(),
        size: 77,
        root: [7; 32],
    };
    let log = signer("log.example/1", Algorithm::Ed25519, 1);
    let witness = signer("w.example/1", Algorithm::Cosignature, 2);
    let mut signed = SignedCheckpoint::sign(checkpoint, &log, now());
    let text = signed.note.text().to_owned();
    signed.note.add(witness.sign(&text, now()));
    signed
}

fn request() -> String {
    let request = AddCheckpoint {
        old_size: 12,
        proof: vec![[1; 32], [2; 32], [3; 32]],
        signed: signed(),
    };
    request.body()
}

fn policy() -> String {
    let log = signer("log.example/1", Algorithm::Ed25519, 1).verifier();
    let mut text = format!("# whom we believe\nlog {log} https://log.example/\n");
    for seed in 2..6 {
        let key = signer(&format!("w{seed}.example"), Algorithm::Cosignature, seed).verifier();
        text += &format!("witness w{seed} {key} https://w{seed}.example/\n");
    }
    text + "group a 2 w2 w3 w4\n\tgroup b any a w5\nquorum b\n"
}

fn lines() -> String {
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let entry = "A".repeat(306) + "A=";
    [
        format!(
            r#"{{"header":{{"format":"planledger-audit-bundle/1","ledger":"7f9c0102-0304-4506-8708-010203040506","scope":{{"range":{{"from":1,"to":9}}}},"disclosure":"integrity","checkpoint":"x","peaks":["{hash}"],"growth":[],"since":{{"size":3,"proof":["{hash}"]}}}}}}"#
        ),
        format!(r#"{{"ledger":{{"position":1,"back":0,"entry":"{entry}","sealed":"","key":"{hash}","path":["{hash}"]}}}}"#),
        format!(r#"{{"heads":{{"bucket":65535,"key":"7f9c0102-0304-4506-8708-010203040506","heads":"","path":["{hash}"]}}}}"#),
        format!(r#"{{"event":{{"position":18446744073709551615,"back":3,"entry":"{entry}"}}}}"#),
        r#"{"end":{"events":9}}"#.to_owned(),
    ]
    .join("\n")
}

/// Arbitrary bytes, arbitrary text, and pieces of something sound, shortened, repeated and changed.
fn changed(sound: fn() -> String) -> impl Strategy<Value = Vec<u8>> {
    let place = any::<prop::sample::Index>;
    let edits = prop::collection::vec((place(), place(), 0u8..6, any::<u8>()), 0..6);
    let edited = edits.prop_map(move |edits| {
        let mut bytes = sound().into_bytes();
        for (from, to, kind, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let (from, to) = (from.min(to), from.max(to));
            match kind {
                0 => bytes[from] = byte,
                1 => bytes.insert(from, byte),
                2 => drop(bytes.remove(from)),
                3 => drop(bytes.drain(from..to.min(from + 20))),
                4 => bytes.truncate(to),
                _ => {
                    let piece = bytes[from..to.min(from + 60)].to_vec();
                    bytes.splice(from..from, piece);
                }
            }
        }
        bytes
    });
    prop_oneof![
        6 => edited,
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => any::<String>().prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_note_or_checkpoint_is_read_or_refused(bytes in changed(|| signed().note.to_string())) {
        let keys = [
            signer("log.example/1", Algorithm::Ed25519, 1).verifier(),
            signer("w.example/1", Algorithm::Cosignature, 2).verifier(),
        ];
        match Note::parse(&bytes) {
            Ok(note) => {
                let text = note.to_string();
                prop_assert_eq!(text.as_bytes(), &bytes);
                prop_assert_eq!(Note::parse(text.as_bytes()), Ok(note.clone()));
                if let Ok(verified) = note.verify(&keys) {
                    // What verifies was signed: here, that is one text.
                    prop_assert!(!verified.is_empty());
                    let signed = signed();
                    prop_assert_eq!(note.text(), signed.note.text());
                }
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        match SignedCheckpoint::parse(&bytes) {
            Ok(signed) => {
                let Checkpoint { origin, size, root } = &signed.checkpoint;
                prop_assert!(!origin.is_empty());
                let begins = signed.checkpoint.text();
                prop_assert!(signed.note.text().starts_with(&begins), "{} {:?}", size, root);
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            if let Ok(line) = NoteSignature::parse(text, 1) {
                prop_assert_eq!(line.to_string(), text);
            }
            let _ = Signer::from_secret(text);
        }
    }

    #[test]
    fn a_key_is_read_or_refused(bytes in changed(|| {
        signer("log.example/1", Algorithm::Ed25519, 1).verifier().to_string()
    })) {
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        match text.parse::<VerifierKey>() {
            Ok(key) => {
                prop_assert_eq!(key.to_string().to_lowercase(), text.trim().to_lowercase());
                prop_assert_eq!(key.to_string().parse::<VerifierKey>(), Ok(key));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_policy_is_read_or_refused_with_its_line(bytes in changed(policy)) {
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        match text.parse::<Policy>() {
            Ok(policy) => {
                if let Ok(witnessed) = policy.check(&signed()) {
                    prop_assert!(policy.logs().contains(&witnessed.log));
                }
            }
            Err(error) => {
                prop_assert!(error.line <= text.split('\n').count());
                prop_assert!(!error.what.to_string().is_empty());
            }
        }
    }

    #[test]
    fn a_request_to_cosign_is_read_or_refused(bytes in changed(request)) {
        match AddCheckpoint::parse(&bytes) {
            Ok(request) => {
                prop_assert!(request.proof.len() <= 63);
                let body = request.body();
                prop_assert_eq!(body.as_bytes(), &bytes);
                prop_assert_eq!(AddCheckpoint::parse(body.as_bytes()), Ok(request));
            }
            Err(error) => prop_assert_eq!(error.http_status(), 400),
        }
    }

    #[test]
    fn a_line_of_a_bundle_is_read_or_refused(bytes in changed(lines)) {
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(read) = Line::parse(line) {
                let again = read.to_text().unwrap();
                prop_assert_eq!(Line::parse(again.trim_end().as_bytes()).unwrap(), read);
            }
        }
    }

    /// Proofs of any length for any sizes, from hashes that occur in it.
    #[test]
    fn a_proof_is_judged_whatever_it_holds(
        first in any::<u64>(), second in any::<u64>(), near in 0u64..70, small in any::<bool>(),
        proof in prop::collection::vec(prop_oneof![Just([0u8; 32]), any::<[u8; 32]>()], 0..70),
        leaf in any::<[u8; 32]>(), top in any::<[u8; 32]>(),
    ) {
        let (first, second) = match small {
            true => (first % 70, near),
            false => (first, second),
        };
        prop_assert!(check_inclusion(first, second, &leaf, &proof, &top).is_err()
            || (first, second, leaf) == (0, 1, top));
        let consistent = check_consistency(first, second, &proof, &leaf, &top);
        prop_assert!(consistent.is_err() || (first == second && leaf == top && proof.is_empty()));
        let _ = Frontier::from_parts(first, proof);
    }

    #[test]
    fn an_entry_or_bucket_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(heads) = read_bucket(&bytes) {
            prop_assert_eq!(heads.len() * StreamHead::LEN, bytes.len());
            prop_assert_eq!(bucket_bytes(&heads), bytes.clone());
        }
        if let Some(entry) = bytes.first_chunk::<230>() {
            let entry: &EntryBytes = entry;
            if let Ok(read) = Entry::decode(entry) {
                prop_assert_eq!(&read.encode(), entry);
            }
        }
    }
}

/// Tiles that hold fewer hashes than they should, more, or none.
struct Torn(HashMap<(u8, u64), Vec<Hash32>>);

impl TileSource for Torn {
    type Error = (u8, u64);

    fn tile(&self, level: u8, index: u64, _: u16) -> Result<Vec<Hash32>, (u8, u64)> {
        self.0.get(&(level, index)).cloned().ok_or((level, index))
    }

    fn short(&self, level: u8, index: u64) -> (u8, u64) {
        (level, index)
    }
}

proptest! {
    #[test]
    fn torn_tiles_give_an_error_that_names_the_tile(
        size in 1u64..1_000_000, index in any::<prop::sample::Index>(), old in 0u64..1_000_000,
        widths in prop::collection::vec(0usize..300, 0..24),
    ) {
        let places = (0..3u8).flat_map(|level| (0..8).map(move |tile| (level, tile)));
        let tiles = places.zip(widths).map(|(place, width)| (place, vec![[place.0; 32]; width]));
        let tiles: HashMap<_, _> = tiles.collect();
        let torn = FromTiles(Torn(tiles.clone()));
        let is_named = |result: Result<(), (u8, u64)>| match result {
            Ok(()) => true,
            Err(tile) => tiles.get(&tile).is_none_or(|hashes| hashes.len() < 256),
        };
        let index = index.index(size as usize) as u64;
        prop_assert!(is_named(inclusion(&torn, index, size).map(drop)));
        prop_assert!(is_named(consistency(&torn, old, size).map(drop)));
        prop_assert!(is_named(peaks(&torn, size).map(drop)));
        prop_assert!(is_named(root(&torn, size).map(drop)));
        let none = FromTiles(Torn(HashMap::new()));
        prop_assert!(root(&none, size).is_err());
    }
}
