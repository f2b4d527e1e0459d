//! Answers who has read the plans of a student, newest first.

use super::AccessLog;
use super::record::{EVENT_TYPE, Recorded, SCHEMA, Seen};
use crate::entry::{self, Entry};
use crate::ids::{PersonId, Position, StreamId};
use crate::journal::StoredEntry;
use crate::ledger::ReadError;
use crate::ledger::history::stored;
use crate::ledger::sealer::sealed_wrong;
use crate::seal::{self, KeyStore, SealError};
use crate::time::Timestamp;

/// Most records that are looked at for one page. A page may be shorter than asked for because of it.
const MOST_LOOKED_AT: usize = 10_000;

/// Which records are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The last record of the page before; `None` for the first page.
    pub after: Option<Position>,
    /// Only reads at or after this instant.
    pub since: Option<Timestamp>,
    /// Only reads before this instant.
    pub until: Option<Timestamp>,
    /// Most records on the page.
    pub limit: usize,
}

/// A page of records, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The records.
    pub records: Vec<Recorded>,
    /// The record after which the next page begins; `None` on the last page.
    pub next: Option<Position>,
    /// Since when every read is there; `None` if that is not known.
    pub complete_since: Option<Timestamp>,
}

impl AccessLog {
    /// Who has read the plans of a student, newest first. About one entry of the journal is read for
    /// each record, however long the journal is.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read, or a record cannot be opened.
    pub fn records(&self, student: PersonId, wanted: &Wanted) -> Result<Records, ReadError> {
        let stream = StreamId::from(student);
        let log = &*self.shared.log;
        // Nothing is removed while this reads.
        let _there = self.shared.removing.read();
        let removed = self.removed();
        let mut page = Records {
            complete_since: self.complete_since(),
            ..Records::default()
        };
        let mut next = match wanted.after {
            None => {
                let heads = self.shared.heads.lock();
                heads.by_student.get(&student).map(|head| head.position)
            }
            Some(after) if after <= removed => None,
            Some(after) => {
                let (last, entry) = stored(log, after)?;
                (entry.stream == stream).then_some(last.back)
            }
        }
        .unwrap_or_default();
        let mut last = Position::ZERO;
        for _ in 0..MOST_LOOKED_AT {
            // What is further back was removed.
            if next <= removed {
                return Ok(page);
            }
            if page.records.len() >= wanted.limit {
                break;
            }
            let (found, entry) = stored(log, next)?;
            if wanted.since.is_some_and(|since| entry.recorded_at < since) {
                return Ok(page);
            }
            if wanted.until.is_none_or(|until| entry.recorded_at < until) {
                page.records
                    .push(recorded(next, &found, &entry, self.ledger.keys())?);
            }
            last = next;
            next = found.back;
        }
        page.next = Some(last);
        Ok(page)
    }
}

/// Opens a record.
pub(crate) fn recorded(
    position: Position,
    stored: &StoredEntry,
    entry: &Entry,
    keys: &KeyStore,
) -> Result<Recorded, ReadError> {
    let seen = match &stored.sealed {
        Some(sealed) => open(position, entry, &stored.entry, sealed, keys)?,
        None => None,
    };
    Ok(Recorded {
        position,
        student: PersonId::from_uuid(entry.stream.id),
        actor: entry.actor,
        on_behalf_of: entry.on_behalf_of,
        at: entry.recorded_at,
        seen,
    })
}

/// Decrypts what was read. `None` if the text or the key was destroyed.
pub(crate) fn open(
    position: Position,
    entry: &Entry,
    bytes: &entry::EntryBytes,
    sealed: &[u8],
    keys: &KeyStore,
) -> Result<Option<Seen>, ReadError> {
    if (entry.event_type, entry.schema) != (EVENT_TYPE, SCHEMA) {
        let reason = "it is no record of the access log that this version knows".to_owned();
        return Err(ReadError::Newer { position, reason });
    }
    let Some(key) = keys.by_id(entry.key) else {
        return Ok(None);
    };
    let key = key.for_access_log();
    let key = key.key_of(entry);
    if seal::commitment(&key) != entry.key_commitment {
        return Err(sealed_wrong(position, &SealError::Forged));
    }
    let plain = match seal::open(&key, &entry.nonce, entry::prefix(bytes), sealed) {
        Ok(plain) => plain,
        Err(SealError::Redacted) => return Ok(None),
        Err(error) => return Err(sealed_wrong(position, &error)),
    };
    let seen = serde_json::from_slice(&plain).map_err(|error| ReadError::Malformed {
        position,
        reason: error.to_string(),
    })?;
    Ok(Some(seen))
}
