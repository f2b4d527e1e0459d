//! What holds for any sequence of commands.
//!
//! A failing case says which `PROPTEST_RNG_SEED` shows it again.

mod acts;
pub(crate) mod check;
mod containers;
mod crash;
mod erasures;
mod folding;
mod mergers;
mod model;
mod overview;
mod ownership;
mod place;
mod preview;
mod reading;
mod replay;
mod squatted;
mod suggestions;
mod survey;
