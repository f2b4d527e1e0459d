//! What the ledger's own streams say: the key that signs, and the last record of heads.

use crate::domain::ledger::{
    LedgerEvent, LedgerState, Loss, NotedReads, RecordedHeads, heads_stream, reads_stream,
};
use crate::domain::{Aggregate, Event};
use crate::ids::Position;
use crate::ledger::{Ledger, Payload, ReadError};
use crate::note::{Rotation, VerifierKey};

/// The key that signs a ledger's checkpoints, as the ledger's events say. `None` if there is no key
/// yet.
///
/// # Errors
/// The ledger could not be read.
pub fn key_on_record(ledger: &Ledger) -> Result<Option<VerifierKey>, ReadError> {
    Ok(Own::read(ledger)?.key)
}

/// The changes of the key that signs a ledger's checkpoints, in order, each signed by the key before.
///
/// # Errors
/// The ledger could not be read.
pub fn rotations(ledger: &Ledger) -> Result<Vec<Rotation>, ReadError> {
    let keys = ledger.status().ledger.into();
    let events = ledger.history_after(keys, Position::ZERO, usize::MAX)?;
    let statements = events.iter().filter_map(|event| match &event.payload {
        Payload::Json(json) => {
            let code = event.event_type?.code;
            statement(Event::from_json(code, event.schema, json).ok()?)
        }
        Payload::Left(_) | Payload::Redacted | Payload::Erased => None,
    });
    let rotations = statements.filter_map(|statement| Rotation::parse(&statement));
    Ok(rotations.collect())
}

/// The statement of an event that says that the key changed.
fn statement(event: Event) -> Option<String> {
    let Event::Ledger(LedgerEvent::KeyRotated { statement, .. }) = event else {
        return None;
    };
    Some(statement)
}

/// What is on record of how far the ledger's access log has come; `None` if nothing.
pub(crate) fn noted_reads(ledger: &Ledger) -> Result<Option<NotedReads>, ReadError> {
    Ok(of_reads(ledger)?.and_then(|state| state.reads))
}

/// What is on record as lost of the ledger's access log, oldest first.
pub(crate) fn lost_reads(ledger: &Ledger) -> Result<Vec<Loss>, ReadError> {
    Ok(of_reads(ledger)?
        .map(|state| state.lost)
        .unwrap_or_default())
}

fn of_reads(ledger: &Ledger) -> Result<Option<LedgerState>, ReadError> {
    let id = ledger.status().ledger;
    let (state, _) = ledger.read(|reading| {
        let found = reading.stream(reads_stream(id))?;
        Ok::<_, ReadError>(found.and_then(|(state, _)| match &*state {
            Aggregate::Ledger(state) => Some(state.clone()),
            _ => None,
        }))
    })?;
    Ok(state)
}

/// What the ledger's own streams say.
pub(crate) struct Own {
    /// The key on record.
    pub(crate) key: Option<VerifierKey>,
    /// Where all streams ended, as the last record of heads says.
    pub(crate) heads: Option<RecordedHeads>,
}

impl Own {
    pub(crate) fn read(ledger: &Ledger) -> Result<Self, ReadError> {
        let id = ledger.status().ledger;
        let (own, _) = ledger.read(|reading| {
            let mut own = Self {
                key: None,
                heads: None,
            };
            for stream in [id, heads_stream(id)] {
                if let Some((state, _)) = reading.stream(stream)?
                    && let Aggregate::Ledger(state) = &*state
                {
                    own.key = own.key.or_else(|| state.key.clone());
                    own.heads = own.heads.or(state.heads);
                }
            }
            Ok::<_, ReadError>(own)
        })?;
        Ok(own)
    }
}
