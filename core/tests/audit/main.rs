//! What auditors rely on: checkpoints of a running ledger, bundles, and what is noticed when
//! something is wrong with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bundles;
mod checkpoints;
mod forge;
mod forged;
mod lying;
mod mangled;
mod place;
mod school;
