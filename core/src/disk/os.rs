//! The disk of the operating system.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::operations::{Disk, DiskFile};

/// A directory of the operating system. Only their owner may read the files and folders that are made
/// in it, and a file that is a symbolic link is not opened: whoever may write to the directory could
/// have the program write elsewhere.
#[derive(Debug, Clone)]
pub struct OsDisk {
    directory: PathBuf,
}

impl OsDisk {
    /// The disk for `directory`, which is created, with its parents, if it does not exist.
    ///
    /// # Errors
    /// Whatever the system answers when a directory cannot be created or synced, and
    /// [`io::ErrorKind::InvalidInput`] when it is a symbolic link.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        refuse_link(&directory)?;
        Self::named(directory)
    }

    /// The same for a directory that somebody named. It may be a symbolic link: whoever named it knows
    /// where it leads to.
    ///
    /// # Errors
    /// Whatever the system answers when a directory cannot be created or synced.
    pub fn named(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        create_dir_durably(&directory)?;
        Ok(Self { directory })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// A file that is made so can be read by its owner only, and is no symbolic link.
pub(crate) fn for_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600).custom_flags(no_follow())
}

/// Takes what everybody but the owner may do from a file or folder, and from all that is in it. Gives
/// how many had too wide rights. A folder that nobody else may enter is not looked into. Links are
/// left alone, and nothing is done if there is nothing at the path.
///
/// # Errors
/// Whatever the system answers, for example when somebody else is the owner.
pub(crate) fn tighten(path: &Path) -> io::Result<u64> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mode = metadata.permissions().mode();
    let (is_dir, is_loose) = (metadata.is_dir(), mode & FOR_OTHERS != 0);
    if !is_loose || !(is_dir || metadata.is_file()) {
        return Ok(0);
    }
    let mut count = 1;
    if is_dir {
        for item in fs::read_dir(path)? {
            count += tighten(&item?.path())?;
        }
    }
    // The folder comes last: as long as it is open to others, the next start looks into it again.
    let mut reading = OpenOptions::new();
    let opened = reading.read(true).custom_flags(no_follow()).open(path)?;
    opened.set_permissions(Permissions::from_mode(mode & 0o777 & !FOR_OTHERS))?;
    Ok(count)
}

/// The bits of a mode that stand for the group and for everybody.
const FOR_OTHERS: u32 = 0o077;

/// The flag that keeps a file from being opened through a symbolic link.
pub(crate) fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// Refuses a folder that is a symbolic link.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it is one, and whatever the system answers. Nothing is wrong with a
/// folder that is not there.
pub(crate) fn refuse_link(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_symlink() => Err(is_link(folder)),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_link(path: &Path) -> io::Error {
    let why = format!(
        "{} is a symbolic link, which is not followed",
        path.display()
    );
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn said(error: io::Error, path: &Path) -> io::Error {
    match error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        true => is_link(path),
        false => error,
    }
}

/// Creates the missing directories of a path and syncs each name in its parent. If a power cut
/// removed the journal's directory, every receipt would be lost (P2).
fn create_dir_durably(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = match directory.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::ErrorKind::NotFound.into()),
    };
    create_dir_durably(parent)?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent)?.sync_all()
}

impl Disk for OsDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in fs::read_dir(&self.directory)? {
            // A name that is not UTF-8 is not one of ours.
            if let Ok(name) = item?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        match fs::symlink_metadata(self.path(name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.path(name);
        // An auditor's copy may be on a read-only medium.
        let mut both = OpenOptions::new();
        both.read(true).write(true).custom_flags(no_follow());
        let file = match both.open(&path) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                let mut reading = OpenOptions::new();
                reading.read(true).custom_flags(no_follow());
                reading.open(&path)?
            }
            other => other.map_err(|error| said(error, &path))?,
        };
        Ok(Box::new(OsFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = for_owner(&mut options).open(self.path(name))?;
        Ok(Box::new(OsFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.0, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folders_are_their_owners_alone_whatever_the_process_would_give() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let disk = OsDisk::new(&folder).unwrap();
        disk.create("file").unwrap();
        assert_eq!(mode(&folder.join("file")), 0o600);
        assert_eq!((mode(&folder), mode(&dir.path().join("a"))), (0o700, 0o700));
    }

    #[test]
    fn what_others_might_read_becomes_the_owners_alone_and_links_are_left() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let set = |name: &str, mode| {
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        };
        fs::create_dir_all(at("open/inner")).unwrap();
        fs::create_dir(at("shut")).unwrap();
        for name in ["open/file", "open/inner/file", "shut/file", "elsewhere"] {
            fs::write(at(name), "untouched").unwrap();
            set(name, 0o644);
        }
        symlink("../elsewhere", at("open/link")).unwrap();
        set("open", 0o755);
        set("open/inner", 0o750);
        set("shut", 0o700);
        assert_eq!(tighten(&at("open")).unwrap(), 4);
        let found =
            ["open", "open/inner", "open/file", "open/inner/file"].map(|name| mode(&at(name)));
        assert_eq!(found, [0o700, 0o700, 0o600, 0o600]);
        // Nobody can come to it, so nobody looks at what may be very many files.
        assert_eq!(tighten(&at("shut")).unwrap(), 0);
        assert_eq!(mode(&at("shut/file")), 0o644);
        assert_eq!(mode(&at("elsewhere")), 0o644);
        assert_eq!(tighten(&at("open")).unwrap(), 0);
        assert_eq!(tighten(&at("nothing")).unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_a_link_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let disk = OsDisk::new(dir.path().join("ledger")).unwrap();
        fs::write(dir.path().join("elsewhere"), "untouched").unwrap();
        symlink("../elsewhere", dir.path().join("ledger/keys.log")).unwrap();
        let error = disk.open("keys.log").err().unwrap();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(disk.create("keys.log").is_err());
        let left = fs::read_to_string(dir.path().join("elsewhere")).unwrap();
        assert_eq!(left, "untouched");
    }
}
