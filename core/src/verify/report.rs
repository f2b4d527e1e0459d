//! What checking found.

use super::forks::Forks;
use crate::audit::Fault;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, Position};
use crate::tlog::VerifierKey;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// That nothing was changed: frames, entries, links, leaves, payload hashes, checkpoints,
    /// recorded heads, indexes. No text is opened.
    Integrity,
    /// The same, and what happened where streams were forked, event by event, and which commands
    /// were carried out twice. Takes memory for each command.
    Forks,
    /// All that [`Depth::Integrity`] is, and that every payload opens with the right key and is an event, that the tiles
    /// are those of the journal, and that derived state is what the journal leads to.
    Full,
}

/// A reading of the whole journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// For [`PartName::Journal`], [`PartName::Checkpoints`], [`PartName::Heads`] and
    /// [`PartName::Indexes`].
    Integrity,
    /// For commands that were carried out twice.
    Commands,
    /// For [`PartName::Contents`].
    Contents,
    /// For [`PartName::Tiles`].
    Tiles,
    /// For [`PartName::Derived`].
    Derived,
}

impl Pass {
    /// What is done, in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Commands => "commands",
            Self::Contents => "contents",
            Self::Tiles => "tiles",
            Self::Derived => "derived state",
        }
    }
}

/// What is judged by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartName {
    /// Frames, entries, links, back pointers, leaves, order, time, payload hashes, commands.
    Journal,
    /// Kept and published checkpoints against the journal, and the keys that signed them.
    Checkpoints,
    /// Where streams ended, as it was recorded, against the journal.
    Heads,
    /// Indexes of closed segments. Derived.
    Indexes,
    /// Payloads: each opens with its stream's key, to which its entry commits, and is an event.
    Contents,
    /// Tiles and entry bundles. Derived.
    Tiles,
    /// Documents and heads in sled. Derived.
    Derived,
}

impl PartName {
    /// Its name in reports. Names never change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Checkpoints => "checkpoints",
            Self::Heads => "heads",
            Self::Indexes => "indexes",
            Self::Contents => "contents",
            Self::Tiles => "tiles",
            Self::Derived => "derived",
        }
    }

    /// What is counted in it.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Journal => "events",
            Self::Checkpoints => "checkpoints",
            Self::Heads => "records of heads",
            Self::Indexes => "segments",
            Self::Contents => "payloads",
            Self::Tiles => "files",
            Self::Derived => "documents",
        }
    }

    /// Whether it can be thrown away and made again from the journal.
    pub const fn is_derived(self) -> bool {
        match self {
            Self::Journal | Self::Checkpoints | Self::Heads | Self::Contents => false,
            Self::Indexes | Self::Tiles | Self::Derived => true,
        }
    }
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// How many were checked and found sound, in [`PartName::unit`]s.
    pub checked: u64,
    /// The first fault. What stands after it is not checked.
    pub fault: Option<Fault>,
    /// What was not checked, and why; what is no fault but worth knowing.
    pub note: Option<String>,
}

impl Part {
    pub(super) fn new(name: PartName) -> Self {
        Self {
            name,
            checked: 0,
            fault: None,
            note: None,
        }
    }

    pub(super) fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Keeps a fault, unless there is one already.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

/// What checking a directory found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Frames checked.
    pub commits: CommitSeq,
    /// Events checked: the position of the last.
    pub events: Position,
    /// Streams there are.
    pub streams: u64,
    /// Payloads that have been overwritten with zeros.
    pub redacted: u64,
    /// Bytes at the end of the journal that a crash left of a write that was never receipted;
    /// they are cut off when the ledger is opened.
    pub unfinished: u64,
    /// Root of the RFC 6962 tree over the events checked.
    pub root: Hash32,
    /// The key that signs checkpoints, as it stands in the journal. Whether it is the right one only
    /// who knows it from elsewhere can tell.
    pub key: Option<VerifierKey>,
    /// Whether the journal was read to its end.
    pub whole: bool,
    /// Where streams were forked. Each is a fault of the journal until it is settled.
    pub forks: Forks,
    /// Each part, judged by itself, in the order in which they depend on each other.
    pub parts: Vec<Part>,
}

impl Verification {
    /// One of the parts; `None` if it was not looked at.
    pub fn part(&self, name: PartName) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The first fault of each part that has one.
    pub fn faults(&self) -> impl Iterator<Item = (PartName, &Fault)> {
        let parts = self.parts.iter();
        parts.filter_map(|part| part.fault.as_ref().map(|fault| (part.name, fault)))
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults().next().is_none()
    }
}
