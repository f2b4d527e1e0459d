//! How much room is left on the disks of a ledger. Its folders may be on several.

use std::path::Path;

use super::definitions::{DISK_FREE, DISK_SIZE};
use super::{Gathered, labelled};

/// The folders that the server writes to while it runs, and the directory itself.
const FOLDERS: [&str; 7] = [
    "",
    "journal",
    "keys",
    "derived",
    "checkpoints",
    "tlog",
    "access",
];
/// What the directory itself is called.
const DIRECTORY: &str = "directory";

pub(super) fn gather(dir: &Path, all: &mut Gathered) {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let name = if folder.is_empty() { DIRECTORY } else { folder };
        if let Some((free, size)) = room(&dir.join(folder)) {
            found.push((name, free, size));
        }
    }
    let free = found.iter().map(|(name, free, _)| labelled((name, *free)));
    all.all(DISK_FREE, free);
    let size = found.iter().map(|(name, _, size)| labelled((name, *size)));
    all.all(DISK_SIZE, size);
}

/// The bytes that are left to the user of this process, and those that there are in all.
#[cfg(unix)]
fn room(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<(u64, u64)> {
    None
}
