//! Finds out what of the last segment is the journal, and whether the rest was torn off by a crash
//! or is damage. Only reads.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::super::disk::{DiskFile, read_full};
use super::super::error::{Damage, DamageReason};
use super::super::frame::{Frame, FrameError, Header, MAGIC};
use super::super::layout::{HEADER_LEN, is_zero};
use super::super::tail::Tail;
use super::header::{SEGMENT_HEADER_LEN, SegmentHeader};
use super::window::Window;
use crate::ids::{CommitSeq, LedgerId, Position};

/// What the caller knows to have been durable, from something that is only written after a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurableHint {
    /// The ledger that it is about. Of another ledger's journal it says nothing.
    pub ledger: LedgerId,
    /// A commit that had been stored.
    pub commit: CommitSeq,
    /// The journal's last position then.
    pub position: Position,
}

/// The end of the last segment that a crash left behind: never receipted, and cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Number of the segment.
    pub segment: u64,
    /// Where in the file the journal ends.
    pub offset: u64,
    /// How many bytes stood after that.
    pub bytes: u64,
    /// What was wrong with the first frame there.
    pub reason: FrameError,
}

/// The sound part of a segment.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The tail of the journal.
    pub(super) tail: Tail,
    /// Where the sound part ends in the file.
    pub(super) len: u64,
    /// For each position the offset of its frame.
    pub(super) offsets: Vec<u32>,
    /// Where the frames of the last write begin.
    pub(super) last_group: u64,
    /// What follows the sound part.
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

/// Reads the last segment and decides what of it is the journal.
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
            // The groups before this one had been synced: zeros in them are redactions.
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
    // A payload of zeros in the last write may be one that never reached the disk. A redaction
    // comes in a later write than what it redacts, so it is not that.
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

/// Reads a closed segment, which ends at `end`. Whatever is not sound in it is damage.
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

/// A segment is at most 64 MiB long unless configured otherwise, and never 4 GiB.
fn push_offsets(offsets: &mut Vec<u32>, frame: &Frame, offset: u64) {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    offsets.extend(std::iter::repeat_n(offset, frame.header().entries as usize));
}

/// Tells a torn end from damage.
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

    /// Whether the frame that begins at `at` had been synced: something says so that was only
    /// written after that. Later frames are looked for from `from` on.
    fn was_durable(&self, at: &Mark, from: u64) -> io::Result<bool> {
        let commit = at.tail.commit.next();
        Ok(self.hint.is_some_and(|hint| hint.commit >= commit)
            || self.later_group_follows(commit, from)?)
    }

    /// The frame at `at` is not sound: it and all after it are to be cut off, or it is damage.
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
    /// zeros. A frame that is there in full, something of it in each of its blocks, was written;
    /// if it is not sound, its bytes have changed since.
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
            // Checksums are right, so this is what was written.
            FrameError::Counts
            | FrameError::Command(_)
            | FrameError::Entry(_)
            | FrameError::Chain => Ok(false),
        }
    }

    /// Whether all that a block of the disk holds of `range` is zeros, for any block. The smallest
    /// block of any disk is taken, which covers the larger ones.
    fn lacks_block(&self, range: Range<u64>) -> io::Result<bool> {
        const BLOCK: u64 = 512;
        let mut buffer = [0; BLOCK as usize];
        let mut at = range.start;
        while at < range.end {
            let end = (at / BLOCK + 1) * BLOCK;
            let len = (end.min(range.end) - at) as usize;
            let block = buffer.get_mut(..len).unwrap_or_default();
            let count = read_full(self.file.as_ref(), block, at)?;
            if is_zero(block.get(..count).unwrap_or_default()) {
                return Ok(true);
            }
            at = end;
        }
        Ok(false)
    }

    /// Whether a header of a frame whose group began after `commit` stands anywhere from `from`
    /// on. What it was written after had been synced.
    fn later_group_follows(&self, commit: CommitSeq, from: u64) -> io::Result<bool> {
        const CHUNK: usize = 1 << 20;
        let mut buffer = vec![0; CHUNK];
        let mut at = from;
        while at + HEADER_LEN as u64 <= self.file_len {
            let count = read_full(self.file.as_ref(), &mut buffer, at)?;
            let read = buffer.get(..count).unwrap_or_default();
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
