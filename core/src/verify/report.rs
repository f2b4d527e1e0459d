//! The result of a check.

use super::forks::Forks;
use crate::audit::Fault;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, Position};
use crate::tlog::VerifierKey;

/// How much of a directory is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Checks that nothing was changed: frames, entries, links, leaves, payload hashes,
    /// checkpoints, recorded heads and indexes. It opens only the ledger's own events and no other
    /// text.
    Integrity,
    /// Checks what [`Depth::Integrity`] checks. Also says what happened where streams were forked,
    /// event by event, and which commands were executed twice. It takes memory for each command.
    Forks,
    /// Checks what [`Depth::Integrity`] checks. Also checks that every payload opens with the right
    /// key and is an event, that the tiles are those of the journal, and that derived state is what
    /// the journal gives.
    Full,
}

/// One reading of the whole journal. A check makes several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The pass for [`PartName::Journal`], [`PartName::Checkpoints`], [`PartName::Heads`] and
    /// [`PartName::Indexes`].
    Integrity,
    /// The pass that looks for commands that were executed twice.
    Commands,
    /// The pass for [`PartName::Contents`].
    Contents,
    /// The pass for [`PartName::Tiles`].
    Tiles,
    /// The pass for [`PartName::Derived`].
    Derived,
}

impl Pass {
    /// What the pass does, in a word or two.
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

/// A part of a directory that gets its own result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartName {
    /// The journal: frames, entries, links, back pointers, leaves, order, time, payload hashes and
    /// commands.
    Journal,
    /// The kept checkpoints and the published one, compared with the journal and with the keys that
    /// signed them.
    Checkpoints,
    /// The records of where streams ended, compared with the journal.
    Heads,
    /// The index files of closed segments. They are derived.
    Indexes,
    /// The payloads. Each must open with its stream's key, to which its entry commits, and must be
    /// an event.
    Contents,
    /// The tiles and entry bundles. They are derived.
    Tiles,
    /// The documents and heads in sled. They are derived.
    Derived,
    /// The access log: the same as [`PartName::Journal`], and as [`PartName::Contents`] where that is
    /// checked. There only if the directory has one.
    AccessLog,
    /// The kept checkpoints of the access log, compared with it and with the keys on record.
    AccessCheckpoints,
    /// What is kept of the earlier ledger in `origin/`, compared with what is on record of it. There only if
    /// the events were carried over from one.
    Origin,
}

impl PartName {
    /// The part's name in reports. A name never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Checkpoints => "checkpoints",
            Self::Heads => "heads",
            Self::Indexes => "indexes",
            Self::Contents => "contents",
            Self::Tiles => "tiles",
            Self::Derived => "derived",
            Self::AccessLog => "access log",
            Self::AccessCheckpoints => "access checkpoints",
            Self::Origin => "origin",
        }
    }

    /// What [`Part::checked`] counts in this part.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Journal => "events",
            Self::Checkpoints => "checkpoints",
            Self::Heads => "records of heads",
            Self::Indexes => "segments",
            Self::Contents => "payloads",
            Self::Tiles => "files",
            Self::Derived => "documents",
            Self::AccessLog => "records",
            Self::AccessCheckpoints => "checkpoints",
            Self::Origin => "entries",
        }
    }

    /// Whether the part can be thrown away and made again from the journal.
    pub const fn is_derived(self) -> bool {
        match self {
            Self::Journal
            | Self::Checkpoints
            | Self::Heads
            | Self::Contents
            | Self::AccessLog
            | Self::AccessCheckpoints
            | Self::Origin => false,
            Self::Indexes | Self::Tiles | Self::Derived => true,
        }
    }
}

/// The result for one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of the part.
    pub name: PartName,
    /// How many items were checked and are sound. [`PartName::unit`] says what an item is.
    pub checked: u64,
    /// The first fault. Nothing after it is checked. `None` if no fault was found.
    pub fault: Option<Fault>,
    /// What was not checked and why, or something that is no fault but good to know.
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

/// The result of a check of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many frames were checked.
    pub commits: CommitSeq,
    /// How many events were checked: the position of the last one.
    pub events: Position,
    /// How many streams there are.
    pub streams: u64,
    /// How many payloads were overwritten with zeros.
    pub redacted: u64,
    /// Bytes at the end of the journal from a write that a crash interrupted. The write never got a
    /// receipt. The bytes are cut off when the ledger is opened.
    pub unfinished: u64,
    /// The root of the RFC 6962 tree over the events that were checked.
    pub root: Hash32,
    /// The key that signs checkpoints, as the journal says. Only somebody who knows the key from
    /// elsewhere can tell whether it is the right one. `None` if the journal names none.
    pub key: Option<VerifierKey>,
    /// Whether the journal was read to its end.
    pub whole: bool,
    /// Where streams were forked. Each fork is a fault of the journal until somebody settles it.
    pub forks: Forks,
    /// The result of each part. A part comes after the parts that it depends on.
    pub parts: Vec<Part>,
}

impl Verification {
    /// The result of one part. `None` if it was not checked.
    pub fn part(&self, name: PartName) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The first fault of each part that has one.
    pub fn faults(&self) -> impl Iterator<Item = (PartName, &Fault)> {
        let parts = self.parts.iter();
        parts.filter_map(|part| part.fault.as_ref().map(|fault| (part.name, fault)))
    }

    /// Whether no part has a fault.
    pub fn is_sound(&self) -> bool {
        self.faults().next().is_none()
    }
}
