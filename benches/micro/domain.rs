//! Deciding and applying: the rules alone, without I/O.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion};
use planledger_benches::school::School;
use planledger_core::domain::world::Context;
use planledger_core::domain::{Aggregate, Command, EventMeta, World, decide};
use planledger_core::ids::{PersonId, PlanId, Revision, StreamId, StreamKind, YearPlanId};
use planledger_core::ledger::ReadError;
use planledger_core::time::Timestamp;

/// Everything in memory, as the rules want to see it.
pub(crate) struct Memory {
    school: School,
    streams: HashMap<StreamId, (Arc<Aggregate>, Revision)>,
}

impl World for Memory {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        Ok(self.streams.get(&stream).map(|(state, _)| state.clone()))
    }

    fn plan_of(&self, _: PersonId, _: YearPlanId) -> Result<Option<PlanId>, ReadError> {
        // The school opens each plan once.
        Ok(None)
    }

    fn owned(&self, _: PersonId) -> Result<Vec<StreamId>, ReadError> {
        // The school decides about nobody who may have left.
        Ok(Vec::new())
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        let streams = self.streams.keys();
        Ok(streams
            .filter(|stream| stream.kind == kind)
            .copied()
            .collect())
    }

    fn day(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 20)
    }
}

impl Memory {
    pub(crate) fn of(school: School) -> Self {
        let mut memory = Self {
            school,
            streams: HashMap::new(),
        };
        for command in school.foundation().unwrap() {
            memory.carry_out(&command);
        }
        memory
    }

    fn context(&self) -> Context {
        Context {
            actor: self.school.actor(),
            on_behalf_of: None,
            at: Timestamp::from_nanos(1_800_000_000_000_000_000),
        }
    }

    pub(crate) fn carry_out(&mut self, command: &Command) {
        let decision = decide(self, &self.context(), command).unwrap();
        for event in &decision.events {
            let found = self.streams.remove(&decision.stream);
            let (state, revision) = found.unzip();
            let revision = revision.unwrap_or_default().next();
            let mut state = state.map(Arc::unwrap_or_clone);
            Aggregate::apply(&mut state, &self.meta(decision.stream, revision), event);
            let state = Arc::new(state.unwrap());
            self.streams.insert(decision.stream, (state, revision));
        }
    }

    fn meta(&self, stream: StreamId, revision: Revision) -> EventMeta {
        EventMeta {
            stream,
            revision,
            recorded_at: Timestamp::from_nanos(1_800_000_000_000_000_000 + revision.get()),
            actor: self.school.actor(),
            on_behalf_of: None,
        }
    }
}

pub(crate) fn rules(criterion: &mut Criterion) {
    let school = School::new(1, 25);
    let mut memory = Memory::of(school);
    for nth in 0..1_000 {
        memory.carry_out(&school.work_on(0, nth).unwrap());
    }
    let mut group = criterion.benchmark_group("domain");
    for (name, nth) in [("status", 1_001), ("evaluation", 1_000)] {
        let command = school.work_on(0, nth).unwrap();
        let context = memory.context();
        group.bench_function(format!("decide {name}, plan of 1,000 events"), |bencher| {
            bencher.iter(|| decide(&memory, &context, black_box(&command)).unwrap());
        });
        let decision = decide(&memory, &context, &command).unwrap();
        let (state, revision) = memory.streams[&decision.stream].clone();
        let meta = memory.meta(decision.stream, revision.next());
        group.bench_function(format!("apply {name}, plan of 1,000 events"), |bencher| {
            let fresh = || Some(Aggregate::clone(&state));
            bencher.iter_batched_ref(
                fresh,
                |state| Aggregate::apply(state, &meta, black_box(&decision.events[0])),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}
