//! Reads frames in order across segments.

use std::sync::Arc;

use super::super::error::{DamageReason, ReadError};
use super::super::frame::{Frame, FrameError, Header};
use super::super::tail::Tail;
use super::header::SEGMENT_HEADER_LEN;
use super::store::{Readable, Store};
use super::window::Window;
use crate::ids::{CommitSeq, Position};

/// Which frame to begin with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Position(Position),
    Commit(CommitSeq),
}

impl Start {
    fn includes(self, header: &Header) -> bool {
        match self {
            Self::Position(position) => header.entries > 0 && header.last_position() >= position,
            Self::Commit(commit) => header.commit >= commit,
        }
    }
}

/// Whether payloads are compared with the hashes in their entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payloads {
    Compared,
    AsTheyAre,
}

pub(super) struct Cursor {
    store: Arc<Store>,
    payloads: Payloads,
    /// Frames before this are left out; `None` once it has been reached.
    from: Option<Start>,
    place: Option<SegmentPlace>,
    failed: bool,
}

struct SegmentPlace {
    segment: Readable,
    window: Window,
    offset: u64,
    /// The tail before `offset`; `None` if the cursor began in the middle.
    tail: Option<Tail>,
    /// The position of the next event.
    position: Position,
}

impl SegmentPlace {
    fn at_start(segment: Readable) -> Self {
        Self {
            window: Window::new(Arc::clone(&segment.file)),
            offset: SEGMENT_HEADER_LEN as u64,
            tail: Some(segment.header.before),
            position: segment.header.before.position.next(),
            segment,
        }
    }

    /// Goes to a frame without what is before it.
    fn skip_to(&mut self, (offset, header): (u64, Header)) {
        self.offset = offset;
        self.tail = None;
        self.position = header.first_position;
    }

    /// The next frame, checked, if the segment has another that may be read.
    fn frame(&mut self, payloads: Payloads) -> Result<Option<Frame>, ReadError> {
        if self.offset >= self.segment.end {
            return Ok(None);
        }
        let read = self.window.frame(self.offset, self.segment.end);
        let checked = read
            .map_err(|error| self.segment.io(error))?
            .and_then(|frame| {
                let tail = match &self.tail {
                    Some(tail) => tail.after(&frame)?,
                    None => Tail::at(&frame),
                };
                if payloads == Payloads::Compared {
                    frame.check_payloads()?;
                }
                Ok((frame, tail))
            });
        match checked {
            Ok((frame, tail)) => {
                self.offset += frame.header().frame_len();
                self.tail = Some(tail);
                self.position = tail.position.next();
                Ok(Some(frame))
            }
            Err(error) => Err(self
                .segment
                .damage(self.offset, self.position, error.into())),
        }
    }
}

impl Cursor {
    pub(super) fn new(store: Arc<Store>, from: Start, payloads: Payloads) -> Self {
        Self {
            store,
            payloads,
            from: Some(from),
            place: None,
            failed: false,
        }
    }

    /// The place to begin reading at: at or before the frame to begin with.
    fn start(&self, from: Start) -> Result<SegmentPlace, ReadError> {
        let tail = self.store.tail();
        match from {
            Start::Position(position) if position > tail.position => self.at_end(),
            Start::Commit(commit) if commit > tail.commit => self.at_end(),
            Start::Position(position) => {
                let number = self.store.segment_of_position(position);
                let mut place = SegmentPlace::at_start(self.store.readable(number)?);
                if position > place.segment.header.before.position.next() {
                    let found = self.store.locate(&place.segment, position)?;
                    place.skip_to(found);
                }
                Ok(place)
            }
            Start::Commit(commit) => {
                let number = self.store.segment_of_commit(commit);
                let mut place = SegmentPlace::at_start(self.store.readable(number)?);
                if commit > place.segment.header.before.commit.next()
                    && let Some(found) = self.find_before(&place.segment, commit)?
                {
                    place.skip_to(found);
                }
                Ok(place)
            }
        }
    }

    fn at_end(&self) -> Result<SegmentPlace, ReadError> {
        let (number, len, tail) = {
            let state = self.store.state.lock();
            (state.segments.len() as u64, state.last.len, state.tail)
        };
        let mut place = SegmentPlace::at_start(self.store.readable(number)?);
        place.offset = len;
        place.tail = Some(tail);
        place.position = tail.position.next();
        Ok(place)
    }

    /// The last frame with entries whose commit is not after `commit`, found by
    /// halving the segment's positions.
    fn find_before(
        &self,
        segment: &Readable,
        commit: CommitSeq,
    ) -> Result<Option<(u64, Header)>, ReadError> {
        let first = segment.header.before.position.next();
        let (mut low, mut high) = (first.get(), segment.last.next().get());
        let mut found = None;
        while low < high {
            let middle = Position::new(low + (high - low) / 2);
            let (offset, header) = self.store.locate(segment, middle)?;
            if header.commit <= commit {
                found = Some((offset, header));
                low = header.last_position().next().get();
            } else {
                high = header.first_position.get();
            }
        }
        Ok(found)
    }

    fn advance(&mut self) -> Result<Option<Frame>, ReadError> {
        let mut place = match self.place.take() {
            Some(place) => place,
            None => self.start(self.from.unwrap_or(Start::Position(Position::ZERO)))?,
        };
        let frame = self.advance_from(&mut place);
        self.place = Some(place);
        frame
    }

    fn advance_from(&mut self, place: &mut SegmentPlace) -> Result<Option<Frame>, ReadError> {
        loop {
            while let Some(frame) = place.frame(self.payloads)? {
                if self.from.is_none_or(|from| from.includes(frame.header())) {
                    self.from = None;
                    return Ok(Some(frame));
                }
            }
            // The end of what could be read when last asked.
            let number = place.segment.header.number;
            if place.segment.next.is_none() {
                let end = place.segment.end;
                let fresh = self.store.readable(number)?;
                let grown = fresh.end > end;
                place.segment = fresh;
                if grown {
                    continue;
                }
            }
            let Some(next) = &place.segment.next else {
                return Ok(None);
            };
            let continues = place.tail.is_some_and(|tail| tail == next.before);
            if !continues {
                let (offset, position) = (place.offset, next.before.position.next());
                let reason = DamageReason::Frame(FrameError::Chain);
                return Err(place.segment.damage(offset, position, reason));
            }
            *place = SegmentPlace::at_start(self.store.readable(number + 1)?);
        }
    }
}

impl Iterator for Cursor {
    type Item = Result<Frame, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let frame = self.advance().transpose();
        self.failed = matches!(frame, Some(Err(_)));
        frame
    }
}
