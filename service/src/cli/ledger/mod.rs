//! `planledger ledger`: the ledger itself.

mod branches;
mod forks;
mod json;
mod offline;
mod rates;
mod settle;
mod status;
mod verify;

use clap::Subcommand;

use self::offline::Offline;
use self::status::Status;
use self::verify::Verify;
use super::failure::Failure;
use super::remote::block_on;
use crate::settings::File;

/// Look after the ledger itself
#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Show what a running server's ledger is and how far it has come
    Status(Status),
    /// Check everything in the directory, from the journal's first byte to its last, offline
    Verify(Verify),
    /// Throw derived state away and make it again from the journal, offline
    Rebuild(Offline),
    /// Describe where an earlier version forked streams, and commands carried out twice, offline
    Forks(Offline),
    /// Record that forks were looked at and stand as they are, offline
    Settle(Box<settle::Settle>),
}

impl Ledger {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        match self {
            Self::Status(status) => block_on(status.run(file)),
            Self::Verify(verify) => verify.run(file),
            Self::Rebuild(offline) => offline.rebuild(file),
            Self::Forks(offline) => forks::run(&offline, file),
            Self::Settle(settle) => settle.run(file),
        }
    }
}
