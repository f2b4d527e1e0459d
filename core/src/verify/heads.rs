//! Compares the records of where all streams ended with where they did end.

use std::collections::{HashMap, VecDeque};

use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::domain::ledger::RecordedHeads;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::heads::{MemoryHeads, StreamHead, head_of};
use crate::ids::Position;
use crate::journal::{CommitLog, ReadError};

/// How many events are kept back for the next record of heads. A record covers the events up to an
/// earlier position, which is usually the position just before it.
const MOST_WAITING: usize = 1 << 20;

/// The heads of all streams, while the journal is read.
pub(super) struct Heads {
    /// The heads as they were at `through`.
    heads: MemoryHeads,
    through: Position,
    /// The events after `through`, with the heads that they give.
    waiting: VecDeque<(Position, StreamHead)>,
    recorded: Option<RecordedHeads>,
    part: Part,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            heads: MemoryHeads::default(),
            through: Position::ZERO,
            waiting: VecDeque::new(),
            recorded: None,
            part: Part::new(PartName::Heads),
        }
    }

    /// Takes an event: its stream ends there now.
    pub(super) fn take(&mut self, position: Position, entry: &Entry, link: Hash32) {
        if self.part.fault.is_some() {
            return;
        }
        if self.waiting.len() >= MOST_WAITING
            && let Some((half, _)) = self.waiting.get(MOST_WAITING / 2)
        {
            self.advance(*half);
        }
        let head = StreamHead {
            stream: entry.stream,
            key: entry.key,
            revision: entry.revision,
            link,
        };
        self.waiting.push_back((position, head));
    }

    /// Checks the record at `position`, which says where the streams ended.
    pub(super) fn check(
        &mut self,
        log: &dyn CommitLog,
        position: Position,
        recorded: RecordedHeads,
    ) -> Result<(), ReadError> {
        if self.part.fault.is_some() {
            return Ok(());
        }
        let RecordedHeads { through, root } = recorded;
        let mut fail = |what: String| {
            let fault = Fault::new(position, FaultKind::Head, what);
            self.part.fail(fault);
        };
        if through >= position {
            fail(format!(
                "heads are recorded for position {through}, which did not exist yet"
            ));
            return Ok(());
        }
        if let Some(before) = self.recorded
            && before.through >= through
        {
            let before = before.through;
            fail(format!(
                "heads are recorded for position {through} after the heads for position {before}"
            ));
            return Ok(());
        }
        let found = match through < self.through {
            true => heads_at(log, through)?.root(),
            false => {
                self.advance(through);
                self.heads.root()
            }
        };
        if found == root {
            self.recorded = Some(recorded);
            self.part.checked += 1;
        } else {
            let what =
                format!("the streams did not end at position {through} as the recorded heads say");
            self.part.fail(Fault::new(position, FaultKind::Head, what));
        }
        Ok(())
    }

    /// Adds the events that were kept back, up to a position.
    fn advance(&mut self, to: Position) {
        let count = self
            .waiting
            .partition_point(|(position, _)| *position <= to);
        // Most streams have many events here. Only the last one counts.
        let mut newest = HashMap::new();
        for (_, head) in self.waiting.drain(..count) {
            newest.insert(head.stream, head);
        }
        newest.into_values().for_each(|head| self.heads.put(head));
        self.through = self.through.max(to);
    }

    /// Keeps a fault of an event in the stream of heads.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.part.fail(fault);
    }

    /// The last record that was checked and is right, and the result of the part.
    pub(super) fn finish(self) -> (Option<RecordedHeads>, Part) {
        (self.recorded, self.part)
    }
}

/// The heads of all streams at a position, read from the journal.
pub(super) fn heads_at(log: &dyn CommitLog, position: Position) -> Result<MemoryHeads, ReadError> {
    let mut heads = HashMap::new();
    for frame in log.read(Position::ZERO.next()) {
        let frame = frame?;
        let records = frame
            .entries()
            .take_while(|record| record.position <= position);
        for record in records {
            // An entry that cannot be read is a fault of the journal. The check of the journal
            // finds it.
            if let Ok(entry) = Entry::decode(record.entry) {
                let (_, head) = head_of(&entry, record.entry);
                heads.insert(head.stream, head);
            }
        }
        if frame.header().last_position() >= position {
            break;
        }
    }
    let mut all = MemoryHeads::default();
    heads.into_values().for_each(|head| all.put(head));
    Ok(all)
}
