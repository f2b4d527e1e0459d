//! Whether an answer means what it says: under strace, each event of one client, one after another, must
//! have been synced to the disk. What tells nothing about speed is done before anything is measured.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::system::{Places, System};

/// Events that are sent.
const EVENTS: u64 = 25;
/// Calls that bring something to the disk.
const CALLS: [&str; 5] = ["fsync", "fdatasync", "msync", "sync_file_range", "syncfs"];

/// What was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Proof {
    pub(crate) system: String,
    pub(crate) events: u64,
    /// Calls by name.
    pub(crate) syncs: BTreeMap<String, u64>,
    /// Settings that bear on it, as the system tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<String>,
}

impl Proof {
    /// Whether there was at least one sync for each event.
    pub(crate) fn holds(&self) -> bool {
        let synced = ["fsync", "fdatasync", "msync"];
        let count = |name: &&str| self.syncs.get(*name).copied().unwrap_or(0);
        synced.iter().map(count).sum::<u64>() >= self.events
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let syncs: Vec<String> = self
            .syncs
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        write!(
            f,
            "{}: {} events, {}",
            self.system,
            self.events,
            syncs.join(", ")
        )?;
        match &self.settings {
            Some(settings) => write!(f, "; {settings}"),
            None => Ok(()),
        }
    }
}

/// Sends a few events to a fresh system and looks what reaches the disk.
pub(crate) async fn prove<S: System>(places: &Places) -> Result<Proof, Fault> {
    let system = S::start(places).await?;
    let seen = tempfile::NamedTempFile::new()?;
    let mut tracer = Command::new("strace")
        .args(["-f", "-s", "0", "-e", "signal=none", "-e"])
        .arg(format!("trace={}", CALLS.join(",")))
        .arg("-o")
        .arg(seen.path())
        .args(["-p", &system.process().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // It tells when it is there, or why it cannot be; it must be able to tell more later.
    let mut telling = tracer.stderr.take().map(BufReader::new);
    let mut told = String::new();
    if let Some(telling) = &mut telling {
        telling.read_line(&mut told)?;
    }
    if !told.contains("attached") {
        tracer.kill()?;
        tracer.wait()?;
        return Err(Fault::Untrue(format!("strace: {told}")));
    }
    let connection = system.connect().await?;
    let mut sent = Ok(());
    for number in 0..EVENTS {
        let call = system.call(number..number + 1)?;
        sent = S::send(connection.clone(), call).await;
        if sent.is_err() {
            break;
        }
    }
    if let Some(pid) = Pid::from_raw(tracer.id() as i32) {
        kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
    }
    tracer.wait()?;
    drop(telling);
    sent?;
    let settings = system.settings().await?;
    drop(connection);
    system.stop().await?;
    let mut syncs = BTreeMap::new();
    for line in fs::read_to_string(seen.path())?.lines() {
        for name in CALLS {
            if line.contains(&format!(" {name}(")) {
                *syncs.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(Proof {
        system: S::NAME.to_owned(),
        events: EVENTS,
        syncs,
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::{EVENTS, Proof};

    fn seen(name: &str, count: u64) -> Proof {
        let syncs = [(name.to_owned(), count)].into();
        Proof {
            system: "any".to_owned(),
            events: EVENTS,
            syncs,
            settings: None,
        }
    }

    #[test]
    fn an_event_without_a_sync_is_no_proof() {
        assert!(seen("fdatasync", EVENTS).holds());
        assert!(!seen("fdatasync", EVENTS - 1).holds());
        assert!(!seen("sync_file_range", EVENTS).holds());
    }
}
