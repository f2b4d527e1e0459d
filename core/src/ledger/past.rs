//! Gives streams as they were (P4): from the nearest snapshot and the later events, found by
//! walking back through the stream.

use std::sync::Arc;

use super::envelope::Request;
use super::history::{stored, stored_record};
use super::sealer::read_entry;
use super::stream_fold::StreamFold;
use super::{ExecuteError, Ledger, ReadError};
use crate::derived::{Doc, DocKey, Docs, Earlier, Head, StoreError, StreamDoc};
use crate::entry;
use crate::ids::{Position, Revision, StreamId};
use crate::time::Timestamp;
use crate::turns;

/// Where to start when a stream is read at a position: the newest document that is not after the
/// position, and the nearest place after it from which to walk back.
pub(super) type Anchor = (Option<Arc<StreamDoc>>, Head);

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

    /// Where to start when a stream is read at `position`; `None` if the stream does not exist.
    pub(super) fn anchor(
        &self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Anchor>, ReadError> {
        let Some(present) = self.present(stream)? else {
            return Ok(None);
        };
        let end = present.head;
        if end.position <= position {
            return Ok(Some((Some(present), end)));
        }
        let (kept, beyond) = self.inner.docs().earlier().around(stream, position);
        let near = beyond.unwrap_or(end);
        if let Some(kept) = &kept
            && Earlier::are_near(&kept.head, &near, end.revision)
        {
            return Ok(Some((Some(kept.clone()), near)));
        }
        let (base, beyond) = self.snapshots(stream, position)?;
        let base = base.into_iter().chain(kept);
        let base = base.max_by_key(|state| state.head.position);
        let beyond = beyond.into_iter().chain([near]);
        let beyond = beyond.min_by_key(|head| head.position);
        Ok(Some((base, beyond.unwrap_or(end))))
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
        let mut folded = match &base {
            Some(doc) => StreamFold::after(stream, doc),
            None => StreamFold::new(stream),
        };
        let end = docs.store().register().end_of(stream).revision;
        let worth_keeping = |at: &Revision| Earlier::is_worth_keeping(*at, end);
        let revisions = since.iter().map(|(_, _, entry)| entry.revision);
        let kept_at = revisions.filter(worth_keeping).max();
        let mut kept = None;
        for (position, stored, entry) in since.iter().rev() {
            folded.take(&stored_record(*position, stored, entry), &self.opener())?;
            if Some(entry.revision) == kept_at && folded.is_at_head() {
                kept = folded.clone().doc().map(Arc::new);
            }
        }
        docs.earlier()
            .keep(stream, base.into_iter().chain(kept), end);
        Ok(folded.doc().map(Arc::new))
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
