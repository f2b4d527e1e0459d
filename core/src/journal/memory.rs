//! A commit log in memory, for tests.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::commit::Commit;
use super::error::{AppendError, ReadError};
use super::frame::Frame;
use super::group;
use super::log::{CommitLog, Frames};
use super::tail::Tail;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::time::Timestamp;
use crate::turns::{self, Condvar};

/// A commit log whose frames are in memory, byte for byte what a segment would hold.
pub struct MemoryLog {
    ledger_id: LedgerId,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    grown: Condvar,
}

struct State {
    tail: Tail,
    frames: Vec<Frame>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new(ledger_id: LedgerId, created_at: Timestamp) -> Self {
        let state = State {
            tail: Tail::empty(created_at),
            frames: Vec::new(),
        };
        let shared = Shared {
            state: Mutex::new(state),
            grown: Condvar::new(),
        };
        Self {
            ledger_id,
            shared: Arc::new(shared),
        }
    }

    fn frames_from(&self, is_before: impl Fn(&Frame) -> bool + Send + 'static) -> Frames {
        let shared = Arc::clone(&self.shared);
        let mut at = 0;
        let mut begun = false;
        Box::new(std::iter::from_fn(move || {
            let state = shared.state.lock();
            if !begun {
                at += state
                    .frames
                    .iter()
                    .skip(at)
                    .take_while(|frame| is_before(frame))
                    .count();
            }
            let frame = state.frames.get(at)?.clone();
            begun = true;
            at += 1;
            Some(Ok::<_, ReadError>(frame))
        }))
    }
}

impl CommitLog for MemoryLog {
    fn ledger_id(&self) -> LedgerId {
        self.ledger_id
    }

    fn tail(&self) -> Tail {
        self.shared.state.lock().tail
    }

    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError> {
        let mut state = self.shared.state.lock();
        let tail = state.tail;
        if !tail.is_same_place(expected) {
            return Err(AppendError::Conflict {
                expected: *expected,
                actual: tail,
            });
        }
        let mut bytes = Vec::new();
        let group = group::encode(tail, commits, &mut bytes)?;
        let bytes = Arc::new(bytes);
        let mut at = 0;
        // A frame that was checked can be decoded. If it could not, the conformance suite would
        // miss it.
        while let Ok(frame) = Frame::decode(&bytes, at) {
            at += frame.bytes().len();
            state.frames.push(frame);
        }
        state.tail = group.tail;
        self.shared.grown.notify_all();
        Ok(group.tail)
    }

    fn read(&self, from: Position) -> Frames {
        self.frames_from(move |frame| {
            frame.header().entries == 0 || frame.header().last_position() < from
        })
    }

    fn read_commits(&self, from: CommitSeq) -> Frames {
        self.frames_from(move |frame| frame.commit() < from)
    }

    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail {
        let mut state = self.shared.state.lock();
        let deadline = turns::now() + timeout;
        let is_behind = |state: &mut State| state.tail.commit <= after;
        self.shared
            .grown
            .wait_while_until(&mut state, is_behind, deadline);
        state.tail
    }
}
