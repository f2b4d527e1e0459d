//! Streams as they were (P4): the nearest snapshot, and the events since, found by walking back.

use std::sync::Arc;

use super::envelope::Request;
use super::history::{stored, stored_record};
use super::sealer::read_entry;
use super::stream_fold::StreamFold;
use super::{ExecuteError, Ledger, ReadError};
use crate::derived::{Doc, DocKey, Docs, Head, StoreError, StreamDoc};
use crate::entry;
use crate::ids::{Position, StreamId};
use crate::time::Timestamp;

/// From where to fold a stream: the newest document not beyond a position, and the nearest place
/// beyond it from where to walk back.
pub(super) type Anchor = (Option<Arc<StreamDoc>>, Head);

impl Ledger {
    /// A stream's present document.
    pub(super) fn present(&self, stream: StreamId) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        let key = DocKey::Stream(stream);
        match self.inner.derived(|docs| docs.get(&key))? {
            Doc::Stream(doc) => Ok(Some(doc)),
            Doc::Absent => Ok(None),
            _ => Err(StoreError::Malformed("a stream").into()),
        }
    }

    /// From where to fold a stream up to a position; `None` for a stream that is not there.
    pub(super) fn anchor(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Anchor>, ReadError> {
        let Some(present) = self.present(stream)? else {
            return Ok(None);
        };
        if present.head.position <= position {
            let head = present.head;
            return Ok(Some((Some(present), head)));
        }
        let (base, beyond) = self.snapshots(stream, position)?;
        Ok(Some((base, beyond.unwrap_or(present.head))))
    }

    /// A stream's snapshots on both sides of a position. Each is of an event that the journal has; its
    /// text is sealed together with the name of that event, so this is all there is to check. That
    /// one is missing changes no answer.
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

    /// Whether the journal has the event that a stream is said to have ended with.
    fn has(&self, stream: StreamId, head: &Head) -> Result<bool, ReadError> {
        let Some(stored) = self.inner.log.entry(head.position)? else {
            return Ok(false);
        };
        let entry = read_entry(head.position, &stored.entry)?;
        let link = entry::link(&stored.entry);
        Ok((entry.stream, entry.revision, link) == (stream, head.revision, head.link))
    }

    /// Where the event before one of the same stream is. That is where the journal had come with the
    /// stream until then, also where an earlier version of this program had gone on from an older
    /// state.
    pub(super) fn before(&self) -> impl Fn(Position, Position) -> Position + use<> {
        let breaks = self.inner.docs().store().register().breaks();
        move |position, back| match breaks.get(&position) {
            Some(found) => found.before,
            None => back,
        }
    }

    /// A stream's state at a position; `None` if it was not there yet.
    pub(super) fn at(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        let Some((base, upper)) = self.anchor(stream, position)? else {
            return Ok(None);
        };
        let floor = base
            .as_ref()
            .map(|doc| doc.head.position)
            .unwrap_or_default();
        let mut since = Vec::new();
        let before = self.before();
        let mut next = upper.position;
        while next > floor {
            let (stored, entry) = stored(&*self.inner.log, next)?;
            let back = before(next, stored.back);
            if next <= position {
                since.push((next, stored, entry));
            }
            next = back;
        }
        if since.is_empty() {
            return Ok(base);
        }
        let mut folded = match base {
            Some(doc) => StreamFold::after(stream, &doc),
            None => StreamFold::new(stream),
        };
        for (position, stored, entry) in since.iter().rev() {
            folded.take(&stored_record(*position, stored, entry), &self.inner.keys)?;
        }
        Ok(folded.doc().map(Arc::new))
    }

    pub(super) fn pass(&self, instant: Timestamp) -> Result<(), ReadError> {
        if instant > self.now() {
            return Err(ReadError::NotPassed { instant });
        }
        let (reply, answer) = crossbeam_channel::bounded(1);
        let request = Request::pass(instant, move |result| {
            // Nobody waits any more only if the waiting thread is gone.
            let _ = reply.send(result);
        });
        // Waits for its turn like everybody, but not with the lock.
        let sender = self.inner.requests.lock().clone();
        let sent = sender.is_some_and(|sender| sender.send(request).is_ok());
        match answer.recv() {
            Ok(Ok(_)) if sent => Ok(()),
            Ok(Err(ExecuteError::NotReady(reason))) => Err(StoreError::Doubted(reason).into()),
            Ok(Err(ExecuteError::WriterStopped(reason))) => Err(ReadError::Unsettled(reason)),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(ReadError::Closed),
        }
    }

    /// The last position that was recorded at or before an instant, for ever (P4). Waits while
    /// something that was recorded before it may still be on its way to the disk.
    ///
    /// # Errors
    /// [`ReadError::NotPassed`] for an instant up to which something may still be recorded, and
    /// the others.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, ReadError> {
        // Instants only increase, so nothing can be added before the last durable one.
        if instant > self.inner.docs().cursor().recorded_at {
            self.pass(instant)?;
        }
        // Instants increase with positions, so this is a search by halves.
        let (mut low, mut high) = (0, self.position().get());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let (_, entry) = stored(&*self.inner.log, Position::new(middle))?;
            if entry.recorded_at <= instant {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Position::new(low))
    }
}
