//! The load, the same for every system: durable single events of 1, 8 and 64 clients, batches of 8, and
//! reading everything. An event is a text of some 130 bytes in one of 2,000 streams in turn.

use std::fmt;
use std::time::{Duration, Instant};

use planledger_benches::measure::clients::{Clients, Together};
use planledger_benches::measure::latency::Latency;
use planledger_benches::measure::process::Family;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::system::{Space, System};

/// Streams that the events go to, one after another.
pub(crate) const STREAMS: u64 = 2_000;
/// Events of a batch.
pub(crate) const BATCH: u64 = 1_000;
/// Events that are made for each second before the clock starts, more than any system takes.
const SINGLES: u64 = 60_000;
const BATCHED: u64 = 240_000;
/// Systems write some of what they keep a while after they have answered.
pub(crate) const AFTER: Duration = Duration::from_millis(700);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Load {
    /// Single events of one client.
    Single1,
    /// Single events of 8 clients.
    Single8,
    /// Single events of 64 clients.
    Single64,
    /// Batches of 8 clients.
    Batch,
    /// Everything is read.
    Replay,
}

impl Load {
    /// What writes.
    pub(crate) const WRITING: [Self; 4] =
        [Self::Single1, Self::Single8, Self::Single64, Self::Batch];

    fn clients(self) -> u64 {
        match self {
            Self::Single1 | Self::Replay => 1,
            Self::Single8 | Self::Batch => 8,
            Self::Single64 => 64,
        }
    }

    /// Events of one call.
    fn size(self) -> u64 {
        match self {
            Self::Batch => BATCH,
            _ => 1,
        }
    }

    /// Calls that each client has ready.
    fn calls(self, seconds: f64) -> u64 {
        let events = match self {
            Self::Batch => BATCHED,
            _ => SINGLES,
        };
        (events as f64 * seconds) as u64 / self.clients() / self.size()
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Single1 => "single, 1 client",
            Self::Single8 => "single, 8 clients",
            Self::Single64 => "single, 64 clients",
            Self::Batch => "batches of 1,000, 8 clients",
            Self::Replay => "replay of everything",
        })
    }
}

/// What one system showed under one load, once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) load: Load,
    /// Events that were counted.
    pub(crate) events: u64,
    /// Events a second.
    pub(crate) rate: f64,
    /// From sending to the answer, in microseconds; of a batch for the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99: Option<f64>,
    /// Processor time for each event, in microseconds: of the server; in process, of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu: Option<f64>,
    /// Bytes of blocks with something in them that the system's files grew by, for each event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<f64>,
    /// Bytes of its log for each event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<f64>,
    /// Resident memory afterwards in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<f64>,
}

/// Events with the numbers that are not used yet.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    next: u64,
}

impl Numbers {
    fn take(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        first
    }
}

/// Writes for so many seconds, and looks whether the system holds exactly what was sent.
pub(crate) async fn write<S: System>(
    system: &S,
    load: Load,
    seconds: f64,
    numbers: &mut Numbers,
) -> Result<Shown, Fault> {
    let (each, size) = (load.calls(seconds), load.size());
    let first = numbers.take(each * size * load.clients());
    let longest = Duration::from_secs_f64(seconds);
    let mut clients = Clients::for_at_most(load.clients() as usize, longest);
    let mut connections = Vec::new();
    let mut ready = Vec::new();
    for client in 0..load.clients() {
        // Clients take turns on the streams, so that none waits for another's.
        let calls = (0..each).map(|call| {
            let first = first + (call * load.clients() + client) * size;
            system.call(first..first + size)
        });
        ready.push(calls.collect::<Result<Vec<_>, Fault>>()?);
        connections.push(system.connect().await?);
    }
    let (before, family) = (system.count().await?, Family(system.process()));
    let (space, used) = (system.space().await?, family.processor_time());
    for (calls, connection) in ready.into_iter().zip(&connections) {
        let connection = connection.clone();
        clients.spawn(calls, move |call| S::send(connection.clone(), call));
    }
    let Together {
        latencies,
        took,
        calls,
    } = clients.join().await?;
    tokio::time::sleep(AFTER).await;
    let (sent, now) = (calls * size, family.processor_time());
    let recorded = system.count().await? - before;
    if recorded != sent {
        let told = format!(
            "{}: {sent} events were sent, and {recorded} recorded",
            S::NAME
        );
        return Err(Fault::Untrue(told));
    }
    let cpu = now
        .zip(used)
        .map(|(now, used)| micros(now.saturating_sub(used), sent));
    let grown = system.space().await?.since(space);
    let latency = Latency::of(&latencies);
    let events = latencies.len() * size;
    Ok(Shown {
        load,
        events,
        rate: events as f64 / took.as_secs_f64(),
        p50: Some(latency.p50),
        p99: Some(latency.p99),
        cpu,
        disk: Some(grown.all as f64 / sent as f64),
        log: grown.log.map(|log| log as f64 / sent as f64),
        // The connections are still there.
        memory: family.resident().filter(|_| S::SERVER),
    })
}

/// Reads everything, twice so that each is as warm as the other, and counts the second time.
pub(crate) async fn replay<S: System>(system: &S) -> Result<Shown, Fault> {
    let family = Family(system.process());
    system.read_all().await?;
    let (start, used) = (Instant::now(), family.processor_time());
    let events = system.read_all().await?;
    let took = start.elapsed();
    let now = family.processor_time();
    let held = system.count().await?;
    if events != held {
        let told = format!("{}: {events} of {held} events were read", S::NAME);
        return Err(Fault::Untrue(told));
    }
    Ok(Shown {
        load: Load::Replay,
        events,
        rate: events as f64 / took.as_secs_f64(),
        p50: None,
        p99: None,
        cpu: now
            .zip(used)
            .map(|(now, used)| micros(now.saturating_sub(used), events)),
        disk: None,
        log: None,
        memory: family.resident(),
    })
}

fn micros(time: Duration, events: u64) -> f64 {
    time.as_secs_f64() * 1e6 / events.max(1) as f64
}

/// What a system's files take.
impl Space {
    fn since(self, before: Self) -> Self {
        Self {
            all: self.all.saturating_sub(before.all),
            log: self
                .log
                .zip(before.log)
                .map(|(now, then)| now.saturating_sub(then)),
        }
    }
}
