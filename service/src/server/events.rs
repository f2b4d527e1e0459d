//! Reads events in chunks.

use std::sync::Arc;

use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Events, Passed, RecordedEvent};

use super::api::Api;
use super::auth::{Access, Caller};
use crate::wire::Failure;

/// Most events in one chunk.
const CHUNK_EVENTS: usize = 512;
/// Most bytes of payload in one chunk. The last event may exceed it.
const CHUNK_BYTES: usize = 1 << 20;
/// How many positions without a match are read before a chunk ends, so that the client learns how
/// far the reading came.
pub(super) const STRIDE: u64 = 65_536;

/// Some events as they are sent, and the position that the reading has come to.
pub(super) struct Chunk<T> {
    pub(super) events: Vec<T>,
    pub(super) resume: Position,
    /// True if no more events are durable yet.
    pub(super) end: bool,
}

/// Reads events in chunks. Each chunk continues where the one before ended.
pub(super) struct Reader {
    events: Events,
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
    /// Reads the next events: at most `limit`, and none after position `last`. `show` turns an event
    /// into what is sent, and says how many bytes that has.
    fn chunk<T>(
        &mut self,
        limit: usize,
        last: Position,
        show: impl Fn(RecordedEvent) -> (T, usize),
    ) -> Result<Chunk<T>, Failure> {
        let from = self.resume;
        let mut events = Vec::new();
        let mut bytes = 0;
        let mut end = true;
        while self.resume < last {
            let Some(passed) = self.events.next() else {
                break;
            };
            match passed.map_err(Failure::of_reading)? {
                Passed::Event(event) => {
                    self.resume = event.position;
                    let (event, length) = show(event);
                    bytes += length;
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
            resume,
            end,
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
        let right = Right(Arc::new((caller, filter.clone())));
        if !self.holds(&right).await? {
            return Err(Failure::access_denied());
        }
        let resume = Position::new(after);
        let last = self.ledger.position();
        if resume > last {
            return Err(Failure::position_ahead("after_position", last, resume));
        }
        let events = self.ledger.events(resume, filter);
        let reader = Reader {
            events,
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
        let api = self.clone();
        self.blocking(move |_| {
            let from = reader.resume;
            let chunk = reader.chunk(limit, last, show)?;
            match reader.right.holds(&api)? {
                true => Ok((reader, chunk)),
                false => Err(Failure::right_ended(from)),
            }
        })
        .await
    }
}
