//! Examines a ledger's directory. It only reads.

use std::path::Path;

use super::finding::{Finding, Weight};
use super::keys::KeyFault;
use super::surroundings;
use crate::audit::{Fault, FaultKind};
use crate::derived::Generations;
use crate::entry::Entry;
use crate::ids::{LedgerId, Position};
use crate::journal::{
    CommitLog, Damage, DamageReason, DurableHint, Gap, OpenError as JournalError, OpenMode,
    SegmentLog, SegmentOptions, Survey, survey,
};
use crate::ledger::directory::{Lock, lock_to_read, open_keys, os_disk};
use crate::ledger::{OpenError, Options, check_acts};
use crate::seal::{KeyStoreError, KeyStoreMode};
use crate::tlog::Kept;
use crate::verify::{Depth, PartName, Pass, verify_held};

/// Where the journal notes which text is being overwritten.
const UNFINISHED: &str = "journal/redaction";

/// What is examined.
pub struct Place<'a> {
    /// The ledger's directory.
    pub dir: &'a Path,
    /// How it is opened; or why nobody can say, because the master key cannot be had.
    pub options: Result<&'a Options, String>,
}

/// What came of an examination.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Examination {
    /// How many events can be read, whether they belong to a whole journal or not.
    pub events: u64,
    /// The last position that can be read.
    pub last: Position,
    /// How many segments the journal has, those that are missing included.
    pub segments: u64,
    /// What was found, in the order in which it should be put right.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.weight() == Weight::Note
    }

    /// Whether everything that is wrong can be made again.
    pub fn is_repairable(&self) -> bool {
        self.weight() < Weight::Truth
    }

    fn weight(&self) -> Weight {
        let weights = self.findings.iter().map(Finding::weight);
        weights.max().unwrap_or(Weight::Note)
    }
}

/// Examines a ledger's directory. `watch` is called as for [`verify_dir`](crate::verify::verify_dir).
///
/// Memory holds one segment of the journal at a time, and what `verify_dir` needs.
pub fn examine(place: &Place<'_>, watch: &(dyn Fn(Pass, u64, u64) + Sync)) -> Examination {
    match enter(place.dir) {
        Ok(lock) => examine_held(place, &lock, watch),
        Err(findings) => Examination {
            findings,
            ..Examination::default()
        },
    }
}

/// Takes the lock of a directory that has a ledger; or says why that cannot be.
pub(crate) fn enter(dir: &Path) -> Result<Lock, Vec<Finding>> {
    let links = surroundings::links(dir);
    if !links.is_empty() {
        return Err(links);
    }
    if !dir.join("journal").is_dir() {
        let others = ["keys/keys.log", "checkpoints", "derived"];
        return Err(match others.iter().any(|name| dir.join(name).exists()) {
            true => vec![Finding::JournalMissing],
            false => vec![Finding::NoLedger],
        });
    }
    lock_to_read(dir).map_err(|error| {
        vec![match error {
            OpenError::Locked { .. } => Finding::InUse,
            other => unreadable(other),
        }]
    })
}

fn unreadable(error: impl std::fmt::Display) -> Finding {
    let what = error.to_string();
    Finding::Unreadable { what }
}

fn not_checked(what: impl Into<String>) -> Finding {
    Finding::NotChecked { what: what.into() }
}

/// The same for somebody who holds the lock.
pub(super) fn examine_held(
    place: &Place<'_>,
    _held: &Lock,
    watch: &(dyn Fn(Pass, u64, u64) + Sync),
) -> Examination {
    let mut found = Examination::default();
    let surroundings = surroundings::look(place.dir);
    let read = os_disk(&place.dir.join("journal"))
        .map_err(unreadable)
        .and_then(|disk| survey(&*disk).map_err(unreadable));
    match read {
        Ok(journal) => {
            found.events = journal.events;
            found.last = journal.last;
            found.segments = journal.segments;
            let truth = Truth {
                place,
                journal,
                findings: Vec::new(),
            };
            found.findings = truth.find(watch);
        }
        Err(finding) => found.findings.push(finding),
    }
    found.findings.extend(surroundings);
    found
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.weight()));
    found
}

/// What is looked at in the journal and all that belongs to it.
struct Truth<'a> {
    place: &'a Place<'a>,
    journal: Survey,
    findings: Vec<Finding>,
}

impl Truth<'_> {
    fn find(mut self, watch: &(dyn Fn(Pass, u64, u64) + Sync)) -> Vec<Finding> {
        if self.journal.segments == 0 {
            let finding = match self.place.dir.join("keys/keys.log").exists() {
                true => Finding::JournalMissing,
                false => Finding::NoLedger,
            };
            self.findings.push(finding);
            return self.findings;
        }
        let options = match &self.place.options {
            Ok(options) => *options,
            Err(why) => {
                let why = why.clone();
                self.gaps(u64::MAX, 0);
                self.checkpoints();
                self.findings.push(Finding::NoMasterKey { why });
                self.findings.push(not_checked(
                    "key store, payloads, tiles, derived state and access log",
                ));
                return self.findings;
            }
        };
        let opens = self.opens(options);
        self.checkpoints();
        let ledger = self.journal.ledger;
        let keys = ledger.is_some_and(|ledger| self.keys(options, ledger));
        if let Some(ledger) = ledger {
            self.acts(options, ledger);
        }
        match opens && keys {
            true => self.rest(options, watch),
            false => self.findings.push(not_checked(
                "payloads, tiles, derived state and access log; journal and keys come first",
            )),
        }
        self.findings
    }

    /// Takes what cannot be read of the journal, before byte `offset` of this segment.
    fn gaps(&mut self, segment: u64, offset: u64) {
        let gaps = self.journal.gaps.iter();
        let gaps = gaps.filter(|gap| (gap.segment, gap.offset) < (segment, offset));
        self.findings.extend(gaps.copied().map(Finding::Journal));
    }

    /// Finds out whether the journal opens, with what derived state knows to have been stored.
    fn opens(&mut self, options: &Options) -> bool {
        let derived = Generations::new(self.place.dir.join("derived"), options.master.clone());
        let durable = derived.furthest().map(|cursor| DurableHint {
            ledger: cursor.ledger,
            commit: cursor.commit,
            position: cursor.position,
        });
        let mode = SegmentOptions {
            mode: OpenMode::ReadOnly,
            durable,
            ..SegmentOptions::default()
        };
        let disk = match os_disk(&self.place.dir.join("journal")) {
            Ok(disk) => disk,
            Err(error) => {
                self.findings.push(unreadable(error));
                return false;
            }
        };
        match SegmentLog::open(disk, mode) {
            Ok(log) => {
                match log.cut() {
                    Some(cut) => {
                        self.gaps(cut.segment, cut.offset);
                        self.findings.push(Finding::TornTail {
                            segment: cut.segment,
                            offset: cut.offset,
                            bytes: cut.bytes,
                        });
                    }
                    None => self.gaps(u64::MAX, 0),
                }
                self.journal.last = log.tail().position;
                true
            }
            Err(JournalError::Damaged(damage)) => {
                self.damaged(&damage);
                false
            }
            Err(error @ (JournalError::Empty | JournalError::Exists | JournalError::Io { .. })) => {
                self.gaps(u64::MAX, 0);
                // What is unfinished is found beside this, and keeps the journal from being read.
                self.findings
                    .push(match self.place.dir.join(UNFINISHED).is_file() {
                        true => not_checked(error.to_string()),
                        false => unreadable(error),
                    });
                false
            }
        }
    }

    fn damaged(&mut self, damage: &Damage) {
        if let DamageReason::EndLost(commit) = damage.reason {
            self.gaps(damage.segment, damage.offset);
            let last = Position::new(damage.position.get().saturating_sub(1));
            self.findings.push(Finding::EndLost { last, commit });
            return;
        }
        self.gaps(u64::MAX, 0);
        if self.journal.gaps.is_empty() {
            self.findings.push(Finding::Journal(Gap {
                segment: damage.segment,
                offset: damage.offset,
                first: damage.position,
                last: None,
                reason: damage.reason,
            }));
        }
    }

    fn checkpoints(&mut self) {
        let kept = match Kept::read_all(&self.place.dir.join("checkpoints")) {
            Ok(kept) => kept,
            Err(error) => {
                self.findings.push(unreadable(error));
                return;
            }
        };
        if kept.damaged {
            let offset = kept.end;
            self.findings.push(Finding::CheckpointsDamaged { offset });
        }
        let sizes = kept.notes.iter().map(|signed| signed.checkpoint.size);
        let (size, last) = (sizes.max().unwrap_or(0), self.journal.last);
        if size > last.get() {
            self.findings.push(Finding::CheckpointAhead { size, last });
        }
    }

    /// Finds out whether the key store can be used.
    fn keys(&mut self, options: &Options, ledger: LedgerId) -> bool {
        match open_keys(options, ledger, KeyStoreMode::ReadOnly) {
            Ok(keys) => {
                if keys.torn() > 0 {
                    let bytes = keys.torn();
                    self.findings.push(Finding::TornKeys { bytes });
                }
                true
            }
            // A power cut may come after the journal was created and before the keys were.
            Err(OpenError::Keys(KeyStoreError::Missing))
                if self.journal.events == 0 && self.findings.is_empty() =>
            {
                true
            }
            Err(OpenError::Keys(error)) => {
                self.findings.push(Finding::Keys(KeyFault::of(&error)));
                false
            }
            Err(error) => {
                self.findings.push(unreadable(error));
                false
            }
        }
    }

    /// Whether an event cannot be opened because the key store does not have its key: then an older copy of it
    /// was put back.
    fn lacking(&self, options: &Options, part: PartName, fault: &Fault) -> Option<KeyStoreError> {
        if part != PartName::Contents || fault.kind != FaultKind::Key {
            return None;
        }
        let mode = SegmentOptions {
            mode: OpenMode::ReadOnly,
            ..SegmentOptions::default()
        };
        let disk = os_disk(&self.place.dir.join("journal")).ok()?;
        let log = SegmentLog::open(disk, mode).ok()?;
        let stored = log.entry(fault.position).ok()??;
        let key = Entry::decode(&stored.entry).ok()?.key;
        let keys = open_keys(options, log.ledger_id(), KeyStoreMode::ReadOnly).ok()?;
        let position = fault.position;
        (keys.slot_of(key) == 0).then_some(KeyStoreError::Lacks { key, position })
    }

    fn acts(&mut self, options: &Options, ledger: LedgerId) {
        match check_acts(self.place.dir, ledger, &options.master) {
            Ok(()) => {}
            // With another master key every line looks changed.
            Err(OpenError::Acts { .. }) if self.has("WRONG_MASTER_KEY") => {}
            Err(error @ OpenError::Acts { .. }) => {
                let what = error.to_string();
                self.findings.push(Finding::ActsDamaged { what });
            }
            Err(error) => self.findings.push(unreadable(error)),
        }
    }

    fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }

    /// Checks everything that needs a journal that opens.
    fn rest(&mut self, options: &Options, watch: &(dyn Fn(Pass, u64, u64) + Sync)) {
        let found = match verify_held(options, Depth::Full, watch) {
            Ok(found) => found,
            Err(error) => {
                self.findings.push(not_checked(error.to_string()));
                return;
            }
        };
        let has_gaps = self
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Journal(_)));
        let told = |part| match part {
            PartName::Journal => has_gaps,
            PartName::Checkpoints => {
                self.has("CHECKPOINT_AHEAD") || self.has("CHECKPOINTS_DAMAGED")
            }
            PartName::Heads
            | PartName::Indexes
            | PartName::Contents
            | PartName::Tiles
            | PartName::Derived
            | PartName::AccessLog
            | PartName::AccessCheckpoints
            | PartName::Origin => false,
        };
        let faults = found.faults().filter(|(part, _)| !told(*part));
        let more: Vec<_> = faults
            .map(|(part, fault)| match self.lacking(options, part, fault) {
                Some(lacking) => Finding::Keys(KeyFault::of(&lacking)),
                None => Finding::Part {
                    part,
                    kind: fault.kind,
                    position: fault.position,
                    what: fault.what.clone(),
                },
            })
            .collect();
        self.findings.extend(more);
        if has_gaps {
            self.findings.push(not_checked(
                "payloads, tiles and derived state after the damage in the journal",
            ));
        }
        let derived = self.place.dir.join("derived");
        if !derived.is_dir() && found.events > Position::ZERO {
            self.findings.push(Finding::NoDerivedState);
        }
    }
}
