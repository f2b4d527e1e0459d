use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::{BUCKETS, BucketTree, StreamHead, bucket_of};
use crate::hash::Hash32;
use crate::ids::{KeyId, Revision, StreamId};

/// Stands for no stream.
const NONE: u32 = u32::MAX;
/// How many buckets are hashed at a time. This bounds memory.
const BATCH: usize = 1 << 10;

/// Where every stream ends now, and where the streams that changed last ended before. Takes about
/// 120 bytes for each stream, 5 MiB for the tree, and 64 bytes for each change that it remembers.
pub(crate) struct Ends {
    ends: Vec<End>,
    /// The place of each stream in `ends`.
    places: HashMap<StreamId, u32, RandomState>,
    /// The place of each bucket's first stream in `ends`.
    first: Vec<u32>,
    tree: BucketTree,
    /// The buckets whose hashes in the tree are old, each once.
    old: Vec<u16>,
    /// Whether a bucket is in `old`.
    is_old: Vec<bool>,
    /// Where streams ended before each of the last changes, oldest first.
    before: VecDeque<Before>,
    /// How many changes are remembered at most.
    most: usize,
}

struct End {
    head: StreamHead,
    bucket: u16,
    /// The place of the bucket's next stream, in the order of streams.
    next: u32,
}

/// Where a stream ended before a change.
struct Before {
    place: u32,
    /// Zero if the stream did not exist.
    revision: Revision,
    key: KeyId,
    link: Hash32,
}

impl Ends {
    /// No streams. Remembers the last `most` changes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            ends: Vec::new(),
            places: HashMap::default(),
            first: vec![NONE; BUCKETS],
            tree: BucketTree::default(),
            old: Vec::new(),
            is_old: vec![false; BUCKETS],
            before: VecDeque::new(),
            most,
        }
    }

    /// How many streams there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where a stream ends. `None` if it has no event.
    pub(crate) fn head(&self, stream: StreamId) -> Option<&StreamHead> {
        let place = self.places.get(&stream)?;
        self.end(*place).map(|end| &end.head)
    }

    /// Where every stream ends, in the order in which the streams began.
    pub(crate) fn iter(&self) -> impl Iterator<Item = StreamHead> {
        self.ends.iter().map(|end| end.head)
    }

    /// Notes that a stream ends here now.
    pub(crate) fn put(&mut self, head: StreamHead) {
        let before = match self.places.get(&head.stream) {
            Some(place) => self.change(*place, head),
            None => self.add(head),
        };
        if self.before.len() >= self.most {
            self.before.pop_front();
        }
        if self.most > 0 {
            self.before.push_back(before);
        }
    }

    fn change(&mut self, place: u32, head: StreamHead) -> Before {
        let Some(end) = self.ends.get_mut(place as usize) else {
            unreachable!("the place of a stream is that of one of the ends");
        };
        let StreamHead {
            revision,
            key,
            link,
            ..
        } = std::mem::replace(&mut end.head, head);
        let bucket = end.bucket;
        self.is_changed(bucket);
        Before {
            place,
            revision,
            key,
            link,
        }
    }

    fn add(&mut self, head: StreamHead) -> Before {
        let place = match u32::try_from(self.ends.len()) {
            Ok(place) if place != NONE => place,
            Ok(_) | Err(_) => unreachable!("four billion streams do not fit in memory"),
        };
        let bucket = bucket_of(head.stream, head.key);
        let (before, next) = self.neighbours(bucket, head.stream);
        match before.and_then(|before| self.ends.get_mut(before as usize)) {
            Some(before) => before.next = place,
            None => {
                if let Some(first) = self.first.get_mut(usize::from(bucket)) {
                    *first = place;
                }
            }
        }
        self.ends.push(End { head, bucket, next });
        self.places.insert(head.stream, place);
        self.is_changed(bucket);
        Before {
            place,
            revision: Revision::ZERO,
            key: head.key,
            link: [0; 32],
        }
    }

    /// The streams of a bucket between which a new one belongs.
    fn neighbours(&self, bucket: u16, stream: StreamId) -> (Option<u32>, u32) {
        let (mut before, mut next) = (None, self.first_in(bucket));
        while let Some(end) = self.end(next)
            && end.head.stream < stream
        {
            (before, next) = (Some(next), end.next);
        }
        (before, next)
    }

    fn first_in(&self, bucket: u16) -> u32 {
        let first = self.first.get(usize::from(bucket));
        first.copied().unwrap_or(NONE)
    }

    fn end(&self, place: u32) -> Option<&End> {
        self.ends.get(place as usize)
    }

    fn is_changed(&mut self, bucket: u16) {
        if let Some(is_old) = self.is_old.get_mut(usize::from(bucket))
            && !std::mem::replace(is_old, true)
        {
            self.old.push(bucket);
        }
    }

    /// The root over where all streams end. Only buckets that changed since the last call are hashed.
    pub(crate) fn root(&mut self) -> Hash32 {
        self.hash(&HashMap::default());
        self.tree.root()
    }

    /// The root as it was before the last `count` changes. `None` if fewer are remembered.
    pub(crate) fn root_before(&mut self, count: usize) -> Option<Hash32> {
        if count > self.before.len() {
            return None;
        }
        let mut earlier = HashMap::default();
        for before in self.before.iter().rev().take(count) {
            if let Some(end) = self.end(before.place) {
                let head = StreamHead {
                    stream: end.head.stream,
                    key: before.key,
                    revision: before.revision,
                    link: before.link,
                };
                earlier.insert(before.place, head);
            }
        }
        self.change_buckets(&earlier);
        self.hash(&earlier);
        let root = self.tree.root();
        self.change_buckets(&earlier);
        Some(root)
    }

    fn change_buckets(&mut self, of: &HashMap<u32, StreamHead, RandomState>) {
        for place in of.keys() {
            if let Some(bucket) = self.end(*place).map(|end| end.bucket) {
                self.is_changed(bucket);
            }
        }
    }

    /// Forgets where streams ended before.
    pub(crate) fn forget(&mut self) {
        self.before.clear();
    }

    /// Hashes the buckets that changed, with other heads for some streams.
    fn hash(&mut self, other: &HashMap<u32, StreamHead, RandomState>) {
        let old = std::mem::take(&mut self.old);
        for buckets in old.chunks(BATCH) {
            let mut contents = Vec::with_capacity(buckets.len());
            for bucket in buckets {
                if let Some(is_old) = self.is_old.get_mut(usize::from(*bucket)) {
                    *is_old = false;
                }
                contents.push((*bucket, self.contents(*bucket, other)));
            }
            let contents = contents.iter();
            self.tree
                .set(contents.map(|(bucket, bytes)| (*bucket, bytes.as_slice())));
        }
    }

    fn contents(&self, bucket: u16, other: &HashMap<u32, StreamHead, RandomState>) -> Vec<u8> {
        let (mut bytes, mut next) = (Vec::new(), self.first_in(bucket));
        while let Some(end) = self.end(next) {
            let head = other.get(&next).unwrap_or(&end.head);
            if head.revision != Revision::ZERO {
                bytes.extend_from_slice(&head.to_bytes());
            }
            next = end.next;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::MemoryHeads;
    use super::*;
    use crate::ids::StreamKind;

    fn heads() -> impl Strategy<Value = Vec<StreamHead>> {
        let head = (0u8..40, 0u8..3, any::<bool>()).prop_map(|(stream, key, personal)| {
            let kind = match personal {
                true => StreamKind::Plan,
                false => StreamKind::Team,
            };
            // Few keys, so that several streams share a bucket. A plan's key never changes.
            let key = match personal {
                true => stream % 3,
                false => key,
            };
            let id = Uuid::from_bytes([stream.wrapping_mul(97); 16]);
            StreamHead {
                stream: StreamId { kind, id },
                key: KeyId::from_bytes([key; 16]),
                revision: Revision::ZERO,
                link: [0; 32],
            }
        });
        proptest::collection::vec(head, 1..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_root_is_that_of_all_heads_now_and_before_each_of_the_last_changes(
            mut heads in heads(), most in 0usize..60, asked in proptest::collection::vec(any::<bool>(), 120),
        ) {
            let mut ends = Ends::new(most);
            let mut all = MemoryHeads::default();
            let mut roots = vec![all.root()];
            for (at, head) in heads.iter_mut().enumerate() {
                head.revision = Revision::new(at as u64 + 1);
                head.link = [at as u8; 32];
                ends.put(*head);
                prop_assert_eq!(ends.head(head.stream), Some(&*head));
                all.put(*head);
                roots.push(all.root());
                if !asked[at] {
                    continue;
                }
                for (count, root) in roots.iter().rev().enumerate() {
                    let expected = (count <= most).then_some(*root);
                    prop_assert_eq!(ends.root_before(count), expected, "{} before {}", count, at);
                }
                prop_assert_eq!(ends.root(), *roots.last().unwrap());
            }
            ends.forget();
            prop_assert_eq!(ends.root_before(0), Some(all.root()));
            prop_assert_eq!(ends.root_before(1), None);
            prop_assert_eq!(ends.iter().count(), ends.len());
        }
    }
}
