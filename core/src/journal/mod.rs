//! The journal, which is the truth of a ledger. `core/DESIGN.md` describes every byte.
//!
//! The rest of planledger knows only [`CommitLog`]; [`SegmentLog`] stores it in files.

mod commit;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod disk;
mod error;
#[cfg(any(test, feature = "testing"))]
mod faulty_disk;
mod frame;
mod group;
mod layout;
mod log;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod segment;
mod tail;

pub use commit::{CommandRecord, Commit, CommitError, Limit, NewEntry};
pub use disk::{Disk, DiskFile, OsDisk};
pub(crate) use disk::{read_full, write_full};
pub use error::{AppendError, Damage, DamageReason, OpenError, ReadError};
#[cfg(any(test, feature = "testing"))]
pub use faulty_disk::{Fault, FaultyDisk, PowerCut};
pub use frame::{EntryRef, Frame, FrameError, Header};
pub use layout::{
    CHECKSUM_LEN, COMMAND_LEN, Digest16, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN,
    RECORD_LEN,
};
pub use log::{CommitLog, Frames, StoredEntry};
#[cfg(any(test, feature = "testing"))]
pub use memory::MemoryLog;
pub use segment::{
    Cut, DurableHint, OpenMode, SEGMENT_HEADER_LEN, SegmentLog, SegmentOptions, SegmentStart,
    StoredIndex,
};
pub use tail::Tail;
