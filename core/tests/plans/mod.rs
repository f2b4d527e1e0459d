//! A plan's history: what a revert brings back and what it leaves, what differs between two
//! moments, and the past as it was, by the rules alone and through a ledger.

mod diff;
mod histories;
mod ledger;
mod place;
mod revert;
mod school;
