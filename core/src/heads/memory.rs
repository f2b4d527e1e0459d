use std::cmp::Ordering;

use super::{BUCKETS, BucketTree, StreamHead, bucket_of};
use crate::hash::Hash32;
use crate::ids::StreamId;

/// How many changes may wait until the root is asked for.
const MOST_CHANGED: usize = 1 << 16;

/// The heads of all streams in memory, for checks in which nothing stored is trusted. Takes a few
/// hundred bytes for each stream.
pub(crate) struct MemoryHeads {
    /// The bytes of each bucket.
    buckets: Vec<Vec<u8>>,
    /// Heads that are not in the buckets yet, in the order in which they came.
    changed: Vec<(u16, StreamHead)>,
    tree: BucketTree,
}

impl Default for MemoryHeads {
    fn default() -> Self {
        Self {
            buckets: vec![Vec::new(); BUCKETS],
            changed: Vec::new(),
            tree: BucketTree::default(),
        }
    }
}

impl MemoryHeads {
    /// Notes that a stream ends at this head now.
    pub(crate) fn put(&mut self, head: StreamHead) {
        let number = bucket_of(head.stream, head.key);
        self.changed.push((number, head));
        if self.changed.len() >= MOST_CHANGED {
            self.root();
        }
    }

    /// The root over all heads.
    pub(crate) fn root(&mut self) -> Hash32 {
        // The changes are taken in bucket by bucket. So memory is passed through in one direction,
        // which saves most of the time.
        let numbers = self.changed.iter().map(|(number, _)| *number);
        let mut order: Vec<(u16, usize)> = numbers.zip(0..).collect();
        order.sort_unstable();
        for (number, at) in &order {
            if let Some(bucket) = self.buckets.get_mut(usize::from(*number))
                && let Some((_, head)) = self.changed.get(*at)
            {
                put_into(bucket, &head.to_bytes());
            }
        }
        self.changed.clear();
        order.dedup_by_key(|(number, _)| *number);
        let contents = order.into_iter().filter_map(|(number, _)| {
            let bytes = self.buckets.get(usize::from(number))?;
            Some((number, bytes.as_slice()))
        });
        self.tree.set(contents);
        self.tree.root()
    }
}

/// Heads are in the order of their streams, which is the order of the streams' bytes.
fn put_into(bucket: &mut Vec<u8>, head: &[u8; StreamHead::LEN]) {
    let stream = |head: &[u8; StreamHead::LEN]| head.first_chunk::<{ StreamId::LEN }>().copied();
    let (heads, _) = bucket.as_chunks_mut::<{ StreamHead::LEN }>();
    // Buckets are short, so a binary search would not be faster.
    let before = |other: &[u8; StreamHead::LEN]| stream(other).cmp(&stream(head));
    let found = heads.iter().map(before).take_while(|order| order.is_lt());
    let at = found.count();
    match heads.get_mut(at) {
        Some(other) if before(other) == Ordering::Equal => *other = *head,
        Some(_) | None => {
            let at = at * StreamHead::LEN;
            bucket.splice(at..at, *head);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::bucket_bytes;
    use super::*;
    use crate::ids::{KeyId, Revision, StreamKind};

    #[test]
    fn the_root_is_that_of_the_newest_heads_in_order_whatever_the_order_they_came_in() {
        // All have one key, because persons and their plans share a bucket.
        let key = KeyId::from_bytes([5; 16]);
        let head = |kind, n: u8, revision| StreamHead {
            stream: StreamId {
                kind,
                id: Uuid::from_bytes([n; 16]),
            },
            key,
            revision: Revision::new(revision),
            link: [n; 32],
        };
        let (person, plan) = (StreamKind::Person, StreamKind::Plan);
        let mut heads = MemoryHeads::default();
        assert_eq!(heads.root(), BucketTree::default().root());
        for (kind, n, revision) in [(plan, 7, 1), (plan, 3, 1), (person, 9, 1), (plan, 7, 2)] {
            heads.put(head(kind, n, revision));
            heads.root();
        }
        let sorted = [head(person, 9, 1), head(plan, 3, 1), head(plan, 7, 2)];
        assert!(sorted.is_sorted_by(|a, b| a.stream < b.stream));
        let mut tree = BucketTree::default();
        let bytes = bucket_bytes(&sorted);
        tree.set([(bucket_of(sorted[0].stream, key), bytes.as_slice())]);
        assert_eq!(heads.root(), tree.root());
    }
}
