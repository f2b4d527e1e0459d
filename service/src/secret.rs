//! Files with secrets: keys that others must not read.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use planledger_core::journal::{OsDisk, SmallFile};
use zeroize::Zeroizing;

/// The most bytes that a file with a secret has.
const MOST: usize = 64 << 10;
/// Where a service manager puts the credentials of a service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Whether the file may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It may: an operator named it. What the link leads to must be protected.
    Followed,
    /// It may not: it is one of the ledger's own files, which nobody links.
    Refused,
}

/// Reads a file with a secret. The text is wiped from memory when it is dropped.
///
/// # Errors
/// When the file cannot be read, is a link that may be none, is longer than 64 KiB, or when others
/// than its owner may read or write it. The error says how to mend that.
pub fn read_secret(path: &Path, links: Links) -> Result<Zeroizing<String>, Error> {
    let mut options = OpenOptions::new();
    options.read(true);
    if links == Links::Refused {
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    let file = options.open(path).map_err(|error| said(error, path))?;
    let mode = file.metadata()?.mode();
    if mode & forbidden(path) != 0 {
        let why = format!(
            "others than its owner may open this secret (its mode is {:03o}): run \
             `chmod 600 {}`, and make a new one if somebody could have read it",
            mode & 0o777,
            path.display()
        );
        return Err(Error::new(ErrorKind::PermissionDenied, why));
    }
    // The room is made at once: text that grows is copied, and the copies are not wiped.
    let mut text = Zeroizing::new(String::with_capacity(MOST + 1));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_string(&mut text)?;
    match text.len() > MOST {
        true => Err(Error::new(ErrorKind::InvalidData, "too long for a secret")),
        false => Ok(text),
    }
}

/// The rights that must not be there.
fn forbidden(path: &Path) -> u32 {
    let credentials = std::env::var_os(CREDENTIALS);
    match credentials.is_some_and(|folder| path.starts_with(folder)) {
        // The service manager gives the service's user a right by an access list, which shows as a
        // right of the group to read. Nobody else can enter the folder.
        true => 0o037,
        false => 0o077,
    }
}

fn said(error: Error, path: &Path) -> Error {
    match error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        true => {
            let why = format!(
                "it is a symbolic link, which is not followed here: put the file itself there, as in \
                 `cp --remove-destination \"$(readlink -f {path})\" {path}`",
                path = path.display()
            );
            Error::new(ErrorKind::InvalidInput, why)
        }
        false => error,
    }
}

/// Writes a new file with a secret, which only the file's owner may read. After a crash the file holds
/// the whole secret or is not there. The file is durable when this returns. An empty file is no
/// secret: an earlier version left one when its first start was interrupted, and it is replaced.
///
/// # Errors
/// When the file exists, or the operating system refuses.
pub fn write_secret(path: &Path, secret: &str) -> Result<(), Error> {
    let folder = folder_of(path);
    let name = path.file_name().ok_or(Error::from(ErrorKind::NotFound))?;
    // Create the folder and the folders above it, so that they survive a power cut.
    OsDisk::named(folder)?;
    if is_empty(path) {
        fs::remove_file(path)?;
    }
    let mut temporary = name.to_owned();
    temporary.push(".tmp");
    let temporary = folder.join(temporary);
    gone(&temporary)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&temporary)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    // A link, unlike a new name, replaces nothing that is there.
    let linked = fs::hard_link(&temporary, path);
    gone(&temporary)?;
    linked?;
    File::open(folder)?.sync_all()
}

/// Whether there is a file without a byte, which an interrupted start may have left.
pub(crate) fn is_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// Removes a file. Nothing happens if it is not there.
fn gone(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file with a secret, which only the file's owner may read, or replaces the one that is
/// there. After a crash the file holds either secret whole. The file is durable when this returns.
///
/// # Errors
/// When the operating system refuses.
pub fn replace_secret(folder: &Path, name: &str, secret: &str) -> Result<(), Error> {
    let file = SmallFile {
        name,
        temporary: &format!("{name}.tmp"),
    };
    let content = Zeroizing::new(format!("{secret}\n"));
    file.replace(&OsDisk::named(folder)?, content.as_bytes())?;
    Ok(())
}

/// The folder of a file. A bare file name has an empty parent, and its folder is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Where a file is, or would be, without links and `..`. What does not exist yet is taken as it is
/// written.
///
/// # Errors
/// When a folder on the way cannot be looked at.
pub fn real_place(path: &Path) -> Result<std::path::PathBuf, Error> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = path.file_name();
            let name = name.ok_or(Error::from(ErrorKind::NotFound))?;
            Ok(real_place(folder_of(path))?.join(name))
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_key_file_without_a_folder_is_in_the_present_one() {
        assert_eq!(folder_of(Path::new("master.key")), Path::new("."));
        assert_eq!(folder_of(Path::new("keys/master.key")), Path::new("keys"));
        assert_eq!(folder_of(Path::new("/master.key")), Path::new("/"));
    }

    #[test]
    fn a_secret_that_others_may_open_is_refused_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.key");
        write_secret(&path, "secret").unwrap();
        let read = |links| read_secret(&path, links);
        assert_eq!(*read(Links::Refused).unwrap(), "secret\n");
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644, 0o700 | 0o010] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            for links in [Links::Refused, Links::Followed] {
                let error = read(links).unwrap_err().to_string();
                let cure = format!("chmod 600 {}", path.display());
                assert!(error.contains(&cure), "{mode:o}: {error}");
                assert!(!error.contains("secret\n"), "{error}");
            }
        }
        for mode in [0o600, 0o400, 0o700] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            read(Links::Refused).unwrap();
        }
    }

    #[test]
    fn a_new_secret_replaces_nothing_but_the_remains_of_an_interrupted_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.key");
        fs::write(&path, "").unwrap();
        fs::write(dir.path().join("some.key.tmp"), "half").unwrap();
        write_secret(&path, "secret").unwrap();
        assert_eq!(*read_secret(&path, Links::Refused).unwrap(), "secret\n");
        let error = write_secret(&path, "another").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(*read_secret(&path, Links::Refused).unwrap(), "secret\n");
        let names = fs::read_dir(dir.path()).unwrap();
        assert_eq!(names.count(), 1, "a temporary file is left");
    }

    #[test]
    fn a_link_is_followed_only_where_an_operator_named_it_and_then_its_target_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        write_secret(&target, "secret").unwrap();
        symlink(&target, &link).unwrap();
        assert_eq!(*read_secret(&link, Links::Followed).unwrap(), "secret\n");
        let error = read_secret(&link, Links::Refused).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
        assert!(read_secret(&link, Links::Followed).is_err());
        let long = "x".repeat(MOST);
        write_secret(&dir.path().join("long"), &long).unwrap();
        let long = read_secret(&dir.path().join("long"), Links::Refused);
        assert!(long.is_err());
    }

    #[test]
    fn the_place_of_a_file_that_is_not_there_yet_is_found_through_links_too() {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(real.join("data")).unwrap();
        symlink(real.join("data"), real.join("link")).unwrap();
        let place = |path: &str| real_place(&real.join(path)).unwrap();
        assert_eq!(place("link/keys/new.key"), real.join("data/keys/new.key"));
        assert_eq!(place("data/../other"), real.join("other"));
    }
}
