//! Readers that turn files into commands: rosters (OneRoster 1.1) and catalogues of goals
//! (1EdTech CASE 1.0 and 1.1).
//!
//! Invariants:
//! - A file is checked to its end before its first command is given out. An import of a faulty
//!   file does nothing at all.
//! - No command deletes anything (P1).
//! - The same files give the same commands, so importing them twice changes nothing.
//! - A fault never repeats what a file holds.
//!
//! Nothing here knows a ledger or a network.

pub mod catalogue;
mod fault;
pub mod names;
pub mod roster;
pub mod sample;

pub use self::catalogue::{Catalogue, CatalogueSummary};
pub use self::fault::{FaultCode, ImportFault, ImportFaults};
pub use self::roster::{ImportedCommand, Roster, RosterSummary};
