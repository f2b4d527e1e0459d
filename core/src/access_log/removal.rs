//! Removes the first segments of the access log when two people have decided that records from before
//! a day go.
//!
//! First it is recorded in the ledger which records go and what the root of the tree over them is;
//! only then are they removed. A crash in between leaves the act on record, and opening the access log
//! removes what is left. So records are missing if and only if such an act is on record, or a loss.

use jiff::civil::Date;

use super::error::OpenError;
use super::{AccessLog, HEADS, Heads};
use crate::domain::erasure::{Erasure, Phase, RemovedReads, Target};
use crate::domain::ledger::Loss;
use crate::ids::{ErasureId, Position};
use crate::journal::{CommitLog, ReadError, SegmentLog};
use crate::ledger::{self, ErasureError, Ledger};
use crate::time::Timestamp;

/// The acts on the access log that are decided, each with what it removes.
struct Decided {
    /// The last record that may be missing.
    through: Position,
    /// The last one that is there and goes. It is an earlier one if this is an older copy of the access
    /// log, and none of it goes if it began after what was removed.
    here: Position,
    /// Those that are not recorded as carried out.
    unfinished: Vec<ErasureId>,
}

/// Records for every act that is approved which records it removes, if that is not on record yet.
fn settle(
    ledger: &Ledger,
    segments: &SegmentLog,
    losses: &[Loss],
) -> Result<Decided, ErasureError> {
    let mut decided = Decided {
        through: Position::ZERO,
        here: Position::ZERO,
        unfinished: Vec::new(),
    };
    for (id, act) in ledger.acts_on_reads()? {
        let is_open = matches!(act.phase, Phase::Approved(_));
        let reads = match (act.reads, is_open) {
            (None, true) => {
                let reads = bounds(segments, &act)?;
                ledger.settle_reads(id, reads)?
            }
            // It is noted beside the journal once more, in case a crash came before that.
            (Some(reads), true) => ledger.settle_reads(id, reads)?,
            (reads, false) => reads,
        };
        if let Some(reads) = reads {
            let through = reads.through_after(losses);
            decided.through = decided.through.max(through);
            decided.here = decided.here.max(here(segments, &reads, through)?);
        }
        if is_open {
            decided.unfinished.push(id);
        }
    }
    Ok(decided)
}

/// What an act removes.
fn bounds(segments: &SegmentLog, act: &Erasure) -> Result<RemovedReads, ErasureError> {
    let before = match act.target {
        Target::Reads { before } => Timestamp::start_of_day_in_denmark(before),
        Target::Person(_) | Target::Event(_) => Timestamp::default(),
    };
    // If everything is older, the last segment goes too, as soon as there is a next one.
    if segments.tail().recorded_at < before {
        close(segments)?;
    }
    let end = segments.whole_segments_before(before);
    let there = end
        .position
        .get()
        .saturating_sub(segments.removed().position.get());
    Ok(RemovedReads {
        through: end.position,
        records: there,
        until: end.recorded_at,
        root: segments.root_at(end.position).map_err(read_error)?,
    })
}

/// The last of the records that an act removes, up to `through`, which is there or was removed before.
/// Records from later than what it removes are never among them, whatever numbers they have.
fn here(
    segments: &SegmentLog,
    reads: &RemovedReads,
    through: Position,
) -> Result<Position, ErasureError> {
    let (tail, removed) = (segments.tail(), segments.removed().position);
    let is_older_copy = tail.position <= through && tail.recorded_at <= reads.until;
    if is_older_copy && tail.position > removed {
        close(segments)?;
    }
    let end = segments.whole_segments_before(reads.until.plus(1));
    Ok(end.position.min(through))
}

fn close(segments: &SegmentLog) -> Result<(), ErasureError> {
    let closed = segments.close_segment();
    closed.map_err(|error| ErasureError::Io(std::io::Error::other(error)))
}

fn read_error(error: ReadError) -> ErasureError {
    ErasureError::Read(ledger::ReadError::from(error))
}

/// While the access log is opened: finishes what a crash or a restore of older segments has left.
/// Gives the last record that is removed.
pub(super) fn finish(
    ledger: &Ledger,
    segments: &SegmentLog,
    losses: &[Loss],
) -> Result<Position, OpenError> {
    let decided = settle(ledger, segments, losses)?;
    let removed = segments.removed().position;
    if removed > decided.through {
        return Err(OpenError::Unrecorded {
            removed,
            recorded: decided.through,
        });
    }
    if removed < decided.here {
        tracing::warn!(
            through = decided.here.get(),
            "records of the access log that an act on record removes are there; they are removed now"
        );
        let done = segments.remove_through(decided.here);
        done.map_err(ErasureError::from)?;
    }
    for id in decided.unfinished {
        ledger.reads_removed(id)?;
        tracing::info!(erasure = %id, "records of the access log are removed");
    }
    Ok(segments.removed().position)
}

impl Heads {
    /// Forgets the students of whom every record was removed. Says whether there were any.
    pub(super) fn forget(&mut self, removed: Position) -> bool {
        let before = self.by_student.len();
        self.by_student.retain(|_, head| head.position > removed);
        self.by_student.len() < before
    }
}

impl AccessLog {
    /// Since when every read is there: the instant after the last removed record, or when the access log
    /// was made, and not before the last loss on record. `None` if another engine keeps it and does not say.
    pub fn complete_since(&self) -> Option<Timestamp> {
        let segments = self.shared.segments.as_ref()?;
        let removed = segments.removed();
        let since = match removed.position {
            Position::ZERO => removed.recorded_at,
            _ => removed.recorded_at.plus(1),
        };
        let losses = self.shared.losses.iter();
        let since = losses
            .map(|loss| loss.complete_since)
            .fold(since, Timestamp::max);
        Some(since)
    }

    /// The last record that was removed; 0 if none was.
    pub(super) fn removed(&self) -> Position {
        let segments = self.shared.segments.as_ref();
        segments.map_or(Position::ZERO, |segments| segments.removed().position)
    }

    /// How many records an act would remove now that removes those from before a day.
    pub fn removable(&self, before: Date) -> u64 {
        let Some(segments) = &self.shared.segments else {
            return 0;
        };
        let before = Timestamp::start_of_day_in_denmark(before);
        let tail = segments.tail();
        let end = match tail.recorded_at < before {
            true => tail,
            false => segments.whole_segments_before(before),
        };
        end.position.get().saturating_sub(self.removed().get())
    }

    /// Carries out every act on the access log that is approved and not carried out yet. Gives those
    /// that are carried out now.
    ///
    /// # Errors
    /// [`ErasureError`]. What is not carried out stays approved; try again, or open the access log
    /// again.
    pub fn carry_out_removals(&self) -> Result<Vec<ErasureId>, ErasureError> {
        let Some(segments) = &self.shared.segments else {
            return Ok(Vec::new());
        };
        let _one_at_a_time = self.shared.carrying_out.lock();
        let decided = settle(&self.ledger, segments, &self.shared.losses)?;
        if segments.removed().position < decided.here {
            // Readers go on meanwhile.
            segments.keep_leaves(decided.here)?;
            let _nobody_reads = self.shared.removing.write();
            segments.remove_through(decided.here)?;
        }
        let forgotten = self.shared.heads.lock().forget(self.removed());
        if forgotten {
            HEADS.remove(&*self.home)?;
        }
        for id in &decided.unfinished {
            self.ledger.reads_removed(*id)?;
            tracing::info!(erasure = %id, "records of the access log are removed");
        }
        Ok(decided.unfinished)
    }
}
