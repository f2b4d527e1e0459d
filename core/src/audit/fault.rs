//! The faults that a check can find, in a journal, a bundle or anywhere else.

use std::fmt;

use crate::ids::Position;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// The kind of a fault. A code never changes its meaning. Later versions may add codes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[$doc])* $name,)*
        }

        impl FaultKind {
            /// The code that reports show.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

kinds! {
    /// A frame of the journal or a line of a bundle does not have the right form.
    Format = "FORMAT";
    /// An entry does not have the right form.
    Entry = "ENTRY";
    /// The leaf is not the hash of the entry, or it is not in the checkpoint's tree.
    Leaf = "LEAF";
    /// Events are not in order of position.
    Order = "ORDER";
    /// An event was not recorded later than the event before it.
    Time = "TIME";
    /// The revisions of a stream do not follow each other.
    Revision = "REVISION";
    /// An entry does not link to the previous entry of its stream.
    Link = "LINK";
    /// An entry does not point back to the previous entry of its stream.
    Back = "BACK";
    /// A stream goes on from an event that is not its last, so the stream has two branches.
    Fork = "FORK";
    /// The hash in the entry is not the hash of the payload.
    Payload = "PAYLOAD";
    /// The key does not open the payload.
    Sealed = "SEALED";
    /// A key is missing, or it is not the stream's key, or not the key that the entry commits to.
    Key = "KEY";
    /// The opened payload is not an event of the type that the entry names.
    Event = "EVENT";
    /// A stream does not end where the recorded heads say.
    Head = "HEAD";
    /// A checkpoint cannot be read, or its root is not the root of the journal.
    Checkpoint = "CHECKPOINT";
    /// A signature is missing or forged, or is by a key that is not believed.
    Signature = "SIGNATURE";
    /// Too few witnesses have cosigned.
    Quorum = "QUORUM";
    /// The checkpoint did not grow from an earlier one.
    Growth = "GROWTH";
    /// A tile does not belong to the log.
    Tile = "TILE";
    /// A command record does not fit the events that come after it.
    Command = "COMMAND";
    /// An index file of the journal does not fit its segment.
    Index = "INDEX";
    /// Derived state is not what the journal gives.
    Projection = "PROJECTION";
    /// Something that must be there is missing.
    Missing = "MISSING";
    /// A text is missing, and it is not proved that a redaction or an erasure took it.
    Withheld = "WITHHELD";
}

/// A fault, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first position that cannot be relied on. 0 if the fault is not about an event.
    pub position: Position,
    /// The kind of the fault.
    pub kind: FaultKind,
    /// The fault in words, for people. It holds ids and numbers, never names or texts.
    pub what: String,
}

impl Fault {
    /// A fault at a position.
    pub(crate) fn new(position: Position, kind: FaultKind, what: impl Into<String>) -> Self {
        Self {
            position,
            kind,
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Position::ZERO => write!(f, "{}: {}", self.kind.code(), self.what),
            position => write!(
                f,
                "{} at position {position}: {}",
                self.kind.code(),
                self.what
            ),
        }
    }
}
