//! `planledger audit`: exports evidence and checks it.

mod compare;
mod export;
mod fold;
mod key;
mod listed;
mod misbehaviour;
mod replay;
mod report;
mod rotate;
mod verify;

use clap::Subcommand;

use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

/// Export evidence and check it
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Show the key that signs a server's checkpoints, to publish or to compare
    Key(key::Key),
    /// Show a checkpoint: the newest, an older one that was kept, or a new one
    Checkpoint(key::Checkpoint),
    /// Write one self-contained file of evidence about a plan, a student or a range of events
    Export(export::Export),
    /// Check a file of evidence; works on any machine, without a server
    Verify(verify::Verify),
    /// Look for contradictions between files of evidence and checkpoints of one ledger; works on any
    /// machine, without a server
    Compare(compare::Compare),
    /// Check a proof that a log contradicts itself, as `audit compare` writes it
    Misbehaviour(misbehaviour::Check),
    /// Read all events from a server, work out every state from them, and compare with what the
    /// server shows
    Replay(replay::Replay),
    /// Replace the key that signs checkpoints, offline; the old key signs the change
    RotateKey(rotate::RotateKey),
}

impl Audit {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Key(key) => block_on(key.run(file)),
            Self::Checkpoint(checkpoint) => block_on(checkpoint.run(file)),
            Self::Export(export) => block_on(export.run(file)),
            Self::Verify(verify) => verify.run(),
            Self::Compare(compare) => compare.run(),
            Self::Misbehaviour(check) => check.run(),
            Self::Replay(replay) => block_on(replay.run(file)),
            Self::RotateKey(rotate) => rotate.run(file),
        }
    }
}
