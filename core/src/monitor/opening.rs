//! Recognises records of heads by their entries, and opens them with what the log publishes.

use crate::audit::{Bytes, EventLine, Fault, FaultKind, Placed, open_line};
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads};
use crate::entry::{Entry, EntryBytes};
use crate::ids::{Position, StreamKind};
use crate::tlog::DisclosedHeads;

/// Tells by the entry alone whether it is a record of heads.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordsHeads {
    event_type: u16,
}

impl Default for RecordsHeads {
    fn default() -> Self {
        let record = LedgerEvent::HeadsRecorded {
            through: Position::ZERO,
            root: [0; 32],
        };
        let event_type = Event::Ledger(record).event_type().code;
        Self { event_type }
    }
}

impl RecordsHeads {
    /// Whether an entry says that it is a record of heads.
    pub(super) fn is(self, bytes: &EntryBytes) -> bool {
        let kind = StreamKind::Ledger.byte();
        let event_type = self.event_type.to_be_bytes();
        // The places are those of the entry's format.
        bytes.get(3) == Some(&kind) && bytes.get(60..62) == Some(event_type.as_slice())
    }
}

/// Opens the record of heads that an entry is.
///
/// # Errors
/// A [`Fault`] if what is disclosed does not belong to the entry, or the entry is not a record of heads.
pub(super) fn open(
    disclosed: &DisclosedHeads,
    entry: &Entry,
    bytes: &EntryBytes,
) -> Result<RecordedHeads, Fault> {
    let position = disclosed.position;
    let malformed = || {
        let what = "what opens it is malformed";
        Fault::new(position, FaultKind::Format, what)
    };
    let line = EventLine {
        position,
        back: Position::ZERO,
        entry: Bytes::from(*bytes),
        sealed: Some(Bytes(disclosed.sealed().ok_or_else(malformed)?)),
        key: Some(Bytes::from(disclosed.key().ok_or_else(malformed)?)),
        gone: None,
        path: None,
    };
    let placed = Placed {
        position,
        entry: entry.clone(),
        bytes: *bytes,
    };
    match open_line(&line, &placed)? {
        Some((Event::Ledger(LedgerEvent::HeadsRecorded { through, root }), _)) => {
            Ok(RecordedHeads { through, root })
        }
        Some(_) | None => {
            let what = "it is not a record of where streams ended";
            Err(Fault::new(position, FaultKind::Event, what))
        }
    }
}
