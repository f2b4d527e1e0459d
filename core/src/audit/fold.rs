//! Follows a whole log entry by entry, and keeps only where every stream ends. It needs no texts and
//! no keys.

use super::chain::{follows, is_in_order, keeps_key};
use super::fault::{Fault, FaultKind};
use crate::domain::ledger::RecordedHeads;
use crate::entry::{self, Entry, EntryBytes};
use crate::hash::Hash32;
use crate::heads::{Ends, MOST_BEHIND, StreamHead};
use crate::ids::{Position, Revision};
use crate::merkle::Frontier;
use crate::time::Timestamp;

/// A log as far as it was followed: its tree, and where every stream ends.
///
/// Every entry is checked against the entries before it, so a log that a fold has taken has no gap, no
/// two events at one revision, and no time that goes back. Takes about 120 bytes for each stream, and
/// 10 MiB besides.
pub struct LogFold {
    frontier: Frontier,
    last: Option<Timestamp>,
    ends: Ends,
    /// The position of the last record of heads that was checked.
    recorded: Position,
}

impl Default for LogFold {
    fn default() -> Self {
        Self::new()
    }
}

impl LogFold {
    /// How many entries a record of heads may be behind, with [`LogFold::new`]: see
    /// [`MOST_BEHIND`]. The server stays below it unless it is so busy that it records as many events
    /// while it makes one checkpoint.
    pub const BEHIND: usize = MOST_BEHIND as usize;

    /// The empty log.
    pub fn new() -> Self {
        Self::remembering(Self::BEHIND)
    }

    /// The empty log. A record of heads can be checked if it is at most `behind` entries behind. Each
    /// takes 64 bytes.
    pub fn remembering(behind: usize) -> Self {
        Self {
            frontier: Frontier::default(),
            last: None,
            ends: Ends::new(behind),
            recorded: Position::ZERO,
        }
    }

    /// Goes on from where an earlier fold was: its size, the peaks of its tree, the time of its last
    /// entry, and where its streams end. `None` if these do not fit each other.
    ///
    /// Save a fold only just after it has taken a record of heads. The next record is never as of an
    /// earlier position, and one that was could not be checked any more.
    pub fn of_streams(
        size: u64,
        peaks: Vec<Hash32>,
        last: Option<Timestamp>,
        streams: impl IntoIterator<Item = StreamHead>,
    ) -> Option<Self> {
        let mut fold = Self {
            frontier: Frontier::from_parts(size, peaks)?,
            last,
            ends: Ends::new(Self::BEHIND),
            recorded: Position::ZERO,
        };
        let mut revisions = 0u64;
        for head in streams {
            if head.revision == Revision::ZERO || fold.ends.head(head.stream).is_some() {
                return None;
            }
            // Every entry is one revision of one stream.
            revisions = revisions.checked_add(head.revision.get())?;
            fold.ends.put(head);
        }
        fold.ends.forget();
        (revisions == size && last.is_some() == (size > 0)).then_some(fold)
    }

    /// How many entries were taken so far.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// When the last entry was recorded. `None` if there is none.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.last
    }

    /// How many streams there are.
    pub fn stream_count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Where every stream ends, in the order in which the streams began.
    pub fn streams(&self) -> impl Iterator<Item = StreamHead> {
        self.ends.iter()
    }

    /// The root of the log's tree over the entries so far.
    pub fn root(&self) -> Hash32 {
        self.frontier.root()
    }

    /// The log's tree over the entries so far.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The root over where all streams end. Only buckets that changed since the last call are hashed.
    pub fn heads_root(&mut self) -> Hash32 {
        self.ends.root()
    }

    /// Takes the next entry, at position [`size`](Self::size) + 1.
    ///
    /// # Errors
    /// The first [`Fault`]: it is not an entry, was not recorded later than the entry before it, or does
    /// not follow the last entry of its stream by revision, link and key. The fold stays as it was.
    pub fn take(&mut self, bytes: &EntryBytes) -> Result<Entry, Fault> {
        let before = Position::new(self.size());
        let position = before.next();
        let entry = Entry::decode(bytes)
            .map_err(|error| Fault::new(position, FaultKind::Entry, error.to_string()))?;
        is_in_order(
            position,
            entry.recorded_at,
            self.last.map(|at| (before, at)),
        )?;
        match self.ends.head(entry.stream) {
            Some(head) => {
                follows(position, &entry, head.revision, &head.link)?;
                keeps_key(position, &entry, head.key)?;
            }
            None => follows(position, &entry, Revision::ZERO, &[0; 32])?,
        }
        self.ends.put(StreamHead {
            stream: entry.stream,
            key: entry.key,
            revision: entry.revision,
            link: entry::link(bytes),
        });
        self.frontier.push(entry::leaf(bytes));
        self.last = Some(entry.recorded_at);
        Ok(entry)
    }

    /// Checks the record of heads at position `at`. Call it before [`take`](Self::take) gets the
    /// record's own entry.
    ///
    /// The record says where streams ended at an earlier position: other events may come in while the
    /// server makes the record. It is never earlier than the record before.
    ///
    /// # Errors
    /// A [`Fault`]: the record is not as of a position before it and after the last record, or the
    /// streams did not end there as it says. Also if it is further behind than the fold remembers.
    pub fn check_heads(&mut self, at: Position, recorded: &RecordedHeads) -> Result<(), Fault> {
        let RecordedHeads { through, root } = *recorded;
        let fault = |kind, what: String| Err(Fault::new(at, kind, what));
        if at != Position::new(self.size()).next() {
            let what = format!("it does not come after {} entries", self.size());
            return fault(FaultKind::Order, what);
        }
        let Some(behind) = self.size().checked_sub(through.get()) else {
            let what =
                format!("heads are recorded for position {through}, which did not exist yet");
            return fault(FaultKind::Head, what);
        };
        if through < self.recorded {
            let what = format!(
                "heads are recorded for position {through}, but the record before stands at \
                position {}",
                self.recorded
            );
            return fault(FaultKind::Head, what);
        }
        let found = usize::try_from(behind).ok();
        let Some(found) = found.and_then(|behind| self.ends.root_before(behind)) else {
            let what = format!(
                "heads are recorded for position {through}, which is so long ago that they cannot \
                be made again"
            );
            return fault(FaultKind::Head, what);
        };
        if found != root {
            let what =
                format!("the streams did not end at position {through} as the recorded heads say");
            return fault(FaultKind::Head, what);
        }
        self.recorded = at;
        // The next record is as of this one or later.
        self.ends.forget();
        Ok(())
    }
}
