//! Memory over time.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::process::Memory;

/// Resident memory of a process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moment {
    /// Since watching began.
    pub seconds: f64,
    /// MiB.
    pub resident: f64,
}

/// Looks at a process again and again until it is asked what it saw.
#[derive(Debug)]
pub struct Watch {
    // Dropping it ends the thread.
    stop: Sender<()>,
    watching: JoinHandle<Vec<Moment>>,
}

impl Watch {
    /// Looks at a process now, and then each time `pause` has passed.
    pub fn start(process: u32, pause: Duration) -> Self {
        let (stop, told) = mpsc::channel();
        let watching = thread::spawn(move || {
            let start = Instant::now();
            let mut moments = Vec::new();
            loop {
                if let Some(memory) = Memory::of(process) {
                    moments.push(Moment {
                        seconds: start.elapsed().as_secs_f64(),
                        resident: memory.resident,
                    });
                }
                match told.recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return moments,
                }
            }
        });
        Self { stop, watching }
    }

    /// What was seen.
    pub fn end(self) -> Vec<Moment> {
        drop(self.stop);
        self.watching.join().unwrap_or_default()
    }
}

/// So many of the moments, evenly over time, with the first and the last.
pub fn evenly(moments: &[Moment], most: usize) -> Vec<Moment> {
    let steps = most.min(moments.len()).saturating_sub(1).max(1);
    let last = moments.len().saturating_sub(1);
    let chosen = (0..=steps).filter_map(|step| moments.get(step * last / steps));
    let mut chosen: Vec<Moment> = chosen.copied().collect();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Moment, Watch, evenly};

    #[test]
    fn a_process_is_looked_at_until_the_end() {
        let watch = Watch::start(std::process::id(), Duration::from_millis(5));
        std::thread::sleep(Duration::from_millis(50));
        let moments = watch.end();
        assert!(moments.len() > 1);
        assert!(moments.iter().all(|moment| moment.resident > 0.0));
        assert!(moments.is_sorted_by_key(|moment| moment.seconds));
    }

    #[test]
    fn some_of_many_are_spread_over_all() {
        let all: Vec<Moment> = (0..100)
            .map(|nth| Moment {
                seconds: f64::from(nth),
                resident: 1.0,
            })
            .collect();
        let seconds = |most| -> Vec<f64> {
            evenly(&all, most)
                .iter()
                .map(|moment| moment.seconds)
                .collect()
        };
        assert_eq!(seconds(4), [0.0, 33.0, 66.0, 99.0]);
        assert_eq!(evenly(&all[..2], 4).len(), 2);
        assert_eq!(evenly(&all[..1], 4).len(), 1);
        assert!(evenly(&[], 4).is_empty());
    }
}
