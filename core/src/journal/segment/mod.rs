//! The commit log in segment files.

mod cursor;
mod header;
mod index;
mod open;
mod overwriting;
mod removing;
mod scan;
mod store;
mod survey;
mod whole;
mod window;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use self::cursor::{Cursor, Payloads, Start};
pub use self::header::SEGMENT_HEADER_LEN;
use self::header::{LOG_SUFFIX, SegmentHeader, TEMPORARY_SUFFIX, file_name};
use self::index::Index;
pub use self::index::StoredIndex;
use self::store::{Last, Readable, Store};
use super::commit::Commit;
use super::error::{AppendError, Damage, DamageReason, ReadError, RedactError};
use super::frame::{Frame, FrameError, Header, Record};
use super::group::{self, Group};
use super::layout::RECORD_LEN;
use super::log::{CommitLog, Frames, StoredEntry};
use super::tail::Tail;
use crate::disk::{Disk, DiskFile, ReplaceError, SmallFile, read_full, write_whole};
use crate::hash::Hash32;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::tally::Tally;
use crate::time::Timestamp;
use crate::turns;

pub(crate) use self::open::ledger_id;
pub use self::open::{OpenMode, SegmentOptions};
pub use self::scan::{Cut, DurableHint};
pub(crate) use self::survey::survey_with;
pub use self::survey::{Gap, Survey, survey};
pub use self::whole::{
    WholeFrame, WholeSegment, commit_before, leaves_number, segment_name, segment_number,
};

/// The greatest length of a segment, unless it holds a single write that is longer.
const SEGMENT_BYTES: u64 = 64 << 20;
/// A frame up to this long is read whole even if only one entry is wanted.
const SMALL_FRAME: u64 = 4 << 10;
/// The write buffer is kept for the next append if it is no larger than this.
const KEPT_BUFFER: usize = 4 << 20;

/// The journal in segment files, which is the only truth of a ledger. It has one writer, and
/// readers never wait for it.
pub struct SegmentLog {
    ledger_id: LedgerId,
    store: Arc<Store>,
    writer: Mutex<Writer>,
    segment_bytes: u64,
    /// Whether segments end with the month too, and the first ones can be removed.
    removable: bool,
    cut: Option<Cut>,
    syncs: Arc<Tally>,
}

/// Where a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStart {
    /// The number of the segment, from 1.
    pub number: u64,
    /// The position of its first event, or of the next, if it has none.
    pub first_position: Position,
    /// The commit sequence of its first frame, or of the next, if it has none.
    pub first_commit: CommitSeq,
}

struct Writer {
    state: WriterState,
    /// Where the next frame goes; the file is the last segment's.
    file: Arc<dyn DiskFile>,
    len: u64,
    buffer: Vec<u8>,
}

fn somebody_else(seen: &str) -> io::Error {
    io::Error::other(format!(
        "{seen}: somebody else writes to this journal or has changed it; stop every process that \
        uses it, and run `planledger ledger verify` before you start one again"
    ))
}

/// Why a group was not written.
enum Unwritten {
    /// Nothing of it was written, and the journal is as it was before.
    NotYet(io::Error),
    /// Nobody knows what is on the disk, or somebody else writes to it.
    ForGood(io::Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WriterState {
    Ready,
    ReadOnly,
    Poisoned,
}

impl SegmentLog {
    /// What was cut off when the journal was opened, because a crash had torn the last write.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// How long the writes of this journal took, each with its sync, in nanoseconds.
    pub fn syncs(&self) -> Arc<Tally> {
        self.syncs.clone()
    }

    /// The segments, in order. They can be read in parallel with [`CommitLog::read_commits`], which
    /// also checks that each continues the one before it.
    pub fn segments(&self) -> Vec<SegmentStart> {
        let state = self.store.state.lock();
        let there = state.segments.iter().filter(|it| it.number >= state.first);
        let starts = there.map(|header| SegmentStart {
            number: header.number,
            first_position: header.before.position.next(),
            first_commit: header.before.commit.next(),
        });
        starts.collect()
    }

    /// Compares the stored index of a closed segment with the right one, which says where the frame
    /// of each position begins.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn stored_index(
        &self,
        number: u64,
        first: Position,
        offsets: &[u32],
    ) -> io::Result<StoredIndex> {
        Index::compare(self.store.disk.as_ref(), number, first, offsets)
    }

    /// Writes and syncs what is in the buffer, and shows it to readers.
    fn write(
        &self,
        writer: &mut Writer,
        tail: Tail,
        first: Timestamp,
        group: Group,
    ) -> Result<(), Unwritten> {
        self.check_alone(writer)?;
        let len = writer.buffer.len() as u64;
        let is_full = writer.len + len > self.segment_bytes;
        let is_over =
            self.removable && tail.recorded_at.month_in_denmark() != first.month_in_denmark();
        if (is_full || is_over) && writer.len > SEGMENT_HEADER_LEN as u64 {
            self.roll(writer, tail)?;
        }
        let start = writer.len;
        let began = Instant::now();
        write_whole(writer.file.as_ref(), &writer.buffer, start).map_err(Unwritten::ForGood)?;
        // Receipts may be sent only after this line (P2).
        writer.file.sync_data().map_err(Unwritten::ForGood)?;
        let took = began.elapsed().as_nanos();
        self.syncs.note(u64::try_from(took).unwrap_or(u64::MAX));
        writer.len += len;
        let mut state = self.store.state.lock();
        let offsets = group.offsets.iter().map(|offset| offset + start as u32);
        state.last.offsets.extend(offsets);
        state.last.len = writer.len;
        state.tail = group.tail;
        drop(state);
        self.store.grown.notify_all();
        Ok(())
    }

    /// Makes sure that the journal ends where this writer left it. Locks keep other writers out; this
    /// finds one that came in all the same, before either overwrites what the other has receipted. It
    /// takes no file descriptor, so it does not fail when there are none left.
    fn check_alone(&self, writer: &Writer) -> Result<(), Unwritten> {
        let somebody_else = |seen: &str| Unwritten::ForGood(somebody_else(seen));
        let found = writer.file.len().map_err(Unwritten::NotYet)?;
        if found != writer.len {
            return Err(somebody_else(&format!(
                "the last segment has {found} bytes, and this process left it with {}",
                writer.len
            )));
        }
        let next = self.store.state.lock().segments.len() as u64 + 1;
        let name = file_name(next, LOG_SUFFIX);
        match self.store.disk.exists(&name).map_err(Unwritten::NotYet)? {
            true => Err(somebody_else("there is a segment after the last one")),
            false => Ok(()),
        }
    }

    /// Closes the last segment and begins the next. If the next one did not even get its name, nothing has
    /// changed, and it may be tried again. If it has the name, and it is not certain that it keeps it,
    /// nothing may be written any more: after a power cut it could be missing.
    fn roll(&self, writer: &mut Writer, before: Tail) -> Result<(), Unwritten> {
        let (last, offsets) = {
            let state = self.store.state.lock();
            let last = state.segments.last().copied();
            (
                last.ok_or_else(|| Unwritten::ForGood(io::ErrorKind::NotFound.into()))?,
                state.last.offsets.clone(),
            )
        };
        let first = last.before.position.next();
        let disk = self.store.disk.as_ref();
        if let Err(error) = Index::store(disk, last.number, first, &offsets) {
            // The index can be built again from the segment.
            tracing::warn!(segment = last.number, %error, "the index of a segment was not stored");
        }
        let header = SegmentHeader {
            ledger_id: self.ledger_id,
            number: last.number + 1,
            before,
            previous_len: writer.len,
        };
        let file = create_segment(disk, &header).map_err(|error| match error {
            ReplaceError::Unchanged(source) => Unwritten::NotYet(source),
            ReplaceError::NotDurable { source, .. } => Unwritten::ForGood(source),
        })?;
        writer.file = Arc::clone(&file);
        writer.len = SEGMENT_HEADER_LEN as u64;
        let mut state = self.store.state.lock();
        state.segments.push(header);
        state.last = Last {
            file,
            len: writer.len,
            offsets: Vec::new(),
        };
        Ok(())
    }

    /// What an append tells of a group that was not written.
    fn unwritten(&self, writer: &mut Writer, error: Unwritten) -> AppendError {
        let segment = self.store.state.lock().segments.len() as u64;
        match error {
            Unwritten::NotYet(source) => AppendError::NotYet {
                segment: segment + 1,
                source,
            },
            Unwritten::ForGood(source) => {
                // Nobody knows now what is on the disk, so nothing may be written after it.
                writer.state = WriterState::Poisoned;
                tracing::error!(segment, error = %source, "the journal cannot be written");
                AppendError::Io { segment, source }
            }
        }
    }

    fn stored(&self, segment: &Readable, position: Position) -> Result<StoredEntry, ReadError> {
        let (offset, header) = self.store.locate(segment, position)?;
        let damage = |reason| segment.damage(offset, position, reason);
        let index = (position.get() - header.first_position.get()) as u32;
        if header.frame_len() <= SMALL_FRAME {
            let bytes = read_part(segment, offset, header.frame_len())?;
            let frame = Frame::decode(&Arc::new(bytes), 0).map_err(|error| damage(error.into()))?;
            let entry = frame.entries().nth(index as usize);
            let entry = entry.ok_or_else(|| damage(FrameError::Entry(index).into()))?;
            return StoredEntry::checked(&entry, index).map_err(damage);
        }
        self.stored_in_large(segment, offset, &header, index)
            .and_then(|found| found.map_err(damage))
    }

    /// Reads one entry of a frame without the rest of it.
    fn stored_in_large(
        &self,
        segment: &Readable,
        offset: u64,
        header: &Header,
        index: u32,
    ) -> Result<Result<StoredEntry, DamageReason>, ReadError> {
        let position = header.first_position.plus(u64::from(index));
        let bytes = read_part(segment, offset + header.record_at(index), RECORD_LEN as u64)?;
        let unsound = DamageReason::Frame(FrameError::Entry(index));
        // The file may have been cut off since the frame's header was read.
        let Ok(bytes) = bytes.as_slice().try_into() else {
            return Ok(Err(unsound));
        };
        let record = Record::decode(bytes);
        let (at, len) = (u64::from(record.offset), u64::from(record.sealed_len()));
        if at + len > u64::from(header.payloads_len) || record.back >= position {
            return Ok(Err(unsound));
        }
        let sealed = read_part(segment, offset + header.checked_len() + at, len)?;
        if sealed.len() as u64 != len {
            return Ok(Err(unsound));
        }
        Ok(StoredEntry::checked(
            &record.with_sealed(position, &sealed),
            index,
        ))
    }
}

fn read_part(segment: &Readable, offset: u64, len: u64) -> Result<Vec<u8>, ReadError> {
    // A frame's length: at most 16 MiB.
    let mut bytes = vec![0; len as usize];
    let count =
        read_full(segment.file.as_ref(), &mut bytes, offset).map_err(|error| segment.io(error))?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Creates a segment's file with its header. The file gets its name only once it is whole and
/// durable.
fn create_segment(
    disk: &dyn Disk,
    header: &SegmentHeader,
) -> Result<Arc<dyn DiskFile>, ReplaceError> {
    let file = SmallFile {
        name: &file_name(header.number, LOG_SUFFIX),
        temporary: &file_name(header.number, TEMPORARY_SUFFIX),
    };
    Ok(file.replace(disk, &header.encode())?.into())
}

impl SegmentLog {
    fn cursor(&self, from: Start, payloads: Payloads) -> Cursor {
        Cursor::new(Arc::clone(&self.store), from, payloads)
    }
}

impl CommitLog for SegmentLog {
    fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }

    fn tail(&self) -> Tail {
        self.store.tail()
    }

    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError> {
        let mut writer = turns::lock(&self.writer);
        match writer.state {
            WriterState::Ready => {}
            WriterState::ReadOnly => return Err(AppendError::ReadOnly),
            WriterState::Poisoned => return Err(AppendError::Poisoned),
        }
        let tail = self.store.tail();
        if !tail.is_same_place(expected) {
            return Err(AppendError::Conflict {
                expected: *expected,
                actual: tail,
            });
        }
        let Some(first) = commits.first() else {
            return Ok(tail);
        };
        let group = group::encode(tail, commits, &mut writer.buffer)?;
        let new_tail = group.tail;
        let result = self.write(&mut writer, tail, first.recorded_at, group);
        writer.buffer.clear();
        writer.buffer.shrink_to(KEPT_BUFFER);
        match result {
            Ok(()) => Ok(new_tail),
            Err(error) => Err(self.unwritten(&mut writer, error)),
        }
    }

    fn read(&self, from: Position) -> Frames {
        Box::new(self.cursor(Start::Position(from), Payloads::Compared))
    }

    fn read_commits(&self, from: CommitSeq) -> Frames {
        Box::new(self.cursor(Start::Commit(from), Payloads::Compared))
    }

    fn read_sealed(&self, from: Position) -> Frames {
        Box::new(self.cursor(Start::Position(from), Payloads::AsTheyAre))
    }

    fn read_commits_sealed(&self, from: CommitSeq) -> Frames {
        Box::new(self.cursor(Start::Commit(from), Payloads::AsTheyAre))
    }

    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail {
        let mut state = self.store.state.lock();
        let Some(deadline) = turns::now().checked_add(timeout) else {
            self.store
                .grown
                .wait_while(&mut state, |state| state.tail.commit <= after);
            return state.tail;
        };
        self.store
            .grown
            .wait_while_until(&mut state, |state| state.tail.commit <= after, deadline);
        state.tail
    }

    fn redact(&self, position: Position) -> Result<(), RedactError> {
        self.overwrite(position)
    }

    fn removed_leaves(&self, from: Position) -> Result<Vec<Hash32>, ReadError> {
        self.leaves_of_removed(from)
    }

    fn entry(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        if position == Position::ZERO || position > self.store.tail().position {
            return Ok(None);
        }
        if position <= self.removed().position {
            return Err(Damage {
                segment: 1,
                offset: 0,
                position,
                reason: DamageReason::Removed,
            }
            .into());
        }
        let number = self.store.segment_of_position(position);
        let segment = self.store.readable(number)?;
        self.stored(&segment, position).map(Some)
    }
}
