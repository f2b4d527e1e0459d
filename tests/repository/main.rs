//! What the repository says of itself: the shape of its crates, and pages that quote code.
//!
//! Nothing here starts a server; `cargo test -p planledger-tests --test repository` takes a second.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod api;
mod circles;
mod commands;
mod doctor;
mod fuzzing;
mod limits;
mod messages;
mod pages;
mod promises;
mod subject_access;
mod uses;
mod watching;
