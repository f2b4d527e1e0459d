//! Compares what is kept of the earlier ledger, in `origin/`, with what is on record of it, if the events were
//! carried over from one.
//!
//! The hash of the entries is on record; so is the root of all of them, if none is lost. The checkpoint follows
//! from them. Of the report, everything is compared that follows from the record and from the entries: which
//! persons it names, and whether something may follow the last event, stands nowhere else.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::{Value, json};

use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::domain::ledger::{CarriedOver, KnownCheckpoint, LedgerEvent, PlaceHeld};
use crate::entry::{self, Entry, EntryBytes};
use crate::hash::Hash32;
use crate::hex;
use crate::ids::{Position, StreamId};
use crate::ledger::OpenError;
use crate::merkle::Frontier;
use crate::note::VerifierKey;
use crate::origin::{CHECKPOINTS, ENTRIES, REPORT, read_entries};
use crate::tlog::KeptNotes;

/// What is on record of the earlier ledger.
#[derive(Default)]
pub(super) struct Recorded {
    /// The event that says where the events came from, and its position.
    pub(super) carried: Option<(Position, CarriedOver)>,
    /// Keys that signed checkpoints of an earlier ledger, and its stream of keys.
    keys: Vec<(StreamId, VerifierKey)>,
    /// The places whose events are lost.
    lost: BTreeSet<Position>,
}

impl Recorded {
    /// Takes in that a place of the earlier ledger is held.
    pub(super) fn take(&mut self, position: Position, held: PlaceHeld) {
        let own = match held {
            PlaceHeld::Own(own) => own,
            PlaceHeld::Lost(_) => {
                self.lost.insert(position);
                return;
            }
        };
        if let LedgerEvent::KeyIntroduced { key } | LedgerEvent::KeyRotated { to: key, .. } =
            *own.event
        {
            self.keys.push((own.stream, key));
        }
    }

    /// Checks `origin/`; `None` if the events come from no other ledger.
    pub(super) fn check(&self, dir: &Path) -> Result<Option<Part>, OpenError> {
        let Some((position, carried)) = &self.carried else {
            return Ok(None);
        };
        let mut part = Part::new(PartName::Origin);
        let mut check = Check {
            dir,
            position: *position,
            carried,
            keys: &self.keys,
            lost: &self.lost,
        };
        match check.all(&mut part) {
            Ok(()) => {}
            Err(Stop::Fault(fault)) => part.fail(fault),
            Err(Stop::Failed(error)) => return Err(error),
        }
        let earlier = format!(
            "events 1 to {} come from ledger {}",
            carried.position, carried.ledger
        );
        Ok(Some(part.noted(earlier)))
    }
}

enum Stop {
    Fault(Fault),
    Failed(OpenError),
}

struct Check<'a> {
    dir: &'a Path,
    position: Position,
    carried: &'a CarriedOver,
    keys: &'a [(StreamId, VerifierKey)],
    lost: &'a BTreeSet<Position>,
}

/// A stream, and the first and last of its revisions that are missing.
type Missing = (String, u64, u64);

/// What the entries come to.
#[derive(Default)]
struct Entries {
    /// How many places the file has.
    places: u64,
    /// Root over all of them; `None` if some are lost.
    root: Option<Hash32>,
    /// Root over the first of them, as many as the checkpoint on record has.
    root_then: Option<Hash32>,
    /// The revisions that are missing before one that is there, and those of which only the entry is there.
    missing: BTreeSet<Missing>,
}

impl Check<'_> {
    fn all(&mut self, part: &mut Part) -> Result<(), Stop> {
        let entries = self.entries()?;
        part.checked = entries.places;
        self.checkpoints(&entries)?;
        self.report(&entries)
    }

    fn fault(&self, kind: FaultKind, what: String) -> Stop {
        Stop::Fault(Fault::new(self.position, kind, what))
    }

    /// An error of reading a file: it is missing, or the system does not give it.
    fn unread(&self, name: &'static str) -> impl FnOnce(io::Error) -> Stop {
        let path = self.dir.join(name);
        let missing = self.fault(
            FaultKind::Missing,
            format!("{name} is missing, which was kept of the earlier ledger"),
        );
        move |source| match source.kind() {
            ErrorKind::NotFound => missing,
            _ => Stop::Failed(OpenError::Io { path, source }),
        }
    }

    fn entries(&self) -> Result<Entries, Stop> {
        let mut following = Following::default();
        let size = self.carried.checkpoint.map(|known| known.size.get());
        let read = read_entries(self.dir, &mut |position, entry| {
            following.take(position, entry, size, self.lost.contains(&position));
        })
        .map_err(self.unread(ENTRIES))?;
        let changed =
            |what: &str| self.fault(FaultKind::Entry, format!("{ENTRIES} was changed: {what}"));
        if read.hash != self.carried.entries {
            return Err(changed("its hash is not the one on record"));
        }
        let found = following.finish();
        if read.ledger != Some(self.carried.ledger)
            || read.rest > 0
            || found.places != self.carried.position.get()
        {
            return Err(changed("it is not a file of the earlier ledger's entries"));
        }
        if self.carried.root != found.root {
            return Err(self.fault(
                FaultKind::Checkpoint,
                "the earlier ledger's entries do not lead to the root on record".to_owned(),
            ));
        }
        Ok(found)
    }

    fn checkpoints(&self, entries: &Entries) -> Result<(), Stop> {
        let Some(KnownCheckpoint { size, root }) = self.carried.checkpoint else {
            return Ok(());
        };
        let bytes = fs::read(self.dir.join(CHECKPOINTS)).map_err(self.unread(CHECKPOINTS))?;
        let kept = KeptNotes::parse(&bytes);
        if kept.damaged {
            let what = format!(
                "{CHECKPOINTS} was changed: it is damaged at byte {}",
                kept.end
            );
            return Err(self.fault(FaultKind::Checkpoint, what));
        }
        if entries.root_then.is_some_and(|then| then != root) {
            let what = "the earlier ledger's entries do not lead to its checkpoint on record";
            return Err(self.fault(FaultKind::Checkpoint, what.to_owned()));
        }
        let mut same = kept.notes.iter().filter(|signed| {
            (signed.checkpoint.position(), signed.checkpoint.root) == (size, root)
        });
        let stream = StreamId::from(self.carried.ledger);
        let keys = self.keys.iter().filter(|(of, _)| *of == stream);
        let keys: Vec<_> = keys.map(|(_, key)| key.clone()).collect();
        // The event that names its key may be lost.
        let is_signed = |signed: &crate::tlog::SignedCheckpoint| {
            keys.is_empty() || signed.verify(&keys).is_ok()
        };
        match same.any(is_signed) {
            true => Ok(()),
            false => Err(self.fault(
                FaultKind::Checkpoint,
                format!(
                    "{CHECKPOINTS} was changed: it does not have the checkpoint of {size} events on record, \
                     signed by the earlier ledger's key"
                ),
            )),
        }
    }

    fn report(&self, entries: &Entries) -> Result<(), Stop> {
        let bytes = fs::read(self.dir.join(REPORT)).map_err(self.unread(REPORT))?;
        let changed =
            |what: String| self.fault(FaultKind::Format, format!("{REPORT} was changed: {what}"));
        let report: Value =
            serde_json::from_slice(&bytes).map_err(|_| changed("it is no JSON".to_owned()))?;
        let carried = self.carried;
        let on_record = [
            ("from", json!(carried.ledger.to_string())),
            ("lastPosition", json!(carried.position.get())),
            ("recordedAtPosition", json!(self.position.get())),
            ("reached", json!(carried.reached.get())),
            ("root", json!(carried.root.map(|root| hex::encode(&root)))),
            (
                "checkpoint",
                json!(carried.checkpoint.map(|known| known.size.get())),
            ),
        ];
        for (field, value) in on_record {
            if report.get(field) != Some(&value) {
                return Err(changed(format!(
                    "its field {field} is not what is on record"
                )));
            }
        }
        let count = |field: &str| {
            report
                .get(field)
                .and_then(Value::as_array)
                .map(|list| list.len() as u64)
        };
        if count("renumbered") != Some(carried.renumbered) {
            return Err(changed(
                "its field renumbered is not what is on record".to_owned(),
            ));
        }
        if places(&report) != Some(carried.lost) {
            return Err(changed(
                "its field lost is not what is on record".to_owned(),
            ));
        }
        match missing(&report) {
            Some(missing) if missing == entries.missing => Ok(()),
            Some(_) | None => Err(changed(
                "its field missing is not what the entries say".to_owned(),
            )),
        }
    }
}

/// How many places a report says are lost.
fn places(report: &Value) -> Option<u64> {
    let mut places = 0_u64;
    for lost in report.get("lost")?.as_array()? {
        let [first, last] = ["first", "last"].map(|field| lost.get(field).and_then(Value::as_u64));
        places = places.checked_add(last?.checked_add(1)?.checked_sub(first?)?)?;
    }
    Some(places)
}

/// The revisions that a report says are missing.
fn missing(report: &Value) -> Option<BTreeSet<Missing>> {
    let list = report.get("missing")?.as_array()?.iter();
    let one = |it: &Value| {
        let number = |field: &str| it.get(field).and_then(Value::as_u64);
        let stream = it.get("stream")?.as_str()?.to_owned();
        Some((stream, number("firstRevision")?, number("lastRevision")?))
    };
    let all: Option<BTreeSet<_>> = list.map(one).collect();
    Some(all?.into_iter().filter(is_compared).collect())
}

/// Whether it can be told from journal and entries. Of streams of an earlier ledger itself it cannot: places that
/// were held already when that ledger was made look the same.
fn is_compared((stream, ..): &Missing) -> bool {
    !stream.starts_with("ledger/")
}

#[derive(Default)]
struct Following {
    found: Entries,
    leaves: Frontier,
    /// Whether an entry is lost. From then on there is no root to compare with.
    gap: bool,
    streams: HashMap<StreamId, u64>,
}

impl Following {
    fn take(
        &mut self,
        position: Position,
        bytes: Option<&EntryBytes>,
        size: Option<u64>,
        is_lost: bool,
    ) {
        self.found.places = position.get();
        let Some(bytes) = bytes else {
            self.gap = true;
            return;
        };
        if !self.gap {
            self.leaves.push(entry::leaf(bytes));
            if size == Some(self.leaves.size()) {
                self.found.root_then = Some(self.leaves.root());
            }
        }
        let Ok(entry) = Entry::decode(bytes) else {
            return;
        };
        let now = entry.revision.get();
        let before = self.streams.insert(entry.stream, now).unwrap_or_default();
        let (stream, missing) = (entry.stream.to_string(), &mut self.found.missing);
        if now > before + 1 {
            missing.insert((stream.clone(), before + 1, now - 1));
        }
        if is_lost {
            missing.insert((stream, now, now));
        }
    }

    fn finish(mut self) -> Entries {
        self.found.missing.retain(is_compared);
        self.found.root = (!self.gap).then(|| self.leaves.root());
        self.found
    }
}
