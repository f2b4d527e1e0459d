//! Opens payloads. Of a redacted one it gives what the act left of it: everything but the text.
//!
//! What is left stands in the act's own stream, later in the journal than the event itself. So that a
//! stream can be folded from its first event on, all of it is kept in memory: it is little, since each act
//! takes two people. It is read from the journal the first time that it is asked for and not known.

use std::collections::HashMap;

use parking_lot::{Mutex, RwLock};

use super::ReadError;
use super::sealer::{Opened, event_key, read_entry, read_event, sealed_wrong};
use crate::domain::Event;
use crate::domain::erasure::{ErasureEvent, SealedRest};
use crate::entry::{self, Entry, EntryBytes};
use crate::ids::{ErasureId, Position, StreamKind};
use crate::journal::CommitLog;
use crate::seal::{self, EventKey, KeyStore, SealError};
use crate::turns;

/// What redactions left of events, as far as it is known.
#[derive(Default)]
pub(crate) struct Rests {
    /// By the stream of the act. `None` if nothing is left.
    known: RwLock<HashMap<ErasureId, Option<SealedRest>>>,
    /// Whether the journal was read for it. What is recorded later is noted as it is recorded.
    read: Mutex<bool>,
}

impl Rests {
    /// Notes what an act leaves of an event.
    pub(crate) fn note(&self, act: ErasureId, left: Option<SealedRest>) {
        self.known.write().insert(act, left);
    }
}

/// Whatever opening a payload needs.
#[derive(Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) log: &'a dyn CommitLog,
    pub(crate) keys: &'a KeyStore,
    pub(crate) rests: &'a Rests,
    /// Whether what is left is looked for up to the first damage only. Who checks a journal reports the
    /// damage by itself.
    pub(crate) up_to_damage: bool,
}

impl Opener<'_> {
    /// Decrypts an entry's payload. `sealed` is `None` if it is known to be overwritten.
    ///
    /// # Errors
    /// [`ReadError`] when its key is missing, when the bytes are not those that were sealed, or when the
    /// journal cannot be read for what is left of it.
    pub(crate) fn open(
        &self,
        position: Position,
        entry: &Entry,
        bytes: &EntryBytes,
        sealed: Option<&[u8]>,
    ) -> Result<Opened, ReadError> {
        let key = match event_key(position, entry, self.keys) {
            Ok(key) => key,
            Err(ReadError::Erased { .. }) => return Ok(Opened::Erased),
            Err(error) => return Err(error),
        };
        let Some(sealed) = sealed else {
            return self.left(position, bytes, &key);
        };
        match seal::open(&key, &entry.nonce, entry::prefix(bytes), sealed) {
            Ok(json) => Ok(Opened::Json(json)),
            Err(SealError::Redacted) => self.left(position, bytes, &key),
            Err(_) if self.is_redacted(position)? => self.left(position, bytes, &key),
            Err(error) => Err(sealed_wrong(position, &error)),
        }
    }

    /// The journal's own word on a payload that did not open: whether it is overwritten now. It may have been read while
    /// somebody overwrote it.
    ///
    /// # Errors
    /// [`ReadError`] says where the damage lies, if the journal knows of one.
    fn is_redacted(&self, position: Position) -> Result<bool, ReadError> {
        // Who reads up to the damage finds it by itself.
        if self.up_to_damage {
            return Ok(false);
        }
        let Some(frame) = self.log.read(position).next().transpose()? else {
            return Ok(false);
        };
        let mut records = frame.entries();
        Ok(records.any(|record| record.position == position && record.is_redacted()))
    }

    /// What is left of a payload that was overwritten.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub(crate) fn left(
        &self,
        position: Position,
        bytes: &EntryBytes,
        key: &EventKey,
    ) -> Result<Opened, ReadError> {
        let Some(rest) = self.find(ErasureId::of_event(position))? else {
            return Ok(Opened::Redacted);
        };
        let json = seal::open_document(&seal::rest_key(key), entry::prefix(bytes), &rest.sealed);
        Ok(Opened::Left {
            schema: rest.schema,
            json: json.map_err(|error| sealed_wrong(position, &error))?,
        })
    }

    fn find(&self, act: ErasureId) -> Result<Option<SealedRest>, ReadError> {
        if let Some(known) = self.rests.known.read().get(&act) {
            return Ok(known.clone());
        }
        let mut read = turns::lock(&self.rests.read);
        if !*read {
            self.read()?;
            *read = true;
        }
        Ok(self.rests.known.read().get(&act).cloned().flatten())
    }

    /// Reads what is left of every event from the journal.
    fn read(&self) -> Result<(), ReadError> {
        let mut found = HashMap::new();
        for frame in self.log.read(Position::new(1)) {
            let frame = match frame {
                Err(_) if self.up_to_damage => break,
                frame => frame?,
            };
            for record in frame.entries() {
                let entry = match read_entry(record.position, record.entry) {
                    Err(_) if self.up_to_damage => break,
                    entry => entry?,
                };
                if entry.stream.kind != StreamKind::Erasure {
                    continue;
                }
                let key = event_key(record.position, &entry, self.keys)?;
                let prefix = entry::prefix(record.entry);
                // What an act leaves is never redacted itself: it holds no text.
                let Ok(json) = seal::open(&key, &entry.nonce, prefix, record.sealed) else {
                    continue;
                };
                let event = read_event(record.position, &entry, entry.schema, &json)?;
                if let Event::Erasure(event) = event
                    && let Some(left) = left_by(event)
                {
                    found.insert(ErasureId::from_uuid(entry.stream.id), left);
                }
            }
        }
        let mut known = self.rests.known.write();
        for (act, left) in found {
            known.entry(act).or_insert(Some(left));
        }
        Ok(())
    }
}

fn left_by(event: ErasureEvent) -> Option<SealedRest> {
    match event {
        ErasureEvent::TextSettled(left) => Some(left),
        ErasureEvent::AppliedAgain(record) => record.left,
        ErasureEvent::Requested { .. }
        | ErasureEvent::Approved { .. }
        | ErasureEvent::Withdrawn { .. }
        | ErasureEvent::CarriedOut { .. }
        | ErasureEvent::ReadsSettled(_) => None,
    }
}

/// Seals what is left of an event.
///
/// # Errors
/// [`ReadError`] when the event's key is missing.
pub(super) fn seal_rest(
    entry: &Entry,
    bytes: &EntryBytes,
    keys: &KeyStore,
    position: Position,
    left: &Event,
) -> Result<SealedRest, ReadError> {
    let key = seal::rest_key(&event_key(position, entry, keys)?);
    let malformed = |reason: String| ReadError::Malformed { position, reason };
    let json = left
        .to_json()
        .map_err(|error| malformed(error.to_string()))?;
    let sealed = seal::seal_document(&key, entry::prefix(bytes), &json);
    Ok(SealedRest {
        schema: left.event_type().schema,
        sealed: sealed.map_err(|error| sealed_wrong(position, &error))?,
    })
}
