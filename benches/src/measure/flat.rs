//! Whether something stays as it is: a line through figures over time, and parts that are compared.

use serde::Serialize;

/// What may be added over the second half of a run, as a part of the mean.
const GROWTH: f64 = 0.05;
/// How much slower the last quarter may be than the second.
const SLOWER: f64 = 1.25;
/// Microseconds that are nothing: a difference of less is not one.
const NOTHING: f64 = 300.0;
/// So many calls have to be slower than the latency that is compared: the slowest one alone says little.
const MORE_SLOW: f64 = 10.0;

/// How figures went over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trend {
    /// Mean of the second half.
    pub mean: f64,
    /// Of the line through the second half, for each hour.
    pub slope_per_hour: f64,
    /// What the line adds from the middle to the end, as a part of the mean.
    pub growth: f64,
    /// Whether that is at most a twentieth.
    pub flat: bool,
}

impl Trend {
    /// Of figures with the seconds at which they were taken, in order: the line with the least squares through
    /// those of the second half. `None` if there are not three of them.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let (first, last) = (points.first()?.0, points.last()?.0);
        let middle = first + (last - first) / 2.0;
        let half: Vec<_> = points.iter().filter(|(at, _)| *at >= middle).collect();
        if half.len() < 3 {
            return None;
        }
        let count = half.len() as f64;
        let mean_at = half.iter().map(|(at, _)| at).sum::<f64>() / count;
        let mean = half.iter().map(|(_, value)| value).sum::<f64>() / count;
        let (mut both, mut square) = (0.0, 0.0);
        for (at, value) in half {
            both += (at - mean_at) * (value - mean);
            square += (at - mean_at) * (at - mean_at);
        }
        let slope = both / square;
        let growth = slope * (last - middle) / mean;
        Some(Self {
            mean,
            slope_per_hour: slope * 3_600.0,
            growth,
            flat: growth <= GROWTH,
        })
    }
}

/// Whether a latency is no worse later than earlier, both in microseconds: at most a quarter more, or so little
/// more that it is nothing.
pub fn no_slower(earlier: f64, later: f64) -> bool {
    later <= earlier * SLOWER || later - earlier <= NOTHING
}

/// The part of the calls that were no slower than the latency by which two parts of a run are compared, of which the
/// smaller one has so many calls: 0.99 from a thousand calls on, less of fewer, and never less than a half.
pub fn compared(calls: u64) -> f64 {
    (1.0 - MORE_SLOW / calls as f64).clamp(0.5, 0.99)
}

#[cfg(test)]
mod tests {
    use super::{Trend, compared, no_slower};

    fn points(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..=360)
            .map(|nth| f64::from(nth) * 10.0)
            .map(|at| (at, value(at)))
            .collect()
    }

    #[test]
    fn what_grows_at_first_only_is_flat() {
        let warming = Trend::of(&points(|at| 100.0 + at.min(1_000.0) / 10.0)).unwrap();
        assert!(warming.flat);
        assert!((warming.mean - 200.0).abs() < 1e-9);
        assert!(warming.slope_per_hour.abs() < 1e-9);
    }

    #[test]
    fn what_keeps_growing_is_not_flat_and_what_shrinks_is() {
        let growing = Trend::of(&points(|at| 100.0 + at / 36.0)).unwrap();
        assert!((growing.slope_per_hour - 100.0).abs() < 1e-6);
        assert!((growing.growth - 50.0 / 175.0).abs() < 1e-6);
        assert!(!growing.flat);
        assert!(Trend::of(&points(|at| 300.0 - at / 36.0)).unwrap().flat);
    }

    #[test]
    fn a_saw_is_flat() {
        assert!(
            Trend::of(&points(|at| 200.0 + (at / 10.0) % 7.0))
                .unwrap()
                .flat
        );
    }

    #[test]
    fn few_figures_say_nothing() {
        assert_eq!(Trend::of(&[]), None);
        assert_eq!(Trend::of(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]), None);
    }

    #[test]
    fn one_slow_call_decides_nothing() {
        for (calls, part) in [
            (0, 0.5),
            (15, 0.5),
            (50, 0.8),
            (1_000, 0.99),
            (90_000, 0.99),
        ] {
            assert!((compared(calls) - part).abs() < 1e-9, "{calls}");
        }
    }

    #[test]
    fn a_quarter_more_and_a_little_more_are_no_slower() {
        assert!(no_slower(4_000.0, 5_000.0));
        assert!(no_slower(100.0, 400.0));
        assert!(!no_slower(4_000.0, 5_001.0));
    }
}
