//! Carries the events of a ledger over into a new one, from an export ([`Import`]) or from what is left of a
//! damaged directory ([`Salvage`]).
//!
//! ```text
//! export file ──────► Source ─► look (all of it) ─► write (all of it) ─► a new directory
//! damaged directory ──┘          what is proved,      new id, new keys,     origin/: the old entries,
//!                                what is lost         the same positions    checkpoint, report
//! ```
//!
//! A source is read twice. The first time everything is checked and nothing is written; the second time the
//! new ledger is written into a directory that does not open before it is done. The source is never changed.
//! What becomes of events that are lost, and why, stands in `core/DESIGN.md`, "A ledger that comes from
//! another one".

mod acts;
mod error;
mod import;
mod lines;
mod look;
mod making;
mod report;
mod salvage;
mod scopes;
mod writing;

use crate::domain::Actor;
use crate::entry::{Entry, EntryBytes};
use crate::ids::{CommandId, LedgerId, Position};
use crate::ledger::Options;
use crate::seal::{EventKey, KeyScope};
use crate::text::ReasonText;

pub use self::error::{CarryError, LineFault};
pub use self::import::Import;
pub use self::report::{Carried, LostPlaces, LostRevisions};
pub use self::salvage::Salvage;

/// The new ledger.
pub struct NewLedger {
    /// How to open it, and its directory, which must be new or empty.
    pub options: Options,
    /// The id of the command that records where the ledger came from, and who does it.
    pub sent: (CommandId, Actor),
    /// Why. No name of a person.
    pub reason: ReasonText,
}

/// An event of the earlier ledger, as far as it can be read. Its entry is sound.
struct Taken {
    position: Position,
    /// The position of the stream's event before it.
    back: Position,
    entry: Entry,
    bytes: EntryBytes,
    /// Whose key seals it, as far as that is known.
    scope: Option<KeyScope>,
    /// The key of this one event in the earlier ledger.
    key: Option<EventKey>,
    content: Content,
}

/// What is there of an event's payload.
enum Content {
    /// The JSON as it was sealed.
    Json(Vec<u8>),
    /// It was overwritten.
    Redacted,
    /// Its key was destroyed.
    Erased,
    /// It cannot be read, and no act says that it should not be.
    Gone,
}

/// Where events come from.
trait Source {
    /// The id of the earlier ledger.
    fn ledger(&self) -> LedgerId;

    /// Hands over each event whose entry is sound, in the order of positions. The same each time.
    fn each(
        &mut self,
        take: &mut dyn FnMut(Taken) -> Result<(), CarryError>,
    ) -> Result<(), CarryError>;
}
