//! A proof of misbehaviour holds as it is, and in no other form: every byte of it counts.

use std::sync::OnceLock;

use planledger_core::audit::compare::{Contradiction, Misbehaviour, MisbehaviourError};
use serde_json::Value;

use super::kinds::forked;
use super::*;
use crate::audit::school::NotarisedSchool;

/// Proofs of several kinds, of a log that is forked inside.
fn sound() -> &'static [String] {
    static SOUND: OnceLock<Vec<String>> = OnceLock::new();
    SOUND.get_or_init(|| {
        let (one, other, log) = forked();
        let honest = Log::of(&NotarisedSchool::new());
        let mut proofs = Vec::new();
        for pieces in [
            vec![one.clone(), other],
            vec![
                text(&log.bundle(whole(&log), &signer())),
                checkpoint(&beginning(&honest, 9)),
            ],
            vec![
                checkpoint(&beginning(&log, 9)),
                checkpoint(&beginning(&honest, 9)),
            ],
        ] {
            let found = compared(&pieces).found;
            proofs.extend(found.into_iter().map(|(_, proof)| proof));
        }
        proofs
    })
}

fn check(proof: &str) -> Result<Misbehaved, MisbehaviourError> {
    check_misbehaviour(proof.as_bytes(), &policy())
}

#[test]
fn there_are_proofs_of_each_form() {
    let found = sound()
        .iter()
        .map(|proof| check(proof).unwrap().finding.code());
    let found: Vec<_> = found.collect();
    for kind in ["REVISION", "HEADS", "HEAD", "GROWTH", "ROOTS"] {
        assert!(found.contains(&kind), "{kind}: {found:?}");
    }
}

#[test]
fn no_byte_of_a_proof_can_be_another() {
    for proof in sound() {
        for at in 0..proof.len() {
            for change in [1u8, 2, 0x20] {
                let mut bytes = proof.clone().into_bytes();
                bytes[at] ^= change;
                let checked = check_misbehaviour(&bytes, &policy());
                assert!(checked.is_err(), "byte {at}: {checked:?}");
            }
        }
        for changed in [
            format!("{proof}\n"),
            format!(" {proof}"),
            proof.trim_end().to_owned(),
            proof.replace("  ", " "),
        ] {
            assert_eq!(check(&changed), Err(MisbehaviourError::Shape));
        }
    }
}

/// Every value of the document, emptied, or exchanged with the same one of another proof. (A whole
/// entry, or one of two checkpoints alone, may be exchanged if that too contradicts the rest.)
#[test]
fn no_value_of_a_proof_can_be_another() {
    let documents: Vec<Value> = sound().iter().map(|proof| proof.parse().unwrap()).collect();
    for document in &documents {
        for pointer in pointers(document) {
            let others = documents.iter().filter_map(|other| other.pointer(&pointer));
            let value = document.pointer(&pointer).unwrap();
            let part = !value.is_object() && !pointer.starts_with("/contradiction/roots");
            let others = others
                .filter(|_| part && !pointer.ends_with("/smaller"))
                .cloned();
            let empty = [
                Value::Null,
                Value::from(0),
                Value::from(""),
                Value::Array(Vec::new()),
            ];
            for other in others.chain(empty).filter(|other| other != value) {
                let mut changed = document.clone();
                *changed.pointer_mut(&pointer).unwrap() = other;
                let Ok(parsed) = serde_json::from_value::<Misbehaviour>(changed) else {
                    continue;
                };
                let changed = parsed.to_text().unwrap();
                assert!(check(&changed).is_err(), "{pointer}: {changed}");
            }
        }
    }
}

fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, value) in children {
        found.push(format!("/{key}"));
        found.extend(
            pointers(value)
                .into_iter()
                .map(|rest| format!("/{key}{rest}")),
        );
    }
    found
}

#[test]
fn what_does_not_contradict_itself_proves_nothing() {
    let document: Misbehaviour = serde_json::from_str(&sound()[0]).unwrap();
    let again = |contradiction: Contradiction| {
        let proof = Misbehaviour {
            contradiction,
            ..document.clone()
        };
        check(&proof.to_text().unwrap())
    };
    for proof in sound() {
        let proof: Misbehaviour = serde_json::from_str(proof).unwrap();
        let twice = match proof.contradiction {
            Contradiction::Roots { first, .. } => Contradiction::Roots {
                second: first.clone(),
                first,
            },
            Contradiction::Entries { first, .. } => Contradiction::Entries {
                second: first.clone(),
                first,
            },
            Contradiction::Heads { first, .. } => Contradiction::Heads {
                second: first.clone(),
                first,
            },
            Contradiction::Growth { .. }
            | Contradiction::Keys { .. }
            | Contradiction::Records { .. }
            | Contradiction::Head { .. } => continue,
        };
        assert_eq!(again(twice), Err(MisbehaviourError::NoContradiction));
    }
}

/// A signature that nobody checks has no place in a proof, even that of a witness.
#[test]
fn a_proof_holds_no_signature_but_the_logs() {
    let log = Log::of(&NotarisedSchool::new());
    let witness = planledger_core::tlog::Signer::new(
        "witness.example",
        planledger_core::tlog::Algorithm::Cosignature,
        [3; 32],
    );
    let witness = witness.unwrap();
    let (_, _, forked) = forked();
    let pieces = [&log, &beginning(&forked, log.events.len())].map(|log| {
        let mut signed = SignedCheckpoint::sign(log.checkpoint(), &signer(), Timestamp::default());
        let cosigned = witness.sign(signed.note.text(), Timestamp::default());
        signed.note.add(cosigned);
        signed.note.to_string()
    });
    let found = compared(&pieces.clone().map(String::into_bytes));
    let (_, proof) = of_kind(&found, "ROOTS");
    assert!(!proof.contains("witness.example"));
    let mut document: Misbehaviour = serde_json::from_str(&proof).unwrap();
    let [first, second] = pieces;
    document.contradiction = Contradiction::Roots { first, second };
    let checked = check(&document.to_text().unwrap());
    assert_eq!(checked, Err(MisbehaviourError::MoreSignatures));
}
