//! A plan with a long history in a large ledger: how long it takes to read, without the service around it.

use std::fmt;
use std::time::Instant;

use hdrhistogram::Histogram;
use planledger_benches::measure::latency::{Latency, histogram, record};
use planledger_benches::place;
use planledger_benches::school::School;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Ledger, Passed};
use planledger_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Events of the plan.
const EVENTS: u64 = 1_500;
/// Reads of each sort, one after another.
const READS: u64 = 4_000;
/// A prime, so that steps of this length come by all events, out of order.
const STRIDE: u64 = 7_919;
/// Not the seed of what is there.
const SEED: u64 = 2;
/// Students of the class: the others' events lie between those of the plan.
const CLASS: u64 = 25;

/// How long reads took, in microseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reads {
    /// Of each sort.
    pub(crate) reads: u64,
    pub(crate) now: Latency,
    /// As of the instant of one of its events.
    pub(crate) then: Latency,
}

/// Records a class with a plan of 1,500 events, and reads that plan.
pub(super) fn read(ledger: &Ledger) -> Result<Reads, Fault> {
    let school = School::new(SEED, CLASS);
    let before = ledger.position();
    let mut founded = 0;
    let founding = school.founding().inspect(|_| founded += 1);
    place::carry_out(ledger, &school, 0, founding)?;
    // Two events opened it.
    let work = (0..EVENTS - 2).flat_map(|nth| {
        let other = 1 + nth % (CLASS - 1);
        [
            school.work_on(0, nth),
            school.work_on(other, nth / (CLASS - 1)),
        ]
    });
    place::carry_out(ledger, &school, founded, work)?;
    ledger.settle();
    let instants = instants(ledger, &school, before)?;
    if instants.len() as u64 != EVENTS {
        return Err(Fault::Untrue(format!(
            "the plan has {} events",
            instants.len()
        )));
    }
    let plan = school.plan(0);
    let (mut now, mut then) = (histogram(), histogram());
    for nth in 0..READS {
        timed(&mut now, || {
            let read = ledger.read(|reading| plan_view(reading, plan, Viewer::Staff));
            read.map(|(plan, _)| plan.is_some())
        })?;
        let Some(instant) = instants.get((nth * STRIDE % EVENTS) as usize) else {
            continue;
        };
        timed(&mut then, || {
            let position = ledger.position_at(*instant)?;
            let read = ledger.read_at(position, |reading| plan_view(reading, plan, Viewer::Staff));
            read.map(|(plan, _)| plan.is_some())
        })?;
    }
    Ok(Reads {
        reads: READS,
        now: Latency::of(&now),
        then: Latency::of(&then),
    })
}

/// When each event of the plan was recorded.
fn instants(ledger: &Ledger, school: &School, after: Position) -> Result<Vec<Timestamp>, Fault> {
    let of_plan = EventFilter {
        streams: vec![school.plan(0).into()],
        ..EventFilter::default()
    };
    let mut instants = Vec::new();
    for passed in ledger.events(after, of_plan) {
        match passed.map_err(failed)? {
            Passed::Event(event) => instants.push(event.recorded_at),
            Passed::Through(_) => {}
        }
    }
    Ok(instants)
}

fn timed<E: std::error::Error>(
    latencies: &mut Histogram<u64>,
    read: impl FnOnce() -> Result<bool, E>,
) -> Result<(), Fault> {
    let start = Instant::now();
    let found = read().map_err(failed)?;
    record(latencies, start.elapsed());
    match found {
        true => Ok(()),
        false => Err(Fault::Untrue("a read gave no plan".to_owned())),
    }
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::Untrue(error.to_string())
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "of {EVENTS} events: now p50 {:.0} µs, p99 {:.0} µs; as of an instant p50 {:.0} µs, p99 {:.0} µs",
            self.now.p50, self.now.p99, self.then.p50, self.then.p99
        )
    }
}
