//! The witness rule under arbitrary requests: whatever a log and others ask, in whatever order, what
//! was cosigned is one history.

use planledger_core::entry::Hash32;
use planledger_core::merkle::{consistency, hash_leaf};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{
    AddCheckpoint, Algorithm, Checkpoint, Latest, SignedCheckpoint, Signer, VerifierKey,
    WitnessError, add_checkpoint,
};
use proptest::prelude::*;

use crate::interop::leaves::{Leaves, content};

const ORIGIN: &str = "log.example/1";
const LARGEST: u64 = 40;

/// A log with several histories that part from each other at different places.
struct Liar {
    keys: [Signer; 2],
    histories: Vec<(u64, Leaves, Vec<Hash32>)>,
}

impl Liar {
    fn new() -> Self {
        let history = |(salt, parts): (u8, u64)| {
            let leaf = |n| match n < parts {
                true => content(n),
                false => [content(n), vec![salt; 9]].concat(),
            };
            let leaves = Leaves::of((0..LARGEST).map(leaf));
            let roots = leaves.roots();
            (parts, leaves, roots)
        };
        // Two keys of one name, as while one takes over from the other.
        let key = |seed| Signer::new(ORIGIN, Algorithm::Ed25519, [seed; 32]).unwrap();
        Self {
            keys: [key(1), key(2)],
            histories: [(0, LARGEST), (1, 0), (2, 7), (3, 20)].map(history).into(),
        }
    }

    fn verifiers(&self) -> Vec<VerifierKey> {
        self.keys.iter().map(Signer::verifier).collect()
    }

    /// Asks for a checkpoint of one history with a proof from another.
    fn request(&self, ask: &Ask) -> AddCheckpoint {
        let (_, _, roots) = &self.histories[ask.history];
        let (_, proved, _) = &self.histories[ask.proved];
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: ask.size,
            root: roots[ask.size as usize],
        };
        let mut proof = consistency(proved, ask.old, ask.size).unwrap();
        if ask.cut {
            proof.pop();
        }
        let signer = &self.keys[ask.key];
        AddCheckpoint {
            old_size: ask.old,
            proof,
            signed: SignedCheckpoint::sign(checkpoint, signer, Timestamp::from_nanos(1)),
        }
    }
}

#[derive(Clone, Debug)]
struct Ask {
    history: usize,
    proved: usize,
    /// `None` asks from where the witness is, which a log finds out by asking.
    follows: bool,
    old: u64,
    size: u64,
    key: usize,
    cut: bool,
    /// The witness is started again afterwards: it knows what it wrote down.
    restart: bool,
}

prop_compose! {
    fn asks()(
        history in 0usize..4, other in 0usize..4, same in prop::bool::weighted(0.8),
        follows in prop::bool::weighted(0.9), old in 0..=LARGEST, size in 0..=LARGEST,
        key in 0usize..2, cut in prop::bool::weighted(0.1), restart in any::<bool>(),
    ) -> Ask {
        let proved = if same { history } else { other };
        Ask { history, proved, follows, old, size, key, cut, restart }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_witness_cosigned_is_one_history(asks in prop::collection::vec(asks(), 1..40)) {
        let liar = Liar::new();
        let logs = liar.verifiers();
        let witness = Signer::new("w.example/1", Algorithm::Cosignature, [9; 32]).unwrap();
        let mut latest: Option<Latest> = None;
        let mut written: Option<String> = None;
        let mut cosigned: Vec<(u64, Hash32)> = Vec::new();
        for mut ask in asks {
            if ask.follows {
                ask.old = latest.map_or(0, |latest| latest.size);
            }
            let request = liar.request(&ask);
            let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
            match add_checkpoint(&request, &logs, latest, &witness, now) {
                Ok((remembered, signature)) => {
                    let mut note = request.signed.note.clone();
                    note.add(signature);
                    prop_assert_eq!(note.verify([&witness.verifier()]).unwrap().len(), 1);
                    let Checkpoint { size, root, .. } = request.signed.checkpoint;
                    prop_assert_eq!(remembered, Latest { size, root });
                    prop_assert!(latest.is_none_or(|latest| latest.size <= size));
                    cosigned.push((size, root));
                    written = Some(note.to_string());
                    latest = Some(remembered);
                }
                Err(WitnessError::Conflict { latest: said }) => {
                    prop_assert_eq!(said, latest.map_or(0, |latest| latest.size));
                }
                Err(error) => prop_assert!((400..500).contains(&error.http_status())),
            }
            if ask.restart {
                latest = written.as_ref().map(|note| {
                    let signed = SignedCheckpoint::parse(note.as_bytes()).unwrap();
                    let Checkpoint { size, root, .. } = signed.checkpoint;
                    Latest { size, root }
                });
            }
        }
        let is_of = |(_, _, roots): &&(u64, Leaves, Vec<Hash32>)| {
            cosigned.iter().all(|(size, root)| roots[*size as usize] == *root)
        };
        prop_assert!(liar.histories.iter().any(|history| is_of(&history)), "{:?}", cosigned);
    }
}

/// The proof is of a tree that begins as the witness saw it; the checkpoint is of another.
#[test]
fn a_proof_of_another_history_is_of_no_use() {
    let liar = Liar::new();
    let logs = liar.verifiers();
    let witness = Signer::new("w.example/1", Algorithm::Cosignature, [9; 32]).unwrap();
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    for old in 1..LARGEST {
        let known = Latest {
            size: old,
            root: liar.histories[0].2[old as usize],
        };
        for size in old..=LARGEST {
            for history in 0..4 {
                for proved in 0..4 {
                    let request = liar.request(&Ask {
                        history,
                        proved,
                        follows: false,
                        old,
                        size,
                        key: 0,
                        cut: false,
                        restart: false,
                    });
                    let cosigned = add_checkpoint(&request, &logs, Some(known), &witness, now);
                    let (parts, leaves, roots) = &liar.histories[history];
                    let grown = old <= *parts && roots[old as usize] == known.root;
                    let sound = proved == history
                        || consistency(leaves, old, size)
                            == consistency(&liar.histories[proved].1, old, size);
                    assert_eq!(
                        cosigned.is_ok(),
                        grown && sound,
                        "{old} to {size} of {history}"
                    );
                }
            }
        }
    }
}

/// Names decide which log a checkpoint is of, and a name is the origin's, not any signature's.
#[test]
fn a_log_cannot_speak_for_another() {
    let key = |name: &str, seed| Signer::new(name, Algorithm::Ed25519, [seed; 32]).unwrap();
    let (a, b) = (key("a.example", 1), key("b.example", 2));
    let logs = [a.verifier(), b.verifier()];
    let witness = Signer::new("w.example/1", Algorithm::Cosignature, [9; 32]).unwrap();
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let ask = |origin: &str, signers: &[&Signer]| {
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: 1,
            root: hash_leaf(b"leaf"),
        };
        let mut signed = SignedCheckpoint::sign(checkpoint, signers[0], now);
        let text = signed.note.text().to_owned();
        for signer in &signers[1..] {
            signed.note.add(signer.sign(&text, now));
        }
        let request = AddCheckpoint {
            old_size: 0,
            proof: Vec::new(),
            signed,
        };
        let request = AddCheckpoint::parse(request.body().as_bytes()).unwrap();
        let asked = add_checkpoint(&request, &logs, None, &witness, now);
        asked.map_err(|error| error.http_status()).map(drop)
    };
    assert_eq!(ask("a.example", &[&a]), Ok(()));
    assert_eq!(ask("b.example", &[&a, &b]), Ok(()));
    assert_eq!(ask("b.example", &[&a]), Err(403));
    assert_eq!(ask("c.example", &[&a, &b]), Err(404));
    // The same secret under another name is another key.
    assert_eq!(ask("b.example", &[&key("b.example", 1)]), Err(403));
    assert_eq!(ask("a.example", &[&key("b.example", 1)]), Err(403));
    // A witness's own kind of signature is not a log's.
    let as_witness = Signer::new("a.example", Algorithm::Cosignature, [1; 32]).unwrap();
    assert_eq!(ask("a.example", &[&as_witness]), Err(403));
}

/// Whoever asks with a size that no tree has, or a proof that is longer than any, is answered.
#[test]
fn the_ends_of_what_a_number_holds_are_answered() {
    let liar = Liar::new();
    let logs = liar.verifiers();
    let witness = Signer::new("w.example/1", Algorithm::Cosignature, [9; 32]).unwrap();
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let most = u64::MAX;
    for old in [
        0,
        1,
        1 << 62,
        (1 << 63) - 1,
        1 << 63,
        (1 << 63) + 1,
        most - 1,
        most,
    ] {
        for size in [
            0,
            1,
            1 << 62,
            (1 << 63) - 1,
            1 << 63,
            (1 << 63) + 1,
            most - 1,
            most,
        ] {
            for hashes in [0, 1, 62, 63] {
                let checkpoint = Checkpoint {
                    origin: ORIGIN.to_owned(),
                    size,
                    root: [7; 32],
                };
                let request = AddCheckpoint {
                    old_size: old,
                    proof: vec![[7; 32]; hashes],
                    signed: SignedCheckpoint::sign(checkpoint, &liar.keys[0], now),
                };
                let known = Latest {
                    size: old,
                    root: [7; 32],
                };
                let asked = add_checkpoint(&request, &logs, Some(known), &witness, now);
                let fresh = old == 0 && hashes == 0 && size > 0;
                let same = old == size && old > 0 && hashes == 0;
                assert_eq!(
                    asked.is_ok(),
                    fresh || same,
                    "{old} to {size}, {hashes} hashes"
                );
            }
        }
    }
}
