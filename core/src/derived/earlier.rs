//! Stretches of streams' histories, opened lately: whoever looks through the history of a plan asks for many of
//! its states, one near the other. They are kept in memory only, in a bounded cache, and go with the derived state
//! in use, so that none outlives the destruction of a text (P6).

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::doc::{Doc, StreamDoc};
use crate::domain::{Event, EventMeta};
use crate::hash::Hash32;
use crate::ids::{Position, Revision, StreamId};

/// How many bytes all of them take together, about.
pub(crate) const CACHE_BYTES: u64 = 32 << 20;
/// Of how many streams it is known which stretches are kept.
const STREAMS: usize = 1_000;
/// Of one stream, how many stretches are known.
const MOST_KNOWN: usize = 512;
/// The fewest events of a stretch, unless the stream ends before.
const SHORTEST: u64 = 16;
/// About how many stretches a stream is cut into.
const MOST: u64 = 64;
/// What an event takes in memory beside its text, about.
const BESIDE: u64 = 320;

/// An opened event.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) position: Position,
    pub(crate) link: Hash32,
    pub(crate) meta: EventMeta,
    /// `None` if nothing of it can be read.
    pub(crate) event: Option<Event>,
}

/// Events of a stream in a row, and the state before them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stretch {
    /// `None` if the stream begins with the events.
    pub(crate) base: Option<Arc<StreamDoc>>,
    pub(crate) events: Vec<Arc<Past>>,
    /// How many bytes the events take, about.
    bytes: u64,
}

impl Stretch {
    /// A stretch without events yet, which begins where the state ends.
    pub(crate) fn after(base: Option<Arc<StreamDoc>>) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Adds the next event, with the length of its text.
    pub(crate) fn push(&mut self, past: Past, length: usize) {
        self.bytes += BESIDE + 2 * length as u64;
        self.events.push(Arc::new(past));
    }

    /// Where the state before its events ends.
    pub(crate) fn begin(&self) -> Position {
        self.base
            .as_ref()
            .map_or(Position::ZERO, |doc| doc.head.position)
    }

    /// The position of its last event.
    pub(crate) fn end(&self) -> Position {
        let last = self.events.last();
        last.map_or_else(|| self.begin(), |last| last.position)
    }

    /// Whether it is as long as a stretch of a stream that has come to `present` should be. The longer a stream is, the
    /// longer are its stretches.
    pub(crate) fn is_long_enough(&self, present: Revision) -> bool {
        let length = (present.get() / MOST).next_power_of_two().max(SHORTEST);
        self.events.len() as u64 >= length
    }
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Place, Arc<Stretch>> for ByWeight {
    fn weight(&self, _: &Place, stretch: &Arc<Stretch>) -> u64 {
        let base = stretch.base.iter();
        let base: u64 = base.map(|doc| Doc::Stream(doc.clone()).weight()).sum();
        base + stretch.bytes + 160
    }
}

/// A stream, and where a stretch of it begins.
type Place = (StreamId, Position);

/// Stretches of streams' histories.
pub(crate) struct Earlier {
    /// Where the kept stretches of a stream begin, in order. Some of them may be gone.
    begins: Cache<StreamId, Arc<Vec<Position>>>,
    stretches: Cache<Place, Arc<Stretch>, ByWeight>,
}

impl Default for Earlier {
    fn default() -> Self {
        Self {
            begins: Cache::new(STREAMS),
            stretches: Cache::with_weighter(STREAMS, CACHE_BYTES, ByWeight),
        }
    }
}

impl Earlier {
    /// The last of the kept stretches of a stream that begin at a position or before it. It may end before the position.
    pub(crate) fn near(&self, stream: StreamId, position: Position) -> Option<Arc<Stretch>> {
        let begins = self.begins.get(&stream)?;
        let after = begins.partition_point(|begin| *begin <= position);
        let (before, _) = begins.split_at(after);
        let mut before = before.iter().rev();
        before.find_map(|begin| self.stretches.get(&(stream, *begin)))
    }

    /// Keeps stretches of a stream.
    pub(crate) fn keep(&self, stream: StreamId, new: Vec<Stretch>) {
        let known = self.begins.get(&stream).unwrap_or_default();
        let mut begins: Vec<_> = new.iter().map(Stretch::begin).collect();
        if known.len() < MOST_KNOWN {
            begins.extend_from_slice(&known);
        }
        begins.sort_unstable();
        begins.dedup();
        for stretch in new {
            self.stretches
                .insert((stream, stretch.begin()), Arc::new(stretch));
        }
        // Of two who do this at once one may lose. Then a stretch is opened once more.
        self.begins.insert(stream, Arc::new(begins));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::doc::Head;
    use super::*;
    use crate::domain::Aggregate;
    use crate::domain::ledger::LedgerState;
    use crate::ids::{StreamKind, SystemId};
    use crate::time::Timestamp;

    fn stream() -> StreamId {
        StreamId {
            kind: StreamKind::Ledger,
            id: Uuid::from_u128(1),
        }
    }

    /// Begins at a position, and has an event at each of the next ones.
    fn stretch(begin: u64, events: u64) -> Stretch {
        let state = LedgerState {
            key: None,
            heads: None,
            settled: Default::default(),
            reads: None,
            lost: Vec::new(),
            restores: Vec::new(),
            origin: None,
        };
        let base = (begin > 0).then(|| {
            Arc::new(StreamDoc {
                head: Head {
                    position: Position::new(begin),
                    ..Head::default()
                },
                state: Arc::new(Aggregate::Ledger(state)),
            })
        });
        let mut stretch = Stretch::after(base);
        for position in begin + 1..=begin + events {
            let past = Past {
                position: Position::new(position),
                link: Hash32::default(),
                meta: EventMeta {
                    stream: stream(),
                    revision: Revision::new(position),
                    recorded_at: Timestamp::default(),
                    actor: crate::actor::Actor::System(SystemId::from_bytes([1; 16])),
                    on_behalf_of: None,
                },
                event: None,
            };
            stretch.push(past, 100);
        }
        stretch
    }

    #[test]
    fn the_nearest_that_begins_before_is_found() {
        let earlier = Earlier::default();
        let near = |position| {
            let found = earlier.near(stream(), Position::new(position));
            found.map(|found| (found.begin().get(), found.end().get()))
        };
        assert_eq!(near(500), None);
        earlier.keep(stream(), vec![stretch(64, 16), stretch(16, 16)]);
        assert_eq!(near(15), None);
        assert_eq!(near(16), Some((16, 32)));
        assert_eq!(near(63), Some((16, 32)));
        assert_eq!(near(64), Some((64, 80)));
        assert_eq!(near(9_999), Some((64, 80)));
        // The same one, longer; and the stream's first events.
        earlier.keep(stream(), vec![stretch(64, 20), stretch(0, 16)]);
        assert_eq!(near(64), Some((64, 84)));
        assert_eq!(near(15), Some((0, 16)));
        assert_eq!(near(16), Some((16, 32)));
    }

    #[test]
    fn a_long_stream_has_long_stretches_and_few_are_known() {
        let is_long_enough = |events, present| {
            let stretch = stretch(0, events);
            stretch.is_long_enough(Revision::new(present))
        };
        assert!(!is_long_enough(15, 20));
        assert!(is_long_enough(16, 20));
        assert!(!is_long_enough(31, 1_500));
        assert!(is_long_enough(32, 1_500));
        let earlier = Earlier::default();
        for nth in 0..10_000 {
            earlier.keep(stream(), vec![stretch(nth * 16, 16)]);
        }
        let known = earlier.begins.get(&stream()).unwrap();
        assert!(known.len() <= MOST_KNOWN, "{}", known.len());
        assert!(known.is_sorted());
    }

    #[test]
    fn all_of_them_together_are_bounded() {
        let earlier = Earlier::default();
        for nth in 0..400 {
            let id = Uuid::from_u128(nth);
            let kind = StreamKind::Ledger;
            earlier.keep(StreamId { kind, id }, vec![stretch(0, 512)]);
        }
        let weight = earlier.stretches.weight();
        assert!(
            weight > CACHE_BYTES / 2 && weight <= CACHE_BYTES,
            "{weight}"
        );
    }
}
