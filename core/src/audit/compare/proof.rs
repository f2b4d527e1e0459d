//! The document that proves misbehaviour. It is JSON with one form only: every byte of it is either
//! signed, hashed into something signed, or fixed by the form.

use serde::{Deserialize, Serialize};

use crate::audit::bundle::Bytes;
use crate::ids::Position;

/// The name of the format.
pub(super) const FORMAT: &str = "planledger-misbehaviour/1";

/// The most bytes of a proof. The largest have two buckets of heads, each of at most 120 KiB.
pub const MOST_BYTES: usize = 2 << 20;

/// A proof of misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misbehaviour {
    /// The format's name: `planledger-misbehaviour/1`.
    pub format: String,
    /// Statements in which a key handed over to the next, for readers who only know an earlier key.
    pub rotations: Vec<String>,
    /// What contradicts what.
    pub contradiction: Contradiction,
}

/// Two things that the log has signed, and that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Contradiction {
    /// Two checkpoints of one size with two roots, as signed notes.
    Roots {
        /// One checkpoint.
        first: String,
        /// The other.
        second: String,
    },
    /// A checkpoint that is not a beginning of a larger one.
    Growth {
        /// The smaller checkpoint, as a signed note.
        smaller: String,
        /// The larger checkpoint, as a signed note.
        larger: String,
        /// Nodes of the larger checkpoint's tree, which show the root that its beginning of the
        /// smaller size has: see [`crate::merkle::root_of_beginning`].
        nodes: Vec<Bytes>,
    },
    /// Two entries that cannot both be in one log.
    Entries {
        /// One entry.
        first: Placed,
        /// The other.
        second: Placed,
    },
    /// Two changes of key that cannot both be on record.
    Keys {
        /// One change.
        first: Opened,
        /// The other.
        second: Opened,
    },
    /// Two records of heads as of one position, with two roots.
    Records {
        /// One record.
        first: Opened,
        /// The other.
        second: Opened,
    },
    /// Recorded heads that an entry contradicts.
    Head {
        /// The heads.
        heads: Heads,
        /// The entry.
        event: Placed,
    },
    /// Heads that were recorded twice and contradict each other.
    Heads {
        /// The heads once.
        first: Heads,
        /// The heads the other time.
        second: Heads,
    },
}

/// An entry that is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The checkpoint that covers the entry, as a signed note.
    pub checkpoint: String,
    /// The entry's position.
    pub position: Position,
    /// The entry, 230 bytes.
    pub entry: Bytes,
    /// The inclusion proof.
    pub path: Vec<Bytes>,
}

/// An entry that is in the log, with what it says. Only events of the ledger's own streams are
/// opened in a proof: they are about keys and heads, and about no person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The entry.
    pub placed: Placed,
    /// The sealed payload.
    pub sealed: Bytes,
    /// The event key, 32 bytes. It opens this payload and no other.
    pub key: Bytes,
}

/// All heads of one bucket, as the log has recorded them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// The event that records the root over all heads.
    pub record: Opened,
    /// The number of the bucket.
    pub bucket: u16,
    /// The heads of the bucket's streams, 73 bytes each.
    pub heads: Bytes,
    /// The hashes that prove the bucket.
    pub path: Vec<Bytes>,
}

impl Misbehaviour {
    /// The proof as text, with its last newline.
    ///
    /// # Errors
    /// Never happens for a proof of this crate. The type comes from serde.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
