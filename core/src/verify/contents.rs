//! Checks the payloads: each must open with the right key and must be an event.

use std::collections::{HashMap, HashSet};

use super::acts::Acts;
use super::halt::Halt;
use super::parallel::{Span, in_order};
use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::domain::erasure::EventPlace;
use crate::domain::ledger::{LedgerEvent, PlaceHeld, origin_stream};
use crate::domain::{Event, EventMeta};
use crate::entry::{self, Entry};
use crate::ids::{KeyId, Position, Revision, StreamId, StreamKind};
use crate::journal::{CommitLog, EntryRef, Frame};
use crate::ledger::opener::{Opener, Rests};
use crate::ledger::sealer::{Opened as Payload, meta_of};
use crate::ledger::{OpenError, ReadError, sealer};
use crate::seal::{self, KeyScope, KeyStore, SealError};

/// How many opened events one thread hands over at a time.
const BATCH: usize = 1_024;

/// Opens every payload up to `last`. The journal is sound up to there.
pub(super) fn check(
    log: &dyn CommitLog,
    keys: &KeyStore,
    last: Position,
    whole: bool,
    progress: &dyn Fn(u64, u64),
) -> Result<Part, OpenError> {
    let mut part = Part::new(PartName::Contents);
    if last == Position::ZERO {
        return Ok(part);
    }
    let mut scopes = Scopes::default();
    let mut acts = Acts::default();
    let rests = Rests::default();
    let opener = Opener {
        log,
        keys,
        rests: &rests,
        up_to_damage: true,
    };
    let work = |span: Span, give: &mut dyn FnMut(Batch) -> bool| read(&opener, span, last, give);
    let checked = in_order(Span::all(last), work, |batch| {
        for opened in batch.opened {
            scopes.check(&opened)?;
            opened.tell(&mut acts);
            part.checked += 1;
        }
        progress(part.checked, last.get());
        batch.stop.map_or(Ok(()), Err)
    });
    match checked {
        Ok(()) if whole => {
            if let Some(fault) = acts.fault(log, keys)? {
                part.fail(fault);
            }
        }
        // An act may be on record after the place where the journal could no longer be read.
        Ok(()) => {
            part = part.noted(
                "what cannot be read is not compared with the redactions and erasures on record, \
                because the journal has a fault",
            );
        }
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
    found: Found,
}

/// What the comparison with the acts on record needs to know about an event.
enum Found {
    /// It can be read, and is of no act.
    Other,
    /// It is an event of an act.
    Act(Box<(EventMeta, Event)>),
    /// It says that an event of this stream is lost.
    Lost(StreamId),
    /// It was overwritten. An event of an act that was is one of an act still.
    Redacted(EventPlace, Option<Box<(EventMeta, Event)>>),
    /// The key is destroyed.
    Erased,
}

impl Opened {
    fn tell(self, acts: &mut Acts) {
        match (self.found, self.scope) {
            (Found::Other | Found::Lost(_), _) | (Found::Erased, None) => {}
            (Found::Act(act), _) => acts.take(self.position, &act.0, &act.1),
            (Found::Redacted(place, act), _) => {
                acts.redacted(place);
                if let Some(act) = act {
                    acts.take(self.position, &act.0, &act.1);
                }
            }
            (Found::Erased, Some(scope)) => acts.erased(scope, self.position),
        }
    }
}

/// The content of an event.
pub(super) enum Content {
    /// It can be read.
    Event(Event),
    /// It was overwritten with zeros, and this is left of it.
    Left(Event),
    /// It was overwritten with zeros, and nothing is left of it.
    Redacted,
    /// Its key is destroyed.
    Erased,
}

fn read(opener: &Opener<'_>, span: Span, last: Position, give: &mut dyn FnMut(Batch) -> bool) {
    let mut batch = Batch::default();
    for frame in span.frames(opener.log) {
        let taken = match frame {
            Ok(frame) => batch
                .take(&frame, opener, last)
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
    fn take(&mut self, frame: &Frame, opener: &Opener<'_>, last: Position) -> Result<(), Halt> {
        let records = frame.entries();
        for record in records.take_while(|record| record.position <= last) {
            let position = record.position;
            let entry = sealer::read_entry(position, record.entry)
                .map_err(|error| Halt::Failed(error.into()))?;
            let scope = opener.keys.scope_of(entry.key);
            let place = EventPlace {
                position,
                stream: entry.stream,
                revision: entry.revision,
            };
            let (needed, found) = match open(&record, &entry, opener)? {
                Content::Event(event) => {
                    let needed = KeyScope::of_event(entry.stream, &event);
                    let found = match entry.stream.kind == StreamKind::Erasure {
                        true => Found::Act(Box::new((meta_of(&entry), event))),
                        false => lost_stream(&entry, &event, opener.log)
                            .map_or(Found::Other, Found::Lost),
                    };
                    (needed, found)
                }
                Content::Left(event) => {
                    let needed = KeyScope::of_event(entry.stream, &event);
                    let is_act = entry.stream.kind == StreamKind::Erasure;
                    let act = is_act.then(|| Box::new((meta_of(&entry), event)));
                    (needed, Found::Redacted(place, act))
                }
                Content::Redacted => {
                    // The first event of a stream says whose it is. If it is gone, the key store does.
                    let is_first = entry.revision == Revision::new(1);
                    (scope.filter(|_| is_first), Found::Redacted(place, None))
                }
                // What cannot be read cannot say whose it is. The key store does.
                Content::Erased => (scope, Found::Erased),
            };
            self.opened.push(Opened {
                position,
                stream: entry.stream,
                key: entry.key,
                scope,
                needed,
                found,
            });
        }
        Ok(())
    }
}

/// Opens a payload with the key that its entry names and commits to, and reads the event.
pub(super) fn open(
    record: &EntryRef<'_>,
    entry: &Entry,
    opener: &Opener<'_>,
) -> Result<Content, Fault> {
    let position = record.position;
    let fault = |error: &ReadError| Fault::new(position, kind_of(error), error.to_string());
    let key = match sealer::event_key(position, entry, opener.keys) {
        Ok(key) => key,
        Err(ReadError::Erased { .. }) => return Ok(Content::Erased),
        Err(error) => return Err(fault(&error)),
    };
    if seal::commitment(&key) != entry.key_commitment {
        let what = "the entry names another key than the one in the key store";
        return Err(Fault::new(position, FaultKind::Key, what));
    }
    let prefix = entry::prefix(record.entry);
    let read = |schema, json: &[u8]| sealer::read_event(position, entry, schema, json);
    let content = match seal::open(&key, &entry.nonce, prefix, record.sealed) {
        Ok(json) => read(entry.schema, &json).map(Content::Event),
        Err(SealError::Redacted) => match opener.left(position, record.entry, &key) {
            Ok(Payload::Left { schema, json }) => read(schema, &json).map(Content::Left),
            Ok(Payload::Json(_) | Payload::Redacted | Payload::Erased) => Ok(Content::Redacted),
            Err(error) => Err(error),
        },
        Err(error) => Err(sealer::sealed_wrong(position, &error)),
    };
    content.map_err(|error| fault(&error))
}

/// The kind of fault if an event cannot be read for this reason.
pub(super) fn kind_of(error: &ReadError) -> FaultKind {
    match error {
        ReadError::KeyMissing { .. } | ReadError::Erased { .. } => FaultKind::Key,
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
    /// Streams of which an event is lost, and the ledger says so. They may begin with any event.
    lost: HashSet<StreamId>,
}

/// The stream of which an event is lost, if an event says that of the earlier ledger.
fn lost_stream(entry: &Entry, event: &Event, log: &dyn CommitLog) -> Option<StreamId> {
    let of_origin = entry.stream == StreamId::from(origin_stream(log.ledger_id()));
    let Event::Ledger(LedgerEvent::PlaceHeld(PlaceHeld::Lost(lost))) = event else {
        return None;
    };
    lost.stream.filter(|_| of_origin)
}

impl Scopes {
    fn check(&mut self, opened: &Opened) -> Result<(), Fault> {
        let fault = |kind, what: String| Err(Fault::new(opened.position, kind, what));
        if let Some(needed) = opened.needed {
            self.of.insert(opened.stream, needed);
        }
        if let Found::Lost(stream) = &opened.found {
            self.lost.insert(*stream);
        }
        if let Some(scope) = opened.scope
            && self.lost.contains(&opened.stream)
        {
            self.of.entry(opened.stream).or_insert(scope);
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
