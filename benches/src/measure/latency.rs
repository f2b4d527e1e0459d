//! How long something took, counted.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// One minute, in nanoseconds: longer waits are counted as this long.
const LONGEST: u64 = 60_000_000_000;

/// An empty histogram of latencies in nanoseconds, three digits exact.
pub fn histogram() -> Histogram<u64> {
    // The bounds are valid: low is 1, high at least twice that, 0 to 5 digits.
    Histogram::new_with_bounds(1, LONGEST, 3).unwrap_or_else(|_| unreachable!())
}

/// Notes one latency.
pub fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST);
    histogram.saturating_record(nanos);
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Latency {
    /// Half were no slower.
    pub p50: f64,
    /// 90 of 100 were no slower.
    pub p90: f64,
    /// 99 of 100 were no slower.
    pub p99: f64,
    /// 999 of 1,000 were no slower.
    pub p999: f64,
    /// None was slower.
    pub max: f64,
}

impl Latency {
    /// The percentiles of a histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1e3,
        }
    }
}
