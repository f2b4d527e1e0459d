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
mod repair;
mod surroundings;

pub use self::advice::{Advice, Section};
pub use self::examine::{Examination, Place, examine};
pub use self::export::{ExportError, Exported, MissingRevisions, export};
pub use self::finding::{Finding, Lost, Weight};
pub use self::keys::KeyFault;
pub use self::repair::{Done, RepairError, repair};
