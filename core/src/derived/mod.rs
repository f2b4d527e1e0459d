//! Derived state: everything that can be thrown away and rebuilt from the journal (P3).
//!
//! Documents are kept in sled, written behind the journal in bounded batches and never on the
//! way to a receipt. In front of sled stand the documents not yet written and a bounded cache; beside
//! it stands the register, which knows what every document has to be.

mod codec;
mod cursor;
mod doc;
mod docs;
mod error;
mod generations;
mod register;
mod store;
mod telling;
mod term;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::cursor::Cursor;
pub use self::doc::{CommandEntry, Doc, DocKey, Head, StreamDoc};
pub use self::docs::Docs;
pub(crate) use self::docs::{CACHE_BYTES as CACHED_DOCUMENTS, MOST_DIRTY as WAITING_DOCUMENTS};
pub use self::error::StoreError;
pub(crate) use self::generations::Generations;
pub use self::register::Break;
pub(crate) use self::register::Unsound;
pub(crate) use self::store::CACHE_BYTES as CACHED_BY_SLED;
pub use self::store::Store;
pub(crate) use self::term::first_plan;
pub use self::term::{Term, terms};
