//! Micro-benchmarks of the library: what one command, event, group or read takes by itself.
//!
//! `cargo bench -p planledger-benches` runs all of them, with `-- NAME` those whose name holds NAME.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "benchmarks"
)]

mod domain;
mod event;
mod journal;
mod overview;
mod past;
mod replay;
mod seal;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    domain::rules,
    seal::events,
    journal::append,
    journal::read,
    replay::events,
    replay::rebuild,
    past::plans,
    overview::city
);
criterion_main!(benches);
