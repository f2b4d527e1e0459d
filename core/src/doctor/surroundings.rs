//! Looks at folders and files from outside: links, modes, leftovers and room.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::ledger::directory::{FOLDERS, OF_THE_OWNER};

/// What every disk of a ledger should have left, at least.
const ROOM: u64 = 256 << 20;

/// The bits of a mode that stand for the group and for everybody.
const FOR_OTHERS: u32 = 0o077;

/// Secrets that stand beside the key store.
const SECRETS: [&str; 2] = ["keys/master.key", "keys/checkpoint.key"];

/// Temporary names of files that are replaced as a whole, by their folder. Nothing reads them, and a
/// later try removes them.
const LEFTOVERS: &[(&str, &[&str])] = &[
    ("journal", &["redaction.tmp"]),
    ("keys", &["keys.tmp", "destroying.tmp"]),
    ("erasures", &["acts.tmp", "acts.next.tmp"]),
    ("tlog", &["size.tmp", "heads.tmp", "checkpoint.tmp"]),
    ("access", &["heads.tmp"]),
    ("access/journal", &["redaction.tmp"]),
    ("access/tlog", &["size.tmp", "checkpoint.tmp"]),
];

/// The folders that are symbolic links.
pub(super) fn links(dir: &Path) -> Vec<Finding> {
    let paths = FOLDERS.iter().map(|name| dir.join(name));
    let is_link = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let links = paths.filter(is_link);
    links.map(|path| Finding::Link { path }).collect()
}

/// Everything else.
pub(super) fn look(dir: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in OF_THE_OWNER.iter().chain(&SECRETS) {
        let path = dir.join(name);
        if let Ok(metadata) = fs::symlink_metadata(&path)
            && metadata.permissions().mode() & FOR_OTHERS != 0
        {
            let mode = metadata.permissions().mode();
            found.push(Finding::OpenToOthers { path, mode });
        }
    }
    for name in ["keys/destroying", "journal/redaction"] {
        let path = dir.join(name);
        if path.is_file() {
            found.push(Finding::Unfinished { path });
        }
    }
    let leftovers = leftovers(dir).into_iter();
    found.extend(leftovers.map(|path| Finding::Leftover { path }));
    let path = dir.join("derived.set-aside");
    if path.is_dir() {
        found.push(Finding::SetAside { path });
    }
    found.extend(little_room(dir));
    found
}

/// The files that interrupted writes have left.
pub(super) fn leftovers(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (folder, names) in LEFTOVERS {
        let folder = dir.join(folder);
        found.extend(names.iter().map(|name| folder.join(name)));
    }
    for folder in ["journal", "access/journal"] {
        let entries = fs::read_dir(dir.join(folder)).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let unfinished = names.filter(|name| is_unfinished_segment(name));
        found.extend(unfinished.map(|name| dir.join(folder).join(name)));
    }
    found.retain(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file()));
    found.sort_unstable();
    found
}

/// Whether a file of the journal has the temporary name of a segment, or of what is kept of one.
fn is_unfinished_segment(name: &str) -> bool {
    let digits = name.strip_prefix("segment-").and_then(|rest| {
        let log = rest.strip_suffix(".log.tmp");
        log.or_else(|| rest.strip_suffix(".leaves.tmp"))
    });
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first folder of each disk that has too little room. A rebuild needs room for derived state once
/// more.
fn little_room(dir: &Path) -> Vec<Finding> {
    let folders = [
        ".",
        "journal",
        "keys",
        "derived",
        "checkpoints",
        "tlog",
        "access",
    ];
    let mut disks = Vec::new();
    let mut found = Vec::new();
    for folder in folders {
        let path = match folder {
            "." => dir.to_owned(),
            folder => dir.join(folder),
        };
        let Ok(disk) = rustix::fs::statvfs(&path) else {
            continue;
        };
        let needed = match folder {
            "derived" => ROOM + bytes_in(&path),
            _ => ROOM,
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed && !disks.contains(&disk.f_fsid) {
            disks.push(disk.f_fsid);
            found.push(Finding::LittleRoom { path, free, needed });
        }
    }
    found
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_names_of_segments_are_left_over() {
        assert!(is_unfinished_segment("segment-00000002.log.tmp"));
        assert!(is_unfinished_segment("segment-00000002.leaves.tmp"));
        for other in [
            "segment-00000002.log",
            "segment-00000002.leaves",
            "segment-x.log.tmp",
            "master.key.tmp",
        ] {
            assert!(!is_unfinished_segment(other), "{other}");
        }
    }

    #[test]
    fn a_folder_that_others_may_enter_and_a_leftover_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::write(keys.join("keys.log"), "").unwrap();
        let mode = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(keys.join("keys.log"), mode).unwrap();
        };
        mode(0o600);
        assert!(look(dir.path()).is_empty());
        mode(0o640);
        fs::write(keys.join("keys.tmp"), "").unwrap();
        let codes: Vec<_> = look(dir.path()).iter().map(Finding::code).collect();
        assert_eq!(codes, ["OPEN_TO_OTHERS", "LEFTOVER"]);
    }
}
