//! What auditors rely on: checkpoints of a running ledger, bundles, and what is noticed when
//! something is wrong with them.

mod attacks;
mod bundles;
mod checkpoints;
mod compare;
mod directory;
mod fold;
mod forge;
mod forged;
mod forks;
mod lies;
mod lying;
mod mangled;
mod mutation;
pub(crate) mod school;
mod story;
mod withheld;
