//! Reads bundles of entries in order, several at a time, so that the network and the computing do not wait
//! for each other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use planledger_core::entry::EntryBytes;
use planledger_core::merkle::TILE_WIDTH;

use super::source::{Source, SourceError};

/// How many bundles are asked for at a time.
const ASKED: usize = 4;
/// How many bundles are read ahead. Each has 60 kB.
const AHEAD: usize = 16;

type Answer = Result<Vec<EntryBytes>, SourceError>;

struct Job {
    index: u64,
    width: u16,
    answer: SyncSender<Answer>,
}

/// Calls `take` with the entries after the first `from`, up to `to`, bundle by bundle. It gets the number
/// of entries before those that it gets.
///
/// # Errors
/// The first error of the source or of `take`.
pub(super) fn entries<E: From<SourceError>>(
    source: &Source,
    from: u64,
    to: u64,
    mut take: impl FnMut(u64, &[EntryBytes]) -> Result<(), E>,
) -> Result<(), E> {
    let bundles = from / TILE_WIDTH..to.div_ceil(TILE_WIDTH);
    let width = |index: u64| (to - index * TILE_WIDTH).min(TILE_WIDTH) as u16;
    let mut taken = |index: u64, entries: Vec<EntryBytes>| {
        let first = index * TILE_WIDTH;
        let known = from.saturating_sub(first);
        let new = entries.get(known as usize..).unwrap_or_default();
        take(first + known, new)
    };
    if bundles.end.saturating_sub(bundles.start) <= 1 {
        // Whoever keeps up reads one bundle at a time.
        for index in bundles {
            taken(index, source.entries(index, width(index))?)?;
        }
        return Ok(());
    }
    let (jobs, asked) = mpsc::channel();
    let asked = Mutex::new(asked);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..ASKED {
            scope.spawn(|| work(source, &asked, &over));
        }
        let done = in_order(jobs, bundles, width, &mut taken);
        over.store(true, Ordering::Relaxed);
        done
    })
}

fn work(source: &Source, asked: &Mutex<Receiver<Job>>, over: &AtomicBool) {
    loop {
        let job = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        if over.load(Ordering::Relaxed) {
            return;
        }
        // Nobody may wait for it any more.
        let _ = job.answer.send(source.entries(job.index, job.width));
    }
}

fn in_order<E: From<SourceError>>(
    jobs: mpsc::Sender<Job>,
    mut bundles: std::ops::Range<u64>,
    width: impl Fn(u64) -> u16,
    taken: &mut impl FnMut(u64, Vec<EntryBytes>) -> Result<(), E>,
) -> Result<(), E> {
    let mut waiting: VecDeque<(u64, Receiver<Answer>)> = VecDeque::new();
    loop {
        while waiting.len() < AHEAD
            && let Some(index) = bundles.next()
        {
            let (answer, given) = mpsc::sync_channel(1);
            let job = Job {
                index,
                width: width(index),
                answer,
            };
            // The workers are there as long as this waits.
            let _ = jobs.send(job);
            waiting.push_back((index, given));
        }
        let Some((index, given)) = waiting.pop_front() else {
            return Ok(());
        };
        match given.recv() {
            Ok(answer) => taken(index, answer?)?,
            // A worker ended by a panic, which the scope passes on.
            Err(_) => return Ok(()),
        }
    }
}
