//! `planledger ledger`: shows, checks and repairs the ledger itself.

mod branches;
mod carried;
mod doctor;
mod export;
mod forks;
mod import;
mod json;
mod offline;
mod rates;
mod salvage;
mod settle;
mod settle_access_log;
mod status;
mod verify;

use clap::Subcommand;

use self::doctor::Doctor;
use self::offline::Offline;
use self::status::Status;
use self::verify::Verify;
use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

/// Check and maintain the ledger itself
#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Show the status of a running server's ledger
    Status(Status),
    /// Check everything in the directory, from the first byte of the journal to the last, offline
    Verify(Verify),
    /// Say what is wrong with the directory, what of it is lost and what to do next, offline
    Doctor(Box<Doctor>),
    /// Write every event that can be read to a file, as JSON Lines in the clear, offline
    Export(export::Export),
    /// Make a new ledger of an export: the same events at the same positions, with an id and keys of its own,
    /// offline
    Import(Box<import::Import>),
    /// Delete derived state and build it again from the journal, offline
    Rebuild(Offline),
    /// List streams that an earlier version forked, and commands that it carried out twice, offline
    Forks(Offline),
    /// Record that somebody has looked at forks and accepts them as they are, offline
    Settle(Box<settle::Settle>),
    /// Record that records of the access log are lost, so that it goes on without them, offline
    SettleAccessLog(Box<settle_access_log::SettleAccessLog>),
}

impl Ledger {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Status(status) => block_on(status.run(file)),
            Self::Verify(verify) => verify.run(file),
            Self::Doctor(doctor) => doctor.run(file),
            Self::Export(export) => export.run(file),
            Self::Import(import) => import.run(file),
            Self::Rebuild(offline) => offline.rebuild(file),
            Self::Forks(offline) => forks::run(&offline, file),
            Self::Settle(settle) => settle.run(file),
            Self::SettleAccessLog(settle) => settle.run(file),
        }
    }
}
