//! Reading the journal again: events opened, and derived state made anew.

use criterion::{BatchSize, Criterion, Throughput};
use planledger_benches::place;
use planledger_benches::school::School;
use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Passed, rebuild as rebuild_ledger};

const STUDENTS: u64 = 250;
const WORK: u64 = 20_000;

/// A ledger with work on plans, closed.
fn worked() -> (tempfile::TempDir, u64) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = place::open(dir.path()).unwrap();
    let school = School::new(1, STUDENTS);
    let foundation = school.foundation().unwrap();
    let founded = foundation.len() as u64;
    place::carry_out(&ledger, &school, 0, foundation.into_iter().map(Ok)).unwrap();
    let work = (0..WORK).map(|number| school.work(number));
    place::carry_out(&ledger, &school, founded, work).unwrap();
    let events = ledger.position().get();
    (dir, events)
}

pub(crate) fn events(criterion: &mut Criterion) {
    let (dir, events) = worked();
    let ledger = place::open(dir.path()).unwrap();
    let mut group = criterion.benchmark_group("replay");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(events));
    group.bench_function("events, opened", |bencher| {
        bencher.iter(|| {
            let passed = ledger.events(Position::ZERO, EventFilter::default());
            let found = passed.filter(|passed| matches!(passed, Ok(Passed::Event(_))));
            assert_eq!(found.count() as u64, events);
        });
    });
    group.finish();
}

pub(crate) fn rebuild(criterion: &mut Criterion) {
    let (dir, events) = worked();
    let mut group = criterion.benchmark_group("replay");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(events));
    group.bench_function("rebuild derived state", |bencher| {
        bencher.iter_batched(
            || place::options(dir.path()).unwrap(),
            |options| assert_eq!(rebuild_ledger(options).unwrap().position.get(), events),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
