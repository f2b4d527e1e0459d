//! Gives streams as they were (P4): from the nearest snapshot and the later events, found by
//! walking back through the stream.

use std::sync::Arc;

use super::envelope::Request;
use super::history::{stored, stored_record};
use super::sealer::{meta_of, read_entry};
use super::stream_fold::StreamFold;
use super::{ExecuteError, Ledger, ReadError};
use crate::derived::{Doc, DocKey, Docs, Head, Past, StoreError, StreamDoc, Stretch};
use crate::entry;
use crate::ids::{Position, StreamId};
use crate::time::Timestamp;
use crate::turns;

/// The document of a stream; `None` if the stream does not exist.
pub(super) fn stream_doc(doc: Doc) -> Result<Option<Arc<StreamDoc>>, ReadError> {
    match doc {
        Doc::Stream(doc) => Ok(Some(doc)),
        Doc::Absent => Ok(None),
        _ => Err(StoreError::Malformed("a stream").into()),
    }
}

impl Ledger {
    /// A stream's present document; `None` if the stream does not exist.
    pub(super) fn present(&self, stream: StreamId) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        let key = DocKey::Stream(stream);
        stream_doc(self.inner.derived(|docs| docs.get(&key))?)
    }

    /// The nearest place after `position` from which to walk back through a stream, or the stream's end; `None` if
    /// the stream does not exist.
    pub(super) fn upper(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Position>, ReadError> {
        let Some(present) = self.present(stream)? else {
            return Ok(None);
        };
        let end = present.head.position;
        if end <= position {
            return Ok(Some(end));
        }
        let near = self.inner.docs().earlier().near(stream, position);
        if let Some(near) = near
            && near.end() >= position
        {
            return Ok(Some(near.end()));
        }
        let (_, beyond) = self.snapshots(stream, position)?;
        Ok(Some(beyond.map_or(end, |head| head.position)))
    }

    /// The snapshots of a stream nearest to `position`, before and after it. For each snapshot the
    /// journal must hold the event that the snapshot names. The snapshot's text is sealed together
    /// with the name of that event, so no more needs to be checked. A missing snapshot changes no
    /// answer; it only makes the walk longer.
    fn snapshots(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<(Option<Arc<StreamDoc>>, Option<Head>), ReadError> {
        let around = |docs: &Docs| match docs.doubt() {
            Some(reason) => Err(StoreError::Doubted(reason.to_owned())),
            None => docs.snapshots_around(stream, position),
        };
        let are_sound = |base: &Option<Arc<StreamDoc>>, beyond: &Option<Head>| {
            let heads = base.iter().map(|doc| doc.head).chain(*beyond);
            let checked: Result<Vec<_>, _> = heads.map(|head| self.has(stream, &head)).collect();
            checked.map(|all| all.into_iter().all(|sound| sound))
        };
        let (base, beyond) = self
            .inner
            .derived(|docs| docs.snapshots_around(stream, position))?;
        if are_sound(&base, &beyond)? {
            return Ok((base, beyond));
        }
        let error = StoreError::Changed("an earlier state of a stream");
        self.inner.docs().put_in_doubt(&error.to_string());
        let (base, beyond) = self.inner.derived(around)?;
        match are_sound(&base, &beyond)? {
            true => Ok((base, beyond)),
            false => Err(error.into()),
        }
    }

    /// Whether the journal holds the event with which `head` says that the stream ended.
    fn has(&self, stream: StreamId, head: &Head) -> Result<bool, ReadError> {
        let Some(stored) = self.inner.log.entry(head.position)? else {
            return Ok(false);
        };
        let entry = read_entry(head.position, &stored.entry)?;
        let link = entry::link(&stored.entry);
        Ok((entry.stream, entry.revision, link) == (stream, head.revision, head.link))
    }

    /// Gives the position of the event before another event of the same stream, in the order of the
    /// journal. The entry's own back pointer says so, except where an earlier version of this
    /// program continued the stream from an older state. There the list of breaks says so.
    pub(super) fn before(&self) -> impl Fn(Position, Position) -> Position + use<> {
        let breaks = self.inner.docs().store().register().breaks();
        move |position, back| match breaks.get(&position) {
            Some(found) => found.before,
            None => back,
        }
    }

    /// A stream's state at a position; `None` if the stream did not exist yet.
    pub(super) fn at(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        // States that are made from derived state which is thrown away meanwhile go with it.
        let docs = self.inner.docs();
        let Some(present) = self.present(stream)? else {
            return Ok(None);
        };
        if present.head.position <= position {
            return Ok(Some(present));
        }
        let near = docs.earlier().near(stream, position);
        if let Some(near) = &near
            && near.end() >= position
        {
            return Ok(state_in(stream, near, position));
        }
        let (base, beyond) = self.snapshots(stream, position)?;
        let from = base
            .as_ref()
            .map_or(Position::ZERO, |doc| doc.head.position);
        let begun = match near.filter(|near| near.end() > from) {
            Some(near) => Stretch::clone(&near),
            None => Stretch::after(base),
        };
        let upper = beyond.unwrap_or(present.head).position;
        let opened = self.open_stretches(stream, begun, upper, position)?;
        let found = opened.iter().rfind(|stretch| stretch.begin() <= position);
        let state = found.and_then(|stretch| state_in(stream, stretch, position));
        docs.earlier().keep(stream, opened);
        Ok(state)
    }

    /// Opens the events of a stream that come after those of `begun`, up to the one at `upper`, and cuts them into
    /// stretches. What cannot be opened after `needed` ends them.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read, or an event up to `needed` cannot be opened.
    fn open_stretches(
        &self,
        stream: StreamId,
        begun: Stretch,
        upper: Position,
        needed: Position,
    ) -> Result<Vec<Stretch>, ReadError> {
        let mut since = Vec::new();
        let before = self.before();
        let (floor, mut next) = (begun.end(), upper);
        while next > floor {
            let (stored, entry) = stored(&*self.inner.log, next)?;
            let back = before(next, stored.back);
            since.push((next, stored, entry));
            next = back;
        }
        let end = self.inner.docs().store().register().end_of(stream).revision;
        let mut folded = folded_through(stream, &begun, upper);
        let (mut stretches, mut stretch) = (Vec::new(), begun);
        for (position, stored, entry) in since.iter().rev() {
            let record = stored_record(*position, stored, entry);
            let (event, link) = match self.opener().event(&record) {
                Ok(opened) => opened,
                Err(error) if *position <= needed => return Err(error),
                Err(_) => break,
            };
            // A stretch begins at the end of a stream as its document has it.
            if stretch.is_long_enough(end)
                && folded.is_at_head()
                && let Some(doc) = folded.clone().doc()
            {
                let next = Stretch::after(Some(Arc::new(doc)));
                stretches.push(std::mem::replace(&mut stretch, next));
            }
            let past = Past {
                position: *position,
                link,
                meta: meta_of(entry),
                event,
            };
            take_past(&mut folded, &past);
            stretch.push(past, stored.sealed.as_ref().map_or(0, Vec::len));
        }
        stretches.push(stretch);
        Ok(stretches)
    }

    pub(super) fn pass(&self, instant: Timestamp) -> Result<(), ReadError> {
        if instant > self.now() {
            return Err(ReadError::NotPassed { instant });
        }
        let (reply, answer) = turns::bounded(1);
        let request = Request::pass(instant, move |result| {
            // Sending fails only if the thread that waited is gone.
            let _ = reply.send(result);
        });
        // Sending may have to wait for room in the queue, so the lock is released first.
        let sender = self.inner.requests.lock().clone();
        let sent = sender.is_some_and(|sender| sender.send(request).is_ok());
        match answer.recv() {
            Ok(Ok(_)) if sent => Ok(()),
            Ok(Err(ExecuteError::NotReady(reason))) => Err(StoreError::Doubted(reason).into()),
            Ok(Err(ExecuteError::WriterStopped(reason) | ExecuteError::Waiting(reason))) => {
                Err(ReadError::Unsettled(reason))
            }
            Ok(Ok(_) | Err(_)) | Err(_) => Err(ReadError::Closed),
        }
    }

    /// The last position that was recorded at or before an instant. The answer stays the same for
    /// ever (P4). Waits while something that was recorded before the instant may still be on its
    /// way to the disk.
    ///
    /// # Errors
    /// [`ReadError::NotPassed`] if something may still be recorded at or before the
    /// instant. Other [`ReadError`]s when the journal cannot be read.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, ReadError> {
        // Instants only increase, so nothing can be added before the last durable event.
        if instant > self.inner.docs().cursor().recorded_at {
            self.pass(instant)?;
        }
        // Instants increase with positions, so a binary search finds the position.
        let (mut low, mut high) = (0, self.position().get());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.recorded_at(Position::new(middle))? <= instant {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Position::new(low))
    }

    /// When the event at a position was recorded.
    fn recorded_at(&self, position: Position) -> Result<Timestamp, ReadError> {
        let instants = &self.inner.instants;
        if let Some(known) = instants.get(&position) {
            return Ok(known);
        }
        let (_, entry) = stored(&*self.inner.log, position)?;
        instants.insert(position, entry.recorded_at);
        Ok(entry.recorded_at)
    }
}

/// The state at a position that lies in a stretch; `None` if no event up to it could be read.
fn state_in(stream: StreamId, stretch: &Stretch, position: Position) -> Option<Arc<StreamDoc>> {
    match stretch.events.first() {
        Some(first) if first.position <= position => folded_through(stream, stretch, position)
            .doc()
            .map(Arc::new),
        Some(_) | None => stretch.base.clone(),
    }
}

/// A stream with the events of a stretch folded in, up to a position.
fn folded_through(stream: StreamId, stretch: &Stretch, position: Position) -> StreamFold {
    let mut folded = match &stretch.base {
        Some(doc) => StreamFold::after(stream, doc),
        None => StreamFold::new(stream),
    };
    let events = stretch.events.iter();
    for past in events.take_while(|past| past.position <= position) {
        take_past(&mut folded, past);
    }
    folded
}

fn take_past(folded: &mut StreamFold, past: &Past) {
    folded.apply(&past.meta, past.event.as_ref());
    folded.place(past.position, past.link);
}
