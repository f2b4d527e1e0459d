//! Why something cannot be read. Everybody who asks for a stream may get this error: the rules, the
//! views, the overview. So it stands in the library's root, below all of them.

use crate::ids::{KeyId, Position};
use crate::time::Timestamp;

/// Why something cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal cannot be read.
    #[error("journal: {0}")]
    Journal(String),
    /// Derived state turned out to be faulty and is being made again. Try again, later each time.
    #[error("derived state is being rebuilt from the journal: {0}")]
    Derived(String),
    /// The payload of an event cannot be decrypted: somebody changed it, or the key store belongs to
    /// another ledger.
    #[error("event at position {position} {reason}")]
    Seal {
        /// The position of the event.
        position: Position,
        /// What is wrong, in words that contain nothing of the payload.
        reason: String,
    },
    /// An entry names a key that is not in the key store. Restore the key store from its backup.
    #[error(
        "event at position {position} is sealed under key {key}, which is not in the key store"
    )]
    KeyMissing {
        /// The position of the event.
        position: Position,
        /// The key that is missing.
        key: KeyId,
    },
    /// The person whom the event is about was erased, so its text cannot be read. This is no fault: the
    /// act is on record.
    #[error("event at position {position} cannot be read: the person whom it is about was erased")]
    Erased {
        /// The position of the event.
        position: Position,
    },
    /// A newer version of planledger wrote the event: its type, or the schema of its payload, is not
    /// known to this one. Nothing is wrong with the ledger; use the newer version.
    #[error("event at position {position}: {reason}")]
    Newer {
        /// The position of the event.
        position: Position,
        /// The type or schema that is not known, and the version that is needed.
        reason: String,
    },
    /// An entry or payload is not of a form that any version writes.
    #[error("event at position {position} is malformed: {reason}")]
    Malformed {
        /// The position of the event.
        position: Position,
        /// What is wrong, in words that contain nothing of the payload.
        reason: String,
    },
    /// The position asked for is beyond the last durable one. Wait for it, or ask for less.
    #[error("position {asked} does not exist yet; the ledger ends at position {tail}")]
    NotThere {
        /// The requested position.
        asked: Position,
        /// The last durable position.
        tail: Position,
    },
    /// The instant has not passed: more may be recorded up to it. Ask for one in the past.
    #[error("the instant {} ns lies in the future; ask again when it has passed", instant.nanos())]
    NotPassed {
        /// The requested instant.
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
