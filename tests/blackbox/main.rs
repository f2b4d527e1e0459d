//! The service as others meet it: over a real socket, through its messages, errors and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod access;
mod audit;
mod backup;
mod cli;
mod commands;
mod crash;
mod erasure;
mod errors;
mod events;
#[cfg(target_os = "linux")]
mod faults;
mod identity;
mod imports;
#[cfg(target_os = "linux")]
mod kills;
#[cfg(target_os = "linux")]
mod load;
mod overview;
mod ownership;
mod privacy;
mod reads;
mod rights;
mod server;
mod support;
mod survey;
mod walks;
mod watched;
