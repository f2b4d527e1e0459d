//! What can be found in a directory.

use std::path::PathBuf;

use super::advice::Section;
use super::keys::KeyFault;
use crate::audit::FaultKind;
use crate::ids::{CommitSeq, Position};
use crate::journal::Gap;
use crate::verify::PartName;

/// Something that was found in a ledger's directory. Paths are as the directory was named, and nothing
/// here holds a text or a name of a person.
///
/// A new finding must break every match that has to think about it, so this is not `non_exhaustive`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is no ledger.
    NoLedger,
    /// There are folders of a ledger, but no journal.
    JournalMissing,
    /// Another process has the ledger open.
    InUse,
    /// A folder of the ledger is a symbolic link.
    Link {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system does not let something be read.
    Unreadable {
        /// What it said, with the path.
        what: String,
    },
    /// Others than the owner may open a file or folder that is the owner's alone.
    OpenToOthers {
        /// The file or folder.
        path: PathBuf,
        /// Its mode, such as `0o644`.
        mode: u32,
    },
    /// A file that a crash left behind. Nothing reads it.
    Leftover {
        /// The file.
        path: PathBuf,
    },
    /// A redaction or erasure was interrupted. The next start finishes it.
    Unfinished {
        /// The file that says what is to be done.
        path: PathBuf,
    },
    /// Derived state that could not be used is kept.
    SetAside {
        /// The folder.
        path: PathBuf,
    },
    /// The disk of a folder has little room left.
    LittleRoom {
        /// The folder.
        path: PathBuf,
        /// The bytes that are left.
        free: u64,
        /// The bytes that should be.
        needed: u64,
    },
    /// The master key was not given, or cannot be read.
    NoMasterKey {
        /// Why.
        why: String,
    },
    /// The key store cannot be used.
    Keys(KeyFault),
    /// The key store ends with a key that was not finished. No event uses it.
    TornKeys {
        /// How many bytes it is.
        bytes: u64,
    },
    /// A part of the journal cannot be read.
    Journal(Gap),
    /// The journal ends with a write that was not finished. No receipt was given for it.
    TornTail {
        /// The number of the segment.
        segment: u64,
        /// Where in the file the journal ends.
        offset: u64,
        /// How many bytes follow.
        bytes: u64,
    },
    /// The journal ends before what derived state knows to have been stored.
    EndLost {
        /// The last position that is there.
        last: Position,
        /// The commit that was stored.
        commit: CommitSeq,
    },
    /// A checkpoint was signed for more events than the journal has.
    CheckpointAhead {
        /// How many events the checkpoint covers.
        size: u64,
        /// The last position that can be read.
        last: Position,
    },
    /// The file of checkpoints is damaged.
    CheckpointsDamaged {
        /// The byte where the damaged checkpoint begins.
        offset: u64,
    },
    /// The file of acts was changed.
    ActsDamaged {
        /// What is wrong with it.
        what: String,
    },
    /// A part has another fault.
    Part {
        /// The part.
        part: PartName,
        /// The kind of the fault.
        kind: FaultKind,
        /// The position that it is about; 0 if it is about none.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// Derived state is not there. The next start makes it.
    NoDerivedState,
    /// A part could not be checked.
    NotChecked {
        /// What, and why.
        what: String,
    },
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is wrong. It is good to know.
    Note,
    /// Only what is derived, or left over, is wrong: nothing is lost, and a repair helps.
    Derived,
    /// Something has to be done about it, and the journal is not in doubt.
    Outside,
    /// Something of the truth is damaged, missing or in doubt. Nothing may be repaired before this is.
    Truth,
}

/// What of what has a receipt is lost, unless a backup has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing.
    Nothing,
    /// The events at these positions, the first and the last.
    Events(Position, Position),
    /// Every event from this position on that the newest backup does not have; nobody can tell how many.
    From(Position),
    /// No event, but none can be read as long as this is so.
    Texts,
    /// Checkpoints or acts: evidence, but no event.
    Evidence,
    /// Records of who has read.
    Reads,
    /// Nobody can tell as long as this is so.
    Unknown,
}

impl Finding {
    /// The code of the finding. A code never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoLedger => "NO_LEDGER",
            Self::JournalMissing => "JOURNAL_MISSING",
            Self::InUse => "IN_USE",
            Self::Link { .. } => "LINK",
            Self::Unreadable { .. } => "UNREADABLE",
            Self::OpenToOthers { .. } => "OPEN_TO_OTHERS",
            Self::Leftover { .. } => "LEFTOVER",
            Self::Unfinished { .. } => "UNFINISHED",
            Self::SetAside { .. } => "SET_ASIDE",
            Self::LittleRoom { .. } => "LITTLE_ROOM",
            Self::NoMasterKey { .. } => "NO_MASTER_KEY",
            Self::Keys(fault) => fault.code(),
            Self::TornKeys { .. } => "TORN_KEYS",
            Self::Journal(gap) => match gap.reason {
                crate::journal::DamageReason::Missing => "SEGMENT_MISSING",
                crate::journal::DamageReason::Misplaced => "SEGMENT_FOREIGN",
                crate::journal::DamageReason::Frame(_)
                | crate::journal::DamageReason::SegmentHeader
                | crate::journal::DamageReason::Length { .. }
                | crate::journal::DamageReason::EndLost(_)
                | crate::journal::DamageReason::Leaves
                | crate::journal::DamageReason::Removed
                | crate::journal::DamageReason::Leaf => "SEGMENT_DAMAGED",
            },
            Self::TornTail { .. } => "TORN_TAIL",
            Self::EndLost { .. } => "END_LOST",
            Self::CheckpointAhead { .. } => "CHECKPOINT_AHEAD",
            Self::CheckpointsDamaged { .. } => "CHECKPOINTS_DAMAGED",
            Self::ActsDamaged { .. } => "ACTS_DAMAGED",
            Self::Part { part, kind, .. } => of_part(*part, *kind),
            Self::NoDerivedState => "NO_DERIVED_STATE",
            Self::NotChecked { .. } => "NOT_CHECKED",
        }
    }

    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Self::Unfinished { .. }
            | Self::SetAside { .. }
            | Self::TornKeys { .. }
            | Self::TornTail { .. }
            | Self::NoDerivedState => Weight::Note,
            Self::Leftover { .. } => Weight::Derived,
            Self::OpenToOthers { .. } | Self::LittleRoom { .. } => Weight::Outside,
            Self::Part { part, .. } => match part {
                PartName::Indexes | PartName::Tiles | PartName::Derived => Weight::Derived,
                PartName::AccessLog | PartName::AccessCheckpoints | PartName::Origin => {
                    Weight::Outside
                }
                PartName::Journal
                | PartName::Checkpoints
                | PartName::Heads
                | PartName::Contents => Weight::Truth,
            },
            Self::NoLedger
            | Self::JournalMissing
            | Self::InUse
            | Self::Link { .. }
            | Self::Unreadable { .. }
            | Self::NoMasterKey { .. }
            | Self::Keys(_)
            | Self::Journal(_)
            | Self::EndLost { .. }
            | Self::CheckpointAhead { .. }
            | Self::CheckpointsDamaged { .. }
            | Self::ActsDamaged { .. }
            | Self::NotChecked { .. } => Weight::Truth,
        }
    }

    /// What is lost, unless a backup has it.
    pub fn lost(&self) -> Lost {
        match self {
            Self::NoLedger | Self::InUse | Self::Link { .. } | Self::Unreadable { .. } => {
                Lost::Unknown
            }
            Self::JournalMissing => Lost::From(Position::new(1)),
            Self::OpenToOthers { .. }
            | Self::Leftover { .. }
            | Self::Unfinished { .. }
            | Self::SetAside { .. }
            | Self::LittleRoom { .. }
            | Self::TornKeys { .. }
            | Self::TornTail { .. }
            | Self::NoDerivedState => Lost::Nothing,
            Self::NoMasterKey { .. } | Self::Keys(_) => Lost::Texts,
            Self::Journal(gap) => match gap.last {
                Some(last) if last < gap.first => Lost::Nothing,
                Some(last) => Lost::Events(gap.first, last),
                None => Lost::From(gap.first),
            },
            Self::EndLost { last, .. } => Lost::From(last.next()),
            Self::CheckpointAhead { size, last } => Lost::Events(last.next(), Position::new(*size)),
            Self::CheckpointsDamaged { .. } | Self::ActsDamaged { .. } => Lost::Evidence,
            Self::Part { part, .. } => match part {
                PartName::Indexes | PartName::Tiles | PartName::Derived => Lost::Nothing,
                PartName::AccessLog => Lost::Reads,
                PartName::AccessCheckpoints
                | PartName::Checkpoints
                | PartName::Heads
                | PartName::Origin => Lost::Evidence,
                PartName::Journal | PartName::Contents => Lost::Unknown,
            },
            Self::NotChecked { .. } => Lost::Unknown,
        }
    }

    /// Where the page for operators goes on.
    pub fn section(&self) -> Section {
        self.advice().section
    }
}

fn of_part(part: PartName, kind: FaultKind) -> &'static str {
    match part {
        PartName::Journal if kind == FaultKind::Fork => "FORKED",
        PartName::Journal => "JOURNAL_WRONG",
        PartName::Checkpoints => "CHECKPOINTS_WRONG",
        PartName::Heads => "HEADS_WRONG",
        PartName::Indexes => "INDEXES_WRONG",
        PartName::Contents => "CONTENTS_WRONG",
        PartName::Tiles => "TILES_WRONG",
        PartName::Derived => "DERIVED_WRONG",
        PartName::AccessLog => "ACCESS_LOG_WRONG",
        PartName::AccessCheckpoints => "ACCESS_CHECKPOINTS_WRONG",
        PartName::Origin if kind == FaultKind::Missing => "ORIGIN_MISSING",
        PartName::Origin => "ORIGIN_CHANGED",
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoLedger => write!(f, "there is no ledger in this directory"),
            Self::JournalMissing => write!(
                f,
                "the folder journal is missing, although other folders of a ledger are there"
            ),
            Self::InUse => write!(
                f,
                "another process has the ledger open, so nothing more can be looked at"
            ),
            Self::Link { path } => write!(
                f,
                "{} is a symbolic link, and the program does not follow it",
                path.display()
            ),
            Self::Unreadable { what } => write!(f, "something cannot be read: {what}"),
            Self::OpenToOthers { path, mode } => write!(
                f,
                "others than its owner may open {} (mode {:04o})",
                path.display(),
                mode & 0o7777
            ),
            Self::Leftover { path } => {
                write!(f, "{} is left of an interrupted write", path.display())
            }
            Self::Unfinished { path } => write!(
                f,
                "text was being destroyed when the server stopped; {} says what is to be finished",
                path.display()
            ),
            Self::SetAside { path } => write!(
                f,
                "{} holds earlier derived state that could not be used",
                path.display()
            ),
            Self::LittleRoom { path, free, needed } => write!(
                f,
                "the disk of {} has {free} bytes left, and {needed} should be",
                path.display()
            ),
            Self::NoMasterKey { why } => write!(
                f,
                "the ledger's master key is not there, so nothing that is sealed was looked at: {why}"
            ),
            Self::Keys(fault) => fault.fmt(f),
            Self::TornKeys { bytes } => write!(
                f,
                "keys.log ends with {bytes} bytes of a key that was not finished; no event uses it"
            ),
            Self::Journal(gap) => write!(
                f,
                "segment-{:08}.log cannot be read from byte {} on, at position {}: {}",
                gap.segment, gap.offset, gap.first, gap.reason
            ),
            Self::TornTail {
                segment,
                offset,
                bytes,
            } => write!(
                f,
                "segment-{segment:08}.log ends at byte {offset} with {bytes} bytes of a write that was \
                 not finished; no receipt was given for it, and the next start cuts it off"
            ),
            Self::EndLost { last, commit } => write!(
                f,
                "the journal ends at position {last}, but derived state knows that commit {commit} was \
                 stored after it: the end of the last segment is gone"
            ),
            Self::CheckpointAhead { size, last } => write!(
                f,
                "a checkpoint of {size} events was signed, but the journal can be read only up to \
                 position {last}"
            ),
            Self::CheckpointsDamaged { offset } => {
                write!(f, "checkpoints/checkpoints.txt is damaged at byte {offset}")
            }
            Self::ActsDamaged { what } => write!(f, "{what}"),
            Self::Part {
                part,
                kind,
                position,
                what,
            } => match position.get() {
                0 => write!(f, "{}: {}: {what}", part.name(), kind.code()),
                _ => write!(
                    f,
                    "{}: {} at position {position}: {what}",
                    part.name(),
                    kind.code()
                ),
            },
            Self::NoDerivedState => write!(f, "derived state is not there"),
            Self::NotChecked { what } => write!(f, "not checked: {what}"),
        }
    }
}
