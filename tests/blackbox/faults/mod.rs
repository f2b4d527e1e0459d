//! The system fails under a server: files cannot be read, written, opened, named or synced, for a while or for
//! good; there are no more descriptors and no more memory; the clock jumps; another server is started; derived
//! state is damaged; the process is stopped. What passes, the server says and goes on by itself after; what is
//! final, it says with what to do. Whatever comes of it, the next start comes up, and an outside witness finds
//! every receipt kept and every answer right.
//!
//! `tests/faults/run` makes a table of it, from the rows that each test adds to the file that
//! `PLANLEDGER_FAULT_TABLE` names.
//!
//! `PLANLEDGER_FAULT_CASES` says how many cases each test goes through, `PLANLEDGER_FAULT_SEED` where
//! they begin. A case that fails is named by its seed.

mod clock;
mod descriptors;
#[path = "../../dice.rs"]
mod dice;
mod instances;
mod journal;
mod memory;
mod passing;
mod paused;
mod running;
mod sled;
mod starting;
mod story;
mod told;
