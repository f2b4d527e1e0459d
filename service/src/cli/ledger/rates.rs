//! Measures how fast passes over the journal are.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use planledger_core::verify::Pass;

use super::super::output;

/// The number of events in a pass over the journal, and how long the pass took.
pub(super) struct Rate {
    pub(super) pass: Pass,
    pub(super) events: u64,
    pub(super) took: Duration,
}

impl Rate {
    pub(super) fn per_second(&self) -> u64 {
        (self.events as f64 / self.took.as_secs_f64().max(1e-9)) as u64
    }
}

/// Shows the progress of each pass, and keeps its speed.
pub(super) struct Rates(Mutex<Running>);

struct Running {
    bar: Option<ProgressBar>,
    begun: Instant,
    passes: Vec<Rate>,
}

impl Rates {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Running {
            bar: None,
            begun: Instant::now(),
            passes: Vec::new(),
        }))
    }

    pub(super) fn tell(&self, pass: Pass, done: u64, all: u64) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.passes.last().is_none_or(|last| last.pass != pass) {
            let before = running.passes.last().map(|last| last.took);
            running.begun += before.unwrap_or_default();
            running.bar = Some(output::progress(all, pass.name()));
            running.passes.push(Rate {
                pass,
                events: 0,
                took: Duration::ZERO,
            });
        }
        if let Some(bar) = &running.bar {
            bar.set_position(done);
            if done == all {
                bar.finish_and_clear();
            }
        }
        let took = running.begun.elapsed();
        if let Some(last) = running.passes.last_mut() {
            (last.events, last.took) = (done, took);
        }
    }

    pub(super) fn finish(self) -> Vec<Rate> {
        let running = self.0.into_inner();
        running.unwrap_or_else(PoisonError::into_inner).passes
    }
}
