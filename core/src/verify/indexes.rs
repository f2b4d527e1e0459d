//! Compares the index files of closed segments with the places of their frames.

use std::vec;

use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::ids::Position;
use crate::journal::{Frame, SEGMENT_HEADER_LEN, SegmentLog, SegmentStart, StoredIndex};

/// The index files, while the journal is read.
pub(super) struct Indexes<'a> {
    log: &'a SegmentLog,
    now: Option<Segment>,
    later: vec::IntoIter<SegmentStart>,
    part: Part,
}

/// The segment that is being read, as far as it was read.
struct Segment {
    start: SegmentStart,
    end: u64,
    /// For each position: the byte where its frame begins.
    offsets: Vec<u32>,
}

impl<'a> Indexes<'a> {
    pub(super) fn new(log: &'a SegmentLog) -> Self {
        Self {
            log,
            now: None,
            later: log.segments().into_iter(),
            part: Part::new(PartName::Indexes),
        }
    }

    /// Takes the next frame of the journal.
    pub(super) fn take(&mut self, frame: &Frame) -> std::io::Result<()> {
        let header = frame.header();
        while let Some(next) = self.later.as_slice().first()
            && next.first_commit <= header.commit
        {
            let now = Segment {
                start: *next,
                end: SEGMENT_HEADER_LEN as u64,
                offsets: Vec::new(),
            };
            self.later.next();
            if let Some(closed) = self.now.replace(now) {
                self.check(&closed)?;
            }
        }
        if let Some(segment) = &mut self.now {
            // A segment is far shorter than 4 GiB.
            let offset = u32::try_from(segment.end).unwrap_or(u32::MAX);
            let offsets = std::iter::repeat_n(offset, header.entries as usize);
            segment.offsets.extend(offsets);
            segment.end += header.frame_len();
        }
        Ok(())
    }

    fn check(&mut self, closed: &Segment) -> std::io::Result<()> {
        let (number, first) = (closed.start.number, closed.start.first_position);
        if self.part.fault.is_some() {
            return Ok(());
        }
        match self.log.stored_index(number, first, &closed.offsets)? {
            // A missing index is no fault: it is made again.
            StoredIndex::Missing => {}
            StoredIndex::Same => self.part.checked += 1,
            StoredIndex::Differs { nth } => {
                let position = Position::new(first.get().saturating_add(nth));
                let what = format!(
                    "segment-{number:08}.idx does not match its segment; remove the file, and the \
                    next start rebuilds it from the segment"
                );
                self.part.fail(Fault::new(position, FaultKind::Index, what));
            }
        }
        Ok(())
    }

    /// The result. The last segment has no index file; its index is in memory only.
    pub(super) fn finish(self) -> Part {
        self.part
    }
}
