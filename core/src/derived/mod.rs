//! Derived state: everything that can be thrown away and made again from the journal (P3).
//!
//! Documents are kept in sled. They are written after the journal, in bounded batches, and no
//! receipt waits for them. Documents that are not written yet, and a bounded cache, are kept in
//! memory. Beside sled is the register, which knows what every document has to be.

mod codec;
mod cursor;
mod doc;
mod docs;
mod earlier;
mod error;
mod generations;
mod packed;
mod register;
mod store;
mod telling;
mod term;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod values;

pub use self::cursor::Cursor;
pub use self::doc::{CommandEntry, Doc, DocKey, Head, StreamDoc};
pub(crate) use self::docs::ByKey;
pub use self::docs::Docs;
pub(crate) use self::docs::{CACHE_BYTES as CACHED_DOCUMENTS, MOST_DIRTY as WAITING_DOCUMENTS};
pub(crate) use self::earlier::{CACHE_BYTES as CACHED_PAST, Past, Stretch};
pub use self::error::StoreError;
pub(crate) use self::generations::Generations;
pub use self::register::Break;
pub(crate) use self::register::Unsound;
pub(crate) use self::store::CACHE_BYTES as CACHED_BY_SLED;
pub use self::store::Store;
pub use self::term::{Term, terms};
pub(crate) use self::term::{first_plan, found_alike};
