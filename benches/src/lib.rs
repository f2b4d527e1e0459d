//! What the micro-benchmarks and the load driver measure with: schools of any size, a ledger in a
//! directory, and clients, latencies and processes.

pub mod measure;
pub mod place;
pub mod school;
