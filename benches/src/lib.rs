//! What the micro-benchmarks and the load driver measure with: schools of any size, and a ledger in
//! a directory.

pub mod place;
pub mod school;
