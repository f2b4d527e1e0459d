//! What holds for any sequence of commands.
//!
//! A failing case says which `PROPTEST_RNG_SEED` shows it again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod acts;
mod check;
mod containers;
mod crash;
mod folding;
mod model;
mod overview;
mod ownership;
mod place;
mod replay;
