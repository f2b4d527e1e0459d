//! What derived state says must never change what the ledger says (P1, P2, P3).
//!
//! A history of commands is carried out once in a ledger to which nothing happens: that is the
//! reference, with every receipt and with what every read has to say. While it runs, copies of the
//! whole directory are kept. A case takes the journal and the keys of such a copy, which are whole,
//! and derived state that was damaged in one of the ways in [`damage::Kind`]; opens it; sends every
//! command again; goes on with the history to its end; and reads everything. Whatever differs from
//! the reference is a fault. It only uses what the crate shows to everybody, and knows nothing of
//! what is in `derived/`.
//!
//! - `PLANLEDGER_SEED=…` runs one case, the one that a failure named.
//! - `PLANLEDGER_CASES=2000` runs so many.
//! - `PLANLEDGER_KIND=cut` runs only the kinds whose names contain this.
//! - `PLANLEDGER_SHOW=1` prints every fault, not just the first of each sort.

mod answers;
mod case;
mod damage;
mod documents;
mod files;
mod history;
mod many;
mod place;
mod power;
mod reference;
mod running;
mod session;
mod starved;
mod tally;
