use std::collections::BTreeSet;

use planledger_core::domain::Reason;
use planledger_core::domain::ledger::{LedgerCommand, LedgerEvent};
use planledger_core::ids::{LedgerId, Position, StreamId};
use planledger_core::note::{Algorithm, Rotation, Signer};
use planledger_core::time::Timestamp;

use crate::domain::harness::given;
use planledger_fixtures::school::{PLAN, STUDENT, SYSTEM};

const LEDGER: LedgerId = LedgerId::from_bytes([0xD1; 16]);

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, Algorithm::Ed25519, [seed; 32]).unwrap()
}

fn signed(from: &Signer, to: &Signer) -> Rotation {
    Rotation::sign(from, &to.verifier(), Timestamp::default()).unwrap()
}

fn introduce(signer: &Signer) -> LedgerCommand {
    LedgerCommand::IntroduceKey {
        key: signer.verifier(),
    }
}

/// What introduces some key.
pub(crate) fn first_key() -> LedgerCommand {
    introduce(&signer("example.com/ledger", 1))
}

fn introduced(signer: &Signer) -> LedgerEvent {
    LedgerEvent::KeyIntroduced {
        key: signer.verifier(),
    }
}

fn rotate(rotation: &Rotation) -> LedgerCommand {
    LedgerCommand::RotateKey(rotation.clone())
}

#[test]
fn a_key_is_introduced_once_and_then_rotated_by_the_key_so_far() {
    let (old, new) = (signer("log.example", 1), signer("log.example", 2));
    let rotation = signed(&old, &new);
    given(vec![])
        .when(SYSTEM, (LEDGER, introduce(&old)))
        .then([introduced(&old)])
        .when(SYSTEM, (LEDGER, introduce(&old)))
        .then_nothing()
        .when(SYSTEM, (LEDGER, rotate(&rotation)))
        .then([LedgerEvent::KeyRotated {
            from: old.verifier(),
            to: new.verifier(),
            statement: rotation.statement().to_owned(),
        }])
        .when(SYSTEM, (LEDGER, rotate(&rotation)))
        .then_nothing();
}

#[test]
fn heads_are_recorded_for_later_positions_only() {
    let heads = |through| LedgerCommand::RecordHeads {
        through: Position::new(through),
        root: [through as u8; 32],
    };
    let recorded = |through| LedgerEvent::HeadsRecorded {
        through: Position::new(through),
        root: [through as u8; 32],
    };
    given(vec![])
        .when(SYSTEM, (LEDGER, heads(5)))
        .then([recorded(5)])
        .when(SYSTEM, (LEDGER, heads(5)))
        .then_nothing()
        .when(SYSTEM, (LEDGER, heads(4)))
        .then_nothing()
        .when(SYSTEM, (LEDGER, heads(6)))
        .then([recorded(6)]);
}

#[test]
fn a_fork_is_settled_once_for_its_stream() {
    let settle = |stream: StreamId, forks: &[u64]| LedgerCommand::SettleFork {
        stream,
        forks: positions(forks),
        reason: "Begge grene er set igennem".parse().unwrap(),
    };
    let settled = |stream: StreamId, forks: &[u64]| LedgerEvent::ForkSettled {
        stream,
        forks: positions(forks),
        reason: "Begge grene er set igennem".parse().unwrap(),
    };
    given(vec![])
        .when(SYSTEM, (LEDGER, settle(PLAN.into(), &[7, 9])))
        .then([settled(PLAN.into(), &[7, 9])])
        .when(SYSTEM, (LEDGER, settle(PLAN.into(), &[7])))
        .then_nothing()
        // What is left of it.
        .when(SYSTEM, (LEDGER, settle(PLAN.into(), &[7, 9, 12])))
        .then([settled(PLAN.into(), &[12])])
        // The same position may be that of another stream's, too.
        .when(SYSTEM, (LEDGER, settle(STUDENT.into(), &[7])))
        .then([settled(STUDENT.into(), &[7])])
        .when(SYSTEM, (LEDGER, settle(STUDENT.into(), &[])))
        .then_nothing();
}

fn positions(of: &[u64]) -> BTreeSet<Position> {
    of.iter().copied().map(Position::new).collect()
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let (old, new) = (signer("log.example", 1), signer("log.example", 2));
    let other = signer("log.example", 3);
    let known = || given(vec![]).and((LEDGER, introduced(&old)));
    let mismatch = Reason::CheckpointKeyMismatch;
    let invalid = Reason::KeyRotationInvalid;
    let refused = |command, reason| {
        known()
            .when(SYSTEM, (LEDGER, command))
            .then_refused(reason, None)
    };
    vec![
        refused(introduce(&new), mismatch),
        given(vec![])
            .when(SYSTEM, (LEDGER, rotate(&signed(&old, &new))))
            .then_refused(mismatch, None),
        refused(rotate(&signed(&other, &new)), invalid),
    ]
}
