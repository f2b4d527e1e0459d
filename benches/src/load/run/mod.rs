//! The measurements, a module each. A peer that is to be compared gets a module of its own here: it
//! starts its server, sends the same load, and gives measurements that name the peer.

pub(crate) mod batch;
pub(crate) mod echo;
pub(crate) mod import;
pub(crate) mod leaving;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod scale;
pub(crate) mod sequence;
pub(crate) mod stream;
pub(crate) mod unary;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use planledger::wire;
use planledger_benches::school::School;
use planledger_proto::v1 as proto;
use tokio::sync::Barrier;

use super::fault::Fault;
use super::latency::histogram;

/// Of what is sent, how much comes before the clock starts: a tenth.
const WARM_UP: u64 = 10;

/// What a client found.
struct Found {
    latencies: Histogram<u64>,
    started: Instant,
    ended: Instant,
}

/// Clients that begin together once all of them are warm.
struct Clients {
    barrier: Arc<Barrier>,
    running: Vec<tokio::task::JoinHandle<Result<Found, Fault>>>,
}

impl Clients {
    fn new(number: usize) -> Self {
        Self {
            barrier: Arc::new(Barrier::new(number)),
            running: Vec::new(),
        }
    }

    /// A client that makes `calls`, the first of them before the clock starts.
    fn spawn<Call, Done>(
        &mut self,
        calls: Vec<Call>,
        mut call: impl FnMut(Call) -> Done + Send + 'static,
    ) where
        Call: Send + 'static,
        Done: Future<Output = Result<(), Fault>> + Send,
    {
        let barrier = self.barrier.clone();
        self.running.push(tokio::spawn(async move {
            let cold = warm_up(calls.len() as u64) as usize;
            let mut calls = calls.into_iter();
            let mut outcome = Ok(());
            for cold in calls.by_ref().take(cold) {
                outcome = outcome.and(call(cold).await);
            }
            // A client that fails must not keep the others waiting.
            barrier.wait().await;
            outcome?;
            let mut latencies = histogram();
            let started = Instant::now();
            for warm in calls {
                let before = Instant::now();
                call(warm).await?;
                super::latency::record(&mut latencies, before.elapsed());
            }
            Ok(Found {
                latencies,
                started,
                ended: Instant::now(),
            })
        }));
    }

    /// All latencies, and how long it took from the first call to the last answer.
    async fn join(self) -> Result<(Histogram<u64>, Duration), Fault> {
        let mut all = histogram();
        let mut span: Option<(Instant, Instant)> = None;
        for client in self.running {
            let found = client.await??;
            all += &found.latencies;
            let (started, ended) = span.unwrap_or((found.started, found.ended));
            span = Some((started.min(found.started), ended.max(found.ended)));
        }
        let took = span.map_or(Duration::ZERO, |(started, ended)| ended - started);
        Ok((all, took))
    }
}

fn warm_up(count: u64) -> u64 {
    count / WARM_UP
}

/// Messages of status commands with these numbers, made before anything is measured.
fn statuses(
    school: &School,
    numbers: impl Iterator<Item = u64>,
) -> Result<Vec<proto::Command>, Fault> {
    numbers
        .map(|number| {
            let command = school.status(number)?;
            Ok(wire::message(&school.envelope(number, command)))
        })
        .collect()
}
