//! One segment in memory, as whoever copies a journal or puts a copy back needs it. It needs no lock: a
//! segment that a server writes to at the same time is read up to its last whole commit.

use std::io;
use std::sync::Arc;

use super::super::error::{Damage, DamageReason};
use super::super::frame::Frame;
use super::super::tail::Tail;
use super::header::{
    LEAVES_SUFFIX, LOG_SUFFIX, SEGMENT_HEADER_LEN, SegmentHeader, file_name, parse_name,
};
use super::scan::{ScanError, scan_last};
use super::window::Window;
use crate::disk::DiskFile;
use crate::ids::{CommitSeq, LedgerId};

/// A segment, read whole: at most 64 MiB, unless it holds a single write that is longer.
#[derive(Clone)]
pub struct WholeSegment {
    header: SegmentHeader,
    bytes: Arc<Vec<u8>>,
}

/// A frame of a segment, checked, and where the journal and the file are after it.
pub struct WholeFrame {
    /// The frame.
    pub frame: Frame,
    /// The tail of the journal after it.
    pub tail: Tail,
    /// The byte of the segment after it.
    pub end: u64,
}

impl WholeSegment {
    /// Takes the bytes of a segment's file.
    ///
    /// # Errors
    /// [`Damage`] if they do not begin with the header of segment `number`.
    pub fn new(number: u64, bytes: Vec<u8>) -> Result<Self, Damage> {
        let header = bytes
            .first_chunk::<SEGMENT_HEADER_LEN>()
            .and_then(SegmentHeader::decode)
            .filter(|header| header.number == number);
        match header {
            Some(header) => Ok(Self {
                header,
                bytes: Arc::new(bytes),
            }),
            None => Err(Damage {
                segment: number,
                offset: 0,
                position: crate::ids::Position::new(1),
                reason: DamageReason::SegmentHeader,
            }),
        }
    }

    /// The ledger that the segment is of.
    pub fn ledger(&self) -> LedgerId {
        self.header.ledger_id
    }

    /// The tail of the journal before its first frame.
    pub fn before(&self) -> Tail {
        self.header.before
    }

    /// The length of the segment before it, in bytes.
    pub fn previous_len(&self) -> u64 {
        self.header.previous_len
    }

    /// All of its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the journal ends in the last segment, as whoever opens it would decide: after the last
    /// whole commit. The rest, if any, is a write that has not ended.
    ///
    /// # Errors
    /// [`Damage`] if what follows the last whole commit was not left by a write that has not ended.
    pub fn end(&self) -> Result<u64, Damage> {
        let file: Arc<dyn DiskFile> = Arc::new(InMemory(Arc::clone(&self.bytes)));
        match scan_last(&file, &self.header, None) {
            Ok(scanned) => Ok(scanned.len),
            Err(ScanError::Damaged(damage)) => Err(damage),
            // Memory does not fail.
            Err(ScanError::Io(_)) => Err(Damage {
                segment: self.header.number,
                offset: 0,
                position: self.header.before.position.next(),
                reason: DamageReason::Missing,
            }),
        }
    }

    /// The frames up to byte `end`, each checked with its payloads and its place in the chain.
    /// Nothing follows an error.
    pub fn frames(&self, end: u64) -> impl Iterator<Item = Result<WholeFrame, Damage>> {
        let mut window = Window::new(Arc::new(InMemory(Arc::clone(&self.bytes))));
        let segment = self.header.number;
        let mut tail = self.header.before;
        let mut offset = SEGMENT_HEADER_LEN as u64;
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed || offset >= end {
                return None;
            }
            // Memory does not fail.
            let read = window.frame(offset, end).ok()?;
            let checked = read.and_then(|frame| {
                frame.check_payloads()?;
                Ok((tail.after(&frame)?, frame))
            });
            Some(match checked {
                Ok((after, frame)) => {
                    tail = after;
                    offset += frame.header().frame_len();
                    Ok(WholeFrame {
                        frame,
                        tail,
                        end: offset,
                    })
                }
                Err(error) => {
                    failed = true;
                    Err(Damage {
                        segment,
                        offset,
                        position: tail.position.next(),
                        reason: DamageReason::Frame(error),
                    })
                }
            })
        })
    }
}

/// The number of the segment that a file of this name holds; `None` if it holds none.
pub fn segment_number(name: &str) -> Option<u64> {
    parse_name(name, LOG_SUFFIX)
}

/// The number of the segment of which a file of this name keeps the leaves; `None` if it keeps none.
pub fn leaves_number(name: &str) -> Option<u64> {
    parse_name(name, LEAVES_SUFFIX)
}

/// The name of a segment's file.
pub fn segment_name(number: u64) -> String {
    file_name(number, LOG_SUFFIX)
}

/// The commit before the first frame of a segment, from the beginning of its file; `None` if that is not
/// a segment's header.
pub fn commit_before(beginning: &[u8]) -> Option<CommitSeq> {
    let header = SegmentHeader::decode(beginning.first_chunk()?)?;
    Some(header.before.commit)
}

/// A file that is only in memory, and is not written to.
struct InMemory(Arc<Vec<u8>>);

impl DiskFile for InMemory {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        let (from, _) = rest.split_at(count);
        let (to, _) = buffer.split_at_mut(count);
        to.copy_from_slice(from);
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
