//! The engine on a real directory: receipts, repetition, restarts, rebuilding, the past.

pub(crate) mod support;

mod commands;
mod figures;
mod keys;
mod links;
mod memory;
mod restart;
mod room;
mod sources;
