//! Reads the journal on all processors, and hands over the results in order of position.

use std::collections::VecDeque;
use std::num::NonZero;
use std::thread;

use crossbeam_channel::{Sender, bounded, unbounded};

use crate::ids::{CommitSeq, Position};
use crate::journal::{CommitLog, Frame, ReadError};

/// How many events one thread reads at a time.
const SPAN: u64 = 16_384;
/// How many results of one span may wait. Together with [`SPAN`] it bounds memory, however long the
/// journal is.
const AHEAD: usize = 16;

/// A part of the journal: the frames that begin in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first position of the span.
    from: Position,
    /// The first position after the span.
    to: Position,
}

impl Span {
    /// Spans that together cover a journal up to `last`, in order.
    pub(super) fn all(last: Position) -> impl Iterator<Item = Self> {
        let count = last.get().div_ceil(SPAN).max(1);
        (0..count).map(move |n| Self {
            from: Position::new(n * SPAN + 1),
            // A frame without events stands where the next event would, which may be after the last
            // event.
            to: Position::new(if n + 1 == count {
                u64::MAX
            } else {
                (n + 1) * SPAN + 1
            }),
        })
    }

    /// The frames of the span. The seam to the span before is checked too: the reading begins with
    /// a frame of that span, and ends after the frames without events that follow its own frames.
    pub(super) fn frames(
        self,
        log: &dyn CommitLog,
    ) -> impl Iterator<Item = Result<Frame, ReadError>> {
        let first = self.from == Position::ZERO.next();
        let frames = match first {
            true => log.read_commits(CommitSeq::ZERO.next()),
            false => log.read(Position::new(self.from.get() - 1)),
        };
        let begins_at = |frame: &Result<Frame, ReadError>, position| {
            frame.as_ref().is_ok_and(|frame| {
                let header = frame.header();
                header.entries > 0 && header.first_position >= position
            })
        };
        frames
            .skip_while(move |frame| !first && frame.is_ok() && !begins_at(frame, self.from))
            .take_while(move |frame| !begins_at(frame, self.to))
    }
}

/// Does jobs on all processors. Hands the results to `take` in order, job by job. A job gives its
/// results one at a time. It stops early when it learns that nobody wants more.
pub(super) fn in_order<J: Send, T: Send, E>(
    jobs: impl IntoIterator<Item = J>,
    work: impl Fn(J, &mut dyn FnMut(T) -> bool) + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let (queue, queued) = unbounded::<(J, Sender<T>)>();
        for _ in 0..threads {
            let (queued, work) = (queued.clone(), &work);
            scope.spawn(move || {
                for (job, results) in queued {
                    work(job, &mut |result| results.send(result).is_ok());
                }
            });
        }
        drop(queued);
        let mut jobs = jobs.into_iter();
        let mut waiting = VecDeque::new();
        loop {
            while waiting.len() <= threads
                && let Some(job) = jobs.next()
            {
                let (results, given) = bounded(AHEAD);
                // The threads read from the queue for as long as it exists.
                let _ = queue.send((job, results));
                waiting.push_back(given);
            }
            let Some(given) = waiting.pop_front() else {
                return Ok(());
            };
            given.into_iter().try_for_each(&mut take)?;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CommandId, LedgerId, Revision, StreamId};
    use crate::journal::{CommandRecord, Commit, MemoryLog, NewEntry};
    use crate::time::Timestamp;

    #[test]
    fn results_come_in_order_and_nothing_goes_on_after_an_error() {
        let work = |job: u32, give: &mut dyn FnMut(u32) -> bool| {
            for n in 0..100 {
                if !give(job * 100 + n) {
                    return;
                }
            }
        };
        let mut all = Vec::new();
        let done = in_order(0..50, work, |n| {
            all.push(n);
            Ok::<_, ()>(())
        });
        assert_eq!(done, Ok(()));
        assert!(all.into_iter().eq(0..5_000));
        let mut taken = 0;
        let stopped = in_order(0..50, work, |n| {
            taken += 1;
            if n == 1_234 { Err(n) } else { Ok(()) }
        });
        assert_eq!((stopped, taken), (Err(1_234), 1_235));
    }

    /// Every frame is in exactly one span, whatever lengths the frames have and wherever frames
    /// without events stand.
    #[test]
    fn spans_are_all_frames_once() {
        for lengths in [
            vec![],
            vec![0, 0, 0],
            vec![40_000],
            vec![0, 16_384, 0, 0, 16_384, 0],
            vec![16_383, 0, 1, 0, 1, 16_384, 0],
            vec![1, 50_000, 0, 3, 16_380, 0, 2],
        ] {
            let log = log_of(&lengths);
            let last = log.tail().position;
            let read: Vec<_> = Span::all(last)
                .flat_map(|span| span.frames(&log).map(|frame| frame.unwrap().commit().get()))
                .collect();
            let expected: Vec<_> = (1..=lengths.len() as u64).collect();
            assert_eq!(read, expected, "{lengths:?}");
        }
    }

    fn log_of(lengths: &[u32]) -> MemoryLog {
        let log = MemoryLog::new(LedgerId::from_bytes([1; 16]), Timestamp::from_nanos(0));
        for (at, length) in (1..).zip(lengths) {
            let mut entry = [0; crate::entry::ENTRY_LEN];
            entry[194..198].copy_from_slice(&16_u32.to_be_bytes());
            let entry = NewEntry::new(Position::ZERO, entry, vec![1; 16]);
            let commit = Commit {
                recorded_at: Timestamp::from_nanos(at),
                commands: vec![CommandRecord {
                    id: CommandId::from_bytes([1; 16]),
                    digest: [0; 16],
                    stream: StreamId::from(LedgerId::from_bytes([1; 16])),
                    revision: Revision::ZERO,
                    entries: *length,
                }],
                entries: vec![entry; *length as usize],
            };
            log.append(&log.tail(), &[commit]).unwrap();
        }
        log
    }
}
