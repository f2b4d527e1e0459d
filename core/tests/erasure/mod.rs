//! Redaction and erasure: the text is gone, everything else stays, and who puts an older copy back
//! cannot serve it.

mod acts;
mod interrupted;
mod restored;
mod rewrapped;
mod squatted;
mod texts;

pub(crate) use self::restored::reapplied;

use planledger_core::domain::erasure::{ErasureCommand, EventPlace, Target};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{ErasureId, Position};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_fixtures::place::{events, numbered};
use planledger_fixtures::school::{CLERK, LEADER};

/// The id of a command that no other test here sends.
fn fresh() -> planledger_core::ids::CommandId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    planledger_core::ids::CommandId::from_bytes(numbered(0x5A, number))
}

/// Two people decide an act. It is not carried out yet.
pub(crate) fn decide(ledger: &Ledger, target: Target) {
    let id = ErasureId::of(target);
    let request = ErasureCommand::Request {
        target,
        basis: "Artikel 17".parse().unwrap(),
        reason: "Bedt om".parse().unwrap(),
        retention: None,
    };
    let approve = ErasureCommand::Approve { reason: None };
    for (who, command) in [(LEADER, request), (CLERK, approve)] {
        let envelope = Envelope::new(fresh(), Command::Erasure(id, command));
        ledger.execute(Actor::Person(who), envelope).unwrap();
    }
}

/// The place of an event.
pub(crate) fn place(ledger: &Ledger, position: Position) -> Target {
    let all = events(ledger);
    let event = &all[position.get() as usize - 1];
    Target::Event(EventPlace {
        position,
        stream: event.stream,
        revision: event.revision,
    })
}
