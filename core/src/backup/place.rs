//! Where backups are stored.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, OsDisk, SmallFile};

/// A place that keeps named bytes. Names are `objects/…` and `manifests/…`.
pub trait Place: Send + Sync {
    /// What messages call it.
    fn describe(&self) -> String;

    /// The names in a folder, without it, and how many bytes each has. No names if there is no folder.
    ///
    /// # Errors
    /// The place cannot be reached.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>>;

    /// The bytes with this name.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there are none, or the place cannot be reached.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Stores bytes under a name: all of them or nothing, and on stable storage when it returns.
    ///
    /// # Errors
    /// The place cannot be reached, or is full.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// The same, if there is nothing with this name yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if there is, and as [`Place::write`].
    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes what has this name.
    ///
    /// # Errors
    /// The place cannot be reached.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A folder of a file system. Only its owner may read what is stored there.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at a path. It is made with the first thing that is stored in it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn place(&self, name: &str) -> io::Result<(OsDisk, String)> {
        let path = self.path.join(name);
        let (folder, name) = split(&path)?;
        Ok((OsDisk::named(folder)?, name))
    }
}

fn split(path: &Path) -> io::Result<(&Path, String)> {
    let name = path.file_name().and_then(|name| name.to_str());
    match (path.parent(), name) {
        (Some(folder), Some(name)) => Ok((folder, name.to_owned())),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

impl Place for Folder {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let found = match std::fs::read_dir(self.path.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        let mut names = Vec::new();
        for item in found {
            let item = item?;
            let metadata = item.metadata()?;
            // What an interrupted write left has a name of its own.
            if let Ok(name) = item.file_name().into_string()
                && metadata.is_file()
                && !name.ends_with(UNFINISHED)
            {
                names.push((name, metadata.len()));
            }
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path.join(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (disk, name) = self.place(name)?;
        let file = SmallFile {
            name: &name,
            temporary: &format!("{name}{UNFINISHED}"),
        };
        file.replace(&disk, bytes)?;
        Ok(())
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self.path.join(name).try_exists()? {
            true => Err(io::ErrorKind::AlreadyExists.into()),
            false => self.write(name, bytes),
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (disk, name) = self.place(name)?;
        match disk.remove(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

const UNFINISHED: &str = ".tmp";
