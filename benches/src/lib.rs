//! What the micro-benchmarks and the load driver measure with: schools of any size, rosters of cities, a
//! ledger in a directory, and clients, latencies and processes.

pub mod city;
pub mod measure;
pub mod place;
pub mod school;
