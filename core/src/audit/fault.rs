//! What can be found wrong, wherever it is looked for.

use std::fmt;

use crate::ids::Position;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// What sort of fault it is. Codes never change their meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[$doc])* $name,)*
        }

        impl FaultKind {
            /// Its code, in reports.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

kinds! {
    /// A frame of the journal, or a line of a bundle, is not of its form.
    Format = "FORMAT";
    /// An entry is not of its form.
    Entry = "ENTRY";
    /// The leaf is not the hash of the entry, or not in the checkpoint's tree.
    Leaf = "LEAF";
    /// Events are not in order of position.
    Order = "ORDER";
    /// An event is not recorded later than the one before it.
    Time = "TIME";
    /// A stream's revisions do not follow each other.
    Revision = "REVISION";
    /// An entry does not link to the stream's entry before it.
    Link = "LINK";
    /// An entry does not point back to the stream's entry before it.
    Back = "BACK";
    /// A stream goes on from an event that is not its last: it has two branches.
    Fork = "FORK";
    /// A payload is not the one whose hash the entry holds.
    Payload = "PAYLOAD";
    /// A payload does not open with its key.
    Sealed = "SEALED";
    /// A key is missing, not the stream's, or not the one that the entry commits to.
    Key = "KEY";
    /// What was sealed is not an event of the entry's type.
    Event = "EVENT";
    /// A stream does not end where the recorded heads say.
    Head = "HEAD";
    /// A checkpoint does not read, or its root is not that of the journal.
    Checkpoint = "CHECKPOINT";
    /// A signature is missing, forged, or of a key that is not believed.
    Signature = "SIGNATURE";
    /// Not enough witnesses have cosigned.
    Quorum = "QUORUM";
    /// The checkpoint did not grow from an earlier one.
    Growth = "GROWTH";
    /// A tile is not that of the log.
    Tile = "TILE";
    /// A command record does not fit the events that follow it.
    Command = "COMMAND";
    /// An index of the journal is not that of its segment.
    Index = "INDEX";
    /// Derived state is not what the journal leads to.
    Projection = "PROJECTION";
    /// Something that has to be there is not.
    Missing = "MISSING";
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first position that cannot be relied on; 0 if it is not about an event.
    pub position: Position,
    /// What sort.
    pub kind: FaultKind,
    /// What is wrong, for people. Holds ids and numbers, never names or texts.
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
