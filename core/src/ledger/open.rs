//! Opening a ledger: the lock, the journal, the keys, then derived state, which is made again
//! whenever it cannot be believed (P3).

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use parking_lot::{Mutex, RwLock};

use super::committer::{self, Tide};
use super::deriving::{Derived, Deriving, Made, throw_away};
use super::verify::{self, Depth, Pass, Subject, Verification};
use super::writer::Writer;
use super::{Inner, Ledger, OpenError, Options, Status};
use crate::derived::Generations;
use crate::ids::{LedgerId, Position};
use crate::journal::{CommitLog, DurableHint, OpenMode, OsDisk, SegmentLog, SegmentOptions};
use crate::seal::{KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions};

/// Requests that may wait; more are refused, so that memory stays bounded.
const QUEUE: usize = 8_192;

/// Opens or makes a ledger in segment files.
pub(super) fn open(options: Options) -> Result<Ledger, OpenError> {
    let lock = prepare(&options.dir)?;
    // What the register says was written after a sync, and nobody without the master key can have
    // written it. A register that is not believed says nothing.
    let furthest = generations(&options).furthest();
    let hint = furthest.map(|cursor| DurableHint {
        ledger: cursor.ledger,
        commit: cursor.commit,
        position: cursor.position,
    });
    let log = open_journal(&options.dir, &options, hint)?;
    assemble(options, Arc::new(log), lock)
}

/// Opens a ledger over a log that is kept elsewhere.
pub(super) fn open_on(options: Options, log: Arc<dyn CommitLog>) -> Result<Ledger, OpenError> {
    let lock = prepare(&options.dir)?;
    assemble(options, log, lock)
}

fn generations(options: &Options) -> Generations {
    Generations::new(options.dir.join("derived"), options.master.clone())
}

fn prepare(dir: &Path) -> Result<File, OpenError> {
    // Made so that a power cut does not take it, with all that is in it (P2).
    os_disk(dir)?;
    lock(dir)
}

fn assemble(options: Options, log: Arc<dyn CommitLog>, lock: File) -> Result<Ledger, OpenError> {
    // A key store is made once, together with the journal: later it would hide a loss (P1).
    let mode = match log.tail().position {
        Position::ZERO => KeyStoreMode::Create,
        _ => KeyStoreMode::Existing,
    };
    let keys = Arc::new(open_keys(&options, log.ledger_id(), mode)?);
    let (alarm, alarmed) = crossbeam_channel::bounded(1);
    let deriving = Arc::new(Deriving {
        log: log.clone(),
        keys: keys.clone(),
        generations: generations(&options),
        progress: options.progress,
        alarm,
        made: Made::default(),
        stopping: AtomicBool::new(false),
    });
    let Derived {
        docs,
        fold,
        window,
        projector,
    } = deriving.open()?;
    let (requests, incoming) = crossbeam_channel::bounded(QUEUE);
    let inner = Inner {
        tide: Arc::new(Tide::new(log.tail().position)),
        log,
        keys,
        docs: Arc::new(RwLock::new(docs)),
        deriving,
        clock: options.clock,
        requests: Mutex::new(Some(requests)),
        threads: Mutex::default(),
        projector: Arc::new(Mutex::new(Some(projector))),
        _lock: lock,
    };
    let (groups, committing) = crossbeam_channel::bounded(1);
    let (finished, done) = crossbeam_channel::bounded(1);
    let writer = Writer::new(&inner, fold, window, options.entropy);
    let writer = spawn("writer", move || {
        writer.run(&incoming, &groups, &done, &alarmed);
    })?;
    let committer = spawn("committer", {
        let (log, keys, tide) = (inner.log.clone(), inner.keys.clone(), inner.tide.clone());
        let docs = inner.docs.clone();
        move || {
            committer::run(&*log, &keys, &tide, &committing, &finished);
            // Nothing more is published, so the projector can end.
            docs.read().stop();
        }
    })?;
    // Stopped in this order.
    *inner.threads.lock() = vec![writer, committer];
    Ok(Ledger {
        inner: Arc::new(inner),
    })
}

/// Throws derived state away and makes it again from the journal.
///
/// # Errors
/// [`OpenError`], as when opening.
pub fn rebuild(options: Options) -> Result<Status, OpenError> {
    existing(&options.dir)?;
    let derived = options.dir.join("derived");
    {
        let _lock = lock(&options.dir)?;
        throw_away(&derived).map_err(|source| OpenError::Io {
            path: derived,
            source,
        })?;
    }
    let ledger = open(options)?;
    ledger.settle();
    Ok(ledger.status())
}

/// Checks everything in a directory, from the journal's first byte to its last. Changes nothing:
/// derived state is compared in a copy, in the system's folder for temporary files, which needs
/// room for it twice. `watch` is told of each pass how many of how many events it has come to.
///
/// Memory does not grow with the number of events, but with that of streams, some hundred bytes
/// each, and of kept checkpoints.
///
/// # Errors
/// [`OpenError`], when something cannot be read at all; what is wrong is in the answer.
pub fn verify_dir(
    options: &Options,
    depth: Depth,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> Result<Verification, OpenError> {
    existing(&options.dir)?;
    let _lock = lock_to_read(&options.dir)?;
    let disk = os_disk(&options.dir.join("journal"))?;
    let mode = SegmentOptions {
        mode: OpenMode::ReadOnly,
        ..SegmentOptions::default()
    };
    let log = match SegmentLog::open(disk, mode) {
        Ok(log) => log,
        Err(crate::journal::OpenError::Damaged(damage)) => return Ok(verify::unopened(&damage)),
        Err(error) => return Err(error.into()),
    };
    let keys = match open_keys(options, log.ledger_id(), KeyStoreMode::ReadOnly) {
        // A power cut may come between the two; nothing is sealed yet.
        Err(OpenError::Keys(KeyStoreError::Missing)) if log.tail().position == Position::ZERO => {
            KeyStore::without_keys(options.master.clone())
        }
        keys => keys?,
    };
    let subject = Subject {
        dir: &options.dir,
        log: &log,
        torn_keys: keys.torn(),
        keys: &Arc::new(keys),
    };
    verify::verify(&subject, &options.master, depth, watch)
}

fn existing(dir: &Path) -> Result<(), OpenError> {
    match dir.join("journal").is_dir() {
        true => Ok(()),
        false => Err(OpenError::Missing {
            dir: dir.to_owned(),
        }),
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let io = |source| OpenError::Io {
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io)?;
    take_lock(file, dir)
}

/// The lock of somebody who changes nothing, perhaps on a medium that cannot be written. Where
/// there is no lock and none can be made, nobody can open the ledger to write it either.
fn lock_to_read(dir: &Path) -> Result<Option<File>, OpenError> {
    match lock(dir) {
        Err(OpenError::Io { path, source })
            if matches!(
                source.kind(),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            match File::open(&path) {
                Ok(file) => take_lock(file, dir).map(Some),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(source) => Err(OpenError::Io { path, source }),
            }
        }
        other => other.map(Some),
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

fn os_disk(path: &Path) -> Result<Arc<OsDisk>, OpenError> {
    let disk = OsDisk::new(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(Arc::new(disk))
}

fn open_journal(
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

fn open_keys(
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
        recovery: options.recovery,
        mode,
    };
    Ok(KeyStore::open(&how)?)
}

pub(super) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, OpenError> {
    let named = thread::Builder::new().name(format!("ledger-{name}"));
    named.spawn(run).map_err(|source| OpenError::Io {
        path: name.into(),
        source,
    })
}
