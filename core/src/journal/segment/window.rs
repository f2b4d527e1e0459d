//! Reads the frames of one segment in order, many with one call to the system.

use std::io;
use std::sync::Arc;

use super::super::frame::{Frame, FrameError};
use super::super::layout::HEADER_LEN;
use crate::disk::{DiskFile, read_full};

const FIRST_READ: u64 = 64 << 10;
const LARGEST_READ: u64 = 4 << 20;

/// A buffer over part of a file. Frames share it, so that none is copied.
pub(super) struct Window {
    file: Arc<dyn DiskFile>,
    buffer: Arc<Vec<u8>>,
    /// Where in the file the buffer begins.
    start: u64,
    /// How much to read next: little at first, since many readers want one frame only.
    ahead: u64,
}

impl Window {
    pub(super) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self {
            file,
            buffer: Arc::default(),
            start: 0,
            ahead: FIRST_READ,
        }
    }

    /// The frame that begins at `offset` and ends at `end` at the latest.
    pub(super) fn frame(&mut self, offset: u64, end: u64) -> io::Result<Result<Frame, FrameError>> {
        let mut need = HEADER_LEN as u64;
        let mut available = end.saturating_sub(offset);
        loop {
            let have = self.buffered(offset).min(available);
            if have < need.min(available) {
                self.fill(offset, need.max(self.ahead).min(available))?;
                if self.buffered(offset) < need.min(available) {
                    // The file is shorter than it was said to be.
                    available = self.buffered(offset);
                }
                continue;
            }
            let at = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
            match Frame::decode(&self.buffer, at) {
                Err(FrameError::Short { need: more, .. }) if have < available => need = more,
                other => return Ok(other),
            }
        }
    }

    /// How many bytes from `offset` on are in the buffer.
    fn buffered(&self, offset: u64) -> u64 {
        if offset < self.start {
            return 0;
        }
        (self.start + self.buffer.len() as u64).saturating_sub(offset)
    }

    fn fill(&mut self, offset: u64, len: u64) -> io::Result<()> {
        // A buffer whose frames are all gone is used again.
        let mut buffer = Arc::try_unwrap(std::mem::take(&mut self.buffer)).unwrap_or_default();
        buffer.resize(len as usize, 0);
        let count = read_full(self.file.as_ref(), &mut buffer, offset)?;
        buffer.truncate(count);
        self.buffer = Arc::new(buffer);
        self.start = offset;
        self.ahead = (self.ahead * 2).min(LARGEST_READ);
        Ok(())
    }
}
