//! What to do when an owner leaves: find what the person owns and who could take it over, try out a
//! transfer, restore or merger, and carry it out.
//!
//! Every question is answered from a [`Reading`]: one consistent state, of the present or of any
//! moment. A [recovery](crate::domain::recovery) makes the changes. A caller first asks for a
//! [`Proposal`] (the dry run). Then [`start`] begins the recovery; it refuses if the proposal would
//! be a different one by now. Then [`run`] carries the recovery out. It can be interrupted at any
//! point and goes on from there.

mod departures;
mod dry_run;
mod merge;
mod naming;
mod owned;
mod proposal;
mod propose;
mod rebuild;
mod request;
mod restore;
mod run;
mod school;
mod suggest;
mod transfer;

pub use self::departures::{Leaver, leavers, owned_at};
pub use self::naming::unseen;
pub use self::owned::{Deleting, Owned, deleting, describe, owned, ownerless, title};
pub use self::proposal::{Proposal, Proposed, Why, absent};
pub use self::propose::propose;
pub use self::request::{
    Fallback, Merge, Rebuild, RecoveryRequest, Restore, RestoreItem, Rule, Transfer, What,
};
pub use self::run::{Begun, Progress, RunError, end_early, open, run, run_until, start, undo};
pub use self::suggest::{Suggestion, suggest};

#[cfg(doc)]
use crate::ledger::Reading;
