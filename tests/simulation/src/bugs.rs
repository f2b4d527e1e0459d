//! Faults that are put in on purpose, each of which the checker has to find. A call that a program leaves
//! out is a call that the disk does not carry out, so most are habits of the disk and the core stays as it
//! is shipped; the others are habits of the process that works the core, or slips of the threads of a whole ledger.

use planledger_core::turns::Slip;

use crate::disk::{CHECKPOINTS, JOURNAL, KEYS, Lie};

/// A habit of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Receipts are given although the append failed.
    IgnoresErrors,
    /// New keys are stored after the events that are sealed under them.
    KeysLast,
    /// A journal that is damaged in the middle is cut off there.
    CutsAtDamage,
    /// What was read once is never read again.
    CachesForEver,
    /// Derived state says that something is durable before it is.
    HintsAhead,
    /// Each command of a batch is appended by itself.
    SplitsBatches,
    /// A checkpoint counts an event that is still to come.
    ChecksInAdvance,
}

/// What is wrong, if anything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    Lie(Lie),
    Habit(Habit),
    /// Only a whole ledger has threads that could make it.
    Slip(Slip),
}

impl Bug {
    pub(crate) fn lie(self) -> Option<Lie> {
        match self {
            Self::Lie(lie) => Some(lie),
            Self::None | Self::Habit(_) | Self::Slip(_) => None,
        }
    }

    pub(crate) fn habit(self) -> Option<Habit> {
        match self {
            Self::Habit(habit) => Some(habit),
            Self::None | Self::Lie(_) | Self::Slip(_) => None,
        }
    }

    pub(crate) fn slip(self) -> Option<Slip> {
        match self {
            Self::Slip(slip) => Some(slip),
            Self::None | Self::Lie(_) | Self::Habit(_) => None,
        }
    }

    /// The bug of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|(of, _, _, _)| *of == name);
        found.map(|(_, bug, _, _)| *bug)
    }
}

/// Every bug: its name, what does it, a seed that shows it, and what a program with this fault does.
pub(crate) const ALL: &[(&str, Bug, u64, &str)] = &[
    (
        "receipt-before-fsync",
        Bug::Lie(Lie::NoSync(JOURNAL, "segment-", ".log")),
        0,
        "a receipt is given before the journal is synced",
    ),
    (
        "receipt-after-error",
        Bug::Habit(Habit::IgnoresErrors),
        1,
        "a receipt is given although the append failed",
    ),
    (
        "fsync-error-ignored",
        Bug::Lie(Lie::FailedSyncIsDone),
        57,
        "a failed fsync is taken for done",
    ),
    (
        "key-after-event",
        Bug::Habit(Habit::KeysLast),
        13,
        "a key is stored after the event that is sealed under it",
    ),
    (
        "key-not-synced",
        Bug::Lie(Lie::NoSync(KEYS, "keys.", ".log")),
        0,
        "new keys are never synced",
    ),
    (
        "no-fsync-of-journal-folder",
        Bug::Lie(Lie::NoFolderSync(JOURNAL)),
        0,
        "the folder of the journal is not synced when a segment is begun",
    ),
    (
        "no-fsync-of-keys-folder",
        Bug::Lie(Lie::NoFolderSync(KEYS)),
        0,
        "the folder of the keys is not synced when the key store is made",
    ),
    (
        "no-fsync-of-checkpoints-folder",
        Bug::Lie(Lie::NoFolderSync(CHECKPOINTS)),
        0,
        "the folder of the checkpoints is not synced when their file is made",
    ),
    (
        "folder-synced-before-rename",
        Bug::Lie(Lie::SyncBeforeRename(JOURNAL)),
        0,
        "the folder of the journal is synced before a new segment gets its name",
    ),
    (
        "keys-folder-synced-before-rename",
        Bug::Lie(Lie::SyncBeforeRename(KEYS)),
        0,
        "the folder of the keys is synced before a file gets its name",
    ),
    (
        "segment-named-before-fsync",
        Bug::Lie(Lie::NoSync(JOURNAL, "segment-", ".tmp")),
        1,
        "a new segment gets its name before its header is synced",
    ),
    (
        "keys-named-before-fsync",
        Bug::Lie(Lie::NoSync(KEYS, "keys.", ".tmp")),
        11,
        "the key store gets its name before its header is synced",
    ),
    (
        "checkpoint-shown-before-fsync",
        Bug::Lie(Lie::NoSync(CHECKPOINTS, "checkpoints", ".txt")),
        0,
        "a checkpoint is shown before it is synced",
    ),
    (
        "checkpoint-ahead-of-journal",
        Bug::Habit(Habit::ChecksInAdvance),
        0,
        "a checkpoint counts an event that is not in the journal",
    ),
    (
        "index-ahead-of-journal",
        Bug::Habit(Habit::HintsAhead),
        1,
        "derived state names a place of the journal before that is synced",
    ),
    (
        "middle-frame-cut-off",
        Bug::Habit(Habit::CutsAtDamage),
        0,
        "a journal that is damaged before its end is cut off there",
    ),
    (
        "cache-not-invalidated",
        Bug::Habit(Habit::CachesForEver),
        0,
        "an event stays in a cache after its text was redacted",
    ),
    (
        "batch-in-parts",
        Bug::Habit(Habit::SplitsBatches),
        0,
        "the commands of a batch are appended one by one",
    ),
    (
        "short-write-taken-for-whole",
        Bug::Lie(Lie::ShortIsWhole),
        1,
        "a write that did only a part is taken for whole",
    ),
    (
        "full-disk-ignored",
        Bug::Lie(Lie::NoSpaceIsDone),
        3,
        "a write that found no space is taken for done",
    ),
    (
        "failed-write-ignored",
        Bug::Lie(Lie::FailedWriteIsDone),
        25,
        "a write that failed is taken for done",
    ),
    (
        "failed-read-taken-for-end",
        Bug::Lie(Lie::FailedReadIsEnd),
        1,
        "a read that failed is taken for the end of the file",
    ),
    (
        "last-group-not-written-again",
        Bug::Lie(Lie::SameIsNotWritten(JOURNAL)),
        54,
        "at a start the last write of the journal is believed to be stored",
    ),
    (
        "last-keys-not-written-again",
        Bug::Lie(Lie::SameIsNotWritten(KEYS)),
        1_571,
        "at a start the last write of the keys is believed to be stored",
    ),
    (
        "last-checkpoint-not-written-again",
        Bug::Lie(Lie::SameIsNotWritten(CHECKPOINTS)),
        1_278,
        "at a start the last checkpoint is believed to be stored",
    ),
    (
        "torn-end-not-cut-off",
        Bug::Lie(Lie::NoCutOff(JOURNAL)),
        13,
        "what a crash left at the end of the journal stays there",
    ),
    (
        "redaction-without-note",
        Bug::Lie(Lie::NoFile(JOURNAL, "redaction")),
        313,
        "a text is overwritten without a note of it, so half of it may be",
    ),
    (
        "redaction-note-not-synced",
        Bug::Lie(Lie::NoSync(JOURNAL, "redaction", ".tmp")),
        35,
        "the note of a redaction gets its name before it is synced",
    ),
    (
        "redaction-not-synced",
        Bug::Lie(Lie::NoSyncOfZeros),
        0,
        "a redaction is told as done before it is synced",
    ),
    (
        "destruction-note-not-synced",
        Bug::Lie(Lie::NoSync(KEYS, "destroying", ".tmp")),
        265,
        "the note of a key that is destroyed gets its name before it is synced",
    ),
    (
        "destruction-not-synced",
        Bug::Lie(Lie::NoSyncOfOverwrittenKeys),
        13,
        "the destruction of a key is told as done before it is synced",
    ),
    (
        "wakes-one-of-all",
        Bug::Slip(Slip::WakesOne),
        84,
        "only one of the threads that wait for something is woken when it comes",
    ),
    (
        "waits-late",
        Bug::Slip(Slip::WaitsLate),
        2,
        "a thread lets go of its mutex before it counts as waiting, and is not woken in between",
    ),
];
