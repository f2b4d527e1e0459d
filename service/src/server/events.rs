//! Reads events in chunks.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use planledger_core::access_log::Shown;
use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Events, Found, Ledger, ReadError, RecordedEvent};
use tokio::task::JoinHandle;

use super::api::Api;
use super::auth::{Access, Caller};
use super::in_request;
use super::on_record::{OnRecord, Page};
use super::reads::{ReadLog, Recording};
use crate::wire::Failure;

/// Most events in one chunk.
const CHUNK_EVENTS: usize = 512;
/// Most bytes of events in one chunk, about. What an event is sent as is longer or shorter than what is reckoned here, and the
/// last one may be long.
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// What an event takes in memory beside its bytes, about.
const BESIDE: usize = 512;
/// What its names, ids and instant take when it is sent, about.
const NAMES: usize = 192;
/// How many positions are so few that reading them is done together with that of others.
const FEW: u64 = 64;
/// How many positions without a match are read before a chunk ends, so that the client learns how
/// far the reading came.
pub(super) const STRIDE: u64 = 65_536;

/// Some events as they are sent, and the position that the reading has come to.
pub(super) struct Chunk<T> {
    pub(super) events: Vec<T>,
    /// How many bytes they take in memory, about.
    pub(super) bytes: usize,
    pub(super) resume: Position,
    /// True if no more events are durable yet.
    pub(super) end: bool,
}

/// Reads events in chunks. Each chunk continues where the one before ended.
pub(super) struct Reader {
    /// `None` while it rests. It holds a part of the journal, which may be large.
    events: Option<Events>,
    pub(super) resume: Position,
    pub(super) right: Right,
    page: Page,
}

/// Who reads which events.
#[derive(Clone)]
pub(super) struct Right(Arc<(Caller, EventFilter)>);

impl Right {
    /// Whether the caller may read these events now.
    fn holds(&self, api: &Api) -> Result<bool, Failure> {
        let (caller, filter) = &*self.0;
        match api.is_open() {
            true => Ok(true),
            false => api.ask(caller, |gate| gate.permits(&Access::ReadEvents(filter))),
        }
    }
}

impl Reader {
    /// Forgets what was read and not sent. The next chunk reads it again.
    pub(super) fn rest(&mut self) {
        self.events = None;
    }

    /// The same reader with nothing read.
    fn resting(&self) -> Self {
        Self {
            events: None,
            resume: self.resume,
            right: self.right.clone(),
            page: self.page,
        }
    }

    /// Puts on record what is about to be shown: the events of `next`, and more, if the client reads fast. It gets no event
    /// after position `last`, and at most `limit`, those of `next` included.
    fn record(
        &mut self,
        api: &Api,
        reads: &ReadLog,
        next: &mut Next,
        limit: usize,
        last: Position,
    ) -> Result<(), Failure> {
        self.page.goes_on_from(next.from);
        if self.page.ahead < next.count() {
            self.page.turn(Instant::now());
        }
        while self.page.ahead < next.count() {
            if !self.right.holds(api)? {
                return Err(Failure::right_ended(next.from));
            }
            let rest = next.count() - self.page.ahead;
            // Nothing lies ahead or is wanted, or what was found is a whole page, or matches are so rare that looking ahead
            // would be reading everything twice.
            let is_all = next.end || limit <= next.count();
            let of_next = is_all || self.page.size <= rest || next.is_sparse();
            let ahead = match of_next {
                true => None,
                // What is damaged further on is met when the reading comes there.
                false => self.ahead(&api.ledger, limit - self.page.ahead, last).ok(),
            };
            let shown = match ahead.filter(|shown| shown.events > 0) {
                Some(shown) => shown,
                None => next.shown(self.page.ahead)?,
            };
            let (caller, at) = (&self.right.0.0, api.ledger.now());
            let recording =
                reads.record_pages(caller, at, Shown::Events, &shown.plans, shown.through)?;
            next.recordings.push(recording);
            self.page.put(&shown);
        }
        self.page.ahead = self.page.ahead.saturating_sub(next.count());
        Ok(())
    }

    /// What the next page shows, of which there are at most so many events.
    fn ahead(&self, ledger: &Ledger, most: usize, last: Position) -> Result<OnRecord, ReadError> {
        let (_, filter) = &*self.right.0;
        let from = self.page.through;
        let most = self.page.size.min(most);
        let mut shown = OnRecord::after(from);
        let passed = ledger.events(from, filter.clone()).pass(|position, entry| {
            if position > last {
                return ControlFlow::Break(());
            }
            shown.through = position;
            entry.into_iter().for_each(|entry| shown.count(entry));
            match shown.is_full(most) || position.get() - from.get() >= STRIDE {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        passed.map(|()| shown)
    }

    /// Finds the next events: at most `limit`, and none after position `last`. They are not opened yet.
    fn find(&mut self, api: &Api, limit: usize, last: Position) -> Result<Next, Failure> {
        let mut next = self.look(&api.ledger, limit, last)?;
        if let Some(reads) = &api.reads {
            self.record(api, reads, &mut next, limit, last)?;
        }
        Ok(next)
    }

    fn look(&mut self, ledger: &Ledger, limit: usize, last: Position) -> Result<Next, Failure> {
        let from = self.resume;
        if from >= last {
            return Ok(Next {
                found: None,
                from,
                resume: from,
                end: true,
                recordings: Vec::new(),
            });
        }
        let (_, filter) = &*self.right.0;
        let passing = self
            .events
            .get_or_insert_with(|| ledger.events(from, filter.clone()));
        let full = |found: &Found| {
            let through = found.through().unwrap_or(from);
            let bytes = found.bytes() + found.count() * (NAMES + BESIDE);
            found.count() >= limit.min(CHUNK_EVENTS)
                || bytes >= CHUNK_BYTES
                || through.get() - from.get() >= STRIDE
        };
        let enough =
            |found: &Found| full(found) || found.through().is_some_and(|through| through >= last);
        let found = passing.find(enough).map_err(Failure::of_reading)?;
        self.resume = found.through().unwrap_or(from);
        Ok(Next {
            from,
            resume: self.resume,
            end: self.resume >= last || !full(&found),
            found: Some(found),
            recordings: Vec::new(),
        })
    }
}

/// What a reader has found, not opened yet.
pub(super) struct Next {
    found: Option<Found>,
    from: Position,
    resume: Position,
    /// True if no more events are durable yet.
    pub(super) end: bool,
    /// What puts its events on record as shown.
    recordings: Vec<Recording>,
}

impl Next {
    pub(super) fn count(&self) -> usize {
        self.found.as_ref().map_or(0, Found::count)
    }

    /// Whether it ended because it had come far, and not because it was full.
    fn is_sparse(&self) -> bool {
        self.resume.get() - self.from.get() >= STRIDE
    }

    /// What all of it but the first events shows.
    fn shown(&self, but: usize) -> Result<OnRecord, Failure> {
        let mut shown = OnRecord::after(self.resume);
        for entry in self.found.iter().flat_map(Found::entries).skip(but) {
            shown.count(&entry.map_err(Failure::of_reading)?);
        }
        Ok(shown)
    }

    /// Opens it. `show` turns an event into what is sent, and says how many bytes that has.
    fn open<T>(&self, show: impl Fn(RecordedEvent) -> (T, usize)) -> Result<Chunk<T>, Failure> {
        let mut chunk = Chunk {
            events: Vec::with_capacity(self.count()),
            bytes: 0,
            resume: self.resume,
            end: self.end,
        };
        for event in self.found.iter().flat_map(Found::open) {
            let (event, length) = show(event.map_err(Failure::of_reading)?);
            chunk.bytes += length + BESIDE;
            chunk.events.push(event);
        }
        Ok(chunk)
    }
}

impl Api {
    /// Begins to read after a position, if the caller may read these events. Also returns the last
    /// position that is durable now.
    pub(super) async fn reader(
        &self,
        caller: Caller,
        after: u64,
        filter: EventFilter,
    ) -> Result<(Reader, Position), Failure> {
        let right = Right(Arc::new((caller, filter)));
        if !self.holds(&right).await? {
            return Err(Failure::access_denied());
        }
        let resume = Position::new(after);
        let last = self.ledger.position();
        if resume > last {
            return Err(Failure::position_ahead("after_position", last, resume));
        }
        let reader = Reader {
            events: None,
            resume,
            right,
            page: Page::after(resume),
        };
        Ok((reader, last))
    }

    async fn holds(&self, right: &Right) -> Result<bool, Failure> {
        if self.is_open() {
            return Ok(true);
        }
        let (api, right) = (self.clone(), right.clone());
        self.blocking(move |_| right.holds(&api)).await
    }

    /// Fails if the right to read these events has ended. `resume` is how far the client has come.
    pub(super) async fn still_holds(&self, right: &Right, resume: Position) -> Result<(), Failure> {
        match self.holds(right).await? {
            true => Ok(()),
            false => Err(Failure::right_ended(resume)),
        }
    }

    /// Reads the next events: at most `limit`, and none after position `last`. `show` turns an event
    /// into what is sent, and says how many bytes that has.
    pub(super) async fn next_chunk<T: Send + 'static>(
        &self,
        mut reader: Reader,
        limit: usize,
        last: Position,
        show: impl Fn(RecordedEvent) -> (T, usize) + Send + 'static,
    ) -> Result<(Reader, Chunk<T>), Failure> {
        let is_short = last.get().saturating_sub(reader.resume.get()) <= FEW;
        let api = self.clone();
        let read = move || {
            let next = reader.find(&api, limit, last)?;
            let opened = api.opened(&reader.right, next, show)?;
            Ok((reader, opened))
        };
        let (reader, opened) = match is_short {
            true => {
                let done = self.together.run(read).await;
                done.unwrap_or_else(|| Err(Failure::internal()))
            }
            false => {
                let turn = self.turns.take().await?;
                self.blocking(move |_| {
                    // Whoever leaves meanwhile gives the turn back only when the reading is over.
                    let _turn = turn;
                    read()
                })
                .await
            }
        }?;
        Ok((reader, opened.done().await?))
    }

    /// Finds the next events, as [`Self::next_chunk`], without opening them.
    pub(super) async fn find(
        &self,
        reader: &mut Reader,
        limit: usize,
        last: Position,
    ) -> Result<Next, Failure> {
        let turn = self.turns.take().await?;
        let resting = reader.resting();
        let mut taken = std::mem::replace(reader, resting);
        let api = self.clone();
        let (went_on, next) = self
            .blocking(move |_| {
                let _turn = turn;
                let next = taken.find(&api, limit, last)?;
                Ok((taken, next))
            })
            .await?;
        *reader = went_on;
        Ok(next)
    }

    /// Begins to open what was found, on another thread.
    pub(super) async fn open<T: Send + 'static>(
        &self,
        right: Right,
        next: Next,
        show: impl Fn(RecordedEvent) -> (T, usize) + Send + 'static,
    ) -> Result<Opening<T>, Failure> {
        let turn = self.turns.take().await?;
        let api = self.clone();
        Ok(Opening(in_request::spawn_blocking(move || {
            let _turn = turn;
            api.opened(&right, next, show)
        })))
    }

    /// Opens events. The right to read them is looked at after they were read. So nothing is sent that was
    /// recorded after the right had ended.
    fn opened<T>(
        &self,
        right: &Right,
        next: Next,
        show: impl Fn(RecordedEvent) -> (T, usize),
    ) -> Result<Opened<T>, Failure> {
        let chunk = next.open(show)?;
        if !right.holds(self)? {
            return Err(Failure::right_ended(next.from));
        }
        let recordings = next.recordings;
        Ok(Opened { chunk, recordings })
    }
}

/// Opened events whose reading may have to be on record before they are shown.
struct Opened<T> {
    chunk: Chunk<T>,
    recordings: Vec<Recording>,
}

impl<T> Opened<T> {
    async fn done(self) -> Result<Chunk<T>, Failure> {
        for recording in self.recordings {
            recording.done().await?;
        }
        Ok(self.chunk)
    }
}

/// Events that are being opened.
pub(super) struct Opening<T>(JoinHandle<Result<Opened<T>, Failure>>);

impl<T> Opening<T> {
    /// Whether they are open.
    pub(super) fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for them.
    pub(super) async fn done(self) -> Result<Chunk<T>, Failure> {
        match self.0.await {
            Ok(opened) => opened?.done().await,
            Err(error) if error.is_cancelled() => Err(Failure::shutting_down()),
            Err(_) => Err(Failure::internal()),
        }
    }
}
