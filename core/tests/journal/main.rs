//! The journal: what it stores, what it survives and what it refuses.

// Tests panic to say no, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod conformance;
mod crash;
mod damage;
mod format;
mod segments;
mod support;
