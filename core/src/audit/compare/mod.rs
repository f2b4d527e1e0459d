//! Looks for contradictions between pieces of evidence of one ledger: bundles and checkpoints. Each
//! piece may be sound by itself; two that cannot both be true show that the log, or whoever holds
//! its key, has told two stories. What is found is a proof of misbehaviour: a small document that
//! anybody checks with the log's key alone. `core/DESIGN.md` describes it under "Proof of
//! misbehaviour"; `core/AUDITING.md` says what it proves and what it does not.

mod check;
mod facts;
mod found;
mod proof;
mod read;
mod search;
mod tree;
mod writing;

pub use self::check::{Misbehaved, MisbehaviourError, check_misbehaviour};
pub use self::facts::{EntryConflict, HeadConflict, KeyConflict};
pub use self::found::{Finding, Seen};
pub use self::proof::{Contradiction, Heads, MOST_BYTES, Misbehaviour, Opened, Placed};
pub use self::read::{CompareError, Piece};
pub use self::search::{Compared, compare};
