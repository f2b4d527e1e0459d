//! The planledger library: student plans recorded in an append-only journal.
//!
//! Start at [`domain`] for the rules, [`journal`] for what is on disk, [`seal`] for how it is
//! encrypted, and `ledger` for the engine that ties them together.

pub mod derived;
pub mod domain;
pub mod entry;
pub mod ids;
pub mod journal;
pub mod ledger;
pub mod merkle;
pub mod seal;
pub mod text;
pub mod time;

mod fields;
mod hash;
