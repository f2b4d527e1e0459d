//! A Unix socket, for a proxy on the same machine.

use std::fs::{self, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Who may connect: the owner of the socket, and its group.
const MODE: u32 = 0o660;

/// A Unix socket on which the server listens. Its file goes with it.
pub(in crate::server) struct Socket {
    pub(in crate::server) path: PathBuf,
    listener: Option<UnixListener>,
}

impl Socket {
    /// Listens on a path. A socket that nobody listens on any more is replaced.
    pub(in crate::server) fn bind(path: &Path) -> Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let why = "there is something else than a socket";
                return Err(Error::new(ErrorKind::AlreadyExists, why));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(Error::from(ErrorKind::AddrInUse));
            }
            Ok(_) | Err(_) => {}
        }
        // It gets its name only when nobody else can connect any more.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let made = path.with_file_name(name);
        match fs::remove_file(&made) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(MODE))?;
        fs::rename(&made, path)?;
        Ok(Self {
            path: path.to_owned(),
            listener: Some(listener),
        })
    }

    pub(super) fn take(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.path);
    }
}
