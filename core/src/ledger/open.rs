//! Opens a ledger: first the lock, then the journal, the keys, and derived state. Derived state is
//! made again when it cannot be trusted (P3).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;

use super::acts::Acts;
use super::committer;
use super::deriving::{Derived, Deriving, Made, throw_away};
use super::directory::{Lock, existing, lock, no_links, open_journal, open_keys, os_disk, tighten};
use super::durable::DurableEnd;
use super::opener::Rests;
use super::threads::spawn;
use super::waiting::Waiting;
use super::writer::Writer;
use super::{Inner, Ledger, OpenError, Options, Status};
use crate::derived::Generations;
use crate::disk::OsDisk;
use crate::domain::erasure::Target;
use crate::ids::{ErasureId, Position};
use crate::journal::{CommitLog, DurableHint};
use crate::seal::KeyStoreMode;
use crate::tally::Tally;
use crate::turns;

/// Of so many events it is remembered when they were recorded.
const INSTANTS: usize = 16_384;

/// How many requests may wait. More are refused, so that memory stays bounded.
pub(super) const QUEUE: usize = 8_192;

/// Is in a directory into which a ledger is being put back.
pub(crate) const RESTORING: &str = "restoring";

/// Opens or makes a ledger whose journal is in segment files.
pub(super) fn open(options: Options) -> Result<Ledger, OpenError> {
    if options.dir.join(RESTORING).symlink_metadata().is_ok() {
        let dir = options.dir;
        return Err(OpenError::Unfinished { dir });
    }
    let dir = options.dir.clone();
    let ledger = open_segments(options, None)?;
    ledger.read_lost(&dir)?;
    Ok(ledger)
}

/// Opens a ledger that is being put back, whose journal was stored up to there. What is to be put on
/// record of it is not on record yet.
pub(crate) fn open_restored(options: Options, hint: DurableHint) -> Result<Ledger, OpenError> {
    open_segments(options, Some(hint))
}

fn open_segments(options: Options, stored: Option<DurableHint>) -> Result<Ledger, OpenError> {
    no_links(&options.dir)?;
    // There before the lock is taken, because the lock rests on it too.
    os_disk(&options.dir.join("journal"))?;
    let lock = prepare(&options.dir)?;
    // The register names a place in the journal only after the journal was synced up to there. Only
    // the holder of the master key can write a register that is accepted. A register that is not
    // accepted is not used here.
    let generations = generations(&options);
    let furthest = generations.furthest();
    let hint = furthest.map(|cursor| DurableHint {
        ledger: cursor.ledger,
        commit: cursor.commit,
        position: cursor.position,
    });
    let log = open_journal(&options.dir, &options, stored.or(hint))?;
    let syncs = Some(log.syncs());
    assemble(options, generations, Arc::new(log), syncs, lock)
}

/// Opens a ledger whose journal is kept elsewhere.
pub(super) fn open_on(options: Options, log: Arc<dyn CommitLog>) -> Result<Ledger, OpenError> {
    let dir = options.dir.clone();
    let lock = prepare(&dir)?;
    let generations = generations(&options);
    let ledger = assemble(options, generations, log, None, lock)?;
    ledger.read_lost(&dir)?;
    Ok(ledger)
}

fn generations(options: &Options) -> Generations {
    Generations::new(options.dir.join("derived"), options.master.clone())
}

fn prepare(dir: &Path) -> Result<Lock, OpenError> {
    // The directory is made durable, so that a power cut cannot remove it with everything in it
    // (P2).
    OsDisk::named(dir).map_err(|source| OpenError::Io {
        path: dir.to_owned(),
        source,
    })?;
    let lock = lock(dir)?;
    tighten(dir);
    Ok(lock)
}

fn assemble(
    options: Options,
    generations: Generations,
    log: Arc<dyn CommitLog>,
    syncs: Option<Arc<Tally>>,
    lock: Lock,
) -> Result<Ledger, OpenError> {
    // A key store is made only together with a new journal. To make one later would hide that the
    // old one was lost (P1).
    let mode = match log.tail().position {
        Position::ZERO => KeyStoreMode::Create,
        _ => KeyStoreMode::Existing,
    };
    let keys = Arc::new(open_keys(&options, log.ledger_id(), mode)?);
    let (acts, noted) = Acts::open(&options.dir, log.ledger_id(), &options.master)?;
    let undone = options.undone;
    let rests = Arc::new(Rests::default());
    for record in &noted {
        if let Target::Event(_) = record.target {
            rests.note(ErasureId::of(record.target), record.left.clone());
        }
    }
    let (alarm, alarmed) = turns::bounded(1);
    let deriving = Arc::new(Deriving {
        log: log.clone(),
        keys: keys.clone(),
        rests: rests.clone(),
        generations,
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
    let (requests, incoming) = turns::bounded(QUEUE);
    let inner = Inner {
        durable: Arc::new(DurableEnd::new(log.tail().position)),
        log,
        keys,
        docs: Arc::new(RwLock::new(docs)),
        deriving,
        clock: options.clock,
        requests: Mutex::new(Some(requests)),
        waiting: Waiting::default(),
        syncs,
        threads: Mutex::default(),
        lost: Arc::default(),
        rests,
        instants: Cache::new(INSTANTS),
        acts,
        erasing: Mutex::default(),
        projector: Arc::new(Mutex::new(Some(projector))),
        _lock: lock,
    };
    let (groups, committing) = turns::bounded(1);
    let (finished, done) = turns::bounded(1);
    let writer = Writer::new(&inner, fold, window, options.entropy);
    let writer = spawn("writer", move || {
        writer.run(&incoming, &groups, &done, &alarmed);
    })?;
    let committer = spawn("committer", {
        let (log, keys, durable) = (inner.log.clone(), inner.keys.clone(), inner.durable.clone());
        let docs = inner.docs.clone();
        move || {
            committer::run(&*log, &keys, &durable, &committing, &finished);
            // Nothing more is published, so the projector can finish.
            let docs = docs.read().clone();
            docs.stop();
        }
    })?;
    // The threads are stopped in this order.
    *inner.threads.lock() = vec![writer, committer];
    let ledger = Ledger {
        inner: Arc::new(inner),
    };
    ledger.check_erasures(&noted, undone)?;
    Ok(ledger)
}

/// Removes derived state and makes it again from the journal.
///
/// # Errors
/// [`OpenError`], as for [`Ledger::open`].
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
