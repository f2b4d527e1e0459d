//! Opens the files of an export: in a folder, in a zip archive, or in memory.
//!
//! Only known names at the top of the folder or archive are opened, so no path in an archive can
//! lead anywhere else. Every file is read through a meter: see [`Metered`].

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::import::fault::{FaultCode, ImportFault};

/// The most bytes of one unpacked table. This is five times the largest table of a large city.
pub(crate) const FILE_LIMIT: u64 = 256 << 20;

/// An open file that several readers share. Each reader has its own place in it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    content: Arc<Content>,
    at: u64,
}

#[derive(Debug)]
enum Content {
    File(Mutex<File>),
    Memory(Cow<'static, [u8]>),
}

impl Shared {
    fn new(content: Content) -> Self {
        Self {
            content: Arc::new(content),
            at: 0,
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(match &*self.content {
            Content::File(file) => lock(file).metadata()?.len(),
            Content::Memory(bytes) => bytes.len() as u64,
        })
    }
}

fn lock(file: &Mutex<File>) -> std::sync::MutexGuard<'_, File> {
    // Every read first sets its place in the file, so a panic elsewhere has spoiled nothing.
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &*self.content {
            Content::File(file) => {
                let mut file = lock(file);
                file.seek(SeekFrom::Start(self.at))?;
                file.read(buffer)?
            }
            Content::Memory(bytes) => {
                let start = usize::try_from(self.at).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len()?.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The tables of one export. A clone reads the same bytes, at its own place.
#[derive(Clone)]
pub(crate) enum Source {
    /// Single files, by name.
    Files(Vec<(&'static str, Shared)>),
    /// A zip archive.
    Zip(Box<ZipArchive<Shared>>),
}

impl Source {
    /// Opens the folder or archive at `path`. In a folder, all files in `names` are opened now.
    /// So replacing a file later cannot mix two exports.
    pub(crate) fn open(path: &Path, names: &[&'static str]) -> Result<Self, ImportFault> {
        let metadata = path.metadata().map_err(|error| io_fault(path, &error))?;
        if metadata.is_dir() {
            let mut files = Vec::new();
            for name in names {
                let path: PathBuf = path.join(name);
                match File::open(&path) {
                    Ok(file) => files.push((*name, Shared::new(Content::File(file.into())))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(io_fault(&path, &error)),
                }
            }
            return Ok(Self::Files(files));
        }
        let file = File::open(path).map_err(|error| io_fault(path, &error))?;
        Self::zip(Shared::new(Content::File(file.into())), file_name(path))
    }

    /// Takes files in memory. Files that are not in `names` are ignored.
    pub(crate) fn from_files<'n>(
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
        names: &[&'static str],
    ) -> Self {
        let files = files.into_iter().filter_map(|(name, bytes)| {
            let name = names.iter().find(|known| **known == name)?;
            Some((*name, Shared::new(Content::Memory(bytes))))
        });
        Self::Files(files.collect())
    }

    /// Opens a zip archive in memory.
    pub(crate) fn from_zip(bytes: Cow<'static, [u8]>) -> Result<Self, ImportFault> {
        Self::zip(Shared::new(Content::Memory(bytes)), "the zip file".into())
    }

    fn zip(archive: Shared, name: String) -> Result<Self, ImportFault> {
        ZipArchive::new(archive)
            .map(|archive| Self::Zip(Box::new(archive)))
            .map_err(|error| zip_fault(error, name))
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Files(files) => files.iter().any(|(known, _)| *known == name),
            Self::Zip(archive) => archive.index_for_name(name).is_some(),
        }
    }

    /// The unpacked bytes of a file, from its start.
    pub(crate) fn read<'s>(
        &'s mut self,
        name: &'static str,
    ) -> Result<Metered<Box<dyn Read + 's>>, ImportFault> {
        match self {
            Self::Files(files) => {
                let (_, file) = files
                    .iter()
                    .find(|(known, _)| *known == name)
                    .ok_or_else(|| ImportFault::new(FaultCode::FileMissing, name))?;
                let mut file = file.clone();
                file.at = 0;
                Ok(Metered::new(Box::new(file)))
            }
            Self::Zip(archive) => {
                let file = archive
                    .by_name(name)
                    .map_err(|error| zip_fault(error, name))?;
                Ok(Metered::new(Box::new(file)))
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn io_fault(path: &Path, error: &io::Error) -> ImportFault {
    let code = match error.kind() {
        io::ErrorKind::NotFound => FaultCode::FileMissing,
        _ => FaultCode::FileUnreadable,
    };
    ImportFault::new(code, file_name(path))
}

fn zip_fault(error: ZipError, name: impl Into<Cow<'static, str>>) -> ImportFault {
    let code = match error {
        ZipError::FileNotFound => FaultCode::FileMissing,
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            FaultCode::FileUnreadable
        }
        _ => FaultCode::ArchiveInvalid,
    };
    ImportFault::new(code, name)
}

/// Why a metered reader stopped. It is carried inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// The file is longer than [`FILE_LIMIT`].
    #[error("file too large")]
    File,
    /// The row is longer than allowed.
    #[error("row too long")]
    Row,
}

/// Keeps the memory of a reader bounded. It stops a file that does not end, because a zip archive
/// of a few kilobytes can unpack to terabytes. It also stops a row that does not end, because its
/// closing quotation mark is missing.
pub(crate) struct Metered<R> {
    inner: R,
    left: u64,
    row_left: u64,
}

impl<R> Metered<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            left: FILE_LIMIT,
            row_left: u64::MAX,
        }
    }

    /// Allows `bytes` more bytes to be read for the next row.
    pub(crate) fn allow_row(&mut self, bytes: u64) {
        self.row_left = bytes;
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let size = read as u64;
        self.left = self
            .left
            .checked_sub(size)
            .ok_or_else(|| stop(Stopped::File))?;
        self.row_left = self
            .row_left
            .checked_sub(size)
            .ok_or_else(|| stop(Stopped::Row))?;
        Ok(read)
    }
}

fn stop(why: Stopped) -> io::Error {
    io::Error::other(why)
}
