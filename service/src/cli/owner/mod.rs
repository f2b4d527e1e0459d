//! `planledger owner`: shows who owns what, and hands it over when an owner leaves.

mod depart;
mod list;
mod merge;
mod recovery;
mod relocate;
mod request;
mod shown;
mod stream;
mod suggestions;

use clap::Subcommand;

use self::depart::{Leave, Return};
use self::list::{Deletion, List, Successors};
use self::merge::Merge;
use self::recovery::{Recoveries, Undo};
use self::relocate::Move;
use self::request::{Restore, Transfer};
use self::suggestions::Suggestions;
use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

/// See who owns what, and hand it over when an owner leaves
#[derive(Debug, Subcommand)]
pub(super) enum Owner {
    /// List what a person owns or owned, or what has no present owner
    List(List),
    /// List who looks as if they had left an institution, and confirm or dismiss it
    #[command(subcommand)]
    Suggestions(Suggestions),
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
    /// Carry everything of a closed institution to its successor
    Merge(Merge),
    /// Move a year plan to another institution
    Move(Move),
    /// Undo a transfer, restore or merger
    Undo(Undo),
    /// List transfers, restores and mergers, or show one
    Recoveries(Recoveries),
}

impl Owner {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::List(list) => block_on(list.run(file)),
            Self::Suggestions(suggestions) => block_on(suggestions.run(file)),
            Self::Successors(successors) => block_on(successors.run(file)),
            Self::Deletion(deletion) => block_on(deletion.run(file)),
            Self::Leave(leave) => block_on(leave.run(file)),
            Self::Return(back) => block_on(back.run(file)),
            Self::Transfer(transfer) => block_on(transfer.run(file)),
            Self::Restore(restore) => block_on(restore.run(file)),
            Self::Merge(merge) => block_on(merge.run(file)),
            Self::Move(relocate) => block_on(relocate.run(file)),
            Self::Undo(undo) => block_on(undo.run(file)),
            Self::Recoveries(recoveries) => block_on(recoveries.run(file)),
        }
    }
}
