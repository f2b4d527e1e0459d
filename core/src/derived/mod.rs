//! Derived state: everything that can be thrown away and rebuilt from the journal (P3).
//!
//! Documents are kept in sled, written behind the journal in bounded batches and never on the
//! way to a receipt. In front of sled stand the documents not yet written and a bounded cache; beside
//! it stands the register, which knows what every document has to be.

mod codec;
mod doc;
mod docs;
mod generations;
mod register;
mod store;
mod term;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::doc::{CommandEntry, Cursor, Doc, DocKey, Head, StreamDoc};
pub use self::docs::Docs;
pub(crate) use self::generations::Generations;
pub use self::register::Break;
pub(crate) use self::register::Unsound;
pub use self::store::{Store, StoreError};
pub(crate) use self::term::first_plan;
pub use self::term::{Term, terms};
