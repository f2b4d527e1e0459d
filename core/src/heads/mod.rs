//! Where every stream ends, summed up in one root. With it one can prove that the newest events of
//! a plan were left out.
//!
//! The heads are sorted into 65,536 buckets, and an RFC 6962 tree stands over the buckets. The root
//! is recorded in one of the ledger's own streams at each checkpoint, so it is a leaf of the log
//! like every event. Whoever replays the log checks it, and nobody can be shown a different root. A
//! person's stream and the person's plans share a bucket, so that one proof shows *which* plans a
//! student has.

mod ends;
mod map;
mod memory;

pub(crate) use self::ends::Ends;
pub use self::map::{HeadMap, HeadMapError};
pub(crate) use self::memory::MemoryHeads;

use crate::entry::{self, Entry, EntryBytes};
use crate::fields::Fields;
use crate::hash::Context;
use crate::hash::Hash32;
use crate::ids::{KeyId, Revision, StreamId, StreamKind};
use crate::merkle::{ProofError, check_inclusion, hash_leaf};

/// How many buckets there are.
pub const BUCKETS: usize = 1 << BUCKET_BITS;
/// How many events a record of heads may be behind, so that whoever follows the log can check it.
pub const MOST_BEHIND: u64 = 1 << 16;
const BUCKET_BITS: u32 = 16;
static BUCKET: Context = Context::new("planledger v1 2026-11-25 heads bucket");

/// Where a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamHead {
    /// The stream that ends here.
    pub stream: StreamId,
    /// The key that the stream's last entry names. A person's stream and the person's plans always
    /// have the same key.
    pub key: KeyId,
    /// Revision of the stream's last event.
    pub revision: Revision,
    /// Link of the stream's last entry.
    pub link: Hash32,
}

impl StreamHead {
    /// Length of a head in bytes.
    pub const LEN: usize = StreamId::LEN + 16 + 8 + 32;

    /// The bytes of a head: stream, key, revision, link.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let (stream, revision) = (self.stream.to_bytes(), self.revision.get().to_be_bytes());
        let fields = stream.iter().chain(self.key.as_bytes());
        let fields = fields.chain(&revision).chain(&self.link);
        let mut bytes = [0; Self::LEN];
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = *from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let mut fields = Fields(bytes);
        Some(Self {
            stream: StreamId::from_bytes(&fields.take())?,
            key: KeyId::from_bytes(fields.take()),
            revision: Revision::new(fields.u64()),
            link: fields.take(),
        })
    }
}

/// The bucket of a stream whose entries are sealed under `key`. For persons and plans the person's
/// key decides, for all other streams the stream's own id.
pub fn bucket_of(stream: StreamId, key: KeyId) -> u16 {
    let mut hasher = BUCKET.hasher();
    match stream.kind {
        StreamKind::Person | StreamKind::Plan => {
            hasher.update(&[1]).update(key.as_bytes());
        }
        StreamKind::Institution
        | StreamKind::SchoolYear
        | StreamKind::Team
        | StreamKind::YearPlan
        | StreamKind::Catalogue
        | StreamKind::Ledger
        | StreamKind::Recovery
        | StreamKind::RosterSource
        | StreamKind::System
        | StreamKind::Grants
        | StreamKind::Erasure => {
            hasher.update(&[2]).update(&stream.to_bytes());
        }
    }
    let hash = hasher.finalize();
    u16::from_be_bytes(crate::hash::first(hash.as_bytes()))
}

/// The head of a stream that ends with an entry, and its bucket.
pub fn head_of(entry: &Entry, bytes: &EntryBytes) -> (u16, StreamHead) {
    let head = StreamHead {
        stream: entry.stream,
        key: entry.key,
        revision: entry.revision,
        link: entry::link(bytes),
    };
    (bucket_of(entry.stream, entry.key), head)
}

/// Every head of one bucket, with its path to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketProof {
    /// The number of the bucket.
    pub bucket: u16,
    /// The heads in the bucket, in the order of their streams.
    pub heads: Vec<StreamHead>,
    /// The hashes from the bucket's sibling up to the root's child.
    pub path: Vec<Hash32>,
}

/// Why a bucket is not the one under a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BucketError {
    /// The heads of the bucket with this number are not in strict order of their streams.
    #[error("the heads of bucket {0} are in the wrong order")]
    Order(u16),
    /// The path does not lead to the root.
    #[error("the heads of bucket {bucket} do not lead to the recorded root: {source}")]
    Path {
        /// The number of the bucket.
        bucket: u16,
        /// Why the path does not lead to the root.
        source: ProofError,
    },
}

impl BucketProof {
    /// Checks that these are all heads of the bucket under `root`.
    ///
    /// # Errors
    /// [`BucketError`] if the heads are out of order or the path does not lead to the
    /// root.
    pub fn check(&self, root: &Hash32) -> Result<(), BucketError> {
        let bucket = self.bucket;
        if !self.heads.is_sorted_by(|a, b| a.stream < b.stream) {
            return Err(BucketError::Order(bucket));
        }
        let leaf = bucket_leaf(&bucket_bytes(&self.heads));
        check_inclusion(bucket.into(), BUCKETS as u64, &leaf, &self.path, root)
            .map_err(|source| BucketError::Path { bucket, source })
    }

    /// Where a stream ends, if it is in the bucket.
    pub fn head(&self, stream: StreamId) -> Option<&StreamHead> {
        self.heads.iter().find(|head| head.stream == stream)
    }
}

/// The bytes of a bucket: its heads one after the other.
pub fn bucket_bytes(heads: &[StreamHead]) -> Vec<u8> {
    heads.iter().flat_map(StreamHead::to_bytes).collect()
}

/// Reads a bucket's bytes; `None` if they are not a bucket.
pub fn read_bucket(bytes: &[u8]) -> Option<Vec<StreamHead>> {
    let (heads, rest) = bytes.as_chunks::<{ StreamHead::LEN }>();
    match rest.is_empty() {
        true => heads.iter().map(StreamHead::from_bytes).collect(),
        false => None,
    }
}

fn bucket_leaf(bytes: &[u8]) -> Hash32 {
    hash_leaf(bytes)
}

/// The tree over all buckets. Every node is in memory, which takes 4 MiB however many streams there
/// are.
pub struct BucketTree {
    /// The nodes are placed as in a heap: the root at 1, the children of n at 2n and 2n + 1, the
    /// leaves from `BUCKETS` on.
    nodes: Vec<Hash32>,
}

impl Default for BucketTree {
    fn default() -> Self {
        let mut hash = bucket_leaf(&[]);
        let mut nodes = vec![hash; 2 * BUCKETS];
        for level in (0..BUCKET_BITS).rev() {
            hash = crate::merkle::node(&hash, &hash);
            let (_, from_level) = nodes.split_at_mut(1 << level);
            let (of_level, _) = from_level.split_at_mut(1 << level);
            of_level.fill(hash);
        }
        Self { nodes }
    }
}

impl BucketTree {
    fn at(&self, index: usize) -> Hash32 {
        let Some(hash) = self.nodes.get(index) else {
            unreachable!("the tree has a node for every bucket");
        };
        *hash
    }

    fn put(&mut self, index: usize, hash: Hash32) {
        let Some(node) = self.nodes.get_mut(index) else {
            unreachable!("the tree has a node for every bucket");
        };
        *node = hash;
    }

    /// Sets the contents of buckets.
    pub fn set<'a>(&mut self, buckets: impl IntoIterator<Item = (u16, &'a [u8])>) {
        let mut above = Vec::new();
        for (bucket, bytes) in buckets {
            let leaf = BUCKETS + usize::from(bucket);
            self.put(leaf, bucket_leaf(bytes));
            above.push(leaf / 2);
        }
        above.sort_unstable();
        while above.first().is_some_and(|first| *first > 0) {
            above.dedup();
            for index in &mut above {
                let hash = crate::merkle::node(&self.at(2 * *index), &self.at(2 * *index + 1));
                self.put(*index, hash);
                *index /= 2;
            }
        }
    }

    /// Whether a bucket has exactly these bytes.
    pub fn holds(&self, bucket: u16, bytes: &[u8]) -> bool {
        self.at(BUCKETS + usize::from(bucket)) == bucket_leaf(bytes)
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash32 {
        self.at(1)
    }

    /// The hashes from a bucket's sibling up to the root's child.
    pub fn path(&self, bucket: u16) -> Vec<Hash32> {
        let mut index = BUCKETS + usize::from(bucket);
        let mut path = Vec::with_capacity(BUCKET_BITS as usize);
        while index > 1 {
            path.push(self.at(index ^ 1));
            index /= 2;
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::merkle::Frontier;

    fn head(n: u8) -> StreamHead {
        StreamHead {
            stream: StreamId {
                kind: StreamKind::Plan,
                id: Uuid::from_bytes([n; 16]),
            },
            key: KeyId::from_bytes([5; 16]),
            revision: Revision::new(n.into()),
            link: [n; 32],
        }
    }

    #[test]
    fn the_root_is_that_of_an_rfc_6962_tree_over_the_buckets() {
        let mut tree = BucketTree::default();
        let contents = [(3u16, vec![head(1), head(2)]), (65_535, vec![head(9)])];
        let bytes: Vec<_> = contents
            .iter()
            .map(|(b, heads)| (*b, bucket_bytes(heads)))
            .collect();
        tree.set(
            bytes
                .iter()
                .map(|(bucket, bytes)| (*bucket, bytes.as_slice())),
        );
        let mut frontier = Frontier::default();
        for bucket in 0..BUCKETS {
            let found = bytes
                .iter()
                .find(|(other, _)| usize::from(*other) == bucket);
            frontier.push(hash_leaf(found.map_or(&[], |(_, bytes)| bytes)));
        }
        assert_eq!(tree.root(), frontier.root());
        for (bucket, heads) in contents {
            let path = tree.path(bucket);
            let proof = BucketProof {
                bucket,
                heads,
                path,
            };
            assert_eq!(proof.check(&tree.root()), Ok(()));
            let mut short = proof.clone();
            short.heads.pop();
            assert!(short.check(&tree.root()).is_err());
            let mut older = proof.clone();
            older.heads[0].revision = Revision::new(0);
            assert!(older.check(&tree.root()).is_err());
            let mut moved = proof.clone();
            moved.bucket ^= 1;
            assert!(moved.check(&tree.root()).is_err());
        }
        tree.set([(3, [].as_slice()), (65_535, [].as_slice())]);
        assert_eq!(tree.root(), BucketTree::default().root());
    }

    #[test]
    fn a_person_and_their_plans_share_a_bucket() {
        let key = KeyId::from_bytes([5; 16]);
        let plan = head(1).stream;
        let person = StreamId {
            kind: StreamKind::Person,
            ..head(2).stream
        };
        assert_eq!(bucket_of(plan, key), bucket_of(person, key));
        assert_eq!(read_bucket(&bucket_bytes(&[head(1)])), Some(vec![head(1)]));
        assert_eq!(read_bucket(&[0; 5]), None);
    }
}
