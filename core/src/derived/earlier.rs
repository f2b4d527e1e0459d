//! States of streams as they were, made lately by folding events: whoever looks through the history of a
//! plan asks for many of them, one near the other. They are kept in memory only, in a bounded cache, and
//! go with the derived state in use, so that none outlives the destruction of a text (P6).

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::doc::{Doc, Head, StreamDoc};
use crate::ids::{Position, Revision, StreamId};

/// How many bytes all of them take together, about.
pub(crate) const CACHE_BYTES: u64 = 32 << 20;
/// Of how many streams it is known which states are kept.
const STREAMS: usize = 1_000;
/// The fewest revisions between two kept states of a stream.
const NEAREST: u64 = 16;
/// About how many states of one stream are kept.
const MOST: u64 = 64;

#[derive(Clone)]
struct ByWeight;

impl Weighter<Place, Arc<StreamDoc>> for ByWeight {
    fn weight(&self, _: &Place, state: &Arc<StreamDoc>) -> u64 {
        Doc::Stream(state.clone()).weight()
    }
}

/// A stream, and where in the ledger it has a state.
type Place = (StreamId, Position);

/// States of streams as they were.
pub(crate) struct Earlier {
    /// Where the kept states of a stream end, in order of position. Some of them may be gone.
    heads: Cache<StreamId, Arc<Vec<Head>>>,
    states: Cache<Place, Arc<StreamDoc>, ByWeight>,
}

impl Default for Earlier {
    fn default() -> Self {
        Self {
            heads: Cache::new(STREAMS),
            states: Cache::with_weighter(STREAMS, CACHE_BYTES, ByWeight),
        }
    }
}

impl Earlier {
    /// Whether a state at this revision is worth keeping, of a stream that has come to `present`. The
    /// longer a stream is, the further apart its kept states lie.
    pub(crate) fn is_worth_keeping(revision: Revision, present: Revision) -> bool {
        revision.get().is_multiple_of(apart(present))
    }

    /// The kept states of a stream nearest to a position: the newest that is not after it, and where
    /// the oldest after it ends.
    pub(crate) fn around(
        &self,
        stream: StreamId,
        position: Position,
    ) -> (Option<Arc<StreamDoc>>, Option<Head>) {
        let Some(heads) = self.heads.get(&stream) else {
            return (None, None);
        };
        let after = heads.partition_point(|head| head.position <= position);
        let (before, beyond) = heads.split_at(after);
        let mut before = before.iter().rev();
        let base = before.find_map(|head| self.states.get(&(stream, head.position)));
        (base, beyond.first().copied())
    }

    /// Whether no state nearer than these would be kept.
    pub(crate) fn are_near(base: &Head, beyond: &Head, present: Revision) -> bool {
        let between = beyond.revision.get().saturating_sub(base.revision.get());
        between <= 2 * apart(present)
    }

    /// Keeps states of a stream that has come to `present`.
    pub(crate) fn keep(
        &self,
        stream: StreamId,
        new: impl IntoIterator<Item = Arc<StreamDoc>>,
        present: Revision,
    ) {
        for state in new {
            let head = state.head;
            self.states.insert((stream, head.position), state);
            let known = self.heads.get(&stream).unwrap_or_default();
            let Err(at) = known.binary_search_by_key(&head.position, |known| known.position) else {
                continue;
            };
            let mut heads = Vec::clone(&known);
            heads.insert(at, head);
            // The stream may have grown since some were kept.
            if heads.len() as u64 > 2 * MOST {
                heads.retain(|head| Self::is_worth_keeping(head.revision, present));
            }
            // Of two who do this at once one may lose. Then a state is made once more.
            self.heads.insert(stream, Arc::new(heads));
        }
    }
}

/// How many revisions lie between two kept states.
fn apart(present: Revision) -> u64 {
    (present.get() / MOST).next_power_of_two().max(NEAREST)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Aggregate;
    use crate::domain::ledger::LedgerState;
    use crate::ids::StreamKind;

    fn at(number: u64) -> Arc<StreamDoc> {
        Arc::new(StreamDoc {
            head: Head {
                position: Position::new(10 * number),
                revision: Revision::new(number),
                ..Head::default()
            },
            state: Arc::new(Aggregate::Ledger(LedgerState {
                key: None,
                heads: None,
                settled: Default::default(),
                reads: None,
                lost: Vec::new(),
                restores: Vec::new(),
                origin: None,
            })),
        })
    }

    fn stream() -> StreamId {
        StreamId {
            kind: StreamKind::Ledger,
            id: Uuid::from_u128(1),
        }
    }

    #[test]
    fn the_nearest_on_both_sides_are_found() {
        let (earlier, present) = (Earlier::default(), Revision::new(200));
        assert_eq!(earlier.around(stream(), Position::new(500)), (None, None));
        earlier.keep(stream(), [at(64), at(16)], present);
        earlier.keep(stream(), [at(32), at(64)], present);
        let around = |position| {
            let (base, beyond) = earlier.around(stream(), Position::new(position));
            let revision = |head: Head| head.revision.get();
            (base.map(|state| revision(state.head)), beyond.map(revision))
        };
        assert_eq!(around(159), (None, Some(16)));
        assert_eq!(around(160), (Some(16), Some(32)));
        assert_eq!(around(639), (Some(32), Some(64)));
        assert_eq!(around(9_999), (Some(64), None));
        assert!(Earlier::are_near(&at(32).head, &at(64).head, present));
        assert!(!Earlier::are_near(&at(16).head, &at(64).head, present));
    }

    #[test]
    fn a_long_stream_keeps_few() {
        let earlier = Earlier::default();
        for number in 1..=100_000 {
            let present = Revision::new(number);
            if Earlier::is_worth_keeping(present, present) {
                earlier.keep(stream(), [at(number)], present);
            }
        }
        let kept = earlier.heads.get(&stream()).unwrap();
        let count = kept.len() as u64;
        assert!(count <= 2 * MOST && count > MOST / 2, "{count}");
        assert!(kept.is_sorted_by_key(|head| head.position));
    }
}
