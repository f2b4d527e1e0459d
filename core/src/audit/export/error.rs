use crate::ids::{Position, StreamId};
use crate::ledger::ReadError;
use crate::notary::NotaryError;

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The checkpoint has no event of this stream.
    #[error("the checkpoint does not cover {0}")]
    NotFound(StreamId),
    /// The range is empty, reversed, or goes beyond the checkpoint.
    #[error("positions {from} to {to} are outside the checkpoint, which covers {size} events")]
    Range {
        /// The first position of the range.
        from: Position,
        /// The last position of the range.
        to: Position,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The earlier checkpoint is larger than the bundle's.
    #[error(
        "the checkpoint covers {size} events, so it is older than the checkpoint of {since} events"
    )]
    Since {
        /// The size of the earlier checkpoint.
        since: u64,
        /// The size of the bundle's checkpoint.
        size: u64,
    },
    /// The cut-off bundle belongs to a checkpoint that this ledger has not kept.
    #[error(
        "there is no checkpoint of exactly {0} events; start the export again from the beginning"
    )]
    Resume(u64),
    /// A text in scope is gone, and the checkpoint has no act that took it. The act is being carried out,
    /// or was after the checkpoint was made: start again from the beginning. If that does not help, no
    /// act is on record: run `ledger verify`.
    #[error(
        "the text at position {0} was destroyed after the checkpoint was made; start the export \
         again from the beginning"
    )]
    Destroyed(Position),
    /// A proof could not be made.
    #[error(transparent)]
    Notary(#[from] NotaryError),
    /// The ledger could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A line could not be written as JSON.
    #[error("a line of the bundle cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}
