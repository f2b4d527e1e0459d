//! The system fails under a server: its files of derived state cannot be read, written, opened or
//! synced for a while, or it may open no more files at all. Whatever comes of that, the next start comes
//! up, and an outside witness finds every receipt kept and every answer right.
//!
//! `PLANLEDGER_FAULT_CASES` says how many cases each test goes through, `PLANLEDGER_FAULT_SEED` where
//! they begin. A case that fails is named by its seed.

mod descriptors;
mod running;
mod starting;
mod story;
