//! Overwrites the payload of one event with zeros (P6). The checksum of a frame does not cover
//! payloads, so everything else stays valid.
//!
//! A crash may come while the bytes are overwritten, and half of them would look like damage. So what
//! is to be overwritten is noted in a file of its own first, and whoever opens the journal finishes it.

use std::io;

use super::super::error::{OpenError, ReadError, RedactError};
use super::super::frame::Record;
use super::super::layout::RECORD_LEN;
use super::header::{LOG_SUFFIX, file_name};
use super::{Readable, SegmentLog, Unwritten, Writer, WriterState, read_part};
use crate::disk::{Disk, DiskFile, SmallFile, read_full, write_full};
use crate::fields::{FieldWriter, Fields};
use crate::hash::Context;
use crate::ids::Position;
use crate::turns;

const NOTE: SmallFile<'_> = SmallFile {
    name: "redaction",
    temporary: "redaction.tmp",
};
const MAGIC: &[u8; 8] = b"PLREDv1\n";
const CHECKED: usize = 8 + 8 + 8 + 4;
const LEN: usize = CHECKED + 32;

static NOTED: Context = Context::new("planledger v1 2026-11-29 redaction note");

/// The bytes of a segment that are to be overwritten.
#[derive(Clone, Copy)]
struct Range {
    segment: u64,
    offset: u64,
    len: u32,
}

impl Range {
    fn encode(self) -> [u8; LEN] {
        let mut bytes = FieldWriter::<LEN>::new();
        bytes.put(MAGIC);
        bytes.put(&self.segment.to_be_bytes());
        bytes.put(&self.offset.to_be_bytes());
        bytes.put(&self.len.to_be_bytes());
        let hash = NOTED.hash(bytes.written());
        bytes.put(&hash);
        bytes.finish()
    }

    fn decode(bytes: &[u8; LEN]) -> Option<Self> {
        let (checked, hash) = bytes.split_first_chunk::<CHECKED>()?;
        let mut fields = Fields(checked);
        let sound = fields.take() == *MAGIC && NOTED.hash(checked) == *hash;
        sound.then(|| Self {
            segment: fields.u64(),
            offset: fields.u64(),
            len: fields.u32(),
        })
    }

    fn overwrite(self, file: &dyn DiskFile) -> io::Result<()> {
        // The length of a payload: at most 16 MiB.
        write_full(file, &vec![0; self.len as usize], self.offset)?;
        file.sync_data()
    }
}

fn remove_note(disk: &dyn Disk) -> io::Result<()> {
    disk.remove(NOTE.name)?;
    disk.sync_dir()
}

/// Whether a crash interrupted something that is to be finished.
fn is_left(disk: &dyn Disk) -> Result<bool, OpenError> {
    let names = disk.list().map_err(|source| OpenError::Io {
        operation: "listing the directory",
        source,
    })?;
    Ok(names.iter().any(|name| name == NOTE.name))
}

/// Refuses to read a journal in which half a payload may be overwritten.
pub(super) fn refuse_unfinished(disk: &dyn Disk) -> Result<(), OpenError> {
    match is_left(disk)? {
        false => Ok(()),
        true => Err(OpenError::Io {
            operation: "finishing a redaction",
            source: io::Error::other(
                "a crash interrupted it, and the next start of the server finishes it; \
                 so does planledger erasure reapply",
            ),
        }),
    }
}

/// Finishes what a crash interrupted. A note is whole or not there at all, and from then on the bytes
/// that it names are nothing but on their way to zeros.
pub(super) fn finish(disk: &dyn Disk) -> Result<(), OpenError> {
    let failed = |operation| move |source| OpenError::Io { operation, source };
    if !is_left(disk)? {
        return Ok(());
    }
    let resume = || {
        let file = disk.open(NOTE.name)?;
        let mut bytes = [0; LEN];
        let count = read_full(file.as_ref(), &mut bytes, 0)?;
        let range = (count == LEN).then(|| Range::decode(&bytes)).flatten();
        let range = range.ok_or(io::ErrorKind::InvalidData)?;
        let segment = disk.open(&file_name(range.segment, LOG_SUFFIX))?;
        if range.offset + u64::from(range.len) > segment.len()? {
            return Err(io::ErrorKind::InvalidData.into());
        }
        tracing::warn!(
            segment = range.segment,
            "a redaction that was interrupted is finished"
        );
        range.overwrite(segment.as_ref())?;
        remove_note(disk)
    };
    resume().map_err(failed("finishing a redaction"))
}

impl SegmentLog {
    /// Overwrites the payload of an event. Nothing happens if it was overwritten before.
    pub(super) fn overwrite(&self, position: Position) -> Result<(), RedactError> {
        // One at a time: there is one note.
        let mut writer = turns::lock(&self.writer);
        match writer.state {
            WriterState::Ready => {}
            WriterState::ReadOnly => return Err(RedactError::ReadOnly),
            WriterState::Poisoned => return Err(RedactError::Poisoned),
        }
        if position == Position::ZERO || position > self.store.tail().position {
            return Err(RedactError::NotThere(position));
        }
        let there = |position| {
            self.store
                .readable(self.store.segment_of_position(position))
        };
        if self.is_of_last_write(&there(position)?, position)? {
            self.close_off(&mut writer)?;
        }
        let segment = there(position)?;
        let stored = self.stored(&segment, position)?;
        let Some(sealed) = stored.sealed else {
            return Ok(());
        };
        let range = self.payload_of(&segment, position)?;
        // What is overwritten is gone, so nothing is that was not found to be the text of this event.
        if read_part(&segment, range.offset, u64::from(range.len))? != sealed {
            return Err(RedactError::Io(io::ErrorKind::InvalidData.into()));
        }
        let disk = self.store.disk.as_ref();
        let overwritten = NOTE
            .replace(disk, &range.encode())
            .map_err(io::Error::from)
            .and_then(|_| range.overwrite(segment.file.as_ref()))
            .and_then(|()| remove_note(disk));
        overwritten.map_err(|source| {
            // Nobody knows what is on the disk. Opening the journal finishes it.
            writer.state = WriterState::Poisoned;
            RedactError::Io(source)
        })
    }

    /// Whether an event is part of the last write to the journal.
    fn is_of_last_write(&self, segment: &Readable, position: Position) -> Result<bool, ReadError> {
        if segment.next.is_some() {
            return Ok(false);
        }
        let group = |position| {
            let (_, header) = self.store.locate(segment, position)?;
            Ok::<_, ReadError>(header.group_start)
        };
        Ok(group(position)? >= group(segment.last)?)
    }

    /// Begins a segment. Zeros in the last write of the journal look like a write that was not finished,
    /// and would be cut off when the journal is opened. The segment after it shows that it had been stored.
    fn close_off(&self, writer: &mut Writer) -> Result<(), RedactError> {
        let tail = self.store.tail();
        self.roll(writer, tail).map_err(|error| match error {
            Unwritten::NotYet(source) => RedactError::NotYet(source),
            Unwritten::ForGood(source) => {
                writer.state = WriterState::Poisoned;
                RedactError::Io(source)
            }
        })
    }

    /// Where the payload of an event is.
    fn payload_of(&self, segment: &Readable, position: Position) -> Result<Range, RedactError> {
        let (offset, header) = self.store.locate(segment, position)?;
        let index = (position.get() - header.first_position.get()) as u32;
        let bytes = read_part(segment, offset + header.record_at(index), RECORD_LEN as u64)?;
        let bytes: &[u8; RECORD_LEN] = (bytes.as_slice().try_into())
            .map_err(|_| RedactError::Io(io::ErrorKind::UnexpectedEof.into()))?;
        let record = Record::decode(bytes);
        let (at, len) = (u64::from(record.offset), record.sealed_len());
        if at + u64::from(len) > u64::from(header.payloads_len) {
            return Err(RedactError::Io(io::ErrorKind::InvalidData.into()));
        }
        Ok(Range {
            segment: segment.header.number,
            offset: offset + header.checked_len() + at,
            len,
        })
    }
}
