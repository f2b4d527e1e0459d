//! The journal: what it stores, what it survives and what it refuses.

// Tests panic to say no, in their helpers too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

mod conformance;
mod crash;
mod damage;
mod segments;
mod support;
