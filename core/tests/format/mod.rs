//! Format version 1, byte by byte, as `core/DESIGN.md` has it.
//!
//! The fixtures here were written once. If a test fails, ledgers that exist can no longer be read,
//! or are written differently. The format is final: a change needs a version of its own, never
//! another fixture. Documents of derived state are the exception: they can always be made again, so
//! they follow the shape that states have now.

mod acts;
mod departures;
mod derived;
mod earlier;
pub(crate) mod events;
mod fixture;
mod golden;
mod newer;
mod packed;
mod reader;
mod shape;
mod story;
