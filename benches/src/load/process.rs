//! What a process has taken of the machine.

use std::fs;
use std::time::Duration;

use serde::Serialize;

const MIB: f64 = 1024.0;
/// Linux tells processor time in these, whatever its own clock.
const TICKS: u64 = 100;

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: f64,
    /// The most there ever was.
    pub(crate) peak: f64,
}

impl Memory {
    /// Of a process on this machine; `None` where the system does not tell.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib / MIB)
        };
        Some(Self {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }
}

/// Processor time that a process has used, all its threads together; `None` where the system does
/// not tell.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th after.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().ok())
        .sum::<Option<u64>>()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS))
}
