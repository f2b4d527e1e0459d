//! Removes the first segments of a journal whose records have to go after a time. Of each removed
//! segment its header is kept and the leaf of every entry, so that every root and proof of the tree
//! can still be made. A leaf says nothing about its entry, which has a random nonce.

use std::sync::Arc;

use super::super::error::{AppendError, Damage, DamageReason, OpenError, ReadError, RemoveError};
use super::super::log::CommitLog;
use super::super::tail::Tail;
use super::header::{
    INDEX_SUFFIX, LEAVES_SUFFIX, LOG_SUFFIX, SEGMENT_HEADER_LEN, SegmentHeader, file_name,
    parse_name,
};
use super::{SegmentLog, WriterState};
use crate::disk::{Disk, DiskFile, SmallFile, read_full};
use crate::hash::{Context, Hash32};
use crate::ids::Position;
use crate::merkle::Frontier;
use crate::time::Timestamp;
use crate::turns;

static HASH: Context = Context::new("planledger v1 2026-11-29 removed segment");
const HASH_LEN: u64 = 32;
/// What the name of the file of leaves ends with until the file is whole.
pub(super) const TEMPORARY_SUFFIX: &str = ".leaves.tmp";

/// Which files of segments a directory has.
pub(super) struct There {
    /// The number of the first segment that is not removed.
    pub(super) first: u64,
    /// How many segments there are, with those that were removed.
    pub(super) count: u64,
}

impl There {
    /// Finds out which segments there are and which were removed.
    ///
    /// A removal writes the leaves of every segment, waits until they are on stable storage, and only
    /// then removes segments. So a segment that is missing beside its leaves was removed, and so was
    /// every one before it; a crash may have left some of their files.
    pub(super) fn find(logs: &[u64], leaves: &[u64]) -> Result<Self, OpenError> {
        let gone = leaves.iter().filter(|number| !logs.contains(number)).max();
        let first = gone.map_or(1, |last| last + 1);
        let missing = |number| Damage {
            segment: number,
            offset: 0,
            position: Position::ZERO,
            reason: DamageReason::Missing,
        };
        if let Some(number) = (1..first).find(|number| !leaves.contains(number)) {
            return Err(missing(number).into());
        }
        let mut next = first;
        for number in logs.iter().filter(|number| **number >= first) {
            if *number != next {
                return Err(missing(next).into());
            }
            next += 1;
        }
        match first > 1 && next == first {
            true => Err(missing(first).into()),
            false => Ok(Self {
                first,
                count: next - 1,
            }),
        }
    }
}

/// Removes what a crash left of segments that were removed.
pub(super) fn sweep(disk: &dyn Disk, first: u64) -> std::io::Result<()> {
    for name in disk.list()? {
        let unfinished = parse_name(&name, TEMPORARY_SUFFIX).is_some();
        let number = parse_name(&name, LOG_SUFFIX).or_else(|| parse_name(&name, INDEX_SUFFIX));
        if unfinished || number.is_some_and(|number| number < first) {
            disk.remove(&name)?;
        }
    }
    Ok(())
}

/// How long the file of leaves of a segment is.
pub(super) fn leaves_len(entries: u64) -> u64 {
    SEGMENT_HEADER_LEN as u64 + entries * 32 + HASH_LEN
}

fn damage(header: &SegmentHeader, reason: DamageReason) -> Damage {
    Damage {
        segment: header.number,
        offset: 0,
        position: header.before.position.next(),
        reason,
    }
}

/// Reads the leaves of a removed segment.
fn read_leaves(
    disk: &dyn Disk,
    header: &SegmentHeader,
    next: &SegmentHeader,
) -> Result<Vec<Hash32>, ReadError> {
    let io = |source| ReadError::Io {
        segment: header.number,
        source,
    };
    let file = disk
        .open(&file_name(header.number, LEAVES_SUFFIX))
        .map_err(io)?;
    let entries = next.before.position.get() - header.before.position.get();
    // At most 32 bytes for each entry of one segment.
    let mut bytes = vec![0; leaves_len(entries) as usize];
    let read = read_full(file.as_ref(), &mut bytes, 0).map_err(io)?;
    let whole = read == bytes.len() && file.len().map_err(io)? == bytes.len() as u64;
    let sound = bytes
        .split_last_chunk::<32>()
        .filter(|(hashed, hash)| whole && HASH.hash(hashed) == **hash)
        .and_then(|(hashed, _)| hashed.split_first_chunk::<SEGMENT_HEADER_LEN>())
        .filter(|(stored, _)| SegmentHeader::decode(stored).as_ref() == Some(header));
    let leaves = sound.map(|(_, leaves)| leaves.as_chunks::<32>().0.to_vec());
    leaves.ok_or_else(|| damage(header, DamageReason::Leaves).into())
}

impl SegmentLog {
    /// Where the removed part of the journal ends. At position 0 if nothing was removed.
    pub fn removed(&self) -> Tail {
        let state = self.store.state.lock();
        let first = usize::try_from(state.first - 1).ok();
        let first = first.and_then(|first| state.segments.get(first));
        first.map_or_else(|| Tail::empty(Timestamp::default()), |header| header.before)
    }

    /// Where the last of the first segments ends in which everything was recorded before an instant.
    /// At position 0 if there is none.
    pub fn whole_segments_before(&self, bound: Timestamp) -> Tail {
        let state = self.store.state.lock();
        let begins = state.segments.iter().map(|header| header.before);
        let older = begins.take_while(|tail| tail.recorded_at < bound).last();
        older.unwrap_or_else(|| Tail::empty(Timestamp::default()))
    }

    /// Closes the last segment, if anything is in it, and begins the next.
    ///
    /// # Errors
    /// [`AppendError`], as for [`CommitLog::append`].
    pub fn close_segment(&self) -> Result<(), AppendError> {
        let mut writer = turns::lock(&self.writer);
        match writer.state {
            WriterState::Ready => {}
            WriterState::ReadOnly => return Err(AppendError::ReadOnly),
            WriterState::Poisoned => return Err(AppendError::Poisoned),
        }
        if writer.len <= SEGMENT_HEADER_LEN as u64 {
            return Ok(());
        }
        let tail = self.store.tail();
        let rolled = self.roll(&mut writer, tail);
        rolled.map_err(|error| self.unwritten(&mut writer, error))
    }

    /// The leaves of removed entries from this position on, as far as one segment has them. None if
    /// the entry at this position was not removed.
    ///
    /// # Errors
    /// [`ReadError`] when the leaves are damaged or the disk fails.
    pub(super) fn leaves_of_removed(&self, from: Position) -> Result<Vec<Hash32>, ReadError> {
        let removed = self.removed().position;
        if from == Position::ZERO || from > removed {
            return Ok(Vec::new());
        }
        let (header, next) = {
            let state = self.store.state.lock();
            let at = state
                .segments
                .partition_point(|header| header.before.position < from);
            let header = at.checked_sub(1).and_then(|at| state.segments.get(at));
            match (header, state.segments.get(at)) {
                (Some(header), Some(next)) => (*header, *next),
                _ => return Ok(Vec::new()),
            }
        };
        let leaves = read_leaves(self.store.disk.as_ref(), &header, &next)?;
        let skipped = from.get() - header.before.position.next().get();
        Ok(leaves.into_iter().skip(skipped as usize).collect())
    }

    /// The root of the tree over the first entries, up to a position.
    ///
    /// # Errors
    /// [`ReadError`] when the journal is damaged or the disk fails.
    pub fn root_at(&self, position: Position) -> Result<Hash32, ReadError> {
        let mut frontier = Frontier::default();
        while frontier.size() < self.removed().position.get().min(position.get()) {
            let next = Position::new(frontier.size()).next();
            for leaf in self.leaves_of_removed(next)? {
                if frontier.size() < position.get() {
                    frontier.push(leaf);
                }
            }
        }
        for frame in self.read(Position::new(frontier.size()).next()) {
            for entry in frame?.entries() {
                let next = Position::new(frontier.size()).next();
                if entry.position == next && next <= position {
                    frontier.push(*entry.leaf);
                }
            }
            if frontier.size() >= position.get() {
                break;
            }
        }
        Ok(frontier.root())
    }

    /// Keeps the leaves of the first segments, up to one that ends at this position or before. Nothing
    /// is removed by this.
    ///
    /// # Errors
    /// [`RemoveError`].
    pub fn keep_leaves(&self, position: Position) -> Result<(), RemoveError> {
        for (header, next) in self.removable(position)? {
            if read_leaves(self.store.disk.as_ref(), &header, &next).is_ok() {
                continue;
            }
            let mut bytes = header.encode().to_vec();
            let end = next.before.position;
            for frame in self.read(header.before.position.next()) {
                let frame = frame?;
                for entry in frame.entries().filter(|entry| entry.position <= end) {
                    bytes.extend_from_slice(entry.leaf);
                }
                if frame.header().last_position() >= end {
                    break;
                }
            }
            let hash = HASH.hash(&bytes);
            bytes.extend_from_slice(&hash);
            let entries = end.get() - header.before.position.get();
            if bytes.len() as u64 != leaves_len(entries) {
                return Err(RemoveError::Io(std::io::ErrorKind::InvalidData.into()));
            }
            let file = SmallFile {
                name: &file_name(header.number, LEAVES_SUFFIX),
                temporary: &file_name(header.number, TEMPORARY_SUFFIX),
            };
            let replaced = file.replace(self.store.disk.as_ref(), &bytes);
            replaced.map_err(std::io::Error::from)?;
        }
        Ok(())
    }

    /// Removes the first segments, up to one that ends at this position or before, and waits until
    /// that is on stable storage. Their leaves are kept. Nothing happens if they were removed before.
    ///
    /// # Errors
    /// [`RemoveError`]. Some of the segments may be removed then. Do it again.
    pub fn remove_through(&self, position: Position) -> Result<(), RemoveError> {
        self.keep_leaves(position)?;
        let removable = self.removable(position)?;
        let Some((last, _)) = removable.last() else {
            return Ok(());
        };
        self.store.state.lock().first = last.number + 1;
        let disk = self.store.disk.as_ref();
        for (header, _) in &removable {
            self.store.forget(header.number);
            for suffix in [INDEX_SUFFIX, LOG_SUFFIX] {
                match disk.remove(&file_name(header.number, suffix)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error.into());
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        disk.sync_dir()?;
        Ok(())
    }

    /// The segments that are not removed and end at this position or before, each with the next one.
    fn removable(
        &self,
        position: Position,
    ) -> Result<Vec<(SegmentHeader, SegmentHeader)>, RemoveError> {
        if !self.removable {
            return Err(RemoveError::Unsupported);
        }
        if self.store.read_only {
            return Err(RemoveError::ReadOnly);
        }
        let state = self.store.state.lock();
        let pairs = state.segments.iter().zip(state.segments.iter().skip(1));
        let pairs = pairs
            .filter(|(header, next)| {
                header.number >= state.first && next.before.position <= position
            })
            .map(|(header, next)| (*header, *next));
        Ok(pairs.collect())
    }
}

/// Checks that the file of leaves of a removed segment is as long as the next segment says.
pub(super) fn check_len(
    file: &Arc<dyn DiskFile>,
    header: &SegmentHeader,
    next: &SegmentHeader,
) -> Result<(), OpenError> {
    let len = file.len().map_err(|source| OpenError::Io {
        operation: "reading the length of a file of leaves",
        source,
    })?;
    let entries = next.before.position.get() - header.before.position.get();
    match len == leaves_len(entries) {
        true => Ok(()),
        false => Err(damage(header, DamageReason::Leaves).into()),
    }
}
