//! Counts of values by how large they are, which cost little enough for the write path: an addition or
//! two without a lock. Whoever watches the ledger reads them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Steps for times, in nanoseconds: from 50 µs to 10 s.
pub const DURATIONS: &[u64] = &[
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// Counts values in steps. A value counts in the first step that is not smaller than it, or else
/// beyond the last one.
#[derive(Debug)]
pub struct Tally {
    steps: &'static [u64],
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

/// What a [`Tally`] had counted at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallied {
    /// The largest value of each step, in order.
    pub steps: &'static [u64],
    /// How many values fell into each step; the last number, one more than there are steps, is of
    /// those beyond the last one.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

impl Tallied {
    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Tally {
    /// Counts in these steps, which must be in order.
    pub fn new(steps: &'static [u64]) -> Self {
        Self {
            steps,
            counts: (0..=steps.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value.
    pub fn note(&self, value: u64) {
        let step = self.steps.partition_point(|step| *step < value);
        if let Some(count) = self.counts.get(step) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What was counted so far. Values that are counted at the same time may be in one of the numbers
    /// and not yet in another.
    pub fn read(&self) -> Tallied {
        let counts = self.counts.iter();
        Tallied {
            steps: self.steps,
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_the_first_step_that_it_fits_into() {
        let tally = Tally::new(&[1, 10, 100]);
        for value in [0, 1, 2, 10, 11, 100, 101, 5_000] {
            tally.note(value);
        }
        let read = tally.read();
        assert_eq!(read.counts, [2, 2, 2, 2]);
        assert_eq!(read.count(), 8);
        assert_eq!(read.sum, 5_225);
    }
}
