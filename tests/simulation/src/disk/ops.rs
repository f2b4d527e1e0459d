//! The core's own traits for disks and files, over the machine.

use std::io;

use planledger_core::journal::{Disk, DiskFile};
use planledger_core::turns::give_way;

use super::faults::Kind;
use super::{Fault, Inner, LastWrite, Lie, Machine};

/// A folder, as one process sees it.
#[derive(Debug, Clone)]
pub(crate) struct SimFolder {
    pub(super) machine: Machine,
    pub(super) folder: usize,
    pub(super) life: u64,
}

struct SimFile {
    on: SimFolder,
    file: usize,
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Inner {
    fn named(&self, folder: usize, name: &str) -> io::Result<usize> {
        let folder = self.folders.get(folder).ok_or_else(absent)?;
        folder.names.get(name).copied().ok_or_else(absent)
    }

    fn name_of(&self, folder: usize, file: usize) -> &str {
        let names = self.folders.get(folder).map(|folder| folder.names.iter());
        let found = names.and_then(|mut names| names.find(|(_, number)| **number == file));
        found.map_or("", |(name, _)| name.as_str())
    }

    fn is_unmade(&self, folder: usize, name: &str) -> bool {
        match self.lie {
            Some(Lie::NoFile(of, begins)) => of == folder && name.starts_with(begins),
            _ => false,
        }
    }
}

impl SimFolder {
    /// Does an operation on the folder, and notes it. Other threads may come first.
    fn done<T>(
        &self,
        kind: Kind,
        name: &str,
        work: impl FnOnce(&mut Inner) -> io::Result<T>,
    ) -> io::Result<T> {
        give_way();
        let mut inner = self.machine.lock();
        let came = work(&mut inner);
        inner.note(kind, format_args!("{}/{name}", self.folder), &came, |_| 0);
        came
    }

    fn handle(&self, file: usize) -> Box<dyn DiskFile> {
        Box::new(SimFile {
            on: self.clone(),
            file,
        })
    }
}

impl Disk for SimFolder {
    fn list(&self) -> io::Result<Vec<String>> {
        self.done(Kind::Look, "", |inner| {
            inner.plain(Kind::Look, self.life)?;
            let folder = inner.folders.get(self.folder).ok_or_else(absent)?;
            Ok(folder.names.keys().cloned().collect())
        })
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.done(Kind::Look, name, |inner| {
            inner.plain(Kind::Look, self.life)?;
            Ok(inner.named(self.folder, name).is_ok())
        })
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.done(Kind::Open, name, |inner| {
            inner.plain(Kind::Open, self.life)?;
            let file = inner.named(self.folder, name)?;
            Ok(self.handle(file))
        })
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.done(Kind::Create, name, |inner| {
            inner.plain(Kind::Create, self.life)?;
            if inner.named(self.folder, name).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let file = inner.files.len();
            inner.files.push(super::inode::Inode::default());
            if !inner.is_unmade(self.folder, name) {
                let folder = inner.folders.get_mut(self.folder).ok_or_else(absent)?;
                folder.make(name, file);
            }
            Ok(self.handle(file))
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.done(Kind::Rename, to, |inner| {
            inner.plain(Kind::Rename, self.life)?;
            if inner.is_unmade(self.folder, from) {
                return Ok(());
            }
            let file = inner.named(self.folder, from)?;
            let folder = inner.folders.get_mut(self.folder).ok_or_else(absent)?;
            folder.rename(from, to, file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.done(Kind::Remove, name, |inner| {
            inner.plain(Kind::Remove, self.life)?;
            if inner.is_unmade(self.folder, name) {
                return Ok(());
            }
            inner.named(self.folder, name)?;
            let folder = inner.folders.get_mut(self.folder).ok_or_else(absent)?;
            folder.remove(name);
            Ok(())
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.done(Kind::SyncFolder, "", |inner| {
            inner.plain(Kind::SyncFolder, self.life)?;
            let lie = inner.lie;
            let folder = inner.folders.get_mut(self.folder).ok_or_else(absent)?;
            match lie {
                Some(Lie::NoFolderSync(of)) if of == self.folder => {}
                Some(Lie::SyncBeforeRename(of)) if of == self.folder => {
                    folder.sync_but_last_rename()
                }
                _ => folder.sync(),
            }
            Ok(())
        })
    }
}

impl SimFile {
    /// Does an operation on the file, and notes it. Other threads may come first. `count` is what came of it.
    fn done<T>(
        &self,
        kind: Kind,
        (offset, len): (u64, u64),
        count: impl Fn(&T) -> u64,
        work: impl FnOnce(&mut Inner) -> io::Result<T>,
    ) -> io::Result<T> {
        give_way();
        let mut inner = self.on.machine.lock();
        let came = work(&mut inner);
        let file = self.file;
        inner.note(
            kind,
            format_args!("file {file} at {offset}, {len} bytes"),
            &came,
            count,
        );
        came
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.done(
            Kind::Look,
            (0, 0),
            |len| *len,
            |inner| {
                // Nothing that is open fails to tell its length.
                if inner.dead || inner.life != self.on.life {
                    return Err(Fault::Kill.error());
                }
                let file = inner.files.get(self.file).ok_or_else(absent)?;
                Ok(file.cached.len() as u64)
            },
        )
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = buffer.len() as u64;
        self.done(
            Kind::Read,
            (offset, len),
            |count| *count as u64,
            |inner| {
                let came = inner.step(Kind::Read, self.on.life)?;
                let lie = inner.lie;
                let file = inner.files.get(self.file).ok_or_else(absent)?;
                let there = file.cached.get(offset as usize..).unwrap_or_default();
                let mut count = there.len().min(buffer.len());
                match &came {
                    Some((Fault::Short, dice)) => {
                        count = count.min(1 + dice.clone().below(count as u64) as usize);
                    }
                    Some((Fault::Rot, _)) | None => {}
                    Some(_) if lie == Some(Lie::FailedReadIsEnd) => return Ok(0),
                    Some((fault, _)) => return Err(fault.error()),
                }
                for (to, from) in buffer.iter_mut().zip(there.iter().take(count)) {
                    *to = *from;
                }
                if let Some((Fault::Rot, mut dice)) = came
                    && count > 0
                {
                    let at = dice.below(count as u64) as usize;
                    if let Some(byte) = buffer.get_mut(at) {
                        *byte ^= 1 << dice.below(8);
                    }
                }
                Ok(count)
            },
        )
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.done(
            Kind::Write,
            (offset, bytes.len() as u64),
            |count| *count as u64,
            |inner| {
                let len = inner.files.get(self.file).ok_or_else(absent)?.cached.len() as u64;
                let end = offset + bytes.len() as u64;
                let kind = match end > len {
                    true => Kind::Extend,
                    false => Kind::Write,
                };
                let came = inner.step(kind, self.on.life)?;
                let lie = inner.lie;
                let mut count = bytes.len();
                match came {
                    None => {}
                    Some((Fault::Short, mut dice)) => {
                        count = count.min(1 + dice.below(count as u64) as usize);
                    }
                    Some((Fault::NoSpace, _)) if lie == Some(Lie::NoSpaceIsDone) => {
                        return Ok(bytes.len());
                    }
                    Some((Fault::Io, _)) if lie == Some(Lie::FailedWriteIsDone) => {
                        return Ok(bytes.len());
                    }
                    Some((Fault::Io, mut dice)) => {
                        // Some of it may have come as far as the system's memory.
                        let part = dice.below(count as u64 + 1) as usize;
                        let (part, _) = bytes.split_at(part);
                        let file = inner.files.get_mut(self.file).ok_or_else(absent)?;
                        file.write(offset as usize, part);
                        return Err(Fault::Io.error());
                    }
                    Some((fault, _)) => return Err(fault.error()),
                }
                let growth = (offset + count as u64).saturating_sub(len);
                let short = growth - inner.take_space(growth);
                count -= (short as usize).min(count);
                if count == 0 && !bytes.is_empty() {
                    return match lie == Some(Lie::NoSpaceIsDone) {
                        true => Ok(bytes.len()),
                        false => Err(Fault::NoSpace.error()),
                    };
                }
                let (written, _) = bytes.split_at(count);
                inner.last_write = LastWrite {
                    zeros: written.iter().all(|byte| *byte == 0),
                    within: end <= len,
                };
                let file = inner.files.get_mut(self.file).ok_or_else(absent)?;
                let at = offset as usize;
                let same = file.cached.get(at..at + count) == Some(written);
                if !(same && lie == Some(Lie::SameIsNotWritten(self.on.folder))) {
                    file.write(at, written);
                }
                match lie {
                    Some(Lie::ShortIsWhole) => Ok(bytes.len()),
                    _ => Ok(count),
                }
            },
        )
    }

    fn sync_data(&self) -> io::Result<()> {
        self.done(
            Kind::Sync,
            (0, 0),
            |()| 0,
            |inner| {
                let came = inner.step(Kind::Sync, self.on.life)?;
                let name = inner.name_of(self.on.folder, self.file);
                let last = inner.last_write;
                let skips = |lie: Lie| lie.skips_sync(self.on.folder, name, last);
                let (skipped, lie) = (inner.lie.is_some_and(skips), inner.lie);
                let file = inner.files.get_mut(self.file).ok_or_else(absent)?;
                match came {
                    Some((fault, mut dice)) => {
                        file.fail_sync(&mut dice);
                        match lie == Some(Lie::FailedSyncIsDone) {
                            true => Ok(()),
                            false => Err(fault.error()),
                        }
                    }
                    None if skipped => Ok(()),
                    None => {
                        file.sync();
                        Ok(())
                    }
                }
            },
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.done(
            Kind::SetLen,
            (0, len),
            |()| 0,
            |inner| {
                inner.plain(Kind::SetLen, self.on.life)?;
                if inner.lie == Some(Lie::NoCutOff(self.on.folder)) {
                    return Ok(());
                }
                let file = inner.files.get_mut(self.file).ok_or_else(absent)?;
                file.set_len(len as usize);
                Ok(())
            },
        )
    }
}
