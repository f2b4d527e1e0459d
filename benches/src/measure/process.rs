//! What a process has taken of the machine.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::Serialize;

const MIB: f64 = 1024.0;
/// Linux tells processor time in these, whatever its own clock.
const TICKS: u64 = 100;

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Memory {
    /// Now.
    pub resident: f64,
    /// The most there ever was.
    pub peak: f64,
}

impl Memory {
    /// Of a process on this machine; `None` where the system does not tell.
    pub fn of(process: u32) -> Option<Self> {
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
pub fn processor_time(process: u32) -> Option<Duration> {
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

/// A process and everything that comes from it: a server may have one for each connection.
#[derive(Debug, Clone, Copy)]
pub struct Family(pub u32);

impl Family {
    /// Processor time that all of them have used, also those that have ended; `None` where the system does
    /// not tell.
    pub fn processor_time(self) -> Option<Duration> {
        let own = used(self.0)?;
        // One that ends meanwhile is found with its parent the next time.
        let others = self.members().into_iter().skip(1).filter_map(used);
        Some(own + others.sum::<Duration>())
    }

    /// Resident memory in MiB. What several of them share counts once where the system tells it.
    pub fn resident(self) -> Option<f64> {
        let own = |member: u32| {
            let shares = fs::read_to_string(format!("/proc/{member}/smaps_rollup"));
            let line = |text: &str| {
                let line = text.lines().find(|line| line.starts_with("Pss:"))?;
                line.split_whitespace().nth(1)?.parse::<f64>().ok()
            };
            match shares.ok().as_deref().and_then(line) {
                Some(kib) => Some(kib / MIB),
                None => Memory::of(member).map(|memory| memory.resident),
            }
        };
        // One that ends meanwhile has nothing.
        let all: Vec<f64> = self.members().into_iter().filter_map(own).collect();
        (!all.is_empty()).then(|| all.iter().sum())
    }

    /// The process itself and its descendants.
    fn members(self) -> Vec<u32> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let found = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in found.filter_map(|item| item.file_name().to_str()?.parse().ok()) {
            // The parent is the second field after the name.
            if let Some(parent) = fields(process).and_then(|fields| fields.get(1).copied()) {
                children.entry(parent as u32).or_default().push(process);
            }
        }
        let mut members = vec![self.0];
        let mut next = 0;
        while let Some(member) = members.get(next) {
            members.extend(children.remove(member).unwrap_or_default());
            next += 1;
        }
        members
    }
}

/// The numbers after a process's name, the state as 0.
fn fields(process: u32) -> Option<Vec<u64>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let numbers = fields.split_whitespace();
    Some(numbers.map(|field| field.parse().unwrap_or(0)).collect())
}

/// What a process and its children that have ended have used.
fn used(process: u32) -> Option<Duration> {
    let fields = fields(process)?;
    let ticks = |at: usize| {
        let ticks = fields.iter().skip(at).take(2).sum::<u64>();
        Duration::from_millis(ticks * 1_000 / TICKS)
    };
    let threads = fields.get(17).copied();
    // Exact for one thread. Of several this tells only what the first has used.
    let exact = fs::read_to_string(format!("/proc/{process}/schedstat")).ok();
    let exact = exact
        .as_deref()
        .and_then(|text| text.split_whitespace().next()?.parse().ok());
    let own = match (threads, exact) {
        (Some(1), Some(nanos)) => Duration::from_nanos(nanos),
        _ => ticks(11),
    };
    Some(own + ticks(13))
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::Family;

    #[test]
    fn a_family_has_what_its_children_use_while_they_run_and_when_they_have_ended()
    -> std::io::Result<()> {
        // A child of a child, so that both are of the family.
        let busy = "sh -c 'while :; do :; done' & wait";
        let mut shell = Command::new("sh").args(["-c", busy]).spawn()?;
        let family = Family(shell.id());
        let start = Instant::now();
        let used = || family.processor_time().unwrap_or_default();
        while used() < Duration::from_millis(50) && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let found = used();
        let members = family.members();
        for member in members.iter().skip(1) {
            Command::new("kill")
                .args(["-9", &member.to_string()])
                .status()?;
        }
        shell.wait()?;
        assert!(found >= Duration::from_millis(50));
        assert!(members.len() > 1);
        Ok(())
    }
}
