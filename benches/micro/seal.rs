//! Sealing an event and opening it again, keys and hashes included.

use std::hint::black_box;

use criterion::Criterion;
use planledger_core::domain::Event;
use planledger_core::entry::{self, Entry};
use planledger_core::seal;

use crate::event;

pub(crate) fn events(criterion: &mut Criterion) {
    let key = event::key();
    let event = event::event();
    let mut group = criterion.benchmark_group("seal");
    group.bench_function("event to entry", |bencher| {
        bencher.iter(|| {
            let plain = black_box(&event).to_json().unwrap();
            let sealed = event::sealed(&key, 1, &plain);
            entry::link(&sealed.entry)
        });
    });
    let sealed = event::sealed(&key, 1, &event.to_json().unwrap());
    group.bench_function("entry to event", |bencher| {
        bencher.iter(|| {
            let entry = Entry::decode(black_box(&sealed.entry)).unwrap();
            let event_key = key.key_of(&entry);
            let prefix = entry::prefix(&sealed.entry);
            let json = seal::open(&event_key, &entry.nonce, prefix, &sealed.sealed).unwrap();
            Event::from_json(entry.event_type, entry.schema, &json).unwrap()
        });
    });
    group.finish();
}
