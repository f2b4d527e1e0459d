//! `planledger owner`: shows who owns what, and hands it over when an owner leaves.

mod depart;
mod list;
mod recovery;
mod request;
mod shown;
mod stream;

use clap::Subcommand;

use self::depart::{Leave, Return};
use self::list::{Deletion, List, Successors};
use self::recovery::{Recoveries, Undo};
use self::request::{Restore, Transfer};
use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

/// See who owns what, and hand it over when an owner leaves
#[derive(Debug, Subcommand)]
pub(super) enum Owner {
    /// List what a person owns or owned, or what has no present owner
    List(List),
    /// List who could take over a team, year plan or plan
    Successors(Successors),
    /// Show what the deletion of a team or year plan would leave behind
    Deletion(Deletion),
    /// Record that a person has left
    Leave(Leave),
    /// Record that a person who had left is back
    Return(Return),
    /// Give teams, year plans and plans to other owners
    Transfer(Transfer),
    /// Bring deleted teams, year plans and units, or withdrawn plans, back
    Restore(Restore),
    /// Undo a transfer or restore
    Undo(Undo),
    /// List transfers and restores, or show one
    Recoveries(Recoveries),
}

impl Owner {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::List(list) => block_on(list.run(file)),
            Self::Successors(successors) => block_on(successors.run(file)),
            Self::Deletion(deletion) => block_on(deletion.run(file)),
            Self::Leave(leave) => block_on(leave.run(file)),
            Self::Return(back) => block_on(back.run(file)),
            Self::Transfer(transfer) => block_on(transfer.run(file)),
            Self::Restore(restore) => block_on(restore.run(file)),
            Self::Undo(undo) => block_on(undo.run(file)),
            Self::Recoveries(recoveries) => block_on(recoveries.run(file)),
        }
    }
}
