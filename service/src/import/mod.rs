//! Readers that turn files into commands: rosters (OneRoster 1.1) and catalogues of goals
//! (1EdTech CASE 1.0).
//!
//! Invariants: a file is checked to its end before its first command comes out, so that a
//! faulty import does nothing at all; no command deletes anything (P1); the same files give the
//! same commands, so that importing twice changes nothing; a fault never repeats what a file
//! holds. Nothing here knows a ledger or a network.

pub mod catalogue;
mod fault;
pub mod names;
pub mod roster;
pub mod sample;

pub use self::catalogue::{Catalogue, CatalogueSummary};
pub use self::fault::{FaultCode, ImportFault, ImportFaults};
pub use self::roster::{ImportedCommand, Roster, RosterSummary};
