//! Reads the files of a ledger's directory while a server may write to them. No lock is taken.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::error::{BackupError, at};
use super::manifest::Seen;
use super::pace::Pace;
use crate::disk::no_follow;
use crate::journal::{WholeSegment, segment_name, segment_number};
use crate::time::Timestamp;

/// How often something is looked at again that is just being changed, and how long to wait before.
const TRIES: u32 = 50;
const A_MOMENT: Duration = Duration::from_millis(100);
/// How much is read at a time.
const CHUNK: usize = 1 << 20;

/// A file as it looks now, and its length.
pub(super) fn look(path: &Path, now: Timestamp) -> io::Result<(u64, Seen)> {
    let metadata = fs::symlink_metadata(path)?;
    let nanos = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let seen = Seen {
        modified: nanos(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanos(metadata.ctime(), metadata.ctime_nsec()),
        file: metadata.ino(),
        at: now,
    };
    Ok((metadata.len(), seen))
}

/// Opens a file to read it. A symbolic link is not followed.
pub(super) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(no_follow()).open(path)
}

/// All bytes of a file, up to where it ends when the reading gets there.
pub(super) fn read(path: &Path, pace: &mut Pace) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::with_capacity(file.metadata()?.len() as usize);
    while read_chunk(&mut file, CHUNK, &mut bytes, pace)? {}
    Ok(bytes)
}

/// The next bytes of a file, `most` at most. Gives whether there were any.
pub(super) fn read_chunk(
    file: &mut File,
    most: usize,
    into: &mut Vec<u8>,
    pace: &mut Pace,
) -> io::Result<bool> {
    let count = file.take(most as u64).read_to_end(into)?;
    pace.wait(count as u64);
    Ok(count > 0)
}

/// The numbers of the segments in a folder, in order.
pub(super) fn segments(folder: &Path) -> Result<Vec<u64>, BackupError> {
    let mut numbers: Vec<u64> = names(folder)?
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The names of the files in a folder. None if there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(at(folder))?,
    };
    let names = found.map(|item| Ok(item?.file_name().into_string().unwrap_or_default()));
    names.collect::<io::Result<_>>().map_err(at(folder))
}

/// A segment that was read: its bytes up to the end of the last whole commit, and how its file looked
/// just before.
pub(super) struct ReadSegment {
    pub(super) segment: WholeSegment,
    pub(super) end: u64,
    pub(super) seen: Seen,
}

/// Reads a segment. A closed one is all of its file; of the last one, only whole commits are taken,
/// and they are on stable storage when this returns. A redaction or a write that is going on while the file is read can
/// look like damage, so it is read again before that is said.
pub(super) fn read_segment(
    folder: &Path,
    number: u64,
    is_last: bool,
    now: Timestamp,
    pace: &mut Pace,
) -> Result<ReadSegment, BackupError> {
    let name = segment_name(number);
    let path = folder.join(&name);
    let mut left = TRIES;
    loop {
        wait_while_there(&folder.join(REDACTION))?;
        let (_, seen) = look(&path, now).map_err(at(&path))?;
        let bytes = read(&path, pace).map_err(at(&path))?;
        if is_last {
            // What was read may be in memory only. It must not be in a backup and not in the ledger.
            let synced = open(&path).and_then(|file| file.sync_data());
            synced.map_err(at(&path))?;
        }
        let checked = WholeSegment::new(number, bytes).and_then(|segment| {
            let end = match is_last {
                true => segment.end()?,
                false => segment.bytes().len() as u64,
            };
            segment.frames(end).try_for_each(|frame| frame.map(drop))?;
            Ok((segment, end))
        });
        match checked {
            Ok((segment, end)) => return Ok(ReadSegment { segment, end, seen }),
            Err(damage) if left == 0 || !path.exists() => {
                return Err(BackupError::Damaged { file: name, damage });
            }
            Err(_) => {
                left = left.saturating_sub(TRIES / AGAIN);
                std::thread::sleep(A_MOMENT);
            }
        }
    }
}

/// How often a segment is read again that looks damaged.
const AGAIN: u32 = 5;
/// Is in the folder of a journal while a payload is overwritten.
const REDACTION: &str = "redaction";

/// Waits as long as there is a file that says that something is being changed.
pub(super) fn wait_while_there(note: &Path) -> Result<(), BackupError> {
    for _ in 0..TRIES {
        match note.try_exists().map_err(at(note))? {
            false => return Ok(()),
            true => std::thread::sleep(A_MOMENT),
        }
    }
    Err(BackupError::Changing(note.to_owned()))
}
