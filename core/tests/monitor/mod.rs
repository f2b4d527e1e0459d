//! What a monitor computes, and what a ledger publishes for it.

mod disclosed;
mod rule;
