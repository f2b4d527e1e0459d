//! When an owner leaves: what they own, who could take it over, what a transfer or restore would do,
//! and doing it.
//!
//! Looking is done on a [`Reading`]: one consistent state, of the present or of any moment. Doing is
//! a [recovery](crate::domain::recovery): first a [`Proposal`] (the dry run), then [`start`], which
//! refuses if the proposal would be another one by now, then [`run`], which can be broken off at any
//! point and goes on where it was.

mod owned;
mod propose;
mod rebuild;
mod run;
mod school;
mod suggest;
mod trial;

pub use self::owned::{Deleting, Owned, deleting, describe, owned, ownerless, title};
pub use self::propose::{
    Fallback, Proposal, Proposed, RecoveryRequest, Restore, RestoreItem, Rule, Transfer, What, Why,
    absent, propose,
};
pub use self::rebuild::Rebuild;
pub use self::run::{Begun, Progress, RunError, open, run, run_until, start, undo};
pub use self::suggest::{Suggestion, suggest};

#[cfg(doc)]
use crate::ledger::Reading;
