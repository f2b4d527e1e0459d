//! A plan with a long history, now and as of an instant, without the service around it.

use std::cell::Cell;

use criterion::Criterion;
use planledger_benches::place;
use planledger_benches::school::School;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::ids::Position;
use planledger_core::ledger::{EventFilter, Passed};
use planledger_core::time::Timestamp;

const EVENTS: u64 = 1_500;
/// A prime, so that steps of this length come by all events, out of order.
const STRIDE: usize = 7_919;

pub(crate) fn plans(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = place::open(dir.path()).unwrap();
    let school = School::new(1, 25);
    let foundation = school.foundation().unwrap();
    let founded = foundation.len() as u64;
    place::carry_out(&ledger, &school, 0, foundation.into_iter().map(Ok)).unwrap();
    // Two events opened it.
    let work = (0..EVENTS - 2).map(|nth| school.work_on(0, nth));
    place::carry_out(&ledger, &school, founded, work).unwrap();
    ledger.settle();
    let plan = school.plan(0);
    let of_plan = EventFilter {
        streams: vec![plan.into()],
        ..EventFilter::default()
    };
    let instants: Vec<Timestamp> = ledger
        .events(Position::ZERO, of_plan)
        .filter_map(|passed| match passed.unwrap() {
            Passed::Event(event) => Some(event.recorded_at),
            Passed::Through(_) => None,
        })
        .collect();
    assert_eq!(instants.len() as u64, EVENTS);
    let mut group = criterion.benchmark_group("plan of 1,500 events");
    group.bench_function("now", |bencher| {
        bencher.iter(|| {
            let read = ledger.read(|reading| plan_view(reading, plan, Viewer::Staff));
            assert!(read.unwrap().0.is_some());
        });
    });
    let next = Cell::new(0);
    group.bench_function("as of an instant", |bencher| {
        bencher.iter(|| {
            next.set((next.get() + STRIDE) % instants.len());
            let position = ledger.position_at(instants[next.get()]).unwrap();
            let read = ledger.read_at(position, |reading| plan_view(reading, plan, Viewer::Staff));
            assert!(read.unwrap().0.is_some());
        });
    });
    group.finish();
}
