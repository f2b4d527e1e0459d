//! The rule of a monitor. It follows a whole log, entry by entry, and computes again everything that a
//! checkpoint stands for: the tree, and at every record of heads where all streams ended. It needs no
//! texts and no keys but those that open the records of heads. This module has neither network nor disk.

mod opening;
mod proof;
mod state;

use self::opening::{RecordsHeads, open};
pub use self::proof::{Beginning, beginning, not_grown, path, two_roots};
pub use self::state::{State, StateError};
use crate::audit::{Fault, FaultKind, LogFold};
use crate::domain::EventType;
use crate::entry::{Entry, EntryBytes, EntryError, Hash32};
use crate::ids::{Position, StreamId};
use crate::tlog::{Checkpoint, DisclosedHeads, HEADS_PER_FILE};

/// How many entries a record of heads may be behind. Earlier versions did not bound it; a server that took in
/// a whole city while it made its first checkpoint stays below this. Only what lies between two records is
/// remembered.
const BEHIND: u64 = 1 << 20;

/// A log as far as a monitor has computed it again.
pub struct Follower {
    fold: LogFold,
    is_record: RecordsHeads,
    /// How many records of heads there were.
    records: u64,
    /// The stream of all of them. `None` before the first.
    stream: Option<StreamId>,
    /// Whether the last entry is one of them.
    ends_with_record: bool,
    /// How many entries the next record of heads may be behind.
    behind: u64,
}

/// Why a monitor does not go on from an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The entry, or what the record of heads in it says, is wrong. If a signed checkpoint covers the
    /// entry, the log itself is at fault.
    #[error("{0}")]
    Fault(Fault),
    /// What opens a record of heads is missing, or does not belong to it. No signature covers these
    /// files, so this says nothing of the log: ask for them again.
    #[error("{0}")]
    Undisclosed(Fault),
    /// A record of heads is so far behind that it cannot be checked. Only earlier versions made such records.
    #[error(
        "the record of heads at position {position} is as of {behind} entries before, too many to check it"
    )]
    Behind {
        /// The position of the record.
        position: Position,
        /// How many entries it is behind.
        behind: u64,
    },
    /// A newer version of planledger wrote the entry. Use that version.
    #[error("the entry at position {position} needs a newer version of planledger: {reason}")]
    Newer {
        /// The entry's position.
        position: Position,
        /// What this version does not know.
        reason: String,
    },
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            fold: LogFold::remembering(BEHIND as usize),
            is_record: RecordsHeads::default(),
            records: 0,
            stream: None,
            ends_with_record: false,
            behind: BEHIND,
        }
    }
}

impl Follower {
    /// How many entries were taken so far.
    pub fn size(&self) -> u64 {
        self.fold.size()
    }

    /// How many streams there are so far.
    pub fn stream_count(&self) -> u64 {
        self.fold.stream_count()
    }

    /// The log as far as it was taken.
    pub fn fold(&self) -> &LogFold {
        &self.fold
    }

    /// The root over where all streams end.
    pub fn heads_root(&mut self) -> Hash32 {
        self.fold.heads_root()
    }

    /// Whether an entry says that it is a record of heads. Then [`Follower::take`] needs what opens it.
    pub fn is_record(&self, bytes: &EntryBytes) -> bool {
        self.is_record.is(bytes)
    }

    /// In which file what opens the next record of heads stands, and on which line, both from 0.
    pub fn next_record(&self) -> (u64, usize) {
        let line = self.records % HEADS_PER_FILE;
        (self.records / HEADS_PER_FILE, line as usize)
    }

    /// Takes the next entry, at position [`size`](Self::size) + 1. `disclosed` opens it if it is a record
    /// of heads.
    ///
    /// # Errors
    /// [`Refusal`]. Nothing was taken then.
    pub fn take(
        &mut self,
        bytes: &EntryBytes,
        disclosed: Option<&DisclosedHeads>,
    ) -> Result<(), Refusal> {
        let position = Position::new(self.size()).next();
        let is_record = self.is_record(bytes);
        if is_record {
            self.check_record(position, bytes, disclosed)?;
        }
        let entry = self
            .fold
            .take(bytes)
            .map_err(|fault| match Entry::decode(bytes) {
                Err(error @ (EntryError::Version(_) | EntryError::Kind { .. })) => Refusal::Newer {
                    position,
                    reason: error.to_string(),
                },
                Ok(_) | Err(_) => Refusal::Fault(fault),
            })?;
        if is_record {
            self.stream = Some(entry.stream);
            self.records += 1;
        }
        self.ends_with_record = is_record;
        Ok(())
    }

    fn check_record(
        &mut self,
        position: Position,
        bytes: &EntryBytes,
        disclosed: Option<&DisclosedHeads>,
    ) -> Result<(), Refusal> {
        let undisclosed = |what: &str| {
            let fault = Fault::new(position, FaultKind::Missing, what);
            Refusal::Undisclosed(fault)
        };
        let Some(disclosed) = disclosed else {
            return Err(undisclosed(
                "what opens this record of heads is not published",
            ));
        };
        if disclosed.position != position {
            return Err(undisclosed(
                "what is published in its place opens another record of heads",
            ));
        }
        let Ok(entry) = Entry::decode(bytes) else {
            // The fold says what is wrong with it.
            return Ok(());
        };
        if let Some(reason) = newer(&entry) {
            return Err(Refusal::Newer { position, reason });
        }
        if self.stream.is_some_and(|stream| stream != entry.stream) {
            let what = "it is a record of heads in a second stream";
            return Err(Refusal::Fault(Fault::new(position, FaultKind::Head, what)));
        }
        let recorded = open(disclosed, &entry, bytes).map_err(|fault| match fault.kind {
            // The entry commits to payload and key. These are others.
            FaultKind::Payload | FaultKind::Key | FaultKind::Format | FaultKind::Missing => {
                Refusal::Undisclosed(fault)
            }
            _ => Refusal::Fault(fault),
        })?;
        let behind = self.size().saturating_sub(recorded.through.get());
        if behind > self.behind {
            return Err(Refusal::Behind { position, behind });
        }
        let checked = self.fold.check_heads(position, &recorded);
        checked.map_err(Refusal::Fault)
    }

    /// Checks that a checkpoint of exactly the entries so far says what was computed: its root is right,
    /// and its last entry is a record of heads.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn agrees(&self, checkpoint: &Checkpoint) -> Result<(), Fault> {
        let (size, position) = (self.size(), checkpoint.position());
        let fault = |kind, what: String| Err(Fault::new(position, kind, what));
        if checkpoint.size != size {
            let what = format!("{size} entries were followed, not those of the checkpoint");
            return fault(FaultKind::Checkpoint, what);
        }
        if checkpoint.root != self.fold.root() {
            let what = "its root is not the root of the entries up to there".to_owned();
            return fault(FaultKind::Checkpoint, what);
        }
        match self.ends_with_record {
            true => Ok(()),
            false => {
                let what = "the last entry of the checkpoint is not a record of heads".to_owned();
                fault(FaultKind::Head, what)
            }
        }
    }
}

/// What of an entry is newer than this program; `None` if nothing is.
fn newer(entry: &Entry) -> Option<String> {
    let mut all = EventType::ALL.iter();
    let known = all.find(|known| known.code == entry.event_type)?;
    (entry.schema > known.schema).then(|| {
        format!(
            "{} has schema {}, and this version knows {}",
            known.name, entry.schema, known.schema
        )
    })
}
