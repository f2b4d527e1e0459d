//! The ways of working, end to end: a subject plan, a combined plan, what becomes of plans when
//! their containers go, and the past.

mod back;
mod behalf;
mod combined;
mod containers;
mod deletions;
mod past;
mod subject;
