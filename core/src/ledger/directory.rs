//! A ledger's directory: its lock, its journal and its keys.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::{OpenError, Options};
use crate::disk::{self, OsDisk, for_owner};
use crate::ids::LedgerId;
use crate::journal::{DurableHint, SegmentLog, SegmentOptions};
use crate::seal::{KeyDamage, KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions};

pub(crate) fn existing(dir: &Path) -> Result<(), OpenError> {
    match dir.join("journal").is_dir() {
        true => Ok(()),
        false => Err(OpenError::Missing {
            dir: dir.to_owned(),
        }),
    }
}

/// Keeps everybody else out of a ledger, until it is dropped. It rests on the folders with the data and
/// not only on the file `lock`: whoever removes that file while a server runs lets nobody in.
pub(crate) struct Lock {
    _held: Vec<File>,
}

pub(crate) fn lock(dir: &Path) -> Result<Lock, OpenError> {
    let path = dir.join("lock");
    let io = |source| OpenError::Io {
        path: path.clone(),
        source,
    };
    let mut how = File::options();
    how.create(true).truncate(false).write(true);
    let file = for_owner(&mut how).open(&path).map_err(io)?;
    let mut held = vec![take_lock(file, dir)?];
    held.extend(lock_folders(dir)?);
    Ok(Lock { _held: held })
}

/// The folders in a ledger's directory, and in its folder of the access log.
pub(crate) const FOLDERS: &[&str] = &[
    "journal",
    "keys",
    "checkpoints",
    "tlog",
    "derived",
    "derived.set-aside",
    "erasures",
    "restored",
    "origin",
    "access",
    "access/journal",
    "access/checkpoints",
    "access/tlog",
];

/// Refuses a ledger of which a folder is a symbolic link: whoever put it there could have the program
/// read or write elsewhere. The directory itself may be one, since an operator names it.
pub(crate) fn no_links(dir: &Path) -> Result<(), OpenError> {
    for name in FOLDERS {
        let path = dir.join(name);
        disk::refuse_link(&path).map_err(|source| OpenError::Io { path, source })?;
    }
    Ok(())
}

/// Takes the locks of the folders that are there.
fn lock_folders(dir: &Path) -> Result<Vec<File>, OpenError> {
    no_links(dir)?;
    let mut held = Vec::new();
    for path in [dir.to_owned(), dir.join("journal")] {
        match File::open(&path) {
            Ok(folder) => held.push(take_lock(folder, dir)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(OpenError::Io { path, source }),
        }
    }
    Ok(held)
}

/// Takes the lock for somebody who only reads, perhaps on a medium that cannot be written. If no lock
/// file can be made there, only the folders are locked.
pub(crate) fn lock_to_read(dir: &Path) -> Result<Lock, OpenError> {
    match lock(dir) {
        Err(OpenError::Io { path, source })
            if matches!(
                source.kind(),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            let mut held = lock_folders(dir)?;
            match File::open(&path) {
                Ok(file) => held.push(take_lock(file, dir)?),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(OpenError::Io { path, source }),
            }
            Ok(Lock { _held: held })
        }
        other => other,
    }
}

/// What is in a ledger's directory and for nobody else's eyes. `tlog` is not: it is there to be
/// published. Nor are the secrets in `keys`: one that others could read is refused, not mended.
pub(crate) const OF_THE_OWNER: &[&str] = &[
    "lock",
    "journal",
    "keys/keys.log",
    "checkpoints",
    "derived",
    "derived.set-aside",
    "erasures",
    "restored",
    "origin",
    "access",
];

/// Makes a ledger's files its owner's alone, as those are that this version makes. An earlier
/// version, a copy or a restore may have let others read them. If that cannot be done, it is said, and
/// the ledger opens all the same: it may be another's on purpose.
pub(crate) fn tighten(dir: &Path) {
    let mut count = 0;
    for name in OF_THE_OWNER {
        let path = dir.join(name);
        match disk::tighten(&path) {
            Ok(changed) => count += changed,
            Err(error) => tracing::warn!(
                path = %path.display(),
                %error,
                "others may read a part of the ledger, and that cannot be changed; give it to the \
                 user of the server, with mode 0700"
            ),
        }
    }
    if count > 0 {
        tracing::warn!(
            files = count,
            "others could read files of the ledger; now only their owner can"
        );
    }
}

fn take_lock(file: File, dir: &Path) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io {
            path: dir.join("lock"),
            source,
        }),
    }
}

pub(crate) fn os_disk(path: &Path) -> Result<Arc<OsDisk>, OpenError> {
    let disk = OsDisk::new(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(Arc::new(disk))
}

pub(crate) fn open_journal(
    dir: &Path,
    options: &Options,
    durable: Option<DurableHint>,
) -> Result<SegmentLog, OpenError> {
    let how = SegmentOptions {
        durable,
        ..SegmentOptions::default()
    };
    match SegmentLog::open(os_disk(&dir.join("journal"))?, how) {
        Err(crate::journal::OpenError::Empty) => {
            let mut id = [0; 16];
            options.entropy.fill(&mut id).map_err(OpenError::Entropy)?;
            let id = LedgerId::from_uuid(uuid::Builder::from_random_bytes(id).into_uuid());
            Ok(SegmentLog::create(
                os_disk(&dir.join("journal"))?,
                id,
                options.clock.now(),
                how,
            )?)
        }
        other => Ok(other?),
    }
}

/// Opens what is left of a key store that is damaged, for reading only, and says what is damaged.
pub(crate) fn open_what_is_left(
    options: &Options,
    ledger: LedgerId,
) -> Result<(KeyStore, KeyDamage), OpenError> {
    let path = options.dir.join("keys");
    if !path.is_dir() {
        return Err(KeyStoreError::Missing.into());
    }
    let how = KeyStoreOptions {
        disk: os_disk(&path)?,
        ledger,
        master: options.master.clone(),
        rescue: options.rescue,
        mode: KeyStoreMode::ReadOnly,
    };
    Ok(KeyStore::left_of(&how)?)
}

pub(crate) fn open_keys(
    options: &Options,
    ledger: LedgerId,
    mode: KeyStoreMode,
) -> Result<KeyStore, OpenError> {
    let path = options.dir.join("keys");
    if mode == KeyStoreMode::ReadOnly && !path.is_dir() {
        return Err(KeyStoreError::Missing.into());
    }
    let how = KeyStoreOptions {
        disk: os_disk(&path)?,
        ledger,
        master: options.master.clone(),
        rescue: options.rescue,
        mode,
    };
    Ok(KeyStore::open(&how)?)
}
