//! Checking a whole data directory, without trusting anything derived.
//!
//! The journal is read up to four times: for its integrity, to open every payload, to make every
//! tile, and to fold everything again. Each part of the directory is judged by itself, so that a
//! fault in one does not hide what holds of the others.

mod checkpoints;
mod contents;
mod derived;
mod forking;
mod forks;
mod heads;
mod indexes;
mod journal;
mod parallel;
mod report;
mod tiles;
mod told;

use std::path::Path;
use std::sync::Arc;

use self::checkpoints::Checkpoints;
pub use self::forks::{Branch, Fork, ForkedStream, Forks, Spot, StaleAnswer};
use self::indexes::Indexes;
pub use self::report::{Depth, Part, PartName, Pass, Verification};
pub use self::told::{BranchEvent, Branches, Outcome, PlanNow, Repeated, Told};
use super::OpenError;
use crate::ids::{CommitSeq, Position};
use crate::journal::{Damage, SegmentLog};
use crate::merkle::Frontier;
use crate::seal::{KeyStore, MasterKey};

/// What is checked.
pub(super) struct Subject<'a> {
    /// The whole directory.
    pub(super) dir: &'a Path,
    /// Its journal, open for reading.
    pub(super) log: &'a SegmentLog,
    /// Its keys.
    pub(super) keys: &'a Arc<KeyStore>,
    /// Bytes at the end of the key store that are no keys.
    pub(super) torn_keys: u64,
}

/// Checks everything there is.
pub(super) fn verify(
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
    let found = journal::check(log, keys, checkpoints, indexes, &watched(Pass::Integrity))?;
    let journal::Found {
        events,
        whole,
        mut forks,
        ..
    } = found;
    let mut parts = Vec::from(found.parts);
    if depth == Depth::Forks {
        let told = told::tell(log, keys, &forks, events, &watched(Pass::Commands))?;
        forks.told = Some(told);
    }
    if depth == Depth::Full {
        let mut contents = contents::check(log, keys, events, &watched(Pass::Contents))?;
        if subject.torn_keys > 0 {
            let torn = subject.torn_keys;
            contents = contents.noted(format!(
                "{torn} bytes at the end of the key store are no keys"
            ));
        }
        parts.push(contents);
        let tiles = tiles::Tiles {
            dir: &dir.join("tlog"),
            events,
            whole,
            newest,
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

/// The answer for a journal that does not open.
pub(super) fn unopened(damage: &Damage) -> Verification {
    let mut part = Part::new(PartName::Journal);
    part.fail(journal::damaged(damage));
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
        parts: vec![part.noted("the journal does not open, so nothing else is checked")],
    }
}
