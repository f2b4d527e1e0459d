//! Opening a ledger: the lock, the journal, the keys, then derived state, which is set aside and
//! rebuilt whenever it disagrees with the journal (P3).

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::committer::{self, Tide};
use super::fold::Fold;
use super::sealer::{open_payload, read_entry, read_event};
use super::verify::{self, Depth, Pass, Subject, Verification};
use super::window::Window;
use super::writer::Writer;
use super::{Inner, Ledger, OpenError, Options, ReadError, Status};
use crate::derived::{CommandEntry, Cursor, Doc, DocKey, Docs, Store};
use crate::domain::EventMeta;
use crate::entry;
use crate::ids::{CommitSeq, LedgerId, Position};
use crate::journal::{
    CommitLog, DurableHint, Frame, OpenMode, OsDisk, SegmentLog, SegmentOptions, Tail,
};
use crate::seal::{KeyStore, KeyStoreError, KeyStoreMode, KeyStoreOptions, SealError};

/// Requests that may wait; more are refused, so that memory stays bounded.
const QUEUE: usize = 8_192;
/// Events between two publications while derived state catches up.
const STRIDE: u64 = 8_192;

/// Opens or makes a ledger in segment files.
pub(super) fn open(options: Options) -> Result<Ledger, OpenError> {
    let lock = prepare(&options.dir)?;
    let derived = open_store(&options.dir.join("derived"))?;
    let hint = derived.1.as_ref().map(|cursor| DurableHint {
        commit: cursor.commit,
        position: cursor.position,
    });
    let log = Arc::new(open_journal(&options.dir, &options, hint)?);
    assemble(options, log, lock, derived)
}

/// Opens a ledger over a log that is kept elsewhere.
pub(super) fn open_on(options: Options, log: Arc<dyn CommitLog>) -> Result<Ledger, OpenError> {
    let lock = prepare(&options.dir)?;
    let derived = open_store(&options.dir.join("derived"))?;
    assemble(options, log, lock, derived)
}

fn prepare(dir: &Path) -> Result<File, OpenError> {
    // Made so that a power cut does not take it, with all that is in it (P2).
    os_disk(dir)?;
    lock(dir)
}

fn assemble(
    options: Options,
    log: Arc<dyn CommitLog>,
    lock: File,
    (store, cursor): (Store, Option<Cursor>),
) -> Result<Ledger, OpenError> {
    let derived = options.dir.join("derived");
    // A key store is made once, together with the journal: later it would hide a loss (P1).
    let mode = match log.tail().position {
        Position::ZERO => KeyStoreMode::Create,
        _ => KeyStoreMode::Existing,
    };
    let keys = Arc::new(open_keys(&options, log.ledger_id(), mode)?);
    let (store, cursor) = match cursor {
        Some(cursor) if belongs(&cursor, log.as_ref())? => (store, cursor),
        // Folded into what is there already, events would count twice.
        None if store.is_empty() => (store, start(&*log)),
        unusable => {
            drop(store);
            let reason = match unusable {
                Some(_) => "it is not of this journal",
                None => "it does not say how far it has come",
            };
            (fresh_store(&derived, reason)?, start(&*log))
        }
    };
    let docs = Arc::new(Docs::new(store, keys.clone(), cursor.clone()));
    let projector = spawn("projector", {
        let docs = docs.clone();
        move || project(&docs)
    })?;
    let mut fold = Fold::new(docs.clone(), cursor);
    let progress = |done, all| {
        let progress = options.progress.iter();
        progress.for_each(|progress| progress(done, all));
    };
    let caught_up = catch_up(&*log, &keys, &docs, &mut fold, &log.tail(), &progress);
    let window = match caught_up.and_then(|()| load_window(&fold)) {
        Ok(window) => window,
        Err(error) => {
            docs.stop();
            return Err(error);
        }
    };
    let (requests, incoming) = crossbeam_channel::bounded(QUEUE);
    let inner = Inner {
        tide: Arc::new(Tide::new(log.tail().position)),
        log,
        keys,
        docs,
        clock: options.clock,
        requests: Mutex::new(Some(requests)),
        threads: Mutex::default(),
        _lock: lock,
    };
    let (groups, committing) = crossbeam_channel::bounded(1);
    let (finished, done) = crossbeam_channel::bounded(1);
    let writer = Writer::new(&inner, fold, window, options.entropy);
    let writer = spawn("writer", move || writer.run(&incoming, &groups, &done))?;
    let committer = spawn("committer", {
        let (log, keys) = (inner.log.clone(), inner.keys.clone());
        let (docs, tide) = (inner.docs.clone(), inner.tide.clone());
        move || {
            committer::run(&*log, &keys, &docs, &tide, &committing, &finished);
            // Nothing more is published, so the projector can end.
            docs.stop();
        }
    })?;
    // Stopped in this order.
    *inner.threads.lock() = vec![writer, committer, projector];
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
        match fs::remove_dir_all(&derived) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(OpenError::Io {
                    path: derived,
                    source: error,
                });
            }
            Ok(()) | Err(_) => {}
        }
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
    verify::verify(&subject, depth, watch)
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

fn open_store(dir: &Path) -> Result<(Store, Option<Cursor>), OpenError> {
    let opened = Store::open(dir).and_then(|store| {
        let cursor = store.cursor()?;
        Ok((store, cursor))
    });
    match opened {
        Ok(opened) => Ok(opened),
        Err(error) => Ok((fresh_store(dir, &error.to_string())?, None)),
    }
}

/// Sets derived state aside and begins anew. Nothing is lost by it.
fn fresh_store(dir: &Path, reason: &str) -> Result<Store, OpenError> {
    let io = |source| OpenError::Io {
        path: dir.to_owned(),
        source,
    };
    if let Some(aside) = Store::set_aside(dir).map_err(io)? {
        tracing::warn!(
            reason,
            aside = %aside.display(),
            "derived state cannot be used; it is set aside and rebuilt from the journal"
        );
    }
    Ok(Store::open(dir)?)
}

pub(super) fn start(log: &dyn CommitLog) -> Cursor {
    Cursor {
        recorded_at: log.tail().recorded_at,
        ..Cursor::start(log.ledger_id())
    }
}

/// Whether derived state came from this journal: the frame it ended with is there.
pub(super) fn belongs(cursor: &Cursor, log: &dyn CommitLog) -> Result<bool, OpenError> {
    if cursor.ledger != log.ledger_id() || cursor.commit > log.tail().commit {
        return Ok(false);
    }
    if cursor.commit == CommitSeq::ZERO {
        return Ok(cursor.position == Position::ZERO);
    }
    match log
        .read_commits(cursor.commit)
        .next()
        .transpose()
        .map_err(ReadError::from)?
    {
        Some(frame) => {
            let tail = Tail::at(&frame);
            Ok((tail.commit, tail.position, tail.checksum)
                == (cursor.commit, cursor.position, cursor.checksum))
        }
        None => Ok(false),
    }
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

/// The projector thread: documents to sled, behind everything.
pub(super) fn project(docs: &Docs) {
    loop {
        match docs.flush_next() {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(
                    %error,
                    "derived state cannot be written; no more commands are taken until a restart"
                );
                return;
            }
        }
    }
}

/// Takes in what the journal has up to a place and derived state has not.
pub(super) fn catch_up(
    log: &dyn CommitLog,
    keys: &KeyStore,
    docs: &Docs,
    fold: &mut Fold,
    target: &Tail,
    progress: &dyn Fn(u64, u64),
) -> Result<(), OpenError> {
    if fold.cursor.commit == target.commit {
        fold.cursor.recorded_at = fold.cursor.recorded_at.max(target.recorded_at);
        return Ok(());
    }
    let (from, to) = (fold.cursor.position.get(), target.position.get());
    tracing::info!(from, to, "derived state catches up with the journal");
    let mut published = from;
    for frame in log.read_commits(fold.cursor.commit.next()) {
        take_in(&frame.map_err(ReadError::from)?, keys, fold)?;
        let done = fold.cursor.position.get();
        let last = fold.cursor.commit == target.commit;
        if last || done - published >= STRIDE {
            let (changed, cursor, group) = fold.close_group();
            docs.publish(changed, cursor);
            fold.published(group);
            published = done;
            progress(done, to);
        }
        if last {
            break;
        }
    }
    Ok(())
}

fn take_in(frame: &Frame, keys: &KeyStore, fold: &mut Fold) -> Result<(), OpenError> {
    let mut entries = frame.entries();
    let tail = Tail::at(frame);
    fold.cursor.recorded_at = frame.header().recorded_at;
    for command in frame.commands() {
        let mut stream = fold.begin(command.stream)?;
        // Without events it shares the instant before it in its commit, as the writer has it.
        let mut recorded_at = fold.cursor.recorded_at;
        for (offset, record) in entries.by_ref().take(command.entries as usize).enumerate() {
            let position = record.position;
            let entry = read_entry(position, record.entry)?;
            if offset == 0 {
                recorded_at = entry.recorded_at;
            }
            let meta = EventMeta {
                stream: entry.stream,
                revision: entry.revision,
                recorded_at: entry.recorded_at,
                actor: entry.actor,
            };
            match open_payload(position, &entry, record.entry, record.sealed, keys) {
                Ok(json) => fold.apply(&mut stream, &meta, &read_event(position, &entry, &json)?),
                Err(ReadError::Seal {
                    source: SealError::Redacted,
                    ..
                }) => {
                    stream.head.revision = entry.revision;
                }
                Err(error) => return Err(error.into()),
            }
            fold.cursor.recorded_at = entry.recorded_at;
            fold.place(
                &mut stream,
                position,
                entry::link(record.entry),
                *record.leaf,
            );
        }
        fold.end(stream)?;
        fold.record(CommandEntry {
            id: command.id,
            digest: command.digest,
            stream: command.stream,
            revision: command.revision,
            position: fold.cursor.position,
            recorded_at,
            events: command.entries,
        })?;
    }
    fold.cursor.commit = tail.commit;
    fold.cursor.checksum = tail.checksum;
    fold.cursor.recorded_at = tail.recorded_at;
    Ok(())
}

/// The ids of the last commands, so that they are known again (P2 holds across a restart).
fn load_window(fold: &Fold) -> Result<Window, OpenError> {
    let mut window = Window::default();
    let first = fold.cursor.commands.saturating_sub(2 * Window::LENGTH);
    let mut chunk = first / CommandEntry::PER_DOC;
    while chunk * CommandEntry::PER_DOC < fold.cursor.commands {
        if let Doc::Commands(list) = fold.get(&DocKey::Commands(chunk))? {
            for (offset, entry) in (0..).zip(list.iter()) {
                window.insert(entry.id, chunk * CommandEntry::PER_DOC + offset);
            }
        }
        chunk += 1;
    }
    Ok(window)
}
