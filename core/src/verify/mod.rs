//! Checks a whole data directory, and trusts nothing that is derived.
//!
//! The journal is read up to four times: to check its integrity, to open every payload, to make
//! every tile, and to fold every event again. Each part of the directory gets its own result, so a
//! fault in one part does not hide what is true of the others.

mod access;
mod acts;
mod branches;
mod checkpoints;
mod contents;
mod derived;
mod disclosed;
mod forking;
mod forks;
mod halt;
mod heads;
mod indexes;
mod journal;
mod loss;
mod origin;
mod parallel;
mod report;
mod tiles;
mod told;

use std::path::Path;
use std::sync::Arc;

pub use self::branches::{BranchEvent, Branches, Outcome, PlanNow, Repeated, Spot, Told};
use self::checkpoints::Checkpoints;
pub use self::forks::{Branch, Fork, ForkedStream, Forks, StaleAnswer};
use self::indexes::Indexes;
pub use self::loss::{FoundLoss, find_loss};
pub use self::report::{Depth, Part, PartName, Pass, Verification};
use crate::ids::{CommitSeq, Position};
use crate::journal::{CommitLog, Damage, OpenMode, SegmentLog, SegmentOptions};
use crate::ledger::directory::{existing, lock_to_read, open_keys, os_disk};
use crate::ledger::{OpenError, Options};
use crate::merkle::Frontier;
use crate::seal::{KeyStore, KeyStoreError, KeyStoreMode, MasterKey};

/// Checks everything in a directory, from the first byte of the journal to the last. It changes
/// nothing. Derived state is compared in a copy in the system's folder for temporary files, which
/// needs room for derived state twice. `watch` is called during each pass with the number of events
/// done and the number of all events.
///
/// Memory does not grow with the number of events. It grows with the number of streams, by some
/// hundred bytes each, and with the number of kept checkpoints.
///
/// # Errors
/// [`OpenError`] if something cannot be read at all. Faults are not errors: the answer lists them.
pub fn verify_dir(
    options: &Options,
    depth: Depth,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> Result<Verification, OpenError> {
    existing(&options.dir)?;
    let _lock = lock_to_read(&options.dir)?;
    verify_held(options, depth, watch)
}

/// [`verify_dir`] for somebody who holds the lock.
///
/// # Errors
/// As for [`verify_dir`].
pub(crate) fn verify_held(
    options: &Options,
    depth: Depth,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> Result<Verification, OpenError> {
    let disk = os_disk(&options.dir.join("journal"))?;
    let mode = SegmentOptions {
        mode: OpenMode::ReadOnly,
        ..SegmentOptions::default()
    };
    let log = match SegmentLog::open(disk, mode) {
        Ok(log) => log,
        Err(crate::journal::OpenError::Damaged(damage)) => return Ok(unopened(&damage)),
        Err(error) => return Err(error.into()),
    };
    let keys = match open_keys(options, log.ledger_id(), KeyStoreMode::ReadOnly) {
        // A power cut may come after the journal was created and before the keys were. Nothing is
        // sealed then.
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
    verify(&subject, &options.master, depth, watch)
}

/// What one check reads.
struct Subject<'a> {
    /// The data directory.
    dir: &'a Path,
    /// The directory's journal, open for reading.
    log: &'a SegmentLog,
    /// The directory's keys.
    keys: &'a Arc<KeyStore>,
    /// How many bytes at the end of the key store are not a whole key.
    torn_keys: u64,
}

/// Checks every part that `depth` asks for.
fn verify(
    subject: &Subject<'_>,
    master: &MasterKey,
    depth: Depth,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> Result<Verification, OpenError> {
    let Subject { dir, log, keys, .. } = *subject;
    let watched = |pass| move |done, all| watch(pass, done, all);
    let checkpoints = Checkpoints::read(dir)?;
    let newest = checkpoints.newest();
    let indexes = Indexes::new(log);
    let disclosed = disclosed::Disclosed::new(&dir.join("tlog"), newest);
    let watch_integrity = watched(Pass::Integrity);
    let found = journal::check(log, keys, checkpoints, disclosed, indexes, &watch_integrity)?;
    let journal::Found {
        events,
        whole,
        mut forks,
        ..
    } = found;
    let mut parts = Vec::from(found.parts);
    let access = access::Access {
        dir,
        ledger: log.ledger_id(),
        keys,
        signers: found.signers,
        noted: &found.noted,
        removals: &found.removals,
        losses: &found.losses,
        texts: depth == Depth::Full,
    };
    parts.extend(access.check()?);
    parts.extend(found.origin.check(dir)?);
    if depth == Depth::Forks {
        let told = told::tell(log, keys, &forks, events, &watched(Pass::Commands))?;
        forks.told = Some(told);
    }
    if depth == Depth::Full {
        let mut contents = contents::check(log, keys, events, whole, &watched(Pass::Contents))?;
        if subject.torn_keys > 0 {
            let torn = subject.torn_keys;
            contents = contents.noted(format!(
                "the key store ends with {torn} bytes of a key that was not finished"
            ));
        }
        parts.push(contents);
        let tiles = tiles::Tiles {
            dir: &dir.join("tlog"),
            events,
            whole,
            newest,
            disclosed: found.disclosed,
        };
        parts.push(tiles.check(log, &watched(Pass::Tiles))?);
        let derived = derived::Derived {
            dir: &dir.join("derived"),
            log,
            keys,
            master,
            events,
            whole,
            heads: found.heads,
        };
        parts.push(derived.check(&watched(Pass::Derived))?);
    }
    Ok(Verification {
        commits: found.commits,
        events,
        streams: found.streams,
        redacted: found.redacted,
        unfinished: log.cut().map_or(0, |cut| cut.bytes),
        root: found.root,
        key: found.key,
        whole,
        forks,
        parts,
    })
}

/// The answer for a journal that cannot be opened.
fn unopened(damage: &Damage) -> Verification {
    let mut part = Part::new(PartName::Journal);
    part.fail(halt::damaged(damage));
    Verification {
        commits: CommitSeq::ZERO,
        events: Position::ZERO,
        streams: 0,
        redacted: 0,
        unfinished: 0,
        root: Frontier::default().root(),
        key: None,
        whole: false,
        forks: Forks::default(),
        parts: vec![part.noted("the journal cannot be opened, so nothing else is checked")],
    }
}
