//! What the figures were measured on.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::latency::{Latency, histogram, record};

/// About as much as one event takes in the journal.
const BYTES: usize = 300;
const MOST: usize = 5_000;
const LONGEST: Duration = Duration::from_secs(2);

/// The machine and its disk.
#[derive(Debug, Serialize)]
pub struct Machine {
    cores: usize,
    cpu: String,
    /// How many processes want to run, before anything is measured.
    load: f64,
    /// Writes of 300 bytes a second, each with a sync of its own.
    syncs_per_second: f64,
    sync: Latency,
}

impl Machine {
    /// Looks at the machine, and writes to the disk for at most two seconds.
    ///
    /// # Errors
    /// When the disk cannot be written to.
    pub fn look(root: &Path) -> io::Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "model name").then(|| value.trim().to_owned())
        });
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or_default().parse();
        let (syncs_per_second, sync) = syncs(root)?;
        Ok(Self {
            cores,
            cpu: model.unwrap_or_else(|| "unknown".to_owned()),
            load: load.unwrap_or_default(),
            syncs_per_second,
            sync,
        })
    }
}

/// What the disk does without anything of ours: one write and one sync at a time.
fn syncs(root: &Path) -> io::Result<(f64, Latency)> {
    fs::create_dir_all(root)?;
    let dir = tempfile::tempdir_in(root)?;
    let mut file = File::create(dir.path().join("syncs"))?;
    let mut latencies: Histogram<u64> = histogram();
    let start = Instant::now();
    for _ in 0..MOST {
        let before = Instant::now();
        file.write_all(&[7; BYTES])?;
        file.sync_data()?;
        record(&mut latencies, before.elapsed());
        if start.elapsed() > LONGEST {
            break;
        }
    }
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    Ok((rate, Latency::of(&latencies)))
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores, {}, load {:.1}; the disk writes and syncs {BYTES} bytes {:.0} times a second \
             (p50 {:.0} µs, p99 {:.0} µs)",
            self.cores, self.cpu, self.load, self.syncs_per_second, self.sync.p50, self.sync.p99
        )
    }
}
