//! The events of a range, as one piece of the log: its tree, and its records of where all streams ended.

use super::checking::{Checking, Placed, Version};
use super::events::open;
use super::report::HeadsChecked;
use crate::audit::bundle::EventLine;
use crate::audit::fault::{Fault, FaultKind};
use crate::audit::fold::LogFold;
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads, heads_stream, is_own_stream};
use crate::entry;
use crate::ids::{Position, StreamId, StreamKind};
use crate::merkle::Frontier;

/// How many events a record of heads may be behind. Earlier versions did not bound it; a server that
/// took in a whole city while it made its first checkpoint stays below this.
const BEHIND: usize = 1 << 20;

/// The log as far as a range was checked.
pub(super) struct Records {
    log: Log,
    /// Where the last record in the range stands.
    last: Option<Position>,
    /// How many records were checked.
    checked: u64,
    /// How many records could not be read.
    unread: u64,
}

enum Log {
    /// From the first event on: every stream is known from its beginning.
    Whole(Box<LogFold>),
    /// From a later event on.
    Part(Frontier),
}

impl Records {
    /// Nothing of a range that begins at a position. `frontier` is the tree before it.
    pub(super) fn from(from: Position, frontier: Frontier) -> Self {
        let log = match from == Position::new(1) {
            true => Log::Whole(Box::new(LogFold::remembering(BEHIND))),
            false => Log::Part(frontier),
        };
        Self {
            log,
            last: None,
            checked: 0,
            unread: 0,
        }
    }

    /// The tree up to the last event.
    pub(super) fn frontier(&self) -> &Frontier {
        match &self.log {
            Log::Whole(fold) => fold.frontier(),
            Log::Part(frontier) => frontier,
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, placed: &Placed) -> Result<(), Fault> {
        match &mut self.log {
            Log::Whole(fold) => fold.take(&placed.bytes).map(drop),
            Log::Part(frontier) => {
                frontier.push(entry::leaf(&placed.bytes));
                Ok(())
            }
        }
    }

    /// Checks the record of heads at a position, before its event is taken. `None` if it cannot be read.
    fn check(&mut self, at: Position, recorded: Option<RecordedHeads>) -> Result<(), Fault> {
        let Some(recorded) = recorded else {
            self.unread += 1;
            return Ok(());
        };
        match &mut self.log {
            Log::Whole(fold) => fold.check_heads(at, &recorded)?,
            Log::Part(_) => {
                let through = recorded.through;
                let before = self.last.unwrap_or_default();
                if through >= at || through < before {
                    let what = format!(
                        "heads are recorded for position {through}, which is not between the \
                        record before, at position {before}, and this one"
                    );
                    return Err(Fault::new(at, FaultKind::Head, what));
                }
            }
        }
        self.last = Some(at);
        self.checked += 1;
        Ok(())
    }

    /// How the records were checked.
    pub(super) fn heads(&self) -> HeadsChecked {
        let (records, unread) = (self.checked, self.unread);
        match self.log {
            Log::Whole(_) => HeadsChecked::Recomputed { records, unread },
            Log::Part(_) => HeadsChecked::InOrder { records, unread },
        }
    }
}

impl Checking<'_> {
    /// Whether a stream is the one in which heads are recorded.
    pub(super) fn is_of_heads(&self, stream: StreamId) -> bool {
        stream == StreamId::from(heads_stream(self.header.ledger))
    }

    /// Takes an event of a range into its part of the log. A record of heads is checked before.
    pub(super) fn take_in_range(&mut self, line: &EventLine, placed: &Placed) -> Result<(), Fault> {
        let (position, stream) = (placed.position, placed.entry.stream);
        if stream.kind == StreamKind::Ledger && !is_own_stream(self.header.ledger, stream) {
            let what = format!("{stream} is a stream of a ledger, and not of this one");
            return Err(Fault::new(position, FaultKind::Event, what));
        }
        let of_heads = self.is_of_heads(stream);
        let recorded = match of_heads {
            true => self.read_record(line, placed)?,
            false => None,
        };
        let Some(records) = &mut self.records else {
            return Ok(());
        };
        if of_heads {
            records.check(position, recorded)?;
        }
        records.take(placed)
    }

    /// What a record of heads in the range says.
    fn read_record(
        &self,
        line: &EventLine,
        placed: &Placed,
    ) -> Result<Option<RecordedHeads>, Fault> {
        let position = placed.position;
        match open(line, placed)? {
            Some((Event::Ledger(LedgerEvent::HeadsRecorded { through, root }), _)) => {
                Ok(Some(RecordedHeads { through, root }))
            }
            Some(_) => {
                let what = "it stands among the records of heads, and is none";
                Err(Fault::new(position, FaultKind::Event, what))
            }
            // The checkpoint's last event stands in the bundle a second time, with its key.
            None if position == self.signed.checkpoint.position() => {
                Ok(self.recorded.map(|(recorded, _)| recorded))
            }
            None => match self.version {
                Version::One => Ok(None),
                Version::Two => {
                    let what = "it is a record of heads, and its text or its key is missing";
                    Err(Fault::new(position, FaultKind::Missing, what))
                }
            },
        }
    }
}
