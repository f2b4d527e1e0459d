//! Acts name the event that they are about by its place, and keep what they left of it sealed under a key
//! that follows from the event's own. In a new ledger both are others.

use std::collections::HashMap;

use super::error::CarryError;
use super::look::Known;
use crate::domain::erasure::{ErasureEvent, EventPlace, Left, SealedRest, Target};
use crate::entry;
use crate::ids::{Position, StreamId};
use crate::journal::{CommitLog, StoredEntry};
use crate::ledger::{ReadError, sealer};
use crate::seal::{self, KeyScope, KeyStore};

/// The acts so far.
#[derive(Default)]
pub(super) struct Acts {
    /// Where the events that acts are about stood in the earlier ledger.
    pub(super) were: HashMap<Position, EventPlace>,
    /// What each act is about, as the new ledger names it.
    of: HashMap<StreamId, Target>,
}

/// The new ledger as far as it is written.
pub(super) struct Written<'a> {
    pub(super) log: &'a dyn CommitLog,
    pub(super) keys: &'a KeyStore,
    pub(super) known: &'a Known,
}

impl Acts {
    /// The event of an act as the new ledger has it.
    pub(super) fn rewritten(
        &mut self,
        stream: StreamId,
        event: ErasureEvent,
        new: &Written<'_>,
    ) -> Result<ErasureEvent, CarryError> {
        Ok(match event {
            ErasureEvent::Requested {
                target,
                basis,
                reason,
                retention,
            } => {
                let target = self.target(target, new)?;
                self.of.insert(stream, target);
                ErasureEvent::Requested {
                    target,
                    basis,
                    reason,
                    retention,
                }
            }
            ErasureEvent::AppliedAgain(mut record) => {
                record.target = self.target(record.target, new)?;
                self.of.insert(stream, record.target);
                record.key = record.key.and_then(|_| self.key(stream, new));
                if let Some(left) = record.left {
                    record.left = Some(self.rest(stream, left, new)?);
                }
                ErasureEvent::AppliedAgain(record)
            }
            ErasureEvent::TextSettled(left) => {
                ErasureEvent::TextSettled(self.rest(stream, left, new)?)
            }
            ErasureEvent::CarriedOut { key } => ErasureEvent::CarriedOut {
                key: key.and_then(|_| self.key(stream, new)),
            },
            event @ (ErasureEvent::Approved { .. }
            | ErasureEvent::Withdrawn { .. }
            | ErasureEvent::ReadsSettled(_)) => event,
        })
    }

    /// The new key of the person whom an act is about.
    fn key(&self, stream: StreamId, new: &Written<'_>) -> Option<crate::ids::KeyId> {
        match self.of.get(&stream)? {
            Target::Person(person) => new.keys.id_of(KeyScope::Person(*person)),
            Target::Event(_) | Target::Reads { .. } => None,
        }
    }

    /// The same target with the stream and revision that the event has now.
    fn target(&self, target: Target, new: &Written<'_>) -> Result<Target, CarryError> {
        let Target::Event(place) = target else {
            return Ok(target);
        };
        // An act can be about an event that an older copy of the journal did not have.
        if self.were.get(&place.position) != Some(&place) {
            return Ok(target);
        }
        let Some(stored) = stored(place.position, new)? else {
            return Ok(target);
        };
        let entry = sealer::read_entry(place.position, &stored.entry)?;
        Ok(Target::Event(EventPlace {
            position: place.position,
            stream: entry.stream,
            revision: entry.revision,
        }))
    }

    /// What is left of the event, sealed under the key that follows from the new one.
    fn rest(
        &self,
        stream: StreamId,
        rest: SealedRest,
        new: &Written<'_>,
    ) -> Result<SealedRest, CarryError> {
        let Some(Target::Event(place)) = self.of.get(&stream) else {
            return Ok(rest);
        };
        let position = place.position;
        let Some(stored) = stored(position, new)? else {
            return Ok(rest);
        };
        let entry = sealer::read_entry(position, &stored.entry)?;
        let key = sealer::event_key(position, &entry, new.keys)?;
        let left = match new.known.left.get(&position) {
            Some(left) => Some(left.clone()),
            None => left_of(&stored, new),
        };
        // With the person everything else of the event went too, and nobody opens it any more.
        let Some((schema, json)) = left else {
            return Ok(rest);
        };
        let key = seal::rest_key(&key);
        let sealed = seal::seal_document(&key, entry::prefix(&stored.entry), &json);
        let sealed = sealed.map_err(|error| sealer::sealed_wrong(position, &error))?;
        Ok(SealedRest { schema, sealed })
    }
}

fn stored(position: Position, new: &Written<'_>) -> Result<Option<StoredEntry>, CarryError> {
    let found = new.log.entry(position).map_err(ReadError::from)?;
    Ok(found)
}

/// What a redaction would leave of an event that can be read.
fn left_of(stored: &StoredEntry, new: &Written<'_>) -> Option<(u16, Vec<u8>)> {
    let position = stored.position;
    let entry = sealer::read_entry(position, &stored.entry).ok()?;
    let key = sealer::event_key(position, &entry, new.keys).ok()?;
    let prefix = entry::prefix(&stored.entry);
    let json = seal::open(&key, &entry.nonce, prefix, stored.sealed.as_deref()?).ok()?;
    let event = sealer::read_event(position, &entry, entry.schema, &json).ok()?;
    match event.without_text() {
        Left::Event(left) => Some((left.event_type().schema, left.to_json().ok()?)),
        Left::Nothing | Left::NoText => None,
    }
}
