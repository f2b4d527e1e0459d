//! The file of the key store: how it is read, and how it is brought to stable storage when it is
//! opened.

use std::io;

use super::error::KeyStoreError;
use super::keys::Keys;
use super::slot::{Decoded, Fields224, SLOT, checked, group_of};
use crate::disk::{Disk, DiskFile, SmallFile, read_full, write_full};

pub(super) const NAME: &str = "keys.log";
pub(super) const FILE: SmallFile<'_> = SmallFile {
    name: NAME,
    temporary: "keys.tmp",
};
pub(super) const TORN: &str = "keys.torn";

/// Everything in the file.
pub(super) fn read(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    let count = read_full(file, &mut bytes, 0)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Reads the slots up to a torn tail, each opened by `decode`. Returns how many are whole.
pub(super) fn read_slots(
    slots: &[[u8; SLOT]],
    decode: &dyn Fn(&Fields224) -> Option<Decoded>,
    keys: &mut Keys,
) -> Result<usize, KeyStoreError> {
    for (index, slot) in slots.iter().enumerate() {
        let damaged = || KeyStoreError::Damaged {
            slot: index as u64 + 1,
        };
        let Some(fields) = checked(slot) else {
            // Two slots fill a block of the disk. So an interrupted write leaves a slot either
            // whole or as zeros. A slot with other bytes was written, and has changed since.
            let is_torn = slot.iter().all(|byte| *byte == 0);
            // If a later write follows, this slot had been synced.
            let mut later = slots.iter().skip(index).filter_map(checked);
            if !is_torn || later.any(|fields| group_of(fields) > index as u64) {
                return Err(damaged());
            }
            return Ok(index);
        };
        // The slot says how many slots were there before its write. One of those is missing.
        if group_of(fields) > index as u64 {
            return Err(damaged());
        }
        let (scope, id, key) = decode(fields).ok_or_else(damaged)?;
        keys.hold_or_not(scope, id, key);
    }
    Ok(slots.len())
}

/// Keeps a copy of the torn tail. It should belong to keys that no receipted event uses; the copy
/// is for the case that it does not.
pub(super) fn set_torn_tail_aside(
    disk: &dyn Disk,
    tail: &[u8],
    has_earlier: bool,
) -> io::Result<()> {
    if tail.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        bytes = tail.len(),
        "keys.log ends with an unfinished key; that part is moved to keys.torn"
    );
    let file = match has_earlier {
        true => disk.open(TORN)?,
        false => disk.create(TORN)?,
    };
    write_full(file.as_ref(), tail, file.len()?)?;
    file.sync_data()
}

/// Cuts off the torn tail and brings the rest to stable storage. The keys there are used from now
/// on without being written again (P1).
///
/// The last group of slots may be only in memory: a process wrote it and was killed before its sync
/// returned. If that sync failed, the system may even have marked the group as stored. So the group
/// is written once more, unchanged and at the same place, and then synced. The names in the
/// directory are synced for the same reason.
pub(super) fn make_durable(disk: &dyn Disk, file: &dyn DiskFile, kept: &[u8]) -> io::Result<()> {
    file.set_len(kept.len() as u64)?;
    let (slots, _) = kept.as_chunks::<SLOT>();
    // A store without keys consists of its header, which was synced before the file got its name.
    let group = match slots {
        [_, .., last] => checked(last).map_or(0, group_of),
        _ => 0,
    };
    let from = (group + 1) * SLOT as u64;
    let start = usize::try_from(from).map_err(io::Error::other)?;
    // A group is counted only if its slots were found to follow those before it.
    let (_, last_group) = kept.split_at(start);
    write_full(file, last_group, from)?;
    file.sync_data()?;
    disk.sync_dir()
}
