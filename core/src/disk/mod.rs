//! Files: the operations that everything durable is made of, the disk that carries them out, and the
//! one way to replace a small file.

#[cfg(any(test, feature = "testing"))]
mod faulty;
mod operations;
mod os;
mod small_file;

#[cfg(any(test, feature = "testing"))]
pub use self::faulty::{Fault, FaultyDisk, PowerCut};
pub use self::operations::{Disk, DiskFile};
pub(crate) use self::operations::{read_full, write_full, write_whole};
pub use self::os::OsDisk;
pub(crate) use self::os::{for_owner, no_follow, refuse_link, tighten};
pub use self::small_file::{ReplaceError, SmallFile};
