//! Institutions, and what is in sled.

use planledger_core::domain::Command;
use planledger_core::ids::InstitutionId;
use planledger_core::ledger::Envelope;
use planledger_fixtures::commands;
use planledger_fixtures::place::{command_id, numbered};
use planledger_fixtures::school::institution_details;

pub(crate) fn institution(n: u64) -> InstitutionId {
    InstitutionId::from_bytes(numbered(0x22, n))
}

/// Makes an institution have a name, from whatever it was.
pub(crate) fn put_institution(command: u64, id: u64, name: &str) -> Envelope {
    let put = commands::put_institution(institution_details(name), false);
    Envelope::new(
        command_id(command),
        Command::Institution(institution(id), put),
    )
}
