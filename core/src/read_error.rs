//! Why something cannot be read. It stands on the ground because whoever asks the world about a
//! stream gets it: the rules, the views, the overview.

use crate::ids::{KeyId, Position};
use crate::time::Timestamp;

/// Why something cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal does not read.
    #[error("journal: {0}")]
    Journal(String),
    /// Derived state turned out to be faulty and is being made again. Try again, later each time.
    #[error("derived state is being rebuilt from the journal: {0}")]
    Derived(String),
    /// An entry's payload does not open: it was tampered with, or the key store is another's.
    #[error("event at position {position} {reason}")]
    Seal {
        /// Where.
        position: Position,
        /// Why.
        reason: String,
    },
    /// An entry names a key that is not in the key store. Restore the key store from its backup.
    #[error(
        "event at position {position} is sealed under key {key}, which is not in the key store"
    )]
    KeyMissing {
        /// Where.
        position: Position,
        /// Which.
        key: KeyId,
    },
    /// A newer version of planledger wrote the event: its type, or the schema of its payload, is not
    /// known to this one. Nothing is wrong with the ledger; use the newer version.
    #[error("event at position {position}: {reason}")]
    Newer {
        /// Where.
        position: Position,
        /// What is not known.
        reason: String,
    },
    /// An entry or payload is not of a form that any version writes.
    #[error("event at position {position} is malformed: {reason}")]
    Malformed {
        /// Where.
        position: Position,
        /// In what way.
        reason: String,
    },
    /// The position asked for is beyond the last durable one. Wait for it, or ask for less.
    #[error("position {asked} does not exist yet; the ledger ends at position {tail}")]
    NotThere {
        /// What was asked for.
        asked: Position,
        /// Where the ledger is.
        tail: Position,
    },
    /// The instant has not passed: more may be recorded up to it. Ask for one in the past.
    #[error("the instant {} ns lies in the future; ask again when it has passed", instant.nanos())]
    NotPassed {
        /// What was asked for.
        instant: Timestamp,
    },
    /// A write failed, so nobody knows what was recorded up to an instant until the process is
    /// started again. What was recorded up to the last receipt can be read.
    #[error("a write failed ({0}); restart the server to find out which events were recorded last")]
    Unsettled(String),
    /// The ledger is closing. Ask again when it is back.
    #[error("the ledger is closing")]
    Closed,
}
