//! What is done when an owner leaves, on a whole ledger: dry runs, runs that are broken off, and two
//! administrators at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod broken_off;
mod place;
mod proposals;
mod races;
