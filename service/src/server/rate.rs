//! How often somebody may ask.

use std::time::{Duration, Instant};

/// So many requests in a second on average, and at once as many as in [`BURST`] seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(f64);

/// For how many seconds requests are saved up that were not made.
const BURST: f64 = 10.0;

impl Rate {
    /// `None` if there is no limit.
    pub(super) fn per_second(requests: u32) -> Option<Self> {
        (requests > 0).then(|| Self(f64::from(requests)))
    }

    fn most(self) -> f64 {
        self.0 * BURST
    }
}

/// The requests that somebody may make now.
#[derive(Debug)]
pub(super) struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Instant) -> Self {
        Self {
            left: rate.most(),
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * rate.0).min(rate.most());
        self.at = now;
    }

    /// Takes one request.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.fill(rate, now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.left) / rate.0))
    }

    /// Whether it has been left alone so long that a new one would be the same.
    pub(super) fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        self.left >= rate.most()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let rate = Rate::per_second(5).unwrap();
        let begin = Instant::now();
        let mut bucket = Bucket::full(rate, begin);
        assert_eq!(
            (0..60).filter(|_| bucket.take(rate, begin).is_ok()).count(),
            50
        );
        let wait = bucket.take(rate, begin).unwrap_err();
        assert_eq!(wait.as_millis(), 200);
        assert!(!bucket.is_full(rate, begin));
        assert!(bucket.take(rate, begin + wait).is_ok());
        assert!(bucket.take(rate, begin + wait).is_err());
        let later = begin + Duration::from_secs(20);
        assert!(bucket.is_full(rate, later));
        assert_eq!(
            (0..60).filter(|_| bucket.take(rate, later).is_ok()).count(),
            50
        );
        assert!(Rate::per_second(0).is_none());
    }
}
