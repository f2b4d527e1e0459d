//! Habits of a disk that come to the same as a fault of the program: a call that the program leaves out
//! is a call that the disk does not carry out.

use super::{JOURNAL, KEYS};

/// A habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Files whose names begin and end so, in a folder, are never synced.
    NoSync(usize, &'static str, &'static str),
    /// The names of a folder are never synced.
    NoFolderSync(usize),
    /// The names of a folder are synced before the last rename.
    SyncBeforeRename(usize),
    /// A sync after a write of zeros does nothing.
    NoSyncOfZeros,
    /// A sync after a write into what was there does nothing, in the folder of keys.
    NoSyncOfOverwrittenKeys,
    /// A sync that fails is reported as done.
    FailedSyncIsDone,
    /// A write that does only a part is reported as whole.
    ShortIsWhole,
    /// A write that finds no space is reported as done.
    NoSpaceIsDone,
    /// Bytes that are the same as before are not written again.
    SameIsNotWritten(usize),
    /// Files are not cut off.
    NoCutOff(usize),
    /// A read that fails is taken for the end of the file.
    FailedReadIsEnd,
    /// Files whose names begin so are not made.
    NoFile(usize, &'static str),
    /// A write that fails is reported as done.
    FailedWriteIsDone,
}

impl Lie {
    /// Whether a file is not synced.
    pub(super) fn skips_sync(self, folder: usize, name: &str, last: super::LastWrite) -> bool {
        match self {
            Self::NoSync(of, begins, ends) => {
                of == folder && name.starts_with(begins) && name.ends_with(ends)
            }
            Self::NoSyncOfZeros => folder == JOURNAL && last.zeros,
            Self::NoSyncOfOverwrittenKeys => folder == KEYS && last.within && !last.zeros,
            _ => false,
        }
    }
}
