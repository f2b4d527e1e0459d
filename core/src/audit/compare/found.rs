//! What a proof of misbehaviour shows, in words. The words come from what was checked, never from
//! the file.

use std::fmt;

use super::facts::{EntryConflict, HeadConflict, KeyConflict};
use crate::hash::Hash32;
use crate::hex;
use crate::ids::{Position, Revision, StreamId};
use crate::note::VerifierKey;
use crate::time::Timestamp;

/// An entry as far as a proof speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its position.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its revision.
    pub revision: Revision,
    /// When it was recorded, by the server's clock.
    pub recorded_at: Timestamp,
    /// The size of the checkpoint that covers it.
    pub size: u64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            stream,
            revision,
            size,
            ..
        } = self;
        write!(
            f,
            "revision {revision} of {stream} at position {position} (in the checkpoint of {size} events)"
        )
    }
}

/// What contradicts what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Two checkpoints of one size have different roots.
    Roots {
        /// The size of both.
        size: u64,
        /// Their roots.
        roots: [Hash32; 2],
    },
    /// A checkpoint is not a beginning of a larger one.
    Growth {
        /// The size of the smaller checkpoint.
        smaller: u64,
        /// The size of the larger checkpoint.
        larger: u64,
        /// The root that the smaller checkpoint has.
        signed: Hash32,
        /// The root that the larger checkpoint's tree has at the smaller size.
        shown: Hash32,
    },
    /// Two entries cannot both be in one log.
    Entries {
        /// Why.
        conflict: EntryConflict,
        /// The entry with the earlier position.
        first: Seen,
        /// The other.
        second: Seen,
    },
    /// Two changes of key cannot both be on record.
    Keys {
        /// Why.
        conflict: KeyConflict,
        /// Where the changes are on record, and which key each leads to.
        changes: [(Seen, Box<VerifierKey>); 2],
    },
    /// Two records of heads as of one position have different roots.
    Records {
        /// The position that both are as of.
        through: Position,
        /// Where they are on record.
        records: [Seen; 2],
    },
    /// Recorded heads contradict an entry.
    Head {
        /// Why.
        conflict: HeadConflict,
        /// The position that the heads are as of.
        through: Position,
        /// Where the heads are on record.
        record: Seen,
        /// The entry.
        event: Seen,
    },
    /// Heads that were recorded twice contradict each other.
    Heads {
        /// Why.
        conflict: HeadConflict,
        /// The stream whose heads they are.
        stream: StreamId,
        /// The positions that the heads are as of.
        through: [Position; 2],
        /// Where the heads are on record.
        records: [Seen; 2],
    },
}

impl Finding {
    /// The kind as a code, for programs. A code never changes its meaning. Later versions may add codes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Roots { .. } => "ROOTS",
            Self::Growth { .. } => "GROWTH",
            Self::Entries { conflict, .. } => match conflict {
                EntryConflict::Position => "POSITION",
                EntryConflict::Revision => "REVISION",
                EntryConflict::Order => "ORDER",
                EntryConflict::Link => "LINK",
                EntryConflict::Key => "KEY",
                EntryConflict::Time => "TIME",
            },
            Self::Keys { .. } => "ROTATION",
            Self::Records { .. } => "HEADS_ROOT",
            Self::Head { .. } => "HEAD",
            Self::Heads { .. } => "HEADS",
        }
    }

    /// What it means, as far as everybody can know who has only the proof.
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Roots { .. } | Self::Growth { .. } => {
                "there are two histories: nobody can say from these files which one was there first"
            }
            Self::Entries { conflict, .. } => match conflict {
                EntryConflict::Position => {
                    "there are two histories: nobody can say from these files which one was there first"
                }
                EntryConflict::Revision
                | EntryConflict::Order
                | EntryConflict::Link
                | EntryConflict::Key => {
                    "the stream has two branches, or an event of it was exchanged. An early version \
                     could fork a stream by accident; the operator can show such a fork with \
                     `ledger forks`, and has settled it on record if it is known"
                }
                EntryConflict::Time => {
                    "an event was put in later than its time says, or its time is wrong"
                }
            },
            Self::Keys { .. } => "it is not said on record which key signs for the log",
            Self::Records { .. } | Self::Head { .. } | Self::Heads { .. } => {
                "the log has recorded a false end of a stream: a bundle that rests on it may have left \
                 off events"
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roots {
                size,
                roots: [a, b],
            } => write!(
                f,
                "two checkpoints of {size} events have different roots: {} and {}",
                hex::encode(a),
                hex::encode(b)
            ),
            Self::Growth {
                smaller,
                larger,
                signed,
                shown,
            } => write!(
                f,
                "the log did not grow from the checkpoint of {smaller} events to that of {larger}: \
                 the first {smaller} events of the larger one have the root {}, the smaller one has {}",
                hex::encode(shown),
                hex::encode(signed)
            ),
            Self::Entries {
                conflict,
                first,
                second,
            } => {
                let why = match conflict {
                    EntryConflict::Position => "one position has two entries",
                    EntryConflict::Revision => "one revision of a stream was recorded twice",
                    EntryConflict::Order => "a stream goes back to an earlier revision",
                    EntryConflict::Link => {
                        "the second does not link to the first, which it follows"
                    }
                    EntryConflict::Key => "a stream is sealed under two keys",
                    EntryConflict::Time => "the second was not recorded later than the first",
                };
                write!(f, "{why}: {first}, and {second}")
            }
            Self::Keys {
                conflict,
                changes: [(first, to), (second, other)],
            } => {
                let why = match conflict {
                    KeyConflict::TwoKeys => "one change of key leads to two keys",
                    KeyConflict::NotOnRecord => {
                        "the key that hands over second is not the one on record"
                    }
                };
                write!(f, "{why}: {to} by {first}, and {other} by {second}")
            }
            Self::Records {
                through,
                records: [first, second],
            } => write!(
                f,
                "the heads as of position {through} were recorded twice, with different roots: by \
                 {first}, and {second}"
            ),
            Self::Head {
                conflict,
                through,
                record,
                event,
            } => {
                let why = match conflict {
                    HeadConflict::Missing => "leave out the stream of",
                    HeadConflict::Short => "end the stream before",
                    HeadConflict::Early => "end the stream after, though it was recorded later,",
                    HeadConflict::Other => "name another event instead of, or before,",
                };
                write!(
                    f,
                    "the heads as of position {through}, recorded by {record}, {why} {event}"
                )
            }
            Self::Heads {
                conflict,
                stream,
                through: [a, b],
                records: [first, second],
            } => {
                let why = match conflict {
                    HeadConflict::Missing => "do not both have",
                    HeadConflict::Short | HeadConflict::Early => "go back to an earlier end of",
                    HeadConflict::Other => "end with different events at one revision of",
                };
                write!(
                    f,
                    "the heads as of positions {a} and {b}, recorded by {first} and {second}, {why} \
                     {stream}"
                )
            }
        }
    }
}
