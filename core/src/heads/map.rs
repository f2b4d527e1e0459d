use std::collections::{BTreeMap, HashMap};

use super::{BUCKETS, BucketProof, BucketTree, StreamHead, bucket_bytes, head_of, read_bucket};
use crate::entry::{Entry, EntryBytes};
use crate::guarded::{SledError, guarded};
use crate::hash::Hash32;
use crate::ids::{Position, StreamId};
use crate::journal::{CommitLog, ReadError};

const THROUGH: &[u8] = b"through";
/// How many events are taken in between two writes. This bounds memory.
const STRIDE: u64 = 65_536;
/// sled keeps values of 128 KiB and more in files that it never syncs.
const MOST_BYTES: usize = 120 << 10;

/// Why the heads cannot be given. They are derived, so they can be made again without any loss.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadMapError {
    /// sled cannot be read or written.
    #[error(transparent)]
    Sled(#[from] SledError),
    /// The bucket with this number is not as it was written.
    #[error("the heads in bucket {0} are not the ones that were written")]
    Changed(u16),
    /// The journal cannot be read.
    #[error("journal: {0}")]
    Journal(#[from] ReadError),
    /// An entry of the journal, or a stored bucket, is malformed.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The bucket with this number is full. That takes over a hundred million streams.
    #[error("bucket {0} is full")]
    Full(u16),
}

/// The heads of all streams as of a position, kept in sled beside other derived state.
pub struct HeadMap {
    stored: sled::Tree,
    tree: BucketTree,
    through: Position,
}

impl HeadMap {
    /// Opens the stored heads. They are not trusted: compare the root with a recorded one.
    ///
    /// # Errors
    /// [`HeadMapError`] when sled cannot be read or holds something malformed.
    pub(crate) fn open(db: &sled::Db) -> Result<Self, HeadMapError> {
        let stored = guarded(|| db.open_tree("heads"))?;
        let through = match guarded(|| stored.get(THROUGH))? {
            Some(bytes) => {
                let bytes = bytes.as_ref().try_into();
                let bytes = bytes.map_err(|_| HeadMapError::Malformed("the position of heads"))?;
                Position::new(u64::from_be_bytes(bytes))
            }
            None => Position::ZERO,
        };
        let found = guarded(|| {
            let mut found = Vec::new();
            for item in stored.iter() {
                let (key, bytes) = item?;
                if let Ok(bucket) = key.as_ref().try_into() {
                    found.push((u16::from_be_bytes(bucket), bytes));
                }
            }
            Ok(found)
        })?;
        let mut tree = BucketTree::default();
        tree.set(
            found
                .iter()
                .map(|(bucket, bytes)| (*bucket, bytes.as_ref())),
        );
        Ok(Self {
            stored,
            tree,
            through,
        })
    }

    /// The position that the heads are as of.
    pub fn through(&self) -> Position {
        self.through
    }

    /// The root over all heads.
    pub fn root(&self) -> Hash32 {
        self.tree.root()
    }

    /// Removes all heads.
    ///
    /// # Errors
    /// When sled cannot be written.
    pub fn clear(&mut self) -> Result<(), HeadMapError> {
        guarded(|| self.stored.clear())?;
        self.tree = BucketTree::default();
        self.through = Position::ZERO;
        Ok(())
    }

    /// Takes in the events of the journal up to a position.
    ///
    /// # Errors
    /// [`HeadMapError`] when sled or the journal cannot be used, or a bucket is full.
    pub fn advance(&mut self, log: &dyn CommitLog, to: Position) -> Result<(), HeadMapError> {
        let mut changed = Changed::default();
        let mut through = self.through;
        if through >= to {
            return Ok(());
        }
        for frame in log.read(through.next()) {
            for record in frame?.entries() {
                if record.position <= through || record.position > to {
                    continue;
                }
                through = record.position;
                changed.take(record.entry)?;
            }
            if through.get() - self.through.get() >= STRIDE {
                self.write(std::mem::take(&mut changed), through)?;
            }
            if through >= to {
                break;
            }
        }
        self.write(changed, through)
    }

    fn write(&mut self, changed: Changed, through: Position) -> Result<(), HeadMapError> {
        let mut batch = sled::Batch::default();
        let mut buckets = Vec::new();
        for (bucket, heads) in changed.by_bucket() {
            let before = self.heads(bucket)?.into_iter();
            let all = before.chain(heads).map(|head| (head.stream, head));
            let heads: Vec<_> = all.collect::<BTreeMap<_, _>>().into_values().collect();
            let bytes = bucket_bytes(&heads);
            if bytes.len() > MOST_BYTES {
                return Err(HeadMapError::Full(bucket));
            }
            batch.insert(&bucket.to_be_bytes(), bytes.as_slice());
            buckets.push((bucket, bytes));
        }
        batch.insert(THROUGH, &through.get().to_be_bytes());
        guarded(|| self.stored.apply_batch(batch))?;
        let buckets = buckets.iter();
        self.tree
            .set(buckets.map(|(bucket, bytes)| (*bucket, bytes.as_slice())));
        self.through = through;
        Ok(())
    }

    /// The heads in a bucket, in the order of their streams.
    ///
    /// # Errors
    /// When sled cannot be read, or holds other bytes than were written.
    pub fn heads(&self, bucket: u16) -> Result<Vec<StreamHead>, HeadMapError> {
        let stored = guarded(|| self.stored.get(bucket.to_be_bytes()))?;
        let bytes = stored.as_deref().unwrap_or_default();
        if !self.tree.holds(bucket, bytes) {
            return Err(HeadMapError::Changed(bucket));
        }
        read_bucket(bytes).ok_or(HeadMapError::Malformed("a bucket of heads"))
    }

    /// A bucket with its path to the root.
    ///
    /// # Errors
    /// When sled cannot be read.
    pub fn proof(&self, bucket: u16) -> Result<BucketProof, HeadMapError> {
        Ok(BucketProof {
            bucket,
            heads: self.heads(bucket)?,
            path: self.tree.path(bucket),
        })
    }
}

/// Heads that have changed since they were last written.
#[derive(Default)]
struct Changed(HashMap<StreamId, (u16, StreamHead)>);

impl Changed {
    fn take(&mut self, bytes: &EntryBytes) -> Result<(), HeadMapError> {
        let entry = Entry::decode(bytes).map_err(|_| HeadMapError::Malformed("an entry"))?;
        self.0.insert(entry.stream, head_of(&entry, bytes));
        Ok(())
    }

    fn by_bucket(self) -> BTreeMap<u16, Vec<StreamHead>> {
        let mut buckets: BTreeMap<u16, Vec<StreamHead>> = BTreeMap::new();
        for (bucket, head) in self.0.into_values() {
            buckets.entry(bucket).or_default().push(head);
        }
        buckets
    }
}

const _: () = assert!(BUCKETS == u16::MAX as usize + 1);
