//! How fast a backup may read, so that the server beside it keeps the disk.

use std::time::{Duration, Instant};

/// Holds whoever reads to so many bytes a second, on average.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: Option<u64>,
    begun: Instant,
    read: u64,
}

impl Pace {
    /// A pace of so many bytes a second; `None` for as fast as it goes.
    pub fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second,
            begun: Instant::now(),
            read: 0,
        }
    }

    /// Waits as long as `bytes` more have to wait.
    pub(super) fn wait(&mut self, bytes: u64) {
        self.read += bytes;
        if let Some(rest) = self.ahead(self.begun.elapsed()) {
            std::thread::sleep(rest);
        }
    }

    /// How far ahead of its time the reading is.
    fn ahead(&self, elapsed: Duration) -> Option<Duration> {
        let rate = self.bytes_per_second?.max(1);
        let due = Duration::from_secs_f64(self.read as f64 / rate as f64);
        due.checked_sub(elapsed).filter(|rest| !rest.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_says_how_long_to_wait_and_none_says_nothing() {
        let mut pace = Pace::new(Some(1 << 20));
        pace.read = 3 << 20;
        let ahead = |seconds| pace.ahead(Duration::from_secs(seconds));
        assert_eq!(ahead(1), Some(Duration::from_secs(2)));
        assert_eq!(ahead(3), None);
        assert_eq!(ahead(9), None);
        let mut free = Pace::new(None);
        free.read = 1 << 40;
        assert_eq!(free.ahead(Duration::ZERO), None);
    }
}
