//! Clients that send at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Barrier;
use tokio::task::{JoinError, JoinHandle};

use super::latency::{histogram, record};

/// Of what is sent, how much comes before the clock starts: a tenth.
const WARM_UP: u64 = 10;

/// How many of `count` calls come before the clock starts.
pub fn warm_up(count: u64) -> u64 {
    count / WARM_UP
}

/// What a client found.
#[derive(Debug)]
struct Found {
    latencies: Histogram<u64>,
    calls: u64,
    started: Instant,
    ended: Instant,
}

/// What all clients found.
#[derive(Debug)]
pub struct Together {
    /// Latencies of the calls after the clock started.
    pub latencies: Histogram<u64>,
    /// From the first of those calls to the last answer.
    pub took: Duration,
    /// All calls that were made, also those before the clock started.
    pub calls: u64,
}

/// Clients that begin together once all of them are warm.
#[derive(Debug)]
pub struct Clients<E> {
    barrier: Arc<Barrier>,
    longest: Duration,
    running: Vec<JoinHandle<Result<Found, E>>>,
}

impl<E: From<JoinError> + Send + 'static> Clients<E> {
    /// So many clients, which make all of their calls.
    pub fn new(number: usize) -> Self {
        Self::for_at_most(number, Duration::MAX)
    }

    /// So many clients, which make no new call when the clock has run for so long, and warm up for no
    /// longer than a tenth of it.
    pub fn for_at_most(number: usize, longest: Duration) -> Self {
        Self {
            barrier: Arc::new(Barrier::new(number)),
            longest,
            running: Vec::new(),
        }
    }

    /// A client that makes `calls`, the first of them before the clock starts.
    pub fn spawn<Call, Done>(
        &mut self,
        calls: Vec<Call>,
        mut call: impl FnMut(Call) -> Done + Send + 'static,
    ) where
        Call: Send + 'static,
        Done: Future<Output = Result<(), E>> + Send,
    {
        let barrier = self.barrier.clone();
        let longest = self.longest;
        self.running.push(tokio::spawn(async move {
            let cold = warm_up(calls.len() as u64);
            let mut calls = calls.into_iter();
            let mut made = 0;
            let mut outcome = Ok(());
            let started = Instant::now();
            for cold in calls.by_ref().take(cold as usize) {
                outcome = outcome.and(call(cold).await);
                made += 1;
                if outcome.is_err() || started.elapsed() > longest / WARM_UP as u32 {
                    break;
                }
            }
            // A client that fails must not keep the others waiting.
            barrier.wait().await;
            outcome?;
            let mut latencies = histogram();
            let started = Instant::now();
            for warm in calls {
                let before = Instant::now();
                call(warm).await?;
                record(&mut latencies, before.elapsed());
                made += 1;
                if started.elapsed() > longest {
                    break;
                }
            }
            Ok(Found {
                latencies,
                calls: made,
                started,
                ended: Instant::now(),
            })
        }));
    }

    /// Waits for all of them.
    ///
    /// # Errors
    /// The first that a client met.
    pub async fn join(self) -> Result<Together, E> {
        let mut latencies = histogram();
        let mut calls = 0;
        let mut span: Option<(Instant, Instant)> = None;
        for client in self.running {
            let found = client.await??;
            latencies += &found.latencies;
            calls += found.calls;
            let (started, ended) = span.unwrap_or((found.started, found.ended));
            span = Some((started.min(found.started), ended.max(found.ended)));
        }
        let took = span.map_or(Duration::ZERO, |(started, ended)| ended - started);
        Ok(Together {
            latencies,
            took,
            calls,
        })
    }
}
