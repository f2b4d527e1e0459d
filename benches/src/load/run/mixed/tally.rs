//! What is counted while all sorts of work go on: calls, latencies, failures, and how many calls are on their
//! way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use planledger_benches::measure::latency::{histogram, record};
use serde::Serialize;

/// A sort of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// One command, one event.
    Single,
    /// A batch of commands.
    Batch,
    /// The whole roster again, of which a little has changed.
    Import,
    /// A plan as it is now.
    PlanNow,
    /// A plan as it was at an instant since the beginning.
    PlanThen,
    /// The overview of all institutions.
    Overview,
    /// A new checkpoint, and the proof that it goes on from the one before.
    Checkpoint,
    /// An event that reaches a follower: from when it bears to have been recorded.
    Follow,
}

impl Work {
    pub(crate) const ALL: [Self; 8] = [
        Self::Single,
        Self::Batch,
        Self::Import,
        Self::PlanNow,
        Self::PlanThen,
        Self::Overview,
        Self::Checkpoint,
        Self::Follow,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Single => "single command",
            Self::Batch => "batch",
            Self::Import => "import",
            Self::PlanNow => "plan now",
            Self::PlanThen => "plan then",
            Self::Overview => "overview",
            Self::Checkpoint => "checkpoint",
            Self::Follow => "follow",
        }
    }
}

const QUARTERS: usize = 4;

/// What was counted of one sort of work.
#[derive(Debug)]
pub(super) struct Count {
    /// Since the last look.
    window: Histogram<u64>,
    /// By quarter of the run.
    pub(super) quarters: [Histogram<u64>; QUARTERS],
    pub(super) failed: u64,
    /// What the first failure said.
    pub(super) failure: Option<String>,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            window: histogram(),
            quarters: std::array::from_fn(|_| histogram()),
            failed: 0,
            failure: None,
        }
    }
}

/// Latencies of one sort of work between two looks, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Window {
    pub(crate) calls: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) start: Instant,
    length: Duration,
    counts: BTreeMap<Work, Mutex<Count>>,
    on_way: AtomicU64,
    most_on_way: AtomicU64,
    events: AtomicU64,
}

impl Tally {
    /// Counts from now on, for so long.
    pub(super) fn new(length: Duration) -> Self {
        let count = |work| (work, Mutex::default());
        Self {
            start: Instant::now(),
            length,
            counts: Work::ALL.into_iter().map(count).collect(),
            on_way: AtomicU64::new(0),
            most_on_way: AtomicU64::new(0),
            events: AtomicU64::new(0),
        }
    }

    /// A call is sent.
    pub(super) fn sent(&self) {
        let on_way = self.on_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_on_way.fetch_max(on_way, Ordering::Relaxed);
    }

    /// A call has its answer: how many events it recorded, or why it failed.
    pub(super) fn answered(
        &self,
        work: Work,
        latency: Duration,
        answer: Result<u64, impl ToString>,
    ) {
        self.on_way.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(events) => {
                self.events.fetch_add(events, Ordering::Relaxed);
                self.arrived(work, latency);
            }
            Err(error) => self.failed(work, error),
        }
    }

    /// Something took so long, and went well.
    pub(super) fn arrived(&self, work: Work, latency: Duration) {
        let part = self.start.elapsed().as_secs_f64() / self.length.as_secs_f64();
        let quarter = ((part * QUARTERS as f64) as usize).min(QUARTERS - 1);
        self.with(work, |count| {
            record(&mut count.window, latency);
            if let Some(quarter) = count.quarters.get_mut(quarter) {
                record(quarter, latency);
            }
        });
    }

    /// Something failed.
    pub(super) fn failed(&self, work: Work, error: impl ToString) {
        self.with(work, |count| {
            count.failed += 1;
            count.failure.get_or_insert_with(|| error.to_string());
        });
    }

    /// Events of all answers.
    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// What went on since the last look: by sort of work, and the most calls on their way at once.
    pub(super) fn look(&self) -> (BTreeMap<Work, Window>, u64) {
        let mut windows = BTreeMap::new();
        for work in Work::ALL {
            self.with(work, |count| {
                let window = &mut count.window;
                if window.is_empty() {
                    return;
                }
                let at = |quantile| window.value_at_quantile(quantile) as f64 / 1e3;
                let looked = Window {
                    calls: window.len(),
                    p50: at(0.5),
                    p99: at(0.99),
                    max: window.max() as f64 / 1e3,
                };
                windows.insert(work, looked);
                window.reset();
            });
        }
        let now = self.on_way.load(Ordering::Relaxed);
        (windows, self.most_on_way.swap(now, Ordering::Relaxed))
    }

    pub(super) fn with<T>(&self, work: Work, see: impl FnOnce(&mut Count) -> T) -> Option<T> {
        let count: &Mutex<Count> = self.counts.get(&work)?;
        let mut count: MutexGuard<'_, Count> = count.lock().unwrap_or_else(PoisonError::into_inner);
        Some(see(&mut count))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Tally, Work};

    #[test]
    fn a_look_shows_what_came_since_the_last_and_the_most_that_was_on_its_way() {
        let tally = Tally::new(Duration::from_secs(60));
        for _ in 0..3 {
            tally.sent();
        }
        tally.answered(Work::Single, Duration::from_millis(2), Ok::<_, String>(1));
        tally.answered(Work::Batch, Duration::from_millis(9), Err::<u64, _>("full"));
        let (windows, most) = tally.look();
        assert_eq!((most, tally.events()), (3, 1));
        assert_eq!(windows.keys().copied().collect::<Vec<_>>(), [Work::Single]);
        let window = windows[&Work::Single];
        assert_eq!(window.calls, 1);
        assert!((window.p99 - 2_000.0).abs() < 4.0, "{window:?}");
        let failed = tally.with(Work::Batch, |count| (count.failed, count.failure.clone()));
        assert_eq!(failed, Some((1, Some("full".to_owned()))));
        let (windows, most) = tally.look();
        assert!(windows.is_empty());
        assert_eq!(most, 1);
    }

    #[test]
    fn a_latency_counts_in_the_quarter_in_which_it_ends() {
        let mut tally = Tally::new(Duration::from_secs(100));
        for seconds in [1, 30, 60, 90, 130] {
            tally.start = std::time::Instant::now() - Duration::from_secs(seconds);
            tally.arrived(Work::Follow, Duration::from_millis(1));
        }
        let counts = |count: &mut super::Count| count.quarters.each_ref().map(|part| part.len());
        assert_eq!(tally.with(Work::Follow, counts), Some([1, 1, 1, 2]));
    }
}
