//! Makes the new ledger: what is written, in which order, and what is left of it after an error.

use std::fs;
use std::path::Path;

use super::error::{CarryError, at};
use super::look::Known;
use super::report::Carried;
use super::writing::{Done, Writing};
use super::{NewLedger, Source};
use crate::backup::Unfinished;
use crate::domain::Command;
use crate::domain::erasure::{ActRecord, Target};
use crate::domain::ledger::{CarriedOver, KnownCheckpoint, LedgerCommand, origin_stream};
use crate::ids::Position;
use crate::journal::DurableHint;
use crate::ledger::{Envelope, Ledger, Options, RESTORING, Undone, note_acts, open_restored};
use crate::origin::{CHECKPOINTS, REPORT};
use crate::seal::KeyDamage;
use crate::tlog::SignedCheckpoint;

/// What is kept of the earlier ledger, apart from its entries.
#[derive(Default)]
pub(super) struct Kept {
    /// Every checkpoint, as a file has them.
    pub(super) checkpoints: Vec<u8>,
    /// The newest one that the events lead to.
    pub(super) checkpoint: Option<SignedCheckpoint>,
    /// The furthest position that is known to have been there.
    pub(super) reached: Position,
    /// Whether something follows the last event that cannot be read.
    pub(super) open_end: bool,
    /// Erasures that are not on record, and that are carried out again.
    pub(super) acts: Vec<ActRecord>,
    /// The master key, if it lies in the directory.
    pub(super) master_key: Option<Vec<u8>>,
    /// What was damaged of the key store.
    pub(super) key_damage: KeyDamage,
}

/// Makes the new ledger in a new directory.
///
/// # Errors
/// [`CarryError`]. Then the directory is as empty as it was.
pub(super) fn make(
    source: &mut dyn Source,
    known: &Known,
    kept: Kept,
    new: NewLedger,
) -> Result<Carried, CarryError> {
    let dir = new.options.dir.clone();
    let unfinished = Unfinished::begin(&dir)?;
    let made = make_in(&unfinished, source, known, kept, new);
    match made {
        Ok(carried) => {
            unfinished.finish()?;
            Ok(carried)
        }
        Err(error) => {
            // Without the note it could be taken for a ledger, so the note goes last.
            let emptied = empty(&dir);
            if let Err(left) = emptied {
                tracing::warn!(dir = %dir.display(), %left, "what was written is still there");
            }
            Err(error)
        }
    }
}

fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false if entry.file_name() == RESTORING => {}
            false => fs::remove_file(entry.path())?,
        }
    }
    fs::remove_file(dir.join(RESTORING))
}

fn make_in(
    unfinished: &Unfinished,
    source: &mut dyn Source,
    known: &Known,
    kept: Kept,
    new: NewLedger,
) -> Result<Carried, CarryError> {
    let NewLedger {
        options,
        sent,
        reason,
    } = new;
    let from = source.ledger();
    let mut writing = Writing::begin(&options, from, known)?;
    source.each(&mut |taken| writing.take(taken))?;
    let done = writing.finish()?;
    if !kept.checkpoints.is_empty() {
        unfinished.write(CHECKPOINTS, &kept.checkpoints)?;
    }
    if let Some(key) = &kept.master_key {
        unfinished.write("keys/master.key", key)?;
    }
    let acts = again(kept.acts, &done);
    if !acts.is_empty() {
        note_acts(&options.dir, done.ledger, &options.master, &acts)?;
    }
    let checkpoint = kept.checkpoint.map(|signed| KnownCheckpoint {
        size: signed.checkpoint.position(),
        root: signed.checkpoint.root,
    });
    let record = CarriedOver {
        ledger: from,
        position: known.last,
        reached: kept.reached.max(known.last),
        lost: known.places(),
        renumbered: done.renumbered.len() as u64,
        root: known.root,
        checkpoint,
        entries: done.entries,
        carried_at: options.clock.now(),
        reason,
    };
    let hint = DurableHint {
        ledger: done.ledger,
        commit: done.tail.commit,
        position: done.tail.position,
    };
    let dir = options.dir.clone();
    let options = Options {
        undone: Undone::CarryOutAgain,
        ..options
    };
    let ledger: Ledger = open_restored(options, hint)?;
    let stream = origin_stream(done.ledger);
    let command = Command::Ledger(stream, LedgerCommand::RecordOrigin(record.clone()));
    let receipt = ledger.execute(sent.1, Envelope::new(sent.0, command))?;
    ledger.settle();
    drop(ledger);
    let carried = Carried {
        from,
        ledger: done.ledger,
        events: done.events,
        position: known.last,
        recorded: receipt.position,
        lost: known.lost.clone(),
        reached: record.reached,
        open_end: kept.open_end,
        missing: known.missing.clone(),
        renumbered: done.renumbered,
        root: known.root,
        checkpoint,
        key_damage: kept.key_damage,
    };
    let report = serde_json::to_vec_pretty(&carried.to_json());
    let report = report.map_err(|error| at(&dir.join(REPORT))(error.into()))?;
    unfinished.write(REPORT, &report)?;
    Ok(carried)
}

/// The acts as the new ledger names them.
fn again(acts: Vec<ActRecord>, done: &Done) -> Vec<ActRecord> {
    let of_person = |mut record: ActRecord| match record.target {
        Target::Person(person) => {
            record.key = done.destroyed.get(&person).copied();
            Some(record)
        }
        Target::Event(_) | Target::Reads { .. } => None,
    };
    acts.into_iter().filter_map(of_person).collect()
}
