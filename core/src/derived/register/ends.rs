//! Where every stream ends, as the journal's own entries say. This is the last check before a frame
//! is written.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::key::RegisterKey;
use super::print::ByHash;
use crate::entry::Entry;
use crate::hash::{Hash32, first};
use crate::ids::{Position, Revision, StreamId};
use crate::journal::NewEntry;
use crate::seal::{KeyStore, SealError};

/// Where a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct End {
    /// Position of the stream's last entry.
    pub(crate) position: Position,
    /// Revision of that entry.
    pub(crate) revision: Revision,
    /// First eight bytes of that entry's link.
    pub(crate) link: u64,
}

/// An entry that does not continue its stream as the journal held it until then. An earlier version
/// of this program had continued the stream from an older state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The stream that has the break.
    pub stream: StreamId,
    /// The position of the entry.
    pub position: Position,
    /// The revision of the entry.
    pub revision: Revision,
    /// The position of the stream's entry before it, which it does not follow.
    pub before: Position,
    /// The greatest revision that the stream had before the entry.
    pub top: Revision,
}

/// Where all streams end.
pub(crate) struct Ends {
    key: RegisterKey,
    /// The ends that the last batch of derived state covers.
    settled: ByHash<End>,
    /// The ends of streams that have got more entries since then.
    recent: ByHash<End>,
    /// Every end since then, in order of position.
    queue: VecDeque<(u64, End)>,
    /// The breaks, by position.
    breaks: Arc<BTreeMap<Position, Break>>,
    /// The greatest revision of each stream that has a break.
    tops: HashMap<StreamId, Revision>,
    /// How many keys the entries so far need, counted from the first key that was made.
    keys: u64,
}

impl Ends {
    /// The ends of a ledger without entries.
    pub(super) fn new(key: RegisterKey) -> Self {
        Self {
            key,
            settled: ByHash::default(),
            recent: ByHash::default(),
            queue: VecDeque::new(),
            breaks: Arc::default(),
            tops: HashMap::new(),
            keys: 0,
        }
    }

    /// Takes over the ends, breaks and number of keys of a stored batch. Called for each batch in
    /// order.
    pub(super) fn restore(&mut self, ends: &[(u64, End)], breaks: &[Break], keys: u64) {
        self.settled.extend(ends.iter().copied());
        self.keys = keys;
        for found in breaks {
            Arc::make_mut(&mut self.breaks).insert(found.position, *found);
        }
        for found in self.breaks.values() {
            let end = self.of(found.stream).revision;
            let top = self.tops.entry(found.stream).or_default();
            *top = found.top.max(end).max(*top);
        }
    }

    /// Where a stream ends; zeros if the stream does not exist.
    pub(crate) fn of(&self, stream: StreamId) -> End {
        self.named(self.name(stream))
    }

    fn named(&self, name: u64) -> End {
        let recent = self.recent.get(&name);
        recent
            .or_else(|| self.settled.get(&name))
            .copied()
            .unwrap_or_default()
    }

    fn name(&self, stream: StreamId) -> u64 {
        self.key.hash(&[&stream.to_bytes()])
    }

    /// The breaks, in order of position.
    pub(crate) fn breaks(&self) -> Arc<BTreeMap<Position, Break>> {
        self.breaks.clone()
    }

    /// Checks that an entry continues its stream. The error says how it does not.
    pub(crate) fn check(
        &self,
        end: End,
        position: Position,
        back: Position,
        entry: &Entry,
    ) -> Result<(), Break> {
        let top = match self.tops.is_empty() {
            true => end.revision,
            false => self.tops.get(&entry.stream).copied().unwrap_or_default(),
        };
        let top = top.max(end.revision);
        let follows = entry.revision == end.revision.next() || entry.revision == top.next();
        if follows && back == end.position && start(&entry.previous_link) == end.link {
            return Ok(());
        }
        Err(Break {
            stream: entry.stream,
            position,
            revision: entry.revision,
            before: end.position,
            top,
        })
    }

    /// Takes in an entry of the journal, whether it continues its stream or not.
    pub(crate) fn take(
        &mut self,
        position: Position,
        back: Position,
        entry: &Entry,
        link: &Hash32,
        keys: &KeyStore,
    ) -> Result<(), Break> {
        let name = self.name(entry.stream);
        let checked = self.check(self.named(name), position, back, entry);
        if let Err(found) = checked {
            Arc::make_mut(&mut self.breaks).insert(position, found);
            self.tops.entry(entry.stream).or_insert(found.top);
        }
        if let Some(top) = self.tops.get_mut(&entry.stream) {
            *top = entry.revision.max(*top);
        }
        self.keys = self.keys.max(keys.slot_of(entry.key));
        self.put(name, end_of(position, entry, link));
        checked
    }

    fn put(&mut self, name: u64, end: End) {
        self.recent.insert(name, end);
        self.queue.push_back((name, end));
    }

    /// Checks that each of the entries that are about to be appended continues its stream. This
    /// changes nothing; [`Ends::put_all`] takes the entries in.
    pub(crate) fn follow<'a>(
        &self,
        first: Position,
        entries: impl Iterator<Item = &'a NewEntry>,
        keys: &KeyStore,
    ) -> Result<Following, Unsound> {
        let mut group = ByHash::default();
        let mut following = Following {
            taken: Vec::new(),
            keys: self.keys,
        };
        let mut position = first;
        for new in entries {
            let entry = Entry::decode(&new.entry).map_err(|_| Unsound::Malformed(position))?;
            let name = self.name(entry.stream);
            let end = group.get(&name).copied();
            let end = end.unwrap_or_else(|| self.named(name));
            self.check(end, position, new.back, &entry)
                .map_err(Unsound::Break)?;
            let end = end_of(position, &entry, &new.link);
            group.insert(name, end);
            following.keys = following.keys.max(keys.slot_of(entry.key));
            following.taken.push((entry.stream, name, end));
            position = position.next();
        }
        Ok(following)
    }

    /// Takes in the entries that [`Ends::follow`] has checked.
    pub(crate) fn put_all(&mut self, following: Following) {
        self.keys = self.keys.max(following.keys);
        for (stream, name, end) in following.taken {
            if !self.tops.is_empty()
                && let Some(top) = self.tops.get_mut(&stream)
            {
                *top = end.revision.max(*top);
            }
            self.put(name, end);
        }
    }

    /// Gives the ends and breaks up to a position that no earlier batch covered, for the batch that
    /// covers them. They count as covered from now on.
    pub(super) fn settle(&mut self, through: Position) -> Settled {
        let count = self
            .queue
            .partition_point(|(_, end)| end.position <= through);
        let mut ends = ByHash::default();
        let mut from = Position::new(u64::MAX);
        for (name, end) in self.queue.drain(..count) {
            from = from.min(end.position);
            ends.insert(name, end);
        }
        for (name, end) in &ends {
            self.settled.insert(*name, *end);
            if self.recent.get(name) == Some(end) {
                self.recent.remove(name);
            }
        }
        let breaks = match from <= through {
            true => self
                .breaks
                .range(from..=through)
                .map(|(_, found)| *found)
                .collect(),
            false => Vec::new(),
        };
        Settled {
            ends: ends.into_iter().collect(),
            breaks,
            keys: self.keys,
        }
    }

    /// Gives all ends and breaks that the batches so far cover. Later breaks are left out, so this
    /// must be called before the next batch is begun.
    pub(super) fn settled(&self) -> Settled {
        let ends = self.settled.iter().map(|(name, end)| (*name, *end));
        let unsettled = self.queue.front().map(|(_, end)| end.position);
        let breaks = self.breaks.values().copied();
        let breaks = breaks.filter(|found| unsettled.is_none_or(|from| found.position < from));
        Settled {
            ends: ends.collect(),
            breaks: breaks.collect(),
            keys: self.keys,
        }
    }
}

/// What a batch of the register says of streams, besides its documents.
#[derive(Default)]
pub(super) struct Settled {
    /// Where streams end, by the hash of the stream's id.
    pub(super) ends: Vec<(u64, End)>,
    /// The breaks of streams.
    pub(super) breaks: Vec<Break>,
    /// How many keys the entries so far need, counted from the first key that was made.
    pub(super) keys: u64,
}

/// Entries that each continue their stream, and the keys that they need.
#[must_use]
pub(crate) struct Following {
    /// For each entry its stream, the hash of the stream's id, and where the stream then ends.
    taken: Vec<(StreamId, u64, End)>,
    keys: u64,
}

/// Why a frame is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    /// The bytes at this position are not an entry.
    #[error("the entry for position {0} is malformed")]
    Malformed(Position),
    /// The event for this position cannot be sealed.
    #[error("the event for position {0} {1}")]
    Unsealed(Position, SealError),
    /// An entry does not continue its stream.
    #[error(
        "the entry for position {} has revision {} of {}, which does not follow the last entry of \
        that stream, at position {}", .0.position, .0.revision, .0.stream, .0.before
    )]
    Break(Break),
}

fn end_of(position: Position, entry: &Entry, link: &Hash32) -> End {
    End {
        position,
        revision: entry.revision,
        link: start(link),
    }
}

/// The first eight bytes of a link. They are enough to find what an accident can do; whoever could
/// do more has the keys.
fn start(link: &Hash32) -> u64 {
    u64::from_be_bytes(first(link))
}
