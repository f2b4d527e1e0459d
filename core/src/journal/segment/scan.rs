//! Finds out how much of the last segment belongs to the journal, and whether the rest was left by
//! a crash or is damage. Only reads.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::super::error::{Damage, DamageReason};
use super::super::frame::{Frame, FrameError, Header, MAGIC};
use super::super::layout::{HEADER_LEN, is_zero};
use super::super::tail::Tail;
use super::header::{SEGMENT_HEADER_LEN, SegmentHeader};
use super::window::Window;
use crate::disk::{DiskFile, read_full};
use crate::ids::{CommitSeq, LedgerId, Position};

/// What the caller knows to have been durable, from a record that is written only after a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurableHint {
    /// The ledger that the hint is about. It says nothing about the journal of another ledger.
    pub ledger: LedgerId,
    /// A commit that was on stable storage.
    pub commit: CommitSeq,
    /// The last position of the journal at that commit.
    pub position: Position,
}

/// What a crash left at the end of the last segment. No receipt was given for it, and it is cut
/// off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Number of the segment.
    pub segment: u64,
    /// Where in the file the journal ends, in bytes.
    pub offset: u64,
    /// How many bytes followed.
    pub bytes: u64,
    /// What was wrong with the first frame there.
    pub reason: FrameError,
}

/// The valid part of a segment.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The tail of the journal.
    pub(super) tail: Tail,
    /// Where the valid part ends in the file, in bytes.
    pub(super) len: u64,
    /// For each position, the offset of its frame.
    pub(super) offsets: Vec<u32>,
    /// Where the frames of the last write begin.
    pub(super) last_group: u64,
    /// What follows the valid part; `None` if nothing does.
    pub(super) cut: Option<Cut>,
}

/// Why a scan has no result.
pub(super) enum ScanError {
    Io(io::Error),
    Damaged(Damage),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A place in the segment, and what was read before it.
#[derive(Clone, Copy)]
struct Mark {
    tail: Tail,
    offset: u64,
    indexed: usize,
    group_offset: u64,
}

/// Reads the last segment and decides how much of it belongs to the journal.
pub(super) fn scan_last(
    file: &Arc<dyn DiskFile>,
    header: &SegmentHeader,
    hint: Option<DurableHint>,
) -> Result<Scanned, ScanError> {
    let file_len = file.len()?;
    let mut window = Window::new(Arc::clone(file));
    let start = SEGMENT_HEADER_LEN as u64;
    let mut offsets = Vec::new();
    let mut mark = Mark {
        tail: header.before,
        offset: start,
        indexed: 0,
        group_offset: start,
    };
    let mut group_start = CommitSeq::ZERO;
    let mut zeroed: Option<Mark> = None;
    let mut bad = None;
    while mark.offset < file_len {
        let read = window.frame(mark.offset, file_len)?.and_then(|frame| {
            let tail = mark.tail.after(&frame)?;
            let group_follows = frame.header().group_start == group_start
                || frame.header().group_start == frame.commit();
            if !group_follows {
                return Err(FrameError::Chain);
            }
            frame.check_payloads()?;
            Ok((frame, tail))
        });
        let (frame, tail) = match read {
            Ok(sound) => sound,
            Err(error) => {
                bad = Some(error);
                break;
            }
        };
        if frame.header().group_start != group_start {
            group_start = frame.header().group_start;
            mark.group_offset = mark.offset;
            // The groups before this one had been synced, so zeros in them are redactions.
            zeroed = None;
        }
        if zeroed.is_none() && frame.entries().any(|entry| entry.is_redacted()) {
            zeroed = Some(mark);
        }
        push_offsets(&mut offsets, &frame, mark.offset);
        mark = Mark {
            tail,
            offset: mark.offset + frame.header().frame_len(),
            indexed: offsets.len(),
            group_offset: mark.group_offset,
        };
    }

    let judge = Judge {
        file,
        file_len,
        segment: header.number,
        hint,
    };
    let mut cut = None;
    if let Some(error) = bad {
        cut = Some(judge.cut_or_damage(&mark, error)?);
    }
    // A payload of zeros in the last write may never have reached the disk. It cannot be a
    // redaction, because a redaction comes in a later write than the event that it redacts.
    if let Some(zeroed) = zeroed
        && !judge.was_durable(&zeroed, mark.offset)?
    {
        mark = zeroed;
        cut = Some(judge.cut_or_damage(&mark, FrameError::Payload(0))?);
    }
    if let Some(hint) = hint
        && (mark.tail.commit < hint.commit || mark.tail.position < hint.position)
    {
        return Err(judge.damage(&mark, DamageReason::EndLost(hint.commit)));
    }
    offsets.truncate(mark.indexed);
    Ok(Scanned {
        tail: mark.tail,
        len: mark.offset,
        offsets,
        last_group: mark.group_offset,
        cut,
    })
}

/// Reads a closed segment, which ends at `end`. Every invalid frame in it is damage.
pub(super) fn scan_closed(
    file: &Arc<dyn DiskFile>,
    header: &SegmentHeader,
    end: u64,
) -> Result<Vec<u32>, ScanError> {
    let mut window = Window::new(Arc::clone(file));
    let mut offsets = Vec::new();
    let mut tail = header.before;
    let mut offset = SEGMENT_HEADER_LEN as u64;
    while offset < end {
        let read = window.frame(offset, end)?;
        match read.and_then(|frame| Ok((tail.after(&frame)?, frame))) {
            Ok((after, frame)) => {
                push_offsets(&mut offsets, &frame, offset);
                tail = after;
                offset += frame.header().frame_len();
            }
            Err(error) => {
                return Err(ScanError::Damaged(Damage {
                    segment: header.number,
                    offset,
                    position: tail.position.next(),
                    reason: DamageReason::Frame(error),
                }));
            }
        }
    }
    Ok(offsets)
}

/// The offsets fit 32 bits: a segment is at most 64 MiB long unless configured otherwise, and never
/// 4 GiB.
fn push_offsets(offsets: &mut Vec<u32>, frame: &Frame, offset: u64) {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    offsets.extend(std::iter::repeat_n(offset, frame.header().entries as usize));
}

/// Decides whether an invalid end was torn off by a crash or is damage.
struct Judge<'a> {
    file: &'a Arc<dyn DiskFile>,
    file_len: u64,
    segment: u64,
    hint: Option<DurableHint>,
}

impl Judge<'_> {
    fn damage(&self, at: &Mark, reason: DamageReason) -> ScanError {
        ScanError::Damaged(Damage {
            segment: self.segment,
            offset: at.offset,
            position: at.tail.position.next(),
            reason,
        })
    }

    /// Whether the frame that begins at `at` had been synced. It had if something exists that is
    /// written only after that sync: the hint, or a later group of frames, which is looked for from
    /// `from` on.
    fn was_durable(&self, at: &Mark, from: u64) -> io::Result<bool> {
        let commit = at.tail.commit.next();
        Ok(self.hint.is_some_and(|hint| hint.commit >= commit)
            || self.later_group_follows(commit, from)?)
    }

    /// Decides about the invalid frame at `at`: it and everything after it is cut off, or it is
    /// damage.
    fn cut_or_damage(&self, at: &Mark, error: FrameError) -> Result<Cut, ScanError> {
        if !self.could_be_torn(at.offset, error)? || self.was_durable(at, at.offset + 1)? {
            return Err(self.damage(at, DamageReason::Frame(error)));
        }
        Ok(Cut {
            segment: self.segment,
            offset: at.offset,
            bytes: self.file_len - at.offset,
            reason: error,
        })
    }

    /// Whether a write that a crash interrupted can have left the frame at `offset` like this.
    ///
    /// Such a write leaves a file that is too short, or blocks that were never written and read as
    /// zeros. If every block of the frame has something in it, the whole frame was written. If it
    /// is then invalid, its bytes have changed since.
    fn could_be_torn(&self, offset: u64, error: FrameError) -> io::Result<bool> {
        match error {
            FrameError::Short { .. } => Ok(true),
            FrameError::Magic | FrameError::Header => {
                self.lacks_block(offset..offset + HEADER_LEN as u64)
            }
            FrameError::Checksum | FrameError::Payload(_) => {
                let mut bytes = [0; HEADER_LEN];
                read_full(self.file.as_ref(), &mut bytes, offset)?;
                let len = Header::decode(&bytes).map_or(0, |header| header.frame_len());
                self.lacks_block(offset..offset + len)
            }
            // The checksums are right, so the frame is as it was written.
            FrameError::Counts
            | FrameError::Command(_)
            | FrameError::Entry(_)
            | FrameError::Chain => Ok(false),
        }
    }

    /// Whether `range` has a block of the disk in which all of its bytes are zeros. The smallest
    /// block size of any disk is used, which covers larger blocks too.
    fn lacks_block(&self, range: Range<u64>) -> io::Result<bool> {
        const BLOCK: u64 = 512;
        let mut buffer = [0; BLOCK as usize];
        let mut at = range.start;
        while at < range.end {
            let end = (at / BLOCK + 1) * BLOCK;
            let len = (end.min(range.end) - at) as usize;
            let (block, _) = buffer.split_at_mut(len);
            let count = read_full(self.file.as_ref(), block, at)?;
            let (read, _) = block.split_at(count);
            if is_zero(read) {
                return Ok(true);
            }
            at = end;
        }
        Ok(false)
    }

    /// Whether, from `from` on, there is a header of a frame whose group began after `commit`. Such
    /// a group is written only after the earlier ones were synced.
    fn later_group_follows(&self, commit: CommitSeq, from: u64) -> io::Result<bool> {
        const CHUNK: usize = 1 << 20;
        let mut buffer = vec![0; CHUNK];
        let mut at = from;
        while at + HEADER_LEN as u64 <= self.file_len {
            let count = read_full(self.file.as_ref(), &mut buffer, at)?;
            let (read, _) = buffer.split_at(count);
            let candidates = read
                .windows(HEADER_LEN)
                .filter(|bytes| bytes.starts_with(&MAGIC));
            for header in candidates.filter_map(|bytes| Header::decode(bytes).ok()) {
                if header.group_start > commit {
                    return Ok(true);
                }
            }
            if count < HEADER_LEN {
                break;
            }
            at += (count + 1 - HEADER_LEN) as u64;
        }
        Ok(false)
    }
}
