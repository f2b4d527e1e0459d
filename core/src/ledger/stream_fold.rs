//! Folds events into the state of a stream. This is the only code that does so (P3): for a new
//! command, for a dry run of a command, when derived state catches up, when the past is read, when a
//! journal is verified, and when an auditor folds the events of a server that is not trusted.

use std::sync::Arc;

use super::ReadError;
use super::opener::Opener;
use super::sealer::{check_readable, meta_of, read_event};
use crate::derived::{Head, StreamDoc};
use crate::domain::{Aggregate, Event, EventMeta};
use crate::entry::{Entry, EntryBytes, link};
use crate::hash::Hash32;
use crate::ids::{Position, Revision, StreamId};

/// A stream with the events that have been folded in so far.
#[derive(Clone, Debug)]
pub struct StreamFold {
    id: StreamId,
    head: Head,
    /// Revision of the event that was folded in last.
    last: Revision,
    state: Option<Arc<Aggregate>>,
}

/// An entry of the journal, with its position and sealed payload.
pub(crate) struct Record<'a> {
    pub(crate) position: Position,
    pub(crate) entry: &'a Entry,
    pub(crate) bytes: &'a EntryBytes,
    /// The sealed payload; `None` if the payload is known to be redacted.
    pub(crate) sealed: Option<&'a [u8]>,
}

impl Opener<'_> {
    /// The event of an entry, and the entry's link; no event if nothing of it can be read.
    ///
    /// # Errors
    /// When its payload does not open or read, or a newer version of this program wrote it.
    pub(super) fn event(&self, record: &Record<'_>) -> Result<(Option<Event>, Hash32), ReadError> {
        let Record {
            position,
            entry,
            bytes,
            sealed,
        } = *record;
        check_readable(position, entry)?;
        let json = self.open(position, entry, bytes, sealed)?.json(entry);
        let event = json.map(|(schema, json)| read_event(position, entry, schema, &json));
        Ok((event.transpose()?, link(bytes)))
    }
}

impl StreamFold {
    /// A stream without events.
    pub(crate) fn new(id: StreamId) -> Self {
        Self::at(id, Head::default(), None)
    }

    /// A stream as its document describes it.
    pub(crate) fn after(id: StreamId, doc: &StreamDoc) -> Self {
        Self::at(id, doc.head, Some(doc.state.clone()))
    }

    /// A stream that ends at `head` and has this state. The state is `None` if every event so far
    /// was redacted.
    pub(crate) fn at(id: StreamId, head: Head, state: Option<Arc<Aggregate>>) -> Self {
        Self {
            id,
            head,
            last: head.revision,
            state,
        }
    }

    /// A stream of which only the revision and the state are known, as for somebody who folds the
    /// events that a server sends. The state is `None` if no event so far could be read.
    pub fn resumed(id: StreamId, revision: Revision, state: Option<Arc<Aggregate>>) -> Self {
        let head = Head {
            revision,
            ..Head::default()
        };
        Self::at(id, head, state)
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn state(&self) -> Option<&Arc<Aggregate>> {
        self.state.as_ref()
    }

    /// Whether the event that was folded in last has the highest revision of the stream. It has not
    /// where an earlier version of this program continued the stream from an older state. There a
    /// revision occurs twice, and the next event follows the highest revision.
    pub(crate) fn is_at_head(&self) -> bool {
        self.last == self.head.revision
    }

    /// Folds an event in before its entry is known. An event of which nothing can be read (`None`)
    /// changes only the revision. A redacted one is folded as it was left: without its text (P6).
    pub fn apply(&mut self, meta: &EventMeta, event: Option<&Event>) {
        if let Some(event) = event {
            match &mut self.state {
                Some(state) => Arc::make_mut(state).change(meta, event),
                None => self.state = Aggregate::created(meta, event).map(Arc::new),
            }
        }
        self.head.revision = self.head.revision.max(meta.revision);
        self.last = meta.revision;
    }

    /// Notes the position of the event that was folded in last, before the event is sealed. Its link is
    /// then none, and is put into the stream's document when there is one.
    pub(crate) fn place_unsealed(&mut self, position: Position) {
        self.place(position, Hash32::default());
    }

    /// Notes the position and link of the event that was folded in last.
    pub(crate) fn place(&mut self, position: Position, link: Hash32) {
        self.head.position = position;
        self.head.link = link;
    }

    /// Folds an entry of the journal in.
    ///
    /// # Errors
    /// When its payload does not open or read, or a newer version of this program wrote it.
    pub(crate) fn take(
        &mut self,
        record: &Record<'_>,
        opener: &Opener<'_>,
    ) -> Result<(), ReadError> {
        let (event, link) = opener.event(record)?;
        self.fold(record.position, record.entry, event.as_ref(), link);
        Ok(())
    }

    /// Folds an entry in that was opened before. An event of which nothing can be read is `None`.
    pub(super) fn fold(
        &mut self,
        position: Position,
        entry: &Entry,
        event: Option<&Event>,
        link: Hash32,
    ) {
        self.apply(&meta_of(entry), event);
        self.place(position, link);
    }

    /// The state that the events so far led to; `None` if none of them could be read.
    pub fn into_state(self) -> Option<Arc<Aggregate>> {
        self.state
    }

    /// The stream's document; `None` if the stream has no state.
    pub(crate) fn doc(self) -> Option<StreamDoc> {
        let head = self.head;
        self.state.map(|state| StreamDoc { head, state })
    }
}
