//! Backups of a ledger, made while a server runs, and putting one back.
//!
//! ```text
//! DIR ─ create ─► place: objects/<hash>, manifests/<number>     ─ restore ─► a new DIR
//!            └──► place for keys: objects/<hash>                ─────────┘
//! ```
//!
//! A backup is a [`Manifest`]: a list of files, each in parts of at most 16 MiB. Every part is an object
//! that is named by its hash, so what is there already is not copied again, and a backup that was
//! interrupted goes on with what it has. The keys lie in a place apart. The log's key signs the manifest.
//!
//! What is copied, what stays, and where a restore cuts are pure rules: [`Manifest`], [`Keep`] and
//! [`Until`]. A [`Place`] is all that they are stored in.

mod check;
mod create;
mod error;
mod keep;
mod manifest;
mod pace;
mod place;
mod restore;
mod source;
mod store;

pub use self::check::{Checked, check};
pub use self::create::{Create, Created, Step};
pub use self::error::BackupError;
pub use self::keep::Keep;
pub use self::manifest::{FileCopy, Manifest, ManifestError, PartCopy, Seen, SegmentEnd, Signed};
pub use self::pace::Pace;
pub use self::place::{Folder, Place};
pub(crate) use self::restore::Unfinished;
pub use self::restore::{Lost, PutBack, Restore, Until};
pub use self::store::{Listed, forget, list};
