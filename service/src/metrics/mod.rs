//! Metrics: figures of the running server for those who watch it. The library and the server count where
//! things happen; here the counts are gathered when somebody asks, and written down.
//!
//! Nothing personal is in them: labels are words of the program and of its settings.

pub mod definitions;
pub mod http;
#[cfg(any(feature = "otlp", test))]
pub mod otlp;

mod disk;
mod process;
mod text;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use planledger_core::access_log::{AccessLog, AccessLogError};
use planledger_core::entry::Entry;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_core::tally::Tallied;
use planledger_core::time::{Clock, Timestamp};

use self::definitions::{self as of, Definition};
pub use self::text::write as write_text;
use crate::notary::{Failures, Witnesses};
use crate::server::Counts;
use crate::system::SystemClock;
use crate::wire::errors::refused;

/// A metric with its values at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Which metric it is.
    pub of: Definition,
    /// Its values, each with the values of the labels in the order of the definition.
    pub samples: Vec<(Vec<String>, Value)>,
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(u64),
    /// Another number.
    Real(f64),
    /// A histogram of whole numbers.
    Counts(Tallied),
    /// A histogram of times in nanoseconds, which is shown in seconds.
    Nanos(Tallied),
}

/// The families of one moment.
#[derive(Default)]
struct Gathered(Vec<Family>);

impl Gathered {
    /// Adds a metric without labels.
    fn one(&mut self, of: Definition, value: Value) {
        self.all(of, [(Vec::new(), value)]);
    }

    fn whole(&mut self, of: Definition, value: u64) {
        self.one(of, Value::Whole(value));
    }

    /// Adds a metric with its values.
    fn all(&mut self, of: Definition, samples: impl IntoIterator<Item = (Vec<String>, Value)>) {
        let samples = samples.into_iter().collect();
        self.0.push(Family { of, samples });
    }
}

/// What is watched.
pub struct Sources {
    /// The ledger.
    pub ledger: Ledger,
    /// The directory of the ledger.
    pub dir: PathBuf,
    /// The counts of the server.
    pub counts: Arc<Counts>,
    /// The notary, and the witnesses that it asks.
    pub notary: (Arc<Notary>, Arc<Witnesses>),
    /// The access log.
    pub reads: Arc<AccessLog>,
    /// How often checkpoints could not be made.
    pub failures: Arc<Failures>,
}

/// The metrics of a server.
pub struct Metrics {
    sources: Sources,
    started_at: Timestamp,
    /// The size of a checkpoint, and when its last event was recorded.
    checkpoint: Mutex<Option<(u64, Timestamp)>>,
}

impl Metrics {
    /// The metrics of a server that starts now.
    pub fn new(sources: Sources) -> Self {
        Self {
            sources,
            started_at: SystemClock.now(),
            checkpoint: Mutex::default(),
        }
    }

    /// When the server started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Gathers all values of now, in the order of the definitions. This may read from disk. What
    /// cannot be found out is left out.
    pub fn gather(&self) -> Vec<Family> {
        let mut all = Gathered::default();
        let version = vec![env!("CARGO_PKG_VERSION").to_owned()];
        all.all(of::BUILD_INFO, [(version, Value::Whole(1))]);
        self.of_ledger(&mut all);
        self.of_requests(&mut all);
        self.of_derived(&mut all);
        disk::gather(&self.sources.dir, &mut all);
        self.of_checkpoints(&mut all);
        process::gather(self.started_at, &mut all);
        all.0
    }

    fn of_ledger(&self, all: &mut Gathered) {
        let status = self.sources.ledger.status();
        let figures = self.sources.ledger.figures();
        all.whole(of::TAKES_COMMANDS, status.writable.into());
        let reads = self.sources.reads.failed();
        let reads_wait = matches!(reads, Some(AccessLogError::Waiting(_)));
        let waits = self.sources.ledger.waits_for_room() || reads_wait;
        all.whole(of::WAITS_FOR_ROOM, waits.into());
        all.whole(of::SHOWS_PLANS, reads.is_none().into());
        all.whole(of::EVENTS, status.position.get());
        all.whole(of::COMMITS, status.commit.get());
        let receipts = [("new", figures.receipts), ("repeated", figures.repeated)];
        all.all(of::RECEIPTS, receipts.map(labelled));
        all.one(of::GROUP_COMMANDS, Value::Counts(figures.groups));
        if let Some(syncs) = figures.syncs {
            all.one(of::SYNC_SECONDS, Value::Nanos(syncs));
        }
        all.whole(of::QUEUE_REQUESTS, figures.waiting);
        all.whole(of::QUEUE_BYTES, figures.waiting_bytes);
    }

    fn of_requests(&self, all: &mut Gathered) {
        let counts = &self.sources.counts;
        all.all(of::REFUSED, refused().into_iter().map(labelled));
        let requests = counts.requests();
        let codes = requests.iter().flat_map(|of| {
            let codes = of.codes.iter();
            codes.map(|(code, count)| {
                let labels = vec![of.method.to_owned(), format!("{code:?}")];
                (labels, Value::Whole(*count))
            })
        });
        all.all(of::REQUESTS, codes);
        let single = requests.iter().filter(|of| of.times.count() > 0);
        let times = single.map(|of| {
            let labels = vec![of.method.to_owned()];
            (labels, Value::Nanos(of.times.clone()))
        });
        all.all(of::REQUEST_SECONDS, times);
        let open = counts.requests_in_progress();
        all.whole(of::REQUESTS_IN_PROGRESS, open);
        all.whole(of::CONNECTIONS, counts.connections());
        let (followers, lag) = counts.following(self.sources.ledger.position());
        all.whole(of::FOLLOWERS, followers);
        all.whole(of::FOLLOWER_LAG, lag);
    }

    fn of_derived(&self, all: &mut Gathered) {
        let status = self.sources.ledger.status();
        let lag = status.position.get().saturating_sub(status.derived.get());
        all.whole(of::DERIVED_LAG, lag);
        all.whole(of::DERIVED_REBUILDS, status.derived_again);
        all.whole(of::DERIVED_REBUILDING, status.deriving.is_some().into());
        all.whole(of::FORKS, status.forks);
        all.whole(of::KEYS, status.keys);
    }

    fn of_checkpoints(&self, all: &mut Gathered) {
        let (notary, witnesses) = &self.sources.notary;
        let size = notary.newest_size();
        let made_at = self.made_at(size);
        let age = made_at.map(|at| {
            let passed = SystemClock.now().nanos().saturating_sub(at.nanos());
            (Vec::new(), Value::Real(passed as f64 / 1e9))
        });
        all.all(of::CHECKPOINT_AGE, age);
        let end = self.sources.ledger.position().get();
        all.whole(of::CHECKPOINT_LAG, end.saturating_sub(size));
        let failures = self.sources.failures.read();
        all.all(of::CHECKPOINT_FAILURES, failures.map(labelled));
        let asked = witnesses.cosignatures();
        let cosigned = asked.iter().map(|of| labelled((&of.name, of.cosigned)));
        all.all(of::COSIGNED, cosigned);
        let failed = asked.iter().map(|of| labelled((&of.name, of.failed)));
        all.all(of::COSIGN_FAILURES, failed);
    }

    /// When the checkpoint of this size was made. Its last event was recorded for it just before it was
    /// signed. `None` if there is no such checkpoint, or its event cannot be read.
    fn made_at(&self, size: u64) -> Option<Timestamp> {
        let mut known = self
            .checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((of, at)) = *known
            && of == size
        {
            return Some(at);
        }
        if size == 0 {
            return None;
        }
        let entry = self.sources.ledger.entry_bytes(Position::new(size)).ok()?;
        let at = Entry::decode(&entry).ok()?.recorded_at;
        *known = Some((size, at));
        Some(at)
    }
}

/// A number with its one label.
fn labelled((label, count): (impl AsRef<str>, u64)) -> (Vec<String>, Value) {
    (vec![label.as_ref().to_owned()], Value::Whole(count))
}
