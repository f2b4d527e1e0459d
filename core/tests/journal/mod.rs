//! The journal: what it stores, what it survives and what it refuses.

mod conformance;
mod crash;
mod damage;
mod format;
mod redacting;
mod segments;
mod support;
