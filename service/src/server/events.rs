//! Reads events in chunks.

use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Events, Passed, RecordedEvent};

use super::api::Api;
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
    /// Begins to read after a position. Also returns the last position that is durable now.
    pub(super) fn reader(
        &self,
        after: u64,
        filter: EventFilter,
    ) -> Result<(Reader, Position), Failure> {
        let resume = Position::new(after);
        let last = self.ledger.position();
        if resume > last {
            return Err(Failure::position_ahead("after_position", last, resume));
        }
        let events = self.ledger.events(resume, filter);
        Ok((Reader { events, resume }, last))
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
        self.blocking(move |_| {
            let chunk = reader.chunk(limit, last, show)?;
            Ok((reader, chunk))
        })
        .await
    }
}
