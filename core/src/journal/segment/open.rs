//! Opens and creates a journal in segment files.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::error::{Damage, DamageReason, OpenError};
use super::super::frame::{Frame, Header};
use super::super::layout::HEADER_LEN;
use super::super::tail::Tail;
use super::header::{
    LEAVES_SUFFIX, LOG_SUFFIX, SEGMENT_HEADER_LEN, SegmentHeader, TEMPORARY_SUFFIX, file_name,
    parse_name,
};
use super::overwriting;
use super::removing::{self, There};
use super::scan::{DurableHint, ScanError, Scanned, scan_closed, scan_last};
use super::store::{Last, State, Store};
use super::{SEGMENT_BYTES, SegmentLog, Writer, WriterState, create_segment};
use crate::disk::{Disk, DiskFile, read_full, write_full};
use crate::ids::{LedgerId, Position};
use crate::tally::{DURATIONS, Tally};
use crate::time::Timestamp;

/// What a journal is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenMode {
    /// For appending and reading. Only one process may do so at a time; the caller's lock makes
    /// sure of that.
    #[default]
    ReadWrite,
    /// For reading only. Not a byte is changed; not even what a crash left at the end is cut off.
    /// Only allowed while nobody writes, because a reader would see what a writer has not synced
    /// yet.
    ReadOnly,
}

/// How to open a journal.
#[derive(Debug, Clone, Copy)]
pub struct SegmentOptions {
    /// What the journal is opened for.
    pub mode: OpenMode,
    /// What derived state says was durable. It tells a lost end from a torn one.
    pub durable: Option<DurableHint>,
    /// A segment is closed before it exceeds this many bytes. At most 1 GiB; 64 MiB unless given.
    pub segment_bytes: u64,
    /// Whether a segment is also closed when the calendar month ends (in Copenhagen), and the first
    /// segments can be removed: see [`SegmentLog::remove_through`]. Never for a ledger's journal.
    pub removable: bool,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self {
            mode: OpenMode::default(),
            durable: None,
            segment_bytes: SEGMENT_BYTES,
            removable: false,
        }
    }
}

fn io_error(operation: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { operation, source }
}

fn scan_error(error: ScanError) -> OpenError {
    match error {
        ScanError::Io(source) => OpenError::Io {
            operation: "reading a segment",
            source,
        },
        ScanError::Damaged(damage) => damage.into(),
    }
}

impl SegmentLog {
    /// Creates the journal of a new ledger.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if there is one already, [`OpenError::Io`] if the disk fails.
    pub fn create(
        disk: Arc<dyn Disk>,
        ledger_id: LedgerId,
        created_at: Timestamp,
        options: SegmentOptions,
    ) -> Result<Self, OpenError> {
        if !segment_numbers(disk.as_ref(), LOG_SUFFIX)?.is_empty()
            || !segment_numbers(disk.as_ref(), LEAVES_SUFFIX)?.is_empty()
        {
            return Err(OpenError::Exists);
        }
        remove_unfinished(disk.as_ref())?;
        let before = Tail::empty(created_at);
        let header = SegmentHeader {
            ledger_id,
            number: 1,
            before,
            previous_len: 0,
        };
        let file = create_segment(disk.as_ref(), &header)
            .map_err(|error| io_error("creating the first segment")(error.into()))?;
        let scanned = Scanned {
            tail: before,
            len: SEGMENT_HEADER_LEN as u64,
            offsets: Vec::new(),
            last_group: SEGMENT_HEADER_LEN as u64,
            cut: None,
        };
        Ok(Self::assemble(
            disk,
            (vec![header], 1),
            file,
            scanned,
            options,
        ))
    }

    /// Opens an existing journal, after a clean stop or a crash. Only the last segment is read in
    /// full. Of each other segment one small part is read, so time and memory hardly grow with the
    /// journal.
    ///
    /// # Errors
    /// [`OpenError::Empty`] if there is no journal, [`OpenError::Damaged`] if it is
    /// damaged before its end, [`OpenError::Io`] if the disk fails.
    pub fn open(disk: Arc<dyn Disk>, options: SegmentOptions) -> Result<Self, OpenError> {
        let leaves = match options.removable {
            true => segment_numbers(disk.as_ref(), LEAVES_SUFFIX)?,
            false => Vec::new(),
        };
        let there = There::find(&segment_numbers(disk.as_ref(), LOG_SUFFIX)?, &leaves)?;
        match options.mode {
            OpenMode::ReadWrite => overwriting::finish(disk.as_ref())?,
            OpenMode::ReadOnly => overwriting::refuse_unfinished(disk.as_ref())?,
        }
        let (headers, file) = open_headers(disk.as_ref(), &there)?;
        let (Some(last), Some(file)) = (headers.last(), file) else {
            return match options.durable {
                Some(hint) if hint.commit.get() > 0 => {
                    Err(damage(1, 0, Position::new(1), DamageReason::Missing))
                }
                _ => Err(OpenError::Empty),
            };
        };
        let durable = options.durable;
        let durable = durable.filter(|hint| hint.ledger == last.ledger_id);
        let scanned = scan_last(&file, last, durable).map_err(scan_error)?;
        if let Some(cut) = &scanned.cut {
            tracing::warn!(
                segment = cut.segment,
                offset = cut.offset,
                bytes = cut.bytes,
                reason = %cut.reason,
                "the journal ends with a write that was not finished; no receipt was given for it"
            );
        }
        if options.mode == OpenMode::ReadWrite {
            remove_unfinished(disk.as_ref())?;
            removing::sweep(disk.as_ref(), there.first)
                .map_err(io_error("removing what is left of a removed segment"))?;
            make_durable(&file, &scanned, durable)
                .map_err(io_error("storing the end of the journal"))?;
            // If the last process was killed, the name of the last segment may not have been
            // synced.
            disk.sync_dir().map_err(io_error("syncing the directory"))?;
        }
        Ok(Self::assemble(
            disk,
            (headers, there.first),
            file,
            scanned,
            options,
        ))
    }

    fn assemble(
        disk: Arc<dyn Disk>,
        (segments, first): (Vec<SegmentHeader>, u64),
        file: Arc<dyn DiskFile>,
        scanned: Scanned,
        options: SegmentOptions,
    ) -> Self {
        let ledger_id = segments
            .first()
            .map_or(LedgerId::from_bytes([0; 16]), |header| header.ledger_id);
        let Scanned {
            tail,
            len,
            offsets,
            cut,
            ..
        } = scanned;
        let read_only = options.mode == OpenMode::ReadOnly;
        let writer = Writer {
            state: if read_only {
                WriterState::ReadOnly
            } else {
                WriterState::Ready
            },
            file: Arc::clone(&file),
            len,
            buffer: Vec::new(),
        };
        let state = State {
            tail,
            segments,
            first,
            last: Last { file, len, offsets },
        };
        Self {
            ledger_id,
            store: Arc::new(Store::new(disk, read_only, state)),
            writer: Mutex::new(writer),
            segment_bytes: options.segment_bytes.min(1 << 30),
            removable: options.removable,
            cut,
            syncs: Arc::new(Tally::new(DURATIONS)),
        }
    }
}

fn damage(segment: u64, offset: u64, position: Position, reason: DamageReason) -> OpenError {
    Damage {
        segment,
        offset,
        position,
        reason,
    }
    .into()
}

/// Which ledger a journal belongs to, as its first segment says. Nothing else is read.
///
/// # Errors
/// [`OpenError::Empty`] if there is no journal, [`OpenError::Io`] if the disk fails.
pub(crate) fn ledger_id(disk: &dyn Disk) -> Result<LedgerId, OpenError> {
    let first = segment_numbers(disk, LOG_SUFFIX)?.first().copied();
    let name = file_name(first.ok_or(OpenError::Empty)?, LOG_SUFFIX);
    let file: Arc<dyn DiskFile> = disk
        .open(&name)
        .map_err(io_error("opening the first segment"))?
        .into();
    let header = SegmentHeader::read(&file).map_err(io_error("reading the first segment"))?;
    Ok(header.ok_or(OpenError::Empty)?.ledger_id)
}

fn segment_numbers(disk: &dyn Disk, suffix: &str) -> Result<Vec<u64>, OpenError> {
    let names = disk.list().map_err(io_error("listing the directory"))?;
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| parse_name(name, suffix))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes segments whose creation was not finished. Nothing had been written into them.
fn remove_unfinished(disk: &dyn Disk) -> Result<(), OpenError> {
    let failed = io_error("removing an unfinished segment");
    for name in disk.list().map_err(&failed)? {
        if parse_name(&name, TEMPORARY_SUFFIX).is_some() {
            disk.remove(&name).map_err(&failed)?;
        }
    }
    Ok(())
}

type Headers = (Vec<SegmentHeader>, Option<Arc<dyn DiskFile>>);

/// Reads the headers of all segments, also of those that were removed, and checks that each continues
/// the one before it. Also returns the file of the last segment.
fn open_headers(disk: &dyn Disk, there: &There) -> Result<Headers, OpenError> {
    let failed = io_error("reading a segment's header");
    let mut headers: Vec<SegmentHeader> = Vec::new();
    let mut last: Option<Arc<dyn DiskFile>> = None;
    for number in 1..=there.count {
        let suffix = match number < there.first {
            true => LEAVES_SUFFIX,
            false => LOG_SUFFIX,
        };
        let file: Arc<dyn DiskFile> = disk
            .open(&file_name(number, suffix))
            .map_err(&failed)?
            .into();
        let position = headers
            .last()
            .map_or(Position::ZERO, |header| header.before.position);
        let header = SegmentHeader::read(&file)
            .map_err(&failed)?
            .ok_or_else(|| damage(number, 0, position.next(), DamageReason::SegmentHeader))?;
        let continues = match headers.last() {
            Some(previous) => {
                header.ledger_id == previous.ledger_id
                    && header.before.position >= previous.before.position
                    && header.before.commit > previous.before.commit
            }
            None => header.before == Tail::empty(header.before.recorded_at),
        };
        if !continues || header.number != number {
            return Err(damage(number, 0, position.next(), DamageReason::Misplaced));
        }
        if let (Some(previous), Some(closed)) = (headers.last(), &last) {
            match previous.number < there.first {
                true => removing::check_len(closed, previous, &header)?,
                false => check_length(closed, previous, &header)?,
            }
        }
        headers.push(header);
        last = Some(file);
    }
    Ok((headers, last))
}

/// Checks that a closed segment is as long as the next one says. The error names the place from
/// which on it is damaged.
fn check_length(
    file: &Arc<dyn DiskFile>,
    header: &SegmentHeader,
    next: &SegmentHeader,
) -> Result<(), OpenError> {
    let (expected, actual) = (
        next.previous_len,
        file.len().map_err(io_error("reading a segment's length"))?,
    );
    if actual == expected {
        return Ok(());
    }
    match scan_closed(file, header, expected) {
        Err(error) => Err(scan_error(error)),
        Ok(_) => {
            let reason = DamageReason::Length { expected, actual };
            Err(damage(
                header.number,
                expected,
                next.before.position.next(),
                reason,
            ))
        }
    }
}

/// Cuts off the part for which no receipt was given, and brings the rest to stable storage.
///
/// The last group of frames may be only in memory: a process wrote it and was killed before its
/// sync returned. If that sync failed, the system may even have marked the group as stored. So the
/// group is written once more, unchanged and at the same place, and then synced (P2).
fn make_durable(
    file: &Arc<dyn DiskFile>,
    scanned: &Scanned,
    hint: Option<DurableHint>,
) -> io::Result<()> {
    // This is done even if nothing follows: an earlier cut may not have been synced.
    file.set_len(scanned.len)?;
    if hint.is_none_or(|hint| hint.commit < scanned.tail.commit) {
        let mut at = scanned.last_group;
        while at < scanned.len {
            let bytes = frame_at(file, at, scanned.len)?;
            write_full(file.as_ref(), &bytes, at)?;
            at += bytes.len() as u64;
        }
    }
    file.sync_data()
}

/// The bytes of the frame at `offset`, which was found valid. They are checked once more, because they are
/// about to be written over what is there.
fn frame_at(file: &Arc<dyn DiskFile>, offset: u64, end: u64) -> io::Result<Arc<Vec<u8>>> {
    let read = |len: u64| {
        // At most the length of a frame: 16 MiB.
        let mut bytes = vec![0; len as usize];
        let count = read_full(file.as_ref(), &mut bytes, offset)?;
        bytes.truncate(count);
        Ok::<_, io::Error>(bytes)
    };
    let changed = || io::Error::from(io::ErrorKind::InvalidData);
    let header = read((HEADER_LEN as u64).min(end - offset))?;
    let header = Header::decode(&header).map_err(|_| changed())?;
    let bytes = Arc::new(read(header.frame_len().min(end - offset))?);
    let frame = Frame::decode(&bytes, 0).map_err(|_| changed())?;
    let payloads = frame.check_payloads();
    let whole = bytes.len() as u64 == header.frame_len();
    match whole && payloads.is_ok() {
        true => Ok(bytes),
        false => Err(changed()),
    }
}
