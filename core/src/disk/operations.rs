//! The operations on files. Tests can put a faulty disk in their place.

use std::io;

/// A directory of files. The names contain no folders.
pub trait Disk: Send + Sync + 'static {
    /// The names of the files in the directory, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Whether there is something with this name. It takes no file descriptor.
    fn exists(&self, name: &str) -> io::Result<bool>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file that does not exist yet.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file, replacing whatever has the new name. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Durable after [`Disk::sync_dir`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Waits until the names in the directory are on stable storage.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads into `buffer` from `offset`. Returns how many bytes were read; 0 at the end of the
    /// file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes from `offset` on. Returns how many bytes were written, which may be fewer than given.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Waits until the bytes and the length are on stable storage.
    ///
    /// # Errors
    /// After an error nobody knows which bytes are stored. Trying again proves nothing,
    /// because the system may have marked the lost pages as clean.
    fn sync_data(&self) -> io::Result<()>;

    /// Gives the file this length: cuts it off, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
}

/// Fills `buffer` from `offset`, as far as the file goes. Returns how many bytes were read.
pub(crate) fn read_full(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes all of `bytes`. A whole write is one call to the system.
pub(crate) fn write_full(file: &dyn DiskFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write_at(rest, offset + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `bytes` at the end of a file, with one call to the system.
///
/// If a call wrote a part and another one the rest, the system may have stored a block in between that has
/// something of both, and a power cut could leave it so. That would look like damage: a write that was not
/// finished leaves blocks whole or as zeros. So a part is taken back, and all of it is written again.
pub(crate) fn write_whole(file: &dyn DiskFile, bytes: &[u8], at: u64) -> io::Result<()> {
    const ATTEMPTS: u32 = 4;
    for _ in 0..ATTEMPTS {
        let count = match file.write_at(bytes, at) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if count == bytes.len() {
            return Ok(());
        }
        file.set_len(at)?;
        file.sync_data()?;
    }
    // Nothing but a disk that is full does a part each time.
    Err(io::ErrorKind::StorageFull.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Fault, FaultyDisk, PowerCut};

    #[test]
    fn a_write_that_was_done_in_parts_leaves_blocks_whole_or_as_zeros_after_any_power_cut() {
        const NEW: [u8; 2_000] = [2; 2_000];
        let disk = FaultyDisk::new();
        let file = disk.create("file").unwrap();
        write_full(file.as_ref(), &[1; 100], 0).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir().unwrap();
        disk.inject(disk.operations(), Fault::Short);
        write_whole(file.as_ref(), &NEW, 100).unwrap();
        let bytes = disk.bytes("file").unwrap();
        assert_eq!(bytes, [&[1; 100][..], &NEW].concat());
        for seed in 0..500 {
            let disk = disk.fork().reboot(PowerCut::KeepsBlocks(seed));
            let bytes = disk.bytes("file").unwrap();
            let (old, new) = bytes.split_at(100);
            assert_eq!(old, [1; 100]);
            let (first, rest) = new.split_at(new.len().min(412));
            for block in std::iter::once(first).chain(rest.chunks(512)) {
                let whole = block.iter().all(|byte| *byte == 2);
                assert!(whole || block.iter().all(|byte| *byte == 0), "{seed}");
            }
        }
    }

    #[test]
    fn a_disk_on_which_only_a_part_finds_space_is_full() {
        let disk = FaultyDisk::new();
        let file = disk.create("file").unwrap();
        disk.limit_space(700);
        let error = write_whole(file.as_ref(), &[2; 2_000], 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
