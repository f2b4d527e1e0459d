//! Carrying the events of a ledger over into a new one: from an export, and from what is left of a damaged
//! directory.

mod beside;
mod importing;
mod keys;
mod lines;
mod salvaging;
mod support;
