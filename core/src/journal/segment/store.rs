//! What readers and the writer share: the list of segments, and how far they may be read.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use super::super::error::{Damage, DamageReason, ReadError};
use super::super::frame::{FrameError, Header};
use super::super::layout::HEADER_LEN;
use super::super::tail::Tail;
use super::header::{LOG_SUFFIX, SEGMENT_HEADER_LEN, SegmentHeader, file_name};
use super::index::Index;
use super::scan::{ScanError, scan_closed};
use crate::disk::{Disk, DiskFile, read_full};
use crate::ids::{CommitSeq, Position};
use crate::turns::{self, Condvar};

/// How many closed segments are kept open. Each takes two file descriptors.
const OPEN_SEGMENTS: usize = 64;

pub(super) struct Store {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) read_only: bool,
    pub(super) state: Mutex<State>,
    /// Signalled whenever the tail moves.
    pub(super) grown: Condvar,
    closed: Cache<u64, Arc<Closed>>,
}

/// Everything up to `tail` is durable. Nothing after it is ever shown.
pub(super) struct State {
    pub(super) tail: Tail,
    /// The header of each segment, from the first, also of those that were removed.
    pub(super) segments: Vec<SegmentHeader>,
    /// The number of the first segment that was not removed.
    pub(super) first: u64,
    pub(super) last: Last,
}

/// The segment that is appended to.
pub(super) struct Last {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) len: u64,
    pub(super) offsets: Vec<u32>,
}

struct Closed {
    file: Arc<dyn DiskFile>,
    index: Mutex<Arc<Index>>,
}

/// A segment and how far it may be read.
#[derive(Clone)]
pub(super) struct Readable {
    pub(super) header: SegmentHeader,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) end: u64,
    /// The last position before `end`.
    pub(super) last: Position,
    /// The header of the next segment, if this one is closed. It says where the journal stands
    /// after this one.
    pub(super) next: Option<Box<SegmentHeader>>,
}

impl Readable {
    pub(super) fn damage(
        &self,
        offset: u64,
        position: Position,
        reason: DamageReason,
    ) -> ReadError {
        Damage {
            segment: self.header.number,
            offset,
            position,
            reason,
        }
        .into()
    }

    pub(super) fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io {
            segment: self.header.number,
            source,
        }
    }

    /// The header of the frame at `offset`.
    pub(super) fn frame_header(&self, offset: u64) -> io::Result<Result<Header, FrameError>> {
        let mut bytes = [0; HEADER_LEN];
        let len = self.end.saturating_sub(offset).min(HEADER_LEN as u64) as usize;
        let (there, _) = bytes.split_at_mut(len);
        let count = read_full(self.file.as_ref(), there, offset)?;
        let (read, _) = there.split_at(count);
        Ok(Header::decode(read))
    }
}

impl Store {
    pub(super) fn new(disk: Arc<dyn Disk>, read_only: bool, state: State) -> Self {
        Self {
            disk,
            read_only,
            state: Mutex::new(state),
            grown: Condvar::new(),
            closed: Cache::new(OPEN_SEGMENTS),
        }
    }

    pub(super) fn tail(&self) -> Tail {
        turns::lock(&self.state).tail
    }

    /// The number of the last segment that begins after a tail for which `is_before` holds. The first
    /// one that was not removed if there is none, or if that one was removed.
    fn number_by(&self, is_before: impl Fn(&Tail) -> bool) -> u64 {
        let state = turns::lock(&self.state);
        let after = state
            .segments
            .partition_point(|header| is_before(&header.before));
        (after as u64).max(state.first)
    }

    pub(super) fn segment_of_position(&self, position: Position) -> u64 {
        self.number_by(|before| before.position < position)
    }

    pub(super) fn segment_of_commit(&self, commit: CommitSeq) -> u64 {
        self.number_by(|before| before.commit < commit)
    }

    /// Closes the files of a segment that is removed.
    pub(super) fn forget(&self, number: u64) {
        self.closed.remove(&number);
    }

    /// The segment with this number and how far it may be read now.
    pub(super) fn readable(&self, number: u64) -> Result<Readable, ReadError> {
        let missing = || {
            let reason = DamageReason::Missing;
            Damage {
                segment: number,
                offset: 0,
                position: Position::ZERO,
                reason,
            }
        };
        let (header, next) = {
            let state = turns::lock(&self.state);
            if number < state.first {
                let reason = DamageReason::Removed;
                return Err(Damage {
                    reason,
                    ..missing()
                }
                .into());
            }
            let at = usize::try_from(number)
                .ok()
                .and_then(|number| number.checked_sub(1));
            let mut headers = state.segments.iter().skip(at.ok_or_else(missing)?);
            let header = *headers.next().ok_or_else(missing)?;
            match headers.next() {
                Some(next) => (header, *next),
                None => {
                    let (file, end) = (Arc::clone(&state.last.file), state.last.len);
                    let last = state.tail.position;
                    return Ok(Readable {
                        header,
                        file,
                        end,
                        last,
                        next: None,
                    });
                }
            }
        };
        let file = Arc::clone(&self.closed(&header, &next)?.file);
        let (end, last) = (next.previous_len, next.before.position);
        Ok(Readable {
            header,
            file,
            end,
            last,
            next: Some(Box::new(next)),
        })
    }

    fn closed(
        &self,
        header: &SegmentHeader,
        next: &SegmentHeader,
    ) -> Result<Arc<Closed>, ReadError> {
        let number = header.number;
        let opened = || -> Result<_, ReadError> {
            let file = self.disk.open(&file_name(number, LOG_SUFFIX));
            let file: Arc<dyn DiskFile> = file
                .map_err(|source| ReadError::Io {
                    segment: number,
                    source,
                })?
                .into();
            let count = next.before.position.get() - header.before.position.get();
            let first = header.before.position.next();
            let index = match Index::open(self.disk.as_ref(), number, first, count) {
                Some(index) => index,
                None => self.rebuild_index(&file, header, next)?,
            };
            Ok(Arc::new(Closed {
                file,
                index: Mutex::new(Arc::new(index)),
            }))
        };
        // Whoever wants the same segment meanwhile waits in the cache.
        let opened = || turns::quietly(opened);
        self.closed.get_or_insert_with(&number, opened)
    }

    fn rebuild_index(
        &self,
        file: &Arc<dyn DiskFile>,
        header: &SegmentHeader,
        next: &SegmentHeader,
    ) -> Result<Index, ReadError> {
        let number = header.number;
        tracing::info!(segment = number, "rebuilding the index of a segment");
        let offsets =
            scan_closed(file, header, next.previous_len).map_err(|error| match error {
                ScanError::Io(source) => ReadError::Io {
                    segment: number,
                    source,
                },
                ScanError::Damaged(damage) => damage.into(),
            })?;
        if !self.read_only {
            let first = header.before.position.next();
            if let Err(error) = Index::store(self.disk.as_ref(), number, first, &offsets) {
                tracing::warn!(segment = number, %error, "the index of a segment was not stored");
            }
        }
        Ok(Index::Memory(offsets))
    }

    /// Where in its segment the frame that holds `position` begins, and its header. The position
    /// is one of the segment's.
    pub(super) fn locate(
        &self,
        segment: &Readable,
        position: Position,
    ) -> Result<(u64, Header), ReadError> {
        let nth = position.get() - segment.header.before.position.next().get();
        let holds = |header: &Header| {
            header.first_position <= position && position <= header.last_position()
        };
        let Some(next) = &segment.next else {
            return self.locate_in_last(segment, position, nth, holds);
        };
        let closed = self.closed(&segment.header, next)?;
        let index = Arc::clone(&closed.index.lock());
        if let Some(offset) = index.offset(nth)
            && let Ok(header) = segment
                .frame_header(offset)
                .map_err(|error| segment.io(error))?
            && holds(&header)
        {
            return Ok((offset, header));
        }
        // Either the index or the segment is wrong. The scan finds out which.
        let index = Arc::new(self.rebuild_index(&closed.file, &segment.header, next)?);
        *closed.index.lock() = Arc::clone(&index);
        let offset = index.offset(nth).unwrap_or(SEGMENT_HEADER_LEN as u64);
        let header = segment
            .frame_header(offset)
            .map_err(|error| segment.io(error))?;
        match header {
            Ok(header) if holds(&header) => Ok((offset, header)),
            Ok(_) => Err(segment.damage(offset, position, FrameError::Chain.into())),
            Err(error) => Err(segment.damage(offset, position, error.into())),
        }
    }

    fn locate_in_last(
        &self,
        segment: &Readable,
        position: Position,
        nth: u64,
        holds: impl Fn(&Header) -> bool,
    ) -> Result<(u64, Header), ReadError> {
        let offset = {
            let state = turns::lock(&self.state);
            if state.segments.len() as u64 == segment.header.number {
                usize::try_from(nth)
                    .ok()
                    .and_then(|nth| state.last.offsets.get(nth).copied())
            } else {
                None
            }
        };
        let Some(offset) = offset.map(u64::from) else {
            // Another segment has been begun meanwhile, so this one has an index file now.
            return self.locate(&self.readable(segment.header.number)?, position);
        };
        match segment
            .frame_header(offset)
            .map_err(|error| segment.io(error))?
        {
            Ok(header) if holds(&header) => Ok((offset, header)),
            Ok(_) => Err(segment.damage(offset, position, FrameError::Chain.into())),
            Err(error) => Err(segment.damage(offset, position, error.into())),
        }
    }
}

impl From<FrameError> for DamageReason {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}
