//! The engine on a real directory: receipts, repetition, restarts, rebuilding, the past.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

mod commands;
mod restart;
