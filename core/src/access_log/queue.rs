//! The reads that wait to be recorded. The queue is bounded in count and in bytes. While it is full,
//! whoever reads waits; nothing is dropped.

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::error::AccessLogError;
use super::record::Read;
use crate::turns::{self, Condvar};

/// How many reads may wait.
pub const WAITING_READS: usize = 8_192;
/// How many bytes the reads that wait may take.
pub const WAITING_BYTES: usize = 4 << 20;
/// How long a read waits at most for room in the queue.
const PATIENCE: Duration = Duration::from_secs(5);

/// Is told when reads are durable, or that they are not.
pub type Told = Box<dyn FnOnce(Result<(), AccessLogError>) + Send>;

/// Reads that were handed in together.
pub(super) struct Waiting {
    pub(super) reads: Vec<Read>,
    pub(super) told: Option<Told>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    reads: usize,
    bytes: usize,
    /// Whether somebody waits for a sync.
    urgent: bool,
    /// When the first of those that wait came.
    since: Option<Instant>,
    closing: bool,
    failed: Option<AccessLogError>,
    /// Why the writer waits for room on the disk, while it does.
    held: Option<AccessLogError>,
}

impl State {
    fn has_room(&self) -> bool {
        self.reads < WAITING_READS && self.bytes < WAITING_BYTES
    }

    /// Why nothing is taken now.
    fn error(&self) -> Option<AccessLogError> {
        self.failed.clone().or_else(|| self.held.clone())
    }

    fn is_pressing(&self) -> bool {
        self.urgent
            || self.closing
            || self.reads >= WAITING_READS / 2
            || self.bytes >= WAITING_BYTES / 2
    }
}

/// The queue.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Signalled when there is something to write at once, or something to wait for.
    filled: Condvar,
    /// Signalled when there is room again.
    drained: Condvar,
    /// How long the first of a group waits for others.
    linger: Duration,
}

impl Queue {
    pub(super) fn new(linger: Duration) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
            linger,
        }
    }

    /// Adds reads. Waits while the queue is full.
    pub(super) fn put(&self, reads: Vec<Read>, told: Option<Told>) -> Result<(), AccessLogError> {
        let mut state = self.room()?;
        let was_pressing = !state.waiting.is_empty() && state.is_pressing();
        let was_empty = state.waiting.is_empty();
        state.reads += reads.len();
        state.bytes += reads.iter().map(Read::weight).sum::<usize>();
        state.urgent |= told.is_some();
        if was_empty {
            state.since = Some(turns::now());
        }
        state.waiting.push(Waiting { reads, told });
        let wake = was_empty || (!was_pressing && state.is_pressing());
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn room(&self) -> Result<MutexGuard<'_, State>, AccessLogError> {
        let until = turns::now() + PATIENCE;
        let mut state = self.state.lock();
        loop {
            if let Some(error) = state.error() {
                return Err(error);
            }
            if state.closing {
                return Err(AccessLogError::Closed);
            }
            if state.has_room() {
                return Ok(state);
            }
            if self.drained.wait_until(&mut state, until).timed_out() && !state.has_room() {
                return Err(AccessLogError::Busy);
            }
        }
    }

    /// Waits for a group. `None` when the queue is closing and empty, or writing has failed.
    pub(super) fn take(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state.lock();
        loop {
            if state.failed.is_some() {
                return None;
            }
            let Some(since) = state.since else {
                if state.closing {
                    return None;
                }
                self.filled.wait(&mut state);
                continue;
            };
            let until = since + self.linger;
            if state.is_pressing() || self.filled.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.urgent = false;
        state.since = None;
        (state.reads, state.bytes) = (0, 0);
        let group = std::mem::take(&mut state.waiting);
        drop(state);
        self.drained.notify_all();
        Some(group)
    }

    /// Nothing is taken any more, and whoever waits is told why.
    pub(super) fn fail(&self, error: &AccessLogError) {
        let mut state = self.state.lock();
        state.failed = Some(error.clone());
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.drained.notify_all();
        for mut waiting in waiting {
            waiting.tell(Err(error.clone()));
        }
    }

    /// Why nothing can be written, for good or for now.
    pub(super) fn failed(&self) -> Option<AccessLogError> {
        self.state.lock().error()
    }

    /// Nothing is taken until [`Queue::let_on`], and whoever waits is told why. What was handed in stays.
    /// Returns whether that begins now.
    pub(super) fn hold(&self, error: &AccessLogError) -> bool {
        let mut state = self.state.lock();
        let begins = state.held.replace(error.clone()).is_none();
        let waiting = state.waiting.iter_mut();
        let told: Vec<_> = waiting.filter_map(|waiting| waiting.told.take()).collect();
        drop(state);
        self.drained.notify_all();
        for told in told {
            told(Err(error.clone()));
        }
        begins
    }

    /// Takes reads again. Returns whether none were taken before.
    pub(super) fn let_on(&self) -> bool {
        self.state.lock().held.take().is_some()
    }

    /// Waits so long, or until the queue is closing. Returns whether it is.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let until = turns::now() + pause;
        let mut state = self.state.lock();
        while !state.closing {
            if self.filled.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.closing
    }

    /// Lets what waits be written, and takes nothing more.
    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}

impl Waiting {
    pub(super) fn tell(&mut self, result: Result<(), AccessLogError>) {
        if let Some(told) = self.told.take() {
            told(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::access_log::{Seen, Shown};
    use crate::actor::Actor;
    use crate::ids::{PersonId, Position};
    use crate::time::Timestamp;

    fn reads(count: usize, method: usize) -> Vec<Read> {
        let id = PersonId::from_bytes([1; 16]);
        let read = Read {
            student: id,
            actor: Actor::Person(id),
            on_behalf_of: None,
            at: Timestamp::from_nanos(1),
            seen: Seen {
                shown: Shown::Plan,
                method: "m".repeat(method),
                plan: None,
                viewer: None,
                position: Position::new(1),
                events: 0,
                purpose: None,
            },
        };
        vec![read; count]
    }

    /// Full by count and full by bytes: the next one waits, and comes in when there is room.
    #[test]
    fn who_comes_to_a_full_queue_waits_and_is_not_dropped() {
        for full in [reads(WAITING_READS, 7), reads(1, WAITING_BYTES)] {
            let queue = Arc::new(Queue::new(Duration::ZERO));
            let first = full.len();
            queue.put(full, None).unwrap();
            assert!(!queue.state.lock().has_room());
            let next = thread::spawn({
                let queue = queue.clone();
                move || queue.put(reads(1, 7), None)
            });
            let group = queue.take().unwrap();
            assert_eq!(group.iter().map(|it| it.reads.len()).sum::<usize>(), first);
            next.join().unwrap().unwrap();
            assert_eq!(queue.take().unwrap().len(), 1);
        }
    }

    #[test]
    fn what_waits_when_it_closes_is_still_taken_and_nothing_comes_in() {
        let queue = Queue::new(Duration::from_secs(60));
        queue.put(reads(2, 7), None).unwrap();
        queue.close();
        assert_eq!(queue.take().unwrap().len(), 1);
        assert!(queue.take().is_none());
        assert_eq!(queue.put(reads(1, 7), None), Err(AccessLogError::Closed));
    }

    /// While there is no room on the disk, nobody waits, nothing is taken, and nothing is forgotten.
    #[test]
    fn a_queue_that_is_held_tells_everybody_and_keeps_what_it_has() {
        let queue = Arc::new(Queue::new(Duration::ZERO));
        let (told, answer) = std::sync::mpsc::channel();
        let told = move |result| told.send(result).unwrap();
        queue.put(reads(2, 7), Some(Box::new(told))).unwrap();
        let full = AccessLogError::Waiting("full".into());
        assert!(queue.hold(&full));
        assert!(!queue.hold(&full));
        assert_eq!(answer.recv().unwrap(), Err(full.clone()));
        assert_eq!(queue.put(reads(1, 7), None), Err(full.clone()));
        assert_eq!(queue.failed(), Some(full));
        assert!(!queue.pause(Duration::from_millis(1)));
        assert!(queue.let_on());
        assert!(!queue.let_on());
        queue.put(reads(1, 7), None).unwrap();
        let group = queue.take().unwrap();
        assert_eq!(group.iter().map(|it| it.reads.len()).sum::<usize>(), 3);
        queue.close();
        assert!(queue.pause(Duration::from_secs(60)));
    }

    #[test]
    fn reads_that_nobody_waits_for_make_one_group() {
        let queue = Queue::new(Duration::from_millis(200));
        for _ in 0..50 {
            queue.put(reads(1, 7), None).unwrap();
        }
        assert_eq!(queue.take().unwrap().len(), 50);
    }
}
