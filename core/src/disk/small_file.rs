//! Replaces a small file as a whole.

use std::io;

use super::operations::{Disk, DiskFile, write_full};

/// The name of a small file, and the name under which its next content is written.
#[derive(Debug, Clone, Copy)]
pub struct SmallFile<'a> {
    /// The name of the file.
    pub name: &'a str,
    /// The name of the next content until it is whole and on stable storage.
    pub temporary: &'a str,
}

/// Why a file was not replaced, or not durably.
#[derive(thiserror::Error)]
pub enum ReplaceError {
    /// The file is what it was before. An unfinished file may stand beside it.
    #[error(transparent)]
    Unchanged(io::Error),
    /// The file has the new content, but after a power cut it may have the old content again.
    #[error("{source}")]
    NotDurable {
        /// The error of the last step, which makes the new name durable.
        source: io::Error,
        /// The new file, open.
        file: Box<dyn DiskFile>,
    },
}

impl std::fmt::Debug for ReplaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged(source) => f.debug_tuple("Unchanged").field(source).finish(),
            Self::NotDurable { source, .. } => f.debug_tuple("NotDurable").field(source).finish(),
        }
    }
}

impl From<ReplaceError> for io::Error {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::Unchanged(source) | ReplaceError::NotDurable { source, .. } => source,
        }
    }
}

impl SmallFile<'_> {
    /// Gives the file this content, or makes the file if there is none. Returns it open. Whoever
    /// reads the name finds the old content or the new content, and never a part of either.
    ///
    /// A crash may come before any step:
    /// 1. The remains of an earlier try are removed. Nothing has changed before.
    /// 2. The temporary file is made, and 3. written, and 4. synced. A crash before the end of step
    ///    4 leaves the old file, and perhaps a part of the new one under the temporary name. The
    ///    next try removes that part.
    /// 5. The temporary file gets the name. Its bytes are on stable storage already, so the name
    ///    never leads to less than all of them.
    /// 6. The directory is synced. After a power cut before the end of this step the name leads to
    ///    either file, and both are whole.
    ///
    /// A step that fails is not tried again here, and what it should have stored counts as lost. In
    /// particular a file whose sync failed never gets the name.
    ///
    /// # Errors
    /// [`ReplaceError::Unchanged`] if one of the steps 1 to 5 fails, and
    /// [`ReplaceError::NotDurable`] if step 6 fails.
    pub fn replace(
        self,
        disk: &dyn Disk,
        content: &[u8],
    ) -> Result<Box<dyn DiskFile>, ReplaceError> {
        self.replace_with(disk, |file| write_full(file, content, 0))
    }

    /// As [`SmallFile::replace`], for content that is written in parts: `write` writes all of it.
    ///
    /// # Errors
    /// As for [`SmallFile::replace`], and [`ReplaceError::Unchanged`] if `write` fails.
    pub fn replace_with(
        self,
        disk: &dyn Disk,
        write: impl FnOnce(&dyn DiskFile) -> io::Result<()>,
    ) -> Result<Box<dyn DiskFile>, ReplaceError> {
        let file = self.take_place(disk, write);
        let file = file.map_err(ReplaceError::Unchanged)?;
        match disk.sync_dir() {
            Ok(()) => Ok(file),
            Err(source) => Err(ReplaceError::NotDurable { source, file }),
        }
    }

    /// Removes the file, and what an unfinished try has left of it, and waits until that is on stable
    /// storage. Nothing happens if it is not there.
    ///
    /// # Errors
    /// The disk failed.
    pub fn remove(self, disk: &dyn Disk) -> io::Result<()> {
        for name in [self.temporary, self.name] {
            match disk.remove(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        disk.sync_dir()
    }

    /// The steps 1 to 5.
    fn take_place(
        self,
        disk: &dyn Disk,
        write: impl FnOnce(&dyn DiskFile) -> io::Result<()>,
    ) -> io::Result<Box<dyn DiskFile>> {
        match disk.remove(self.temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = disk.create(self.temporary)?;
        write(file.as_ref())?;
        file.sync_data()?;
        disk.rename(self.temporary, self.name)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Fault, FaultyDisk, OsDisk, PowerCut};

    const FILE: SmallFile<'_> = SmallFile {
        name: "file",
        temporary: "file.tmp",
    };
    /// Longer than a block of the disk, so that a power cut can keep a part.
    const OLD: [u8; 1_500] = [1; 1_500];
    const NEW: [u8; 2_000] = [2; 2_000];
    /// Remove, create, write, sync, rename, sync the directory.
    const STEPS: u64 = 6;

    /// A disk with the old file and with the remains of an earlier try, all on stable storage.
    fn disk() -> FaultyDisk {
        let disk = FaultyDisk::new();
        disk.put_bytes(FILE.name, OLD.to_vec());
        disk.put_bytes(FILE.temporary, vec![3; 700]);
        disk.restart()
    }

    fn content(disk: &FaultyDisk) -> Vec<u8> {
        disk.bytes(FILE.name).expect("the file is gone")
    }

    fn cuts() -> impl Iterator<Item = PowerCut> {
        let bytes = [1, 511, 512, 1_999].map(PowerCut::KeepsBytes);
        [PowerCut::LosesAll, PowerCut::KeepsAll]
            .into_iter()
            .chain(bytes)
            .chain((0..40).map(PowerCut::KeepsBlocks))
    }

    #[test]
    fn a_replaced_file_has_the_new_content_after_any_power_cut() {
        for how in cuts() {
            let disk = disk();
            FILE.replace(&disk, &NEW).unwrap();
            assert_eq!(disk.operations(), STEPS);
            let disk = disk.reboot(how);
            assert_eq!(content(&disk), NEW, "{how:?}");
            assert_eq!(disk.names(), [FILE.name]);
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_made() {
        let disk = FaultyDisk::new();
        FILE.replace(&disk, &NEW).unwrap();
        assert_eq!(content(&disk.reboot(PowerCut::LosesAll)), NEW);
    }

    #[test]
    fn a_crash_before_any_step_leaves_the_old_or_the_new_file_and_the_next_try_succeeds() {
        for step in 0..STEPS {
            for how in cuts().map(Some).chain([None]) {
                let disk = disk();
                disk.inject(step, Fault::Kill);
                assert!(FILE.replace(&disk, &NEW).is_err());
                let disk = match how {
                    Some(how) => disk.reboot(how),
                    None => disk.restart(),
                };
                let found = content(&disk);
                assert!(found == OLD || found == NEW, "step {step}, {how:?}");
                assert!(step == STEPS - 1 || found == OLD, "step {step}, {how:?}");
                FILE.replace(&disk, &NEW).unwrap();
                assert_eq!(content(&disk.reboot(PowerCut::LosesAll)), NEW);
            }
        }
    }

    #[test]
    fn a_step_that_fails_is_told_and_says_which_content_the_file_has() {
        for step in 0..STEPS {
            let disk = disk();
            disk.inject(step, Fault::Fail);
            let failed = FILE.replace(&disk, &NEW).err().expect("it fails");
            assert_eq!(disk.operations(), step + 1, "a step follows a failed one");
            match failed {
                ReplaceError::Unchanged(_) => {
                    assert!(step < STEPS - 1, "step {step}");
                    assert_eq!(content(&disk), OLD, "step {step}");
                }
                ReplaceError::NotDurable { file, .. } => {
                    assert_eq!(step, STEPS - 1);
                    assert_eq!(content(&disk), NEW);
                    assert_eq!(file.len().unwrap(), NEW.len() as u64);
                }
            }
        }
    }

    #[test]
    fn a_short_write_is_completed_before_the_file_gets_its_name() {
        let disk = disk();
        disk.inject(2, Fault::Short);
        FILE.replace(&disk, &NEW).unwrap();
        assert_eq!(content(&disk.reboot(PowerCut::LosesAll)), NEW);
    }

    #[test]
    fn a_private_file_can_be_read_only_by_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let disk = OsDisk::new(dir.path()).unwrap();
        FILE.replace(&disk, &OLD).unwrap();
        FILE.replace(&disk, &NEW).unwrap();
        let path = dir.path().join(FILE.name);
        assert_eq!(std::fs::read(&path).unwrap(), NEW);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
