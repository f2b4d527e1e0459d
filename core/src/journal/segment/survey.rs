//! Reads every frame of a journal that can still be read, also after damage. It only reads, and decides
//! nothing: what belongs to the journal is found out when the journal is opened.

use std::io;
use std::sync::Arc;

use super::super::error::DamageReason;
use super::super::frame::{Frame, FrameError, MAGIC};
use super::super::tail::Tail;
use super::header::{LOG_SUFFIX, SEGMENT_HEADER_LEN, SegmentHeader, file_name, parse_name};
use crate::disk::{Disk, DiskFile, read_full};
use crate::ids::{LedgerId, Position};

/// A part of a journal that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The number of the segment in which it begins.
    pub segment: u64,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The position of the first event that cannot be read.
    pub first: Position,
    /// The position of the last one. Before `first` if no event is missing. `None` if nothing that
    /// follows tells.
    pub last: Option<Position>,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What can be read of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Whose journal it is, as the first sound header says. `None` if no header is sound.
    pub ledger: Option<LedgerId>,
    /// The number of the last segment.
    pub segments: u64,
    /// How many events can be read.
    pub events: u64,
    /// The position of the last event that can be read.
    pub last: Position,
    /// What cannot be read, in the order of the journal.
    pub gaps: Vec<Gap>,
}

/// Reads what can be read of the journal on this disk. One segment at a time is in memory.
///
/// # Errors
/// The disk failed. Damage is not an error.
pub fn survey(disk: &dyn Disk) -> io::Result<Survey> {
    survey_with(disk, &mut |_| {})
}

/// The same, and hands over each frame that can be read, in order. A frame of which payloads are damaged is
/// handed over too.
///
/// # Errors
/// As for [`survey`].
pub(crate) fn survey_with(disk: &dyn Disk, visit: &mut dyn FnMut(&Frame)) -> io::Result<Survey> {
    let names = disk.list()?;
    let there = names.iter().filter_map(|name| parse_name(name, LOG_SUFFIX));
    let mut reading = Reading::default();
    let mut numbers: Vec<u64> = there.collect();
    numbers.sort_unstable();
    let mut expected = 1;
    for number in numbers {
        if number > expected {
            reading.open(expected, 0, DamageReason::Missing);
        }
        reading.segment(disk, number, visit)?;
        expected = number + 1;
    }
    reading.found.gaps.extend(reading.open.take());
    Ok(reading.found)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    found: Survey,
    /// The gap of which the end is not found yet.
    open: Option<Gap>,
    /// The end of what was read; `None` if that is not known, because of a gap.
    tail: Option<Tail>,
    /// The length of the last segment that was read.
    len: u64,
}

impl Reading {
    /// Begins a gap, unless there is one already that has no end yet.
    fn open(&mut self, segment: u64, offset: u64, reason: DamageReason) {
        let gap = Gap {
            segment,
            offset,
            first: self.found.last.next(),
            last: None,
            reason,
        };
        self.open.get_or_insert(gap);
        self.tail = None;
    }

    /// Ends the gap, if there is one: everything up to `last` belongs to it.
    fn close(&mut self, last: Position) {
        if let Some(mut gap) = self.open.take() {
            gap.last = Some(last);
            self.found.gaps.push(gap);
        }
    }

    fn segment(
        &mut self,
        disk: &dyn Disk,
        number: u64,
        visit: &mut dyn FnMut(&Frame),
    ) -> io::Result<()> {
        let file: Arc<dyn DiskFile> = disk.open(&file_name(number, LOG_SUFFIX))?.into();
        let header = SegmentHeader::read(&file)?;
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(usize::MAX)];
        let count = read_full(file.as_ref(), &mut bytes, 0)?;
        bytes.truncate(count);
        self.found.segments = number;
        match &header {
            Some(header) => {
                let ledger = *self.found.ledger.get_or_insert(header.ledger_id);
                if (header.number, header.ledger_id) != (number, ledger)
                    || header.before.position < self.found.last
                {
                    self.open(number, 0, DamageReason::Misplaced);
                    return Ok(());
                }
                self.begin(header, number);
            }
            None => self.open(number, 0, DamageReason::SegmentHeader),
        }
        self.len = bytes.len() as u64;
        self.frames(&Arc::new(bytes), number, visit);
        Ok(())
    }

    /// Takes the header of a segment, which says where the journal stood before it.
    fn begin(&mut self, header: &SegmentHeader, number: u64) {
        let before = header.before;
        let agrees = match &self.tail {
            Some(tail) => tail.is_same_place(&before),
            None => number == 1,
        };
        if !agrees && self.open.is_none() {
            let (expected, actual) = (header.previous_len, self.len);
            let reason = match expected == actual {
                true => DamageReason::Misplaced,
                false => DamageReason::Length { expected, actual },
            };
            self.open(number.saturating_sub(1), actual.min(expected), reason);
        }
        self.close(before.position);
        self.found.last = before.position;
        self.tail = Some(before);
    }

    fn frames(&mut self, bytes: &Arc<Vec<u8>>, number: u64, visit: &mut dyn FnMut(&Frame)) {
        let mut at = SEGMENT_HEADER_LEN.min(bytes.len());
        while at < bytes.len() {
            let frame = Frame::decode(bytes, at).and_then(|frame| self.follows(frame));
            match frame {
                Ok(frame) => {
                    at += frame.bytes().len();
                    self.take(&frame, number, at);
                    visit(&frame);
                }
                Err(error) => {
                    self.open(number, at as u64, DamageReason::Frame(error));
                    at = next_magic(bytes, at + 1);
                }
            }
        }
    }

    /// The frame, if it can stand here: it continues the one before it, or comes after a gap.
    fn follows(&self, frame: Frame) -> Result<Frame, FrameError> {
        match &self.tail {
            Some(tail) => tail.after(&frame).map(|_| frame),
            None if frame.header().first_position > self.found.last => Ok(frame),
            None => Err(FrameError::Chain),
        }
    }

    /// Takes a frame that ends at byte `end`.
    fn take(&mut self, frame: &Frame, number: u64, end: usize) {
        let begin = (end - frame.bytes().len()) as u64;
        let before = frame.header().first_position.get() - 1;
        self.close(Position::new(before));
        for (index, entry) in (0..).zip(frame.entries()) {
            if entry.is_redacted() || entry.payload_is_sound() {
                self.found.events += 1;
                continue;
            }
            self.found.gaps.push(Gap {
                segment: number,
                offset: begin,
                first: entry.position,
                last: Some(entry.position),
                reason: DamageReason::Frame(FrameError::Payload(index)),
            });
        }
        self.found.last = frame.header().last_position();
        self.tail = Some(Tail::at(frame));
    }
}

/// Where the next frame may begin, from `from` on; the end if nowhere.
fn next_magic(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let found = rest.windows(MAGIC.len()).position(|four| four == MAGIC);
    found.map_or(bytes.len(), |at| from + at)
}
