//! A damaged directory as a source.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use super::making::{Kept, make};
use super::report::Carried;
use super::{CarryError, Content, NewLedger, Source, Taken, look};
use crate::derived::Generations;
use crate::disk::{Disk, OsDisk};
use crate::doctor::{self, ExportError, Finding, Why};
use crate::domain::erasure::{ActRecord, Target};
use crate::entry::Entry;
use crate::ids::{LedgerId, PersonId, Position};
use crate::journal::{EntryRef, survey, survey_with};
use crate::ledger::directory::{open_what_is_left, os_disk};
use crate::ledger::{Options, noted_acts};
use crate::seal::KeyStore;

/// Carries everything that still verifies over from a damaged directory, which is not changed.
pub struct Salvage<'a> {
    /// How the damaged ledger is opened.
    pub damaged: &'a Options,
    /// The new ledger.
    pub into: NewLedger,
    /// The file with the master key, if it lies in the damaged directory: the new one needs it too.
    pub master_key: Option<Vec<u8>>,
    /// Called now and then with the last position that was read. Everything is read twice.
    pub watch: &'a dyn Fn(u64),
}

impl Salvage<'_> {
    /// Makes the new ledger.
    ///
    /// # Errors
    /// [`CarryError`]. Then there is no new ledger.
    pub fn run(mut self) -> Result<Carried, CarryError> {
        let dir = &self.damaged.dir;
        let _lock = doctor::enter(dir).map_err(|findings| {
            let words: Vec<_> = findings.iter().map(Finding::to_string).collect();
            ExportError::Directory(words.join("; "))
        })?;
        let disk = os_disk(&dir.join("journal"))?;
        let found = survey(&*disk).map_err(ExportError::Io)?;
        let ledger = found.ledger.ok_or(ExportError::Nobody)?;
        let (keys, key_damage) = open_what_is_left(self.damaged, ledger)?;
        // Whoever can open the keys of the damaged ledger can open those of the new one.
        let rescue = &mut self.into.options.rescue;
        *rescue = rescue.or(keys.summary().rescue);
        let acts = noted_acts(dir, ledger, &self.damaged.master).unwrap_or_else(|error| {
            tracing::warn!(%error, "the acts beside the journal cannot be used");
            Vec::new()
        });
        let mut source = Damaged {
            disk,
            keys,
            ledger,
            watch: self.watch,
        };
        let checkpoint = doctor::newest_checkpoint(self.damaged, found.last);
        let size = checkpoint.as_ref().map(|signed| signed.checkpoint.size);
        let known = look::look(&mut source, &persons(&acts), size)?;
        if known.places() >= known.last.get() {
            return Err(CarryError::Nothing);
        }
        let (checkpoints, furthest) = self.checkpoints();
        // A checkpoint to which the entries do not lead is kept, but nothing is said to rest on it.
        let checkpoint = checkpoint.filter(|signed| {
            let root = known.root_then;
            root.is_none_or(|root| root == signed.checkpoint.root)
        });
        let on_record = |record: &ActRecord| match record.target {
            Target::Person(person) => known.on_record.contains(&person),
            Target::Event(_) | Target::Reads { .. } => true,
        };
        let acts = acts.into_iter().filter(|record| !on_record(record));
        let kept = Kept {
            checkpoints,
            checkpoint,
            reached: furthest.max(self.stored()),
            open_end: found.gaps.iter().any(|gap| gap.last.is_none()),
            acts: acts.collect(),
            master_key: self.master_key,
            key_damage,
        };
        make(&mut source, &known, kept, self.into)
    }

    /// The file of checkpoints as it is, and how far the furthest reaches.
    fn checkpoints(&self) -> (Vec<u8>, Position) {
        let path = self.damaged.dir.join("checkpoints/checkpoints.txt");
        let bytes = fs::read(path).unwrap_or_default();
        let notes = crate::tlog::KeptNotes::parse(&bytes).notes;
        let furthest = notes.iter().map(|signed| signed.checkpoint.position());
        (bytes, furthest.max().unwrap_or_default())
    }

    /// How far derived state knows that the journal was stored.
    fn stored(&self) -> Position {
        let derived = self.damaged.dir.join("derived");
        let furthest = Generations::new(derived, self.damaged.master.clone()).furthest();
        furthest.map_or(Position::ZERO, |cursor| cursor.position)
    }
}

fn persons(acts: &[ActRecord]) -> BTreeSet<PersonId> {
    let persons = acts.iter().filter_map(|record| match record.target {
        Target::Person(person) => Some(person),
        Target::Event(_) | Target::Reads { .. } => None,
    });
    persons.collect()
}

struct Damaged<'a> {
    disk: Arc<OsDisk>,
    keys: KeyStore,
    ledger: LedgerId,
    watch: &'a dyn Fn(u64),
}

impl Source for Damaged<'_> {
    fn ledger(&self) -> LedgerId {
        self.ledger
    }

    fn each(
        &mut self,
        take: &mut dyn FnMut(Taken) -> Result<(), CarryError>,
    ) -> Result<(), CarryError> {
        let mut done = Ok(());
        let disk: &dyn Disk = &*self.disk;
        let read = survey_with(disk, &mut |frame| {
            for record in frame.entries() {
                if done.is_ok()
                    && let Some(taken) = taken(&record, &self.keys)
                {
                    done = take(taken);
                }
            }
            (self.watch)(frame.header().last_position().get());
        });
        read.map_err(ExportError::Io)?;
        done
    }
}

/// An event, if its entry is sound.
fn taken(record: &EntryRef<'_>, keys: &KeyStore) -> Option<Taken> {
    let entry = Entry::decode(record.entry).ok();
    let entry = entry.filter(|_| record.leaf_is_sound())?;
    let opened = doctor::open(record, &entry, keys);
    let content = match opened.payload {
        Ok(json) => Content::Json(json),
        Err(why) => missing(why),
    };
    Some(Taken {
        position: record.position,
        back: record.back,
        scope: keys.scope_of(entry.key),
        bytes: *record.entry,
        entry,
        key: opened.key,
        content,
    })
}

/// What a payload that is not there counts as.
pub(super) fn missing(why: Why) -> Content {
    match why {
        Why::Redacted => Content::Redacted,
        Why::Erased => Content::Erased,
        Why::Damaged | Why::KeyMissing | Why::WrongKey | Why::NoJson => Content::Gone,
    }
}
