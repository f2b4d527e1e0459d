//! Events as they were recorded: in order of position, and backwards along one stream.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::opener::{Opener, Rests};
use super::sealer::{Opened, read_entry};
use super::stream_fold::Record;
use super::{Ledger, ReadError};
use crate::domain::{Actor, EventType};
use crate::entry::{Entry, EntryBytes};
use crate::ids::{CommandId, KeyId, PersonId, Position, Revision, StreamId};
use crate::journal::{CommitLog, EntryRef, Frame, Frames, StoredEntry};
use crate::seal::{KeyScope, KeyStore};
use crate::time::Timestamp;

/// The content of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON. [`crate::domain`] has the shape for each event type.
    Json(Vec<u8>),
    /// The text was redacted; a recorded act says why (P6). This JSON is left of the event, with
    /// [`crate::text::REDACTED`] in place of each text.
    Left(Vec<u8>),
    /// The text was redacted, and nothing is left of the event.
    Redacted,
    /// The person whom it was about was erased; a recorded act says why (P6).
    Erased,
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The place of the event in the journal.
    pub position: Position,
    /// The stream that the event belongs to.
    pub stream: StreamId,
    /// The place of the event in its stream.
    pub revision: Revision,
    /// The type of the event; `None` if the type is newer than this version of the program.
    pub event_type: Option<EventType>,
    /// The version of the payload's shape.
    pub schema: u16,
    /// The command that recorded the event.
    pub command: CommandId,
    /// The person or system that acted.
    pub actor: Actor,
    /// The person or system for whom the actor acted; `None` if it acted for itself.
    pub on_behalf_of: Option<Actor>,
    /// The instant at which the event was recorded.
    pub recorded_at: Timestamp,
    /// The key that seals the event.
    pub key: KeyId,
    /// The content of the event, or a mark that it was redacted.
    pub payload: Payload,
}

/// Which events are wanted. An empty filter wants all events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only events of these streams; of all streams if empty.
    pub streams: Vec<StreamId>,
    /// Only events of these types, by number; of all types if empty.
    pub types: Vec<u16>,
    /// Only events of this student: those of the person's own stream and of the person's plans.
    pub student: Option<PersonId>,
}

/// What a reader meets when it reads events in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// An event that the filter wants.
    Event(RecordedEvent),
    /// A frame has been read to its end. Reading can be resumed after this position.
    Through(Position),
}

/// Events in order of position, up to the last durable one. After `None` the iterator can give more
/// events once more are durable.
pub struct Events {
    frames: Frames,
    source: Source,
    after: Position,
    filter: EventFilter,
    /// The key of the student whom the filter names, as it was when the frame was read. Every event sealed
    /// under it is about that student. If the frame has none, it may be the key of a command that is refused
    /// later, or `None`.
    student_key: Option<KeyId>,
    /// The frame that is being read, and which of its entries comes next.
    reading: Option<(Frame, u32)>,
}

/// Where events come from, and what opens them.
#[derive(Clone)]
struct Source {
    log: Arc<dyn CommitLog>,
    keys: Arc<KeyStore>,
    rests: Arc<Rests>,
}

/// What comes next in the journal.
enum Step {
    /// A wanted entry of the frame that is being read.
    Entry(u32),
    /// The frame has been read to its end, which is there.
    Through(Position),
}

/// Events in a row as they lie in the journal, sealed. To open events takes many times as long as to find them, so it can be
/// done on other threads, and several of these at once. It has copies: the frames share large parts of the journal.
pub struct Found {
    source: Source,
    records: Vec<FoundRecord>,
    payloads: Vec<u8>,
    through: Option<Position>,
}

struct FoundRecord {
    position: Position,
    entry: EntryBytes,
    /// Where its payload lies among those of all.
    payload: Range<usize>,
}

impl Found {
    /// How many events there are.
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// How many bytes their sealed payloads have together.
    pub fn bytes(&self) -> usize {
        self.payloads.len()
    }

    /// The position that the reading has come to; `None` if nothing more is durable yet.
    pub fn through(&self) -> Option<Position> {
        self.through
    }

    /// The entries of the events, in order.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, ReadError>> {
        let records = self.records.iter();
        records.map(|record| read_entry(record.position, &record.entry))
    }

    /// The events, opened one after the other.
    pub fn open(&self) -> impl Iterator<Item = Result<RecordedEvent, ReadError>> {
        self.records.iter().map(|record| {
            let sealed = self.payloads.get(record.payload.clone());
            let sealed = sealed.unwrap_or_default();
            self.source.open(record.position, &record.entry, sealed)
        })
    }

    fn put(&mut self, record: &EntryRef<'_>) {
        let begun = self.payloads.len();
        self.payloads.extend_from_slice(record.sealed);
        self.records.push(FoundRecord {
            position: record.position,
            entry: *record.entry,
            payload: begun..self.payloads.len(),
        });
        self.through = Some(record.position);
    }
}

impl Source {
    fn open(
        &self,
        position: Position,
        bytes: &EntryBytes,
        sealed: &[u8],
    ) -> Result<RecordedEvent, ReadError> {
        let entry = read_entry(position, bytes)?;
        let opener = Opener {
            log: &*self.log,
            keys: &self.keys,
            rests: &self.rests,
            up_to_damage: false,
        };
        recorded(position, &entry, bytes, Some(sealed), &opener)
    }
}

impl Iterator for Events {
    type Item = Result<Passed, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = match self.step()? {
            Ok(Step::Entry(index)) => index,
            Ok(Step::Through(position)) => return Some(Ok(Passed::Through(position))),
            Err(error) => return Some(Err(error)),
        };
        let (frame, _) = self.reading.as_ref()?;
        let record = frame.entry(index)?;
        let event = self
            .source
            .open(record.position, record.entry, record.sealed);
        Some(event.map(Passed::Event))
    }
}

impl Events {
    /// Finds the next events without opening them. It goes on until `enough` says so, which is asked after each event
    /// and after each frame, or until nothing more is durable.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read.
    pub fn find(&mut self, enough: impl Fn(&Found) -> bool) -> Result<Found, ReadError> {
        let mut found = Found {
            source: self.source.clone(),
            records: Vec::new(),
            payloads: Vec::new(),
            through: None,
        };
        while let Some(step) = self.step() {
            match step? {
                Step::Entry(index) => {
                    let record = self.reading.as_ref();
                    if let Some(record) = record.and_then(|(frame, _)| frame.entry(index)) {
                        found.put(&record);
                    }
                }
                Step::Through(position) => found.through = Some(position),
            }
            if enough(&found) {
                break;
            }
        }
        Ok(found)
    }

    /// Passes the next events without opening or keeping them. `take` gets the entry of each, and `None` with the last
    /// position of each frame. It goes on until `take` breaks, or until nothing more is durable.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read.
    pub fn pass(
        &mut self,
        mut take: impl FnMut(Position, Option<&Entry>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        while let Some(step) = self.step() {
            let taken = match step? {
                Step::Entry(index) => {
                    let record = self.reading.as_ref();
                    let Some(record) = record.and_then(|(frame, _)| frame.entry(index)) else {
                        continue;
                    };
                    let entry = read_entry(record.position, record.entry)?;
                    take(record.position, Some(&entry))
                }
                Step::Through(position) => take(position, None),
            };
            if taken.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Goes to the next wanted entry, or to the end of the frame that is being read.
    fn step(&mut self) -> Option<Result<Step, ReadError>> {
        loop {
            let Some((frame, next)) = &mut self.reading else {
                let frame = match self.frames.next()? {
                    Ok(frame) => frame,
                    Err(error) => return Some(Err(error.into())),
                };
                // For each frame anew: a key that a refused command was to bring does not stay the student's. A
                // frame with an event of the student is durable, and so is the key.
                if let Some(student) = self.filter.student {
                    self.student_key = self.source.keys.id_of(KeyScope::Person(student));
                }
                self.reading = Some((frame, 0));
                continue;
            };
            let index = *next;
            let Some(record) = frame.entry(index) else {
                let through = frame.header().last_position();
                self.reading = None;
                match through > self.after {
                    true => return Some(Ok(Step::Through(through))),
                    false => continue,
                }
            };
            *next += 1;
            if record.position <= self.after {
                continue;
            }
            if !self.filter.wants_all() {
                match read_entry(record.position, record.entry) {
                    Ok(entry) if self.filter.wants(&entry, self.student_key) => {}
                    Ok(_) => continue,
                    Err(error) => return Some(Err(error)),
                }
            }
            return Some(Ok(Step::Entry(index)));
        }
    }
}

impl EventFilter {
    fn wants_all(&self) -> bool {
        self.streams.is_empty() && self.types.is_empty() && self.student.is_none()
    }

    /// `student_key` is the key of the student whom the filter names.
    fn wants(&self, entry: &Entry, student_key: Option<KeyId>) -> bool {
        (self.streams.is_empty() || self.streams.contains(&entry.stream))
            && (self.types.is_empty() || self.types.contains(&entry.event_type))
            && (self.student.is_none() || student_key == Some(entry.key))
    }
}

/// Decrypts an entry's payload and gives the event.
pub(super) fn recorded(
    position: Position,
    entry: &Entry,
    bytes: &EntryBytes,
    sealed: Option<&[u8]>,
    opener: &Opener<'_>,
) -> Result<RecordedEvent, ReadError> {
    let mut schema = entry.schema;
    let payload = match opener.open(position, entry, bytes, sealed)? {
        Opened::Json(json) => Payload::Json(json),
        Opened::Left { schema: of, json } => {
            schema = of;
            Payload::Left(json)
        }
        Opened::Redacted => Payload::Redacted,
        Opened::Erased => Payload::Erased,
    };
    Ok(RecordedEvent {
        schema,
        ..event(position, entry, payload)
    })
}

/// An event with the fields of its entry and the given content.
pub(crate) fn event(position: Position, entry: &Entry, payload: Payload) -> RecordedEvent {
    RecordedEvent {
        position,
        stream: entry.stream,
        revision: entry.revision,
        event_type: EventType::from_code(entry.event_type),
        schema: entry.schema,
        command: entry.command,
        actor: entry.actor,
        on_behalf_of: entry.on_behalf_of,
        recorded_at: entry.recorded_at,
        key: entry.key,
        payload,
    }
}

/// An entry of the journal as it is stored, and decoded into its fields.
pub(crate) fn stored(
    log: &dyn CommitLog,
    position: Position,
) -> Result<(StoredEntry, Entry), ReadError> {
    let missing = || ReadError::NotThere {
        asked: position,
        tail: log.tail().position,
    };
    let stored = log.entry(position)?.ok_or_else(missing)?;
    let entry = read_entry(position, &stored.entry)?;
    Ok((stored, entry))
}

/// The same entry in the form in which it is folded in.
pub(crate) fn stored_record<'a>(
    position: Position,
    stored: &'a StoredEntry,
    entry: &'a Entry,
) -> Record<'a> {
    Record {
        position,
        entry,
        bytes: &stored.entry,
        sealed: stored.sealed.as_deref(),
    }
}

impl Ledger {
    /// Whatever opening a payload needs.
    pub(super) fn opener(&self) -> Opener<'_> {
        Opener {
            log: &*self.inner.log,
            keys: &self.inner.keys,
            rests: &self.inner.rests,
            up_to_damage: false,
        }
    }

    /// Events after a position, in order, up to the last durable one.
    pub fn events(&self, after: Position, filter: EventFilter) -> Events {
        Events {
            frames: self.inner.log.read_sealed(after.next()),
            source: Source {
                log: self.inner.log.clone(),
                keys: self.inner.keys.clone(),
                rests: self.inner.rests.clone(),
            },
            after,
            filter,
            student_key: None,
            reading: None,
        }
    }

    /// A stream's events, newest first: at most `limit` of those before position `before`, or of
    /// all if `before` is `None`. The length of the journal does not matter: about one entry is
    /// read for each event.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read or an event cannot be opened.
    pub fn history(
        &self,
        stream: StreamId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let before = before.unwrap_or(Position::new(u64::MAX));
        let mut events = Vec::new();
        let mut next = match self.upper(stream, before)? {
            Some(upper) => upper,
            // No event of the stream can be read, but they are there.
            None => self.head_position(stream)?,
        };
        let earlier = self.before();
        while next != Position::ZERO && events.len() < limit {
            let (stored, entry) = stored(&*self.inner.log, next)?;
            if next < before {
                events.push(self.recorded(next, &stored, &entry)?);
            }
            next = earlier(next, stored.back);
        }
        Ok(events)
    }

    /// A stream's events, oldest first: at most `limit` of those after position `after`. All later
    /// entries of the stream are read, but only the events that are returned are decrypted.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read or an event cannot be opened.
    pub fn history_after(
        &self,
        stream: StreamId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let before = self.before();
        let mut nearest = std::collections::VecDeque::with_capacity(limit.min(1024) + 1);
        let mut next = self.head_position(stream)?;
        while next > after {
            let (stored, entry) = stored(&*self.inner.log, next)?;
            let back = before(next, stored.back);
            nearest.push_front((next, stored, entry));
            nearest.truncate(limit);
            next = back;
        }
        let events = nearest.iter();
        events
            .map(|(position, stored, entry)| self.recorded(*position, stored, entry))
            .collect()
    }

    fn recorded(
        &self,
        position: Position,
        stored: &StoredEntry,
        entry: &Entry,
    ) -> Result<RecordedEvent, ReadError> {
        let sealed = stored.sealed.as_deref();
        recorded(position, entry, &stored.entry, sealed, &self.opener())
    }
}
