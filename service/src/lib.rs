//! The planledger service: what stands between files, callers and the ledger.

pub mod import;
