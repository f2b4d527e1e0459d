//! Readers that turn files, and what services give, into commands: rosters (OneRoster, School Data
//! Sync, UNI-Login) and catalogues of goals (1EdTech CASE 1.0 and 1.1).
//!
//! Invariants:
//! - A file is checked to its end before its first command is given out. An import of a faulty
//!   file does nothing at all.
//! - A bad row of a roster is passed over and ends nothing, unless too many rows are bad.
//! - No command deletes anything (P1).
//! - The same files give the same commands, so importing them twice changes nothing.
//! - A fault never repeats what a file holds.
//!
//! Nothing here knows a ledger. Only [`rest`] knows a network.

pub mod catalogue;
mod fault;
mod json;
pub mod names;
pub mod rest;
pub mod roster;
pub mod sample;
mod stil;

pub use self::catalogue::{Catalogue, CatalogueSummary};
pub use self::fault::{FaultCode, ImportFault, ImportFaults, PassedOver, PassedOverKind};
pub use self::roster::{ImportedCommand, Origin, Roster, RosterFiles, RosterSummary, Terms};
