//! Checks the events in scope. Each event must be in the checkpoint, follow the event before it,
//! and open with its key.

use super::checking::{Checking, Placed, Version, format_fault, hashes};
use crate::audit::bundle::{Bytes, Disclosure, EventLine, Scope};
use crate::audit::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::entry::{self, Entry, EntryBytes};
use crate::ids::{Position, StreamId, StreamKind};
use crate::ledger::{Payload, RecordedEvent, event as recorded};
use crate::merkle::{check_consistency, check_inclusion};
use crate::seal::{self, EventKey};

impl Checking<'_> {
    /// Checks the form of an entry, and that the entry is in the checkpoint.
    pub(super) fn place(&self, line: &EventLine) -> Result<Placed, Fault> {
        let position = line.position;
        let fault = |kind, what: String| Fault::new(position, kind, what);
        let bytes: EntryBytes = line.entry.array().ok_or_else(|| {
            fault(
                FaultKind::Entry,
                "the entry does not have 230 bytes".to_owned(),
            )
        })?;
        let entry = Entry::decode(&bytes).map_err(|e| fault(FaultKind::Entry, e.to_string()))?;
        if let Some(path) = &line.path {
            let checkpoint = &self.signed.checkpoint;
            let path = hashes(path)?;
            let index = position.get().checked_sub(1);
            let index =
                index.ok_or_else(|| format_fault("its position is 0, but positions begin at 1"))?;
            let leaf = entry::leaf(&bytes);
            check_inclusion(index, checkpoint.size, &leaf, &path, &checkpoint.root).map_err(
                |e| {
                    fault(
                        FaultKind::Leaf,
                        format!("it is not covered by the checkpoint: {e}"),
                    )
                },
            )?;
        }
        Ok(Placed {
            position,
            entry,
            bytes,
        })
    }

    pub(super) fn take_event(
        &mut self,
        line: &EventLine,
        seen: &mut dyn FnMut(&RecordedEvent, &Event),
    ) -> Result<(), Fault> {
        let placed = self.place(line)?;
        let position = placed.position;
        let fault = |kind, what: String| Fault::new(position, kind, what);
        let stream = placed.entry.stream;
        match (self.header.scope, &self.records) {
            (Scope::Range { from, to }, Some(records)) => {
                let frontier = records.frontier();
                let expected = Position::new(frontier.size()).next();
                if frontier.size() >= to.get() {
                    let what = format!("it comes after the range, which ends at position {to}");
                    return Err(fault(FaultKind::Order, what));
                }
                if position != expected || position < from {
                    let what = format!("the event at position {expected} is missing");
                    return Err(fault(FaultKind::Order, what));
                }
            }
            (Scope::Plan(plan), _) if stream != StreamId::from(plan) => {
                return Err(fault(
                    FaultKind::Format,
                    format!("{stream} does not belong to this bundle"),
                ));
            }
            (Scope::Student(student), _)
                if stream.kind != StreamKind::Plan && stream != StreamId::from(student) =>
            {
                return Err(fault(
                    FaultKind::Format,
                    format!("{stream} does not belong to this bundle"),
                ));
            }
            (Scope::Plan(_) | Scope::Student(_) | Scope::Range { .. }, _) => {
                if line.path.is_none() {
                    let what = "it has no proof that the checkpoint covers it".to_owned();
                    return Err(fault(FaultKind::Missing, what));
                }
            }
        }
        let link = entry::link(&placed.bytes);
        self.chains
            .check(position, line.back, &placed.entry, link)?;
        self.take_in_range(line, &placed)?;
        self.keep_heads(stream, position);
        let disclosed = self.header.disclosure == Disclosure::Events;
        let of_heads = self.version == Version::Two && self.is_of_heads(stream);
        if line.key.is_some() && !disclosed && !of_heads {
            let what = "it has a key, but the bundle says that it has no keys";
            return Err(fault(FaultKind::Format, what.to_owned()));
        }
        let event = open(line, &placed)?;
        match (&event, line.sealed.is_some()) {
            // A record of heads, which was checked with the range.
            (Some(_), _) if !disclosed => {}
            (Some((event, json)), _) => {
                self.check_student(position, event)?;
                self.opened += 1;
                let payload = Payload::Json(json.clone());
                seen(&recorded(position, &placed.entry, payload), event);
            }
            (None, true) if disclosed => {
                let what = "its key is missing, but the bundle says that it has keys".to_owned();
                return Err(fault(FaultKind::Missing, what));
            }
            (None, true) => {}
            (None, false) => self.explain(line, &placed.entry)?,
        }
        self.events += 1;
        *self.counts.entry(stream).or_default() += 1;
        self.first.get_or_insert(placed.entry.recorded_at);
        self.last = Some(placed.entry.recorded_at);
        Ok(())
    }

    /// In a student's bundle, checks that a plan belongs to this student.
    fn check_student(&self, position: Position, event: &Event) -> Result<(), Fault> {
        let (Scope::Student(student), Event::Plan(event)) = (self.header.scope, event) else {
            return Ok(());
        };
        match event.opened() {
            Some(opening) if opening.student != student => {
                let what = "it opens a plan of another student";
                Err(Fault::new(position, FaultKind::Event, what))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// For a range: checks that the range ends where it should, and that the checkpoint grew from
    /// there.
    pub(super) fn check_growth(&self) -> Result<(), Fault> {
        let (Some(records), Scope::Range { to, .. }) = (&self.records, self.header.scope) else {
            return Ok(());
        };
        let frontier = records.frontier();
        if frontier.size() != to.get() {
            let position = Position::new(frontier.size()).next();
            let what = "the range ends too early: events are missing";
            return Err(Fault::new(position, FaultKind::Missing, what));
        }
        let proof = hashes(&self.header.growth)?;
        let checkpoint = &self.signed.checkpoint;
        let root = frontier.root();
        check_consistency(to.get(), checkpoint.size, &proof, &root, &checkpoint.root).map_err(
            |error| {
                let what = format!("the checkpoint does not cover the range: {error}");
                Fault::new(to, FaultKind::Leaf, what)
            },
        )
    }
}

/// Opens an event. `None` if the line has no payload, or no key to open it with.
pub(crate) fn open(line: &EventLine, placed: &Placed) -> Result<Option<(Event, Vec<u8>)>, Fault> {
    let Placed {
        position,
        entry,
        bytes,
    } = placed;
    let fault = |kind, what: String| Fault::new(*position, kind, what);
    if line.gone.is_some() && line.sealed.is_some() {
        let what = "it says that its text is gone, and has it".to_owned();
        return Err(fault(FaultKind::Format, what));
    }
    let Some(Bytes(sealed)) = &line.sealed else {
        return match &line.key {
            None => Ok(None),
            Some(_) => Err(fault(
                FaultKind::Missing,
                "it has a key but no text".to_owned(),
            )),
        };
    };
    if sealed.len() != entry.sealed_len as usize || entry::sealed_hash(sealed) != entry.sealed_hash
    {
        let what = "the hash in the entry is not the hash of this payload".to_owned();
        return Err(fault(FaultKind::Payload, what));
    }
    let Some(key) = &line.key else {
        return Ok(None);
    };
    let key = key.array().map(EventKey::from_bytes);
    let key = key.ok_or_else(|| format_fault("the key does not have 32 bytes"))?;
    if seal::commitment(&key) != entry.key_commitment {
        let what = "the entry names another key than this one".to_owned();
        return Err(fault(FaultKind::Key, what));
    }
    let json = seal::open(&key, &entry.nonce, entry::prefix(bytes), sealed)
        .map_err(|error| fault(FaultKind::Sealed, format!("the payload {error}")))?;
    let event = Event::from_json(entry.event_type, entry.schema, &json)
        .map_err(|error| fault(FaultKind::Event, error.to_string()))?;
    match event.kind() == entry.stream.kind {
        true => Ok(Some((event, json))),
        false => {
            let what = "the event does not fit the kind of its stream".to_owned();
            Err(fault(FaultKind::Event, what))
        }
    }
}
