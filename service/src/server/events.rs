//! Reads events in chunks.

use std::collections::HashMap;
use std::sync::Arc;

use planledger_core::access_log::Shown;
use planledger_core::ids::{KeyId, Position, StreamKind};
use planledger_core::ledger::{EventFilter, Events, Ledger, Passed, RecordedEvent};

use super::api::Api;
use super::auth::{Access, Caller};
use super::reads::Recording;
use crate::wire::Failure;

/// Most events in one chunk.
const CHUNK_EVENTS: usize = 512;
/// Most bytes of events in one chunk, about. The last event may exceed it.
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// What an event takes in memory beside its bytes, about.
const BESIDE: usize = 512;
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
    /// How many of the events are of plans, by the key that seals them.
    plans: HashMap<KeyId, u32>,
}

/// Reads events in chunks. Each chunk continues where the one before ended.
pub(super) struct Reader {
    /// `None` while it rests. It holds the events of a whole commit, which may be large.
    events: Option<Events>,
    pub(super) resume: Position,
    pub(super) right: Right,
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

    /// Reads the next events: at most `limit`, and none after position `last`. `show` turns an event
    /// into what is sent, and says how many bytes that has.
    fn chunk<T>(
        &mut self,
        ledger: &Ledger,
        limit: usize,
        last: Position,
        show: impl Fn(RecordedEvent) -> (T, usize),
    ) -> Result<Chunk<T>, Failure> {
        let from = self.resume;
        let (_, filter) = &*self.right.0;
        let passing = self
            .events
            .get_or_insert_with(|| ledger.events(from, filter.clone()));
        let mut events = Vec::new();
        let mut plans = HashMap::new();
        let mut bytes = 0;
        let mut end = true;
        while self.resume < last {
            let Some(passed) = passing.next() else {
                break;
            };
            match passed.map_err(Failure::of_reading)? {
                Passed::Event(event) => {
                    self.resume = event.position;
                    if event.stream.kind == StreamKind::Plan {
                        *plans.entry(event.key).or_default() += 1;
                    }
                    let (event, length) = show(event);
                    bytes += length + BESIDE;
                    events.push(event);
                }
                Passed::Through(position) => self.resume = position,
            }
            let full = events.len() >= limit.min(CHUNK_EVENTS) || bytes >= CHUNK_BYTES;
            if full || self.resume.get() - from.get() >= STRIDE {
                end = self.resume >= last;
                break;
            }
        }
        let resume = self.resume;
        Ok(Chunk {
            events,
            bytes,
            resume,
            end,
            plans,
        })
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
    /// into what is sent, and says how many bytes that has. The right to read them is looked at after
    /// they were read. So nothing is sent that was recorded after the right had ended.
    pub(super) async fn next_chunk<T: Send + 'static>(
        &self,
        mut reader: Reader,
        limit: usize,
        last: Position,
        show: impl Fn(RecordedEvent) -> (T, usize) + Send + 'static,
    ) -> Result<(Reader, Chunk<T>), Failure> {
        let turn = self.turns.take().await?;
        let api = self.clone();
        let (reader, chunk, recording) = self
            .blocking(move |ledger| {
                // Whoever leaves meanwhile gives the turn back only when the reading is over.
                let _turn = turn;
                let from = reader.resume;
                let chunk = reader.chunk(ledger, limit, last, show)?;
                if !reader.right.holds(&api)? {
                    return Err(Failure::right_ended(from));
                }
                let recording = match &api.reads {
                    Some(reads) => {
                        let (caller, at) = (&reader.right.0.0, ledger.now());
                        reads.record_pages(caller, at, Shown::Events, &chunk.plans, chunk.resume)?
                    }
                    None => Recording::default(),
                };
                Ok((reader, chunk, recording))
            })
            .await?;
        recording.done().await?;
        Ok((reader, chunk))
    }
}
