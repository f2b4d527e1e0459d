//! What the crate promises, in one program: `cargo test -p planledger-core --test core`.
//!
//! Each folder is a suite; `-- derived::` after the command runs only that one. A test that takes
//! something from the whole process, such as its descriptors, starts a process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod access;
mod access_log;
mod aftermath;
mod audit;
mod backup;
mod carry;
mod derived;
mod domain;
mod erasure;
mod format;
mod fuzz;
mod interop;
mod journal;
mod ledger;
mod monitor;
mod plans;
mod properties;
mod recovery;
mod retention;
mod upgrade;
