//! What auditors rely on: checkpoints of a running ledger, bundles, and what is noticed when
//! something is wrong with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod attacks;
mod bundles;
mod checkpoints;
mod directory;
mod forge;
mod forged;
mod forks;
mod lying;
mod mangled;
mod mutation;
mod place;
mod school;
mod story;
