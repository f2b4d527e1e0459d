//! Events as they were recorded: by position, and backwards along a stream.

use std::sync::Arc;

use super::sealer::{open_payload, read_entry};
use super::stream_fold::Record;
use super::{Ledger, ReadError};
use crate::domain::{Actor, EventType};
use crate::entry::{Entry, EntryBytes};
use crate::ids::{CommandId, KeyId, PersonId, Position, Revision, StreamId};
use crate::journal::{CommitLog, Frames, StoredEntry};
use crate::seal::{KeyScope, KeyStore};
use crate::time::Timestamp;

/// An event's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON; shapes by event type are in [`crate::domain`].
    Json(Vec<u8>),
    /// Redacted; a recorded act says why (P6).
    Redacted,
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the journal.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// Its type; `None` if it is newer than this version.
    pub event_type: Option<EventType>,
    /// Version of the payload's shape.
    pub schema: u16,
    /// The command that led to it.
    pub command: CommandId,
    /// Who acted.
    pub actor: Actor,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<Actor>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it says.
    pub payload: Payload,
}

/// Which events are wanted. An empty filter wants all.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only of these streams.
    pub streams: Vec<StreamId>,
    /// Only of these types, by number.
    pub types: Vec<u16>,
    /// Only of this student: the person's own stream and their plans.
    pub student: Option<PersonId>,
}

/// Something that reading in order came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// An event that the filter wants.
    Event(RecordedEvent),
    /// A frame has been read to its end; reading can be resumed after this position.
    Through(Position),
}

/// Events in order of position, up to the durable end. After `None` more may follow once more is
/// durable.
pub struct Events {
    frames: Frames,
    keys: Arc<KeyStore>,
    after: Position,
    filter: EventFilter,
    /// Sealed under this key means: of that student. Without a key there is no event yet.
    student_key: Option<KeyId>,
    ready: std::collections::VecDeque<Passed>,
}

impl Iterator for Events {
    type Item = Result<Passed, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(passed) = self.ready.pop_front() {
                return Some(Ok(passed));
            }
            match self.frames.next()? {
                Ok(frame) => {
                    if let Err(error) = self.take(&frame) {
                        self.ready.clear();
                        return Some(Err(error));
                    }
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

impl Events {
    fn take(&mut self, frame: &crate::journal::Frame) -> Result<(), ReadError> {
        if self.student_key.is_none()
            && let Some(student) = self.filter.student
        {
            self.student_key = self
                .keys
                .active(KeyScope::Person(student))
                .map(|key| key.id);
        }
        for record in frame
            .entries()
            .filter(|record| record.position > self.after)
        {
            let entry = read_entry(record.position, record.entry)?;
            if !self.wants(&entry) {
                continue;
            }
            let event = recorded(
                record.position,
                &entry,
                record.entry,
                record.sealed,
                &self.keys,
            )?;
            self.ready.push_back(Passed::Event(event));
        }
        let through = frame.header().last_position();
        if through > self.after {
            self.ready.push_back(Passed::Through(through));
        }
        Ok(())
    }

    fn wants(&self, entry: &Entry) -> bool {
        (self.filter.streams.is_empty() || self.filter.streams.contains(&entry.stream))
            && (self.filter.types.is_empty() || self.filter.types.contains(&entry.event_type))
            && (self.filter.student.is_none() || self.student_key == Some(entry.key))
    }
}

/// Opens an entry.
pub(super) fn recorded(
    position: Position,
    entry: &Entry,
    bytes: &EntryBytes,
    sealed: &[u8],
    keys: &KeyStore,
) -> Result<RecordedEvent, ReadError> {
    let json = open_payload(position, entry, bytes, sealed, keys)?;
    let payload = json.map_or(Payload::Redacted, Payload::Json);
    Ok(event(position, entry, payload))
}

/// What is known of an event besides what it says.
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
        payload,
    }
}

/// An entry of the journal with its fields.
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

/// The same, to be folded in.
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
    /// Events after a position, in order, up to the durable end.
    pub fn events(&self, after: Position, filter: EventFilter) -> Events {
        Events {
            frames: self.inner.log.read(after.next()),
            keys: self.inner.keys.clone(),
            after,
            filter,
            student_key: None,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// A stream's events, newest first: at most `limit` of those before position `before`, or of
    /// all. Reads one entry for each, however long the journal is.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn history(
        &self,
        stream: StreamId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let before = before.unwrap_or(Position::new(u64::MAX));
        let mut events = Vec::new();
        let Some((_, upper)) = self.anchor(stream, before)? else {
            return Ok(events);
        };
        let earlier = self.before();
        let mut next = upper.position;
        while next != Position::ZERO && events.len() < limit {
            let (stored, entry) = stored(&*self.inner.log, next)?;
            if next < before {
                events.push(self.recorded(next, &stored, &entry)?);
            }
            next = earlier(next, stored.back);
        }
        Ok(events)
    }

    /// A stream's events, oldest first: at most `limit` of those after position `after`. Walks back
    /// over everything since, but opens only what it gives.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn history_after(
        &self,
        stream: StreamId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let before = self.before();
        let mut nearest = std::collections::VecDeque::with_capacity(limit.min(1024) + 1);
        let mut next = self
            .present(stream)?
            .map_or(Position::ZERO, |doc| doc.head.position);
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
        match &stored.sealed {
            Some(sealed) => recorded(position, entry, &stored.entry, sealed, &self.inner.keys),
            None => Ok(event(position, entry, Payload::Redacted)),
        }
    }
}
