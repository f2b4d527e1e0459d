//! Two pieces of evidence that contradict each other: found, written down as a proof, and checked with
//! the log's key alone.

mod honest;
mod kinds;
mod proofs;
mod speed;

use planledger_core::audit::Scope;
use planledger_core::audit::compare::{
    CompareError, Compared, Misbehaved, Piece, check_misbehaviour, compare,
};
use planledger_core::ids::Position;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Policy, SignedCheckpoint};

use crate::audit::forge::{Bundle, Log};
use crate::audit::school::{policy, signer};

/// Compares files, and checks that each proof holds for whoever has the log's key, and for nobody
/// else.
fn compared(pieces: &[Vec<u8>]) -> Compared {
    let compared = compared_by(pieces, &policy()).unwrap();
    for (found, proof) in &compared.found {
        let checked = check_misbehaviour(proof.as_bytes(), &policy());
        assert_eq!(checked.as_ref(), Ok(found));
        let nobody = Policy::of_logs(Vec::new());
        assert!(check_misbehaviour(proof.as_bytes(), &nobody).is_err());
    }
    compared
}

fn compared_by(pieces: &[Vec<u8>], policy: &Policy) -> Result<Compared, CompareError> {
    let pieces: Vec<&dyn Piece> = pieces.iter().map(|piece| piece as &dyn Piece).collect();
    compare(&pieces, policy)
}

fn kinds(compared: &Compared) -> Vec<&'static str> {
    let found = compared.found.iter();
    found.map(|(found, _)| found.finding.code()).collect()
}

/// What was found of one kind, with its proof.
fn of_kind(compared: &Compared, kind: &str) -> (Misbehaved, String) {
    let mut found = compared.found.iter();
    let found = found.find(|(found, _)| found.finding.code() == kind);
    found
        .unwrap_or_else(|| panic!("{:?}", kinds(compared)))
        .clone()
}

fn text(bundle: &Bundle) -> Vec<u8> {
    bundle.text().into_bytes()
}

/// The log's checkpoint as a file.
fn checkpoint(log: &Log) -> Vec<u8> {
    let signed = SignedCheckpoint::sign(log.checkpoint(), &signer(), Timestamp::default());
    signed.note.to_string().into_bytes()
}

/// The beginning of a log, as it would have been.
fn beginning(log: &Log, size: usize) -> Log {
    let mut log = log.clone();
    log.events.truncate(size);
    log
}

fn whole(log: &Log) -> Scope {
    let (from, to) = (Position::new(1), Position::new(log.size()));
    Scope::Range { from, to }
}
