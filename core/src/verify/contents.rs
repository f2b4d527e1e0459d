//! Checks the payloads: each must open with the right key and must be an event.

use std::collections::HashMap;

use super::halt::Halt;
use super::parallel::{Span, in_order};
use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::domain::Event;
use crate::entry::{self, Entry};
use crate::ids::{KeyId, Position, StreamId};
use crate::journal::{CommitLog, EntryRef, Frame};
use crate::ledger::{OpenError, ReadError, sealer};
use crate::seal::{self, KeyScope, KeyStore, SealError};

/// How many opened events one thread hands over at a time.
const BATCH: usize = 1_024;

/// Opens every payload up to `last`. The journal is sound up to there.
pub(super) fn check(
    log: &dyn CommitLog,
    keys: &KeyStore,
    last: Position,
    progress: &dyn Fn(u64, u64),
) -> Result<Part, OpenError> {
    let mut part = Part::new(PartName::Contents);
    if last == Position::ZERO {
        return Ok(part);
    }
    let mut scopes = Scopes::default();
    let work = |span: Span, give: &mut dyn FnMut(Batch) -> bool| read(log, keys, span, last, give);
    let checked = in_order(Span::all(last), work, |batch| {
        for opened in batch.opened {
            scopes.check(&opened)?;
            part.checked += 1;
        }
        progress(part.checked, last.get());
        batch.stop.map_or(Ok(()), Err)
    });
    match checked {
        Ok(()) => {}
        Err(Halt::Fault(fault)) => part.fail(fault),
        Err(Halt::Failed(error)) => return Err(error),
    }
    Ok(part)
}

#[derive(Default)]
struct Batch {
    opened: Vec<Opened>,
    stop: Option<Halt>,
}

/// What the check needs to know about an event whose payload was opened.
struct Opened {
    position: Position,
    stream: StreamId,
    key: KeyId,
    /// What the key is for: a person, an institution or the ledger. `None` if the key store does
    /// not know it.
    scope: Option<KeyScope>,
    /// What the key must be for. `None` if the event does not say.
    needed: Option<KeyScope>,
}

fn read(
    log: &dyn CommitLog,
    keys: &KeyStore,
    span: Span,
    last: Position,
    give: &mut dyn FnMut(Batch) -> bool,
) {
    let mut batch = Batch::default();
    for frame in span.frames(log) {
        let taken = match frame {
            Ok(frame) => batch
                .take(&frame, keys, last)
                .map(|()| frame.header().last_position()),
            Err(error) => Err(Halt::Failed(ReadError::from(error).into())),
        };
        match taken {
            Ok(position) if position < last => {}
            // What follows may not be sound.
            Ok(_) => break,
            Err(stop) => {
                batch.stop = Some(stop);
                break;
            }
        }
        if batch.opened.len() >= BATCH && !give(std::mem::take(&mut batch)) {
            return;
        }
    }
    give(batch);
}

impl Batch {
    fn take(&mut self, frame: &Frame, keys: &KeyStore, last: Position) -> Result<(), Halt> {
        let records = frame.entries();
        for record in records.take_while(|record| record.position <= last) {
            let position = record.position;
            let entry = sealer::read_entry(position, record.entry)
                .map_err(|error| Halt::Failed(error.into()))?;
            let Some(event) = open(&record, &entry, keys)? else {
                let what = "it was overwritten with zeros, but no redaction is on record";
                return Err(Fault::new(position, FaultKind::Payload, what).into());
            };
            self.opened.push(Opened {
                position,
                stream: entry.stream,
                key: entry.key,
                scope: keys.scope_of(entry.key),
                needed: KeyScope::of_event(entry.stream, &event),
            });
        }
        Ok(())
    }
}

/// Opens a payload with the key that its entry names and commits to, and reads the event. `None` if
/// the payload was overwritten with zeros.
pub(super) fn open(
    record: &EntryRef<'_>,
    entry: &Entry,
    keys: &KeyStore,
) -> Result<Option<Event>, Fault> {
    let position = record.position;
    let fault = |error: &ReadError| Fault::new(position, kind_of(error), error.to_string());
    let key = sealer::event_key(position, entry, keys).map_err(|error| fault(&error))?;
    if seal::commitment(&key) != entry.key_commitment {
        let what = "the entry names another key than the one in the key store";
        return Err(Fault::new(position, FaultKind::Key, what));
    }
    let prefix = entry::prefix(record.entry);
    let json = match seal::open(&key, &entry.nonce, prefix, record.sealed) {
        Ok(json) => json,
        Err(SealError::Redacted) => return Ok(None),
        Err(error) => return Err(fault(&sealer::sealed_wrong(position, &error))),
    };
    let event = sealer::read_event(position, entry, &json).map_err(|error| fault(&error))?;
    Ok(Some(event))
}

/// The kind of fault if an event cannot be read for this reason.
pub(super) fn kind_of(error: &ReadError) -> FaultKind {
    match error {
        ReadError::KeyMissing { .. } => FaultKind::Key,
        ReadError::Seal { .. } => FaultKind::Sealed,
        ReadError::Newer { .. } | ReadError::Malformed { .. } => FaultKind::Event,
        ReadError::Journal(_)
        | ReadError::Derived(_)
        | ReadError::NotThere { .. }
        | ReadError::NotPassed { .. }
        | ReadError::Unsettled(_)
        | ReadError::Closed => FaultKind::Format,
    }
}

/// Which key seals which stream, as far as the journal was read.
#[derive(Default)]
struct Scopes {
    of: HashMap<StreamId, KeyScope>,
    keys: HashMap<KeyScope, KeyId>,
}

impl Scopes {
    fn check(&mut self, opened: &Opened) -> Result<(), Fault> {
        let fault = |kind, what: String| Err(Fault::new(opened.position, kind, what));
        if let Some(needed) = opened.needed {
            self.of.insert(opened.stream, needed);
        }
        let Some(expected) = self.of.get(&opened.stream) else {
            let what = format!("{} cannot begin with this event", opened.stream);
            return fault(FaultKind::Event, what);
        };
        if opened.scope != Some(*expected) {
            let what = format!("it is sealed under another key than the key of {expected}");
            return fault(FaultKind::Key, what);
        }
        match *self.keys.entry(*expected).or_insert(opened.key) == opened.key {
            true => Ok(()),
            false => {
                let what = format!("earlier events of {expected} were sealed under another key");
                fault(FaultKind::Key, what)
            }
        }
    }
}
