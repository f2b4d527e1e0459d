//! When an owner leaves: what they own, what a transfer or restore would do, doing it however often
//! it is broken off, and taking it back.

mod administrators;
mod ended;
mod looking;
mod merging;
pub(crate) mod place;
mod proposing;
mod refusing;
mod restoring;
mod running;
mod squatted;
mod story;
mod undoing;
