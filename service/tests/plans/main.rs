//! A plan's past over the network and on the command line: a real server on a real socket, with a
//! clock that the test sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod api;
mod command_line;
mod served;
