//! Says in words what is wrong with a ledger's directory, what of it is lost, and what to do next.
//!
//! [`examine`] only reads. It looks at the folders, reads every frame of the journal that can be read,
//! also after damage, and then checks what [`verify_dir`](crate::verify::verify_dir) checks.
//! [`repair`] removes what is derived and faulty, so that the next start makes it again. It asks nothing
//! of the journal and touches neither journal, keys, checkpoints nor acts.

mod advice;
mod examine;
mod export;
mod finding;
mod keys;
mod lines;
mod reading;
mod repair;
mod surroundings;

pub use self::advice::{Advice, Section};
pub(crate) use self::examine::enter;
pub use self::examine::{Examination, Place, examine};
pub use self::export::{ExportError, Exported, MissingRevisions, export};
pub(crate) use self::export::{newest_checkpoint, person_of, scope_from};
pub use self::finding::{Finding, Lost, Weight};
pub use self::keys::KeyFault;
pub(crate) use self::lines::{EndLine, EventLine, FORMAT, HeadLine, VERSION};
pub(crate) use self::reading::{Why, open};
pub use self::repair::{Done, RepairError, repair};
