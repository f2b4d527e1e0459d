//! The journal, which is the truth of a ledger. `core/DESIGN.md` describes every byte.
//!
//! The rest of planledger knows only [`CommitLog`]; [`SegmentLog`] stores it in files.

mod commit;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
mod frame;
mod group;
mod layout;
mod log;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod segment;
mod tail;

pub use commit::{CommandRecord, Commit, CommitError, Limit, NewEntry};
pub use error::{
    AppendError, Damage, DamageReason, OpenError, ReadError, RedactError, RemoveError,
};
pub use frame::{EntryRef, Frame, FrameError, Header};
pub use layout::{
    CHECKSUM_LEN, COMMAND_LEN, Digest16, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN,
    RECORD_LEN,
};
pub use log::{CommitLog, Frames, StoredEntry};
#[cfg(any(test, feature = "testing"))]
pub use memory::MemoryLog;
pub use segment::{
    Cut, DurableHint, Gap, OpenMode, SEGMENT_HEADER_LEN, SegmentLog, SegmentOptions, SegmentStart,
    StoredIndex, Survey, WholeFrame, WholeSegment, commit_before, leaves_number, segment_name,
    segment_number, survey,
};
pub(crate) use segment::{ledger_id, survey_with};
pub use tail::Tail;

pub use crate::disk::{Disk, DiskFile, OsDisk, ReplaceError, SmallFile};
#[cfg(any(test, feature = "testing"))]
pub use crate::disk::{Fault, FaultyDisk, PowerCut};
