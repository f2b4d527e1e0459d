//! `planledger audit`: evidence, and checking it.

mod compare;
mod export;
mod fold;
mod key;
mod replay;
mod rotate;
mod verify;

use clap::Subcommand;

use super::failure::Failure;
use super::remote::block_on;
use crate::settings::File;

/// Take evidence away and check it
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Show the key that signs a server's checkpoints, to publish or to compare
    Key(key::Key),
    /// Show a checkpoint: the newest, one that is kept, or a new one
    Checkpoint(key::Checkpoint),
    /// Write one self-contained file of evidence about a plan, a student or a range of events
    Export(export::Export),
    /// Check a file of evidence, on any machine, without a server
    Verify(verify::Verify),
    /// Read everything from a server and compare what follows from it with what the server shows
    Replay(replay::Replay),
    /// Let another key sign from now on, offline; the key so far signs the change
    RotateKey(rotate::RotateKey),
}

impl Audit {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        match self {
            Self::Key(key) => block_on(key.run(file)),
            Self::Checkpoint(checkpoint) => block_on(checkpoint.run(file)),
            Self::Export(export) => block_on(export.run(file)),
            Self::Verify(verify) => verify.run(),
            Self::Replay(replay) => block_on(replay.run(file)),
            Self::RotateKey(rotate) => rotate.run(file),
        }
    }
}
