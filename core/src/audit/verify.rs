//! Checking a bundle, with nothing but the bundle and whom to believe. Reads it once, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};

use super::bundle::{Bytes, Disclosure, EventLine, FORMAT, Header, HeadsLine, Line, Scope};
use super::chain::{Chains, Place};
use super::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads, heads_stream, rotation_text};
use crate::domain::plan::PlanEvent;
use crate::entry::{self, Entry, EntryBytes, Hash32};
use crate::heads::{BucketProof, BucketTree, StreamHead, bucket_bytes, bucket_of, read_bucket};
use crate::ids::{KeyId, LedgerId, Position, Revision, StreamId, StreamKind};
use crate::ledger::{Payload, RecordedEvent, event as recorded};
use crate::merkle::{Frontier, check_consistency, check_inclusion};
use crate::seal::{self, EventKey};
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Note, Policy, SignedCheckpoint, VerifierKey, Witnessed};

/// A line holds at most one event, whose payload has at most 16 MiB.
const MOST_LINE: u64 = 32 << 20;

/// Whom to believe, and what is known from before.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Logs and witnesses that are believed.
    pub policy: Policy,
    /// A checkpoint that the auditor kept from an earlier time.
    pub since: Option<SignedCheckpoint>,
}

/// The first fault of a bundle, and the line it is in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct BundleFault {
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What was proved of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamReport {
    /// The stream.
    pub stream: StreamId,
    /// How many of its events are in the bundle.
    pub events: u64,
    /// The revision of its last event in the bundle.
    pub revision: Revision,
    /// Nothing of it is missing up to this position; `None` if that is not proved.
    pub complete_through: Option<Position>,
}

/// What a sound bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The ledger.
    pub ledger: LedgerId,
    /// What the bundle is about.
    pub scope: Scope,
    /// Whether texts can be read.
    pub disclosure: Disclosure,
    /// What everything was proved against.
    pub checkpoint: Checkpoint,
    /// Who vouches for it.
    pub witnessed: Witnessed,
    /// When its last event was recorded, by the server's clock: an older state of the log is
    /// proved as well as the newest.
    pub as_of: Timestamp,
    /// The size of the earlier checkpoint that it grew from, if one was given.
    pub since: Option<u64>,
    /// Events in scope.
    pub events: u64,
    /// Of those, opened with their keys and read.
    pub opened: u64,
    /// Of those, without a text: redacted, or left out by whoever made the bundle.
    pub redacted: u64,
    /// When the first and the last were recorded.
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// The streams in scope; none for a range.
    pub streams: Vec<StreamReport>,
    /// How many streams a range touches.
    pub stream_count: u64,
}

/// Checks a bundle. `seen` is told every event in scope that was opened, in order; what it is told
/// is proved only when this returns a report.
///
/// # Errors
/// [`BundleFault`]: the first fault, or that the bundle cannot be read.
pub fn verify_bundle(
    bundle: &mut dyn BufRead,
    options: &VerifyOptions,
    seen: &mut dyn FnMut(&RecordedEvent, &Event),
) -> Result<Report, BundleFault> {
    let mut number = 0;
    let mut line = Vec::new();
    let mut checking: Option<Checking<'_>> = None;
    loop {
        number += 1;
        let at = |fault| BundleFault {
            line: number,
            fault,
        };
        let read = next_line(bundle, &mut line).map_err(|what| at(format_fault(what)))?;
        if !read {
            return Err(at(cut_off()));
        }
        let parsed = Line::parse(&line).map_err(|error| {
            let (column, line) = (error.column(), "it is not a line of a bundle");
            at(format_fault(format!("{line}: column {column}")))
        })?;
        match (&mut checking, parsed) {
            (None, Line::Header(header)) => {
                checking = Some(Checking::new(*header, options).map_err(at)?);
            }
            (None, _) => return Err(at(format_fault("the first line is not a header"))),
            (Some(checking), Line::End(end)) => {
                let report = checking.finish(end.events).map_err(at)?;
                number += 1;
                let more = next_line(bundle, &mut line);
                return match more.map_err(format_fault) {
                    Ok(false) => Ok(report),
                    Ok(true) => Err(format_fault("there is something behind the end")),
                    Err(fault) => Err(fault),
                }
                .map_err(|fault| BundleFault {
                    line: number,
                    fault,
                });
            }
            (Some(checking), parsed) => checking.take(parsed, seen).map_err(at)?,
        }
    }
}

fn next_line(bundle: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    line.clear();
    let read = bundle.take(MOST_LINE).read_until(b'\n', line);
    let read = read.map_err(|error| format!("the bundle does not read: {error}"))?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if read as u64 == MOST_LINE => Err("the line is too long".to_owned()),
        // Without its newline it was cut off while it was written.
        Some(_) => Ok(false),
    }
}

fn format_fault(what: impl Into<String>) -> Fault {
    Fault::new(Position::ZERO, FaultKind::Format, what)
}

fn cut_off() -> Fault {
    let what = "the bundle ends before its last line; export it again, or go on with it";
    Fault::new(Position::ZERO, FaultKind::Missing, what)
}

/// A bundle while it is checked.
struct Checking<'a> {
    header: Header,
    options: &'a VerifyOptions,
    policy: Policy,
    signed: SignedCheckpoint,
    witnessed: Option<Witnessed>,
    since: Option<u64>,
    own: Chains,
    /// The key on record, by the ledger's own events.
    key: Option<VerifierKey>,
    /// The record of heads, and when it was made.
    recorded: Option<(RecordedHeads, Timestamp)>,
    bucket: Option<BucketProof>,
    /// The key that the bucket is said to be of.
    student_key: Option<KeyId>,
    chains: Chains,
    /// For a range: the tree so far.
    frontier: Option<Frontier>,
    /// For a plan or student: where each stream was at the position of the recorded heads.
    at_heads: BTreeMap<StreamId, Place>,
    events: u64,
    counts: BTreeMap<StreamId, u64>,
    opened: u64,
    redacted: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    stage: u8,
}

/// An event line whose entry was checked against the checkpoint.
struct Placed {
    position: Position,
    entry: Entry,
    bytes: EntryBytes,
}

impl<'a> Checking<'a> {
    fn new(header: Header, options: &'a VerifyOptions) -> Result<Self, Fault> {
        if header.format != FORMAT {
            let what = format!("the format is not {FORMAT}");
            return Err(format_fault(what));
        }
        let signed = SignedCheckpoint::parse(header.checkpoint.as_bytes());
        let signed = signed.map_err(|error| checkpoint_fault(FaultKind::Checkpoint, error))?;
        let (chains, frontier) = match header.scope {
            Scope::Range { from, to } => {
                if from == Position::ZERO || from > to || to.get() > signed.checkpoint.size {
                    return Err(format_fault("the range is not within the checkpoint"));
                }
                let peaks = hashes(&header.peaks)?;
                let frontier = Frontier::from_parts(from.get() - 1, peaks);
                let frontier = frontier.ok_or_else(|| format_fault("the peaks do not fit"))?;
                (Chains::part(from), Some(frontier))
            }
            Scope::Plan(_) | Scope::Student(_) => (Chains::default(), None),
        };
        Ok(Self {
            policy: options.policy.clone(),
            header,
            options,
            signed,
            witnessed: None,
            since: None,
            own: Chains::default(),
            key: None,
            recorded: None,
            bucket: None,
            student_key: None,
            chains,
            frontier,
            at_heads: BTreeMap::new(),
            events: 0,
            counts: BTreeMap::new(),
            opened: 0,
            redacted: 0,
            first: None,
            last: None,
            stage: 0,
        })
    }

    fn take(
        &mut self,
        line: Line,
        seen: &mut dyn FnMut(&RecordedEvent, &Event),
    ) -> Result<(), Fault> {
        let stage = match &line {
            Line::Header(_) | Line::Ledger(_) => 0,
            Line::Heads(_) => 1,
            Line::Event(_) | Line::End(_) => 2,
        };
        if stage < self.stage {
            return Err(format_fault("the line stands in the wrong place"));
        }
        self.stage = stage;
        match line {
            Line::Header(_) => Err(format_fault("there is a second header")),
            Line::Ledger(event) => self.take_ledger(&event),
            Line::Heads(heads) => {
                self.vouch()?;
                self.take_heads(heads)
            }
            Line::Event(event) => {
                self.vouch()?;
                self.take_event(&event, seen)
            }
            Line::End(_) => Err(cut_off()),
        }
    }

    /// Checks who vouches for the checkpoint, once every change of key is known.
    fn vouch(&mut self) -> Result<(), Fault> {
        if self.witnessed.is_some() {
            return Ok(());
        }
        let witnessed = self.policy.check(&self.signed);
        let mut witnessed =
            witnessed.map_err(|error| checkpoint_fault(FaultKind::Signature, error))?;
        witnessed.log = self.signed_by_the_key_on_record()?;
        if self.recorded.is_none() {
            let what = "there is no record of heads";
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        if !witnessed.quorum {
            let what = format!(
                "{} witnesses cosigned the checkpoint, fewer or others than the policy asks for",
                witnessed.witnesses.len()
            );
            return Err(Fault::new(Position::ZERO, FaultKind::Quorum, what));
        }
        self.witnessed = Some(witnessed);
        self.check_since()
    }

    /// A key that another one took over from signs no more, even if it is still believed.
    fn signed_by_the_key_on_record(&self) -> Result<VerifierKey, Fault> {
        let fault = |kind, what: String| Fault::new(Position::ZERO, kind, what);
        let Some(key) = &self.key else {
            let what = "there is no record of the key that signs".to_owned();
            return Err(fault(FaultKind::Missing, what));
        };
        let believed = self.policy.logs().contains(key);
        match believed && self.signed.verify([key]).is_ok() {
            true => Ok(key.clone()),
            false => {
                let what = format!(
                    "the checkpoint is not signed by the key on record, {key}, or nobody who is \
                     believed handed over to it"
                );
                Err(fault(FaultKind::Signature, what))
            }
        }
    }

    fn check_since(&mut self) -> Result<(), Fault> {
        let Some(since) = &self.options.since else {
            return Ok(());
        };
        let fault = |what: String| Fault::new(Position::ZERO, FaultKind::Growth, what);
        let (old, now) = (&since.checkpoint, &self.signed.checkpoint);
        since
            .verify(self.policy.logs())
            .map_err(|error| checkpoint_fault(FaultKind::Signature, error))?;
        if old.origin != now.origin {
            return Err(fault("the earlier checkpoint is of another log".to_owned()));
        }
        let proof = match (&self.header.since, old.size == now.size) {
            (_, true) => Vec::new(),
            (Some(given), false) if given.size == old.size => hashes(&given.proof)?,
            (Some(_) | None, false) => {
                let what = format!(
                    "the bundle has no proof of growth from the checkpoint of {size} events; \
                     export it again with --since {size}",
                    size = old.size
                );
                return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
            }
        };
        check_consistency(old.size, now.size, &proof, &old.root, &now.root).map_err(|error| {
            fault(format!(
                "the log did not grow from the checkpoint of {} events: {error}",
                old.size
            ))
        })?;
        self.since = Some(old.size);
        Ok(())
    }

    /// Checks an entry's form and that it is in the checkpoint.
    fn place(&self, line: &EventLine) -> Result<Placed, Fault> {
        let position = line.position;
        let fault = |kind, what: String| Fault::new(position, kind, what);
        let bytes: EntryBytes = line
            .entry
            .array()
            .ok_or_else(|| fault(FaultKind::Entry, "an entry has 230 bytes".to_owned()))?;
        let entry = Entry::decode(&bytes).map_err(|e| fault(FaultKind::Entry, e.to_string()))?;
        if let Some(path) = &line.path {
            let checkpoint = &self.signed.checkpoint;
            let path = hashes(path)?;
            let index = position.get().checked_sub(1);
            let index = index.ok_or_else(|| format_fault("there is no position 0"))?;
            let leaf = entry::leaf(&bytes);
            check_inclusion(index, checkpoint.size, &leaf, &path, &checkpoint.root)
                .map_err(|e| fault(FaultKind::Leaf, format!("it is not in the checkpoint: {e}")))?;
        }
        Ok(Placed {
            position,
            entry,
            bytes,
        })
    }

    fn take_ledger(&mut self, line: &EventLine) -> Result<(), Fault> {
        let placed = self.place(line)?;
        let fault = |kind, what: &str| Fault::new(placed.position, kind, what);
        if line.path.is_none() {
            return Err(fault(
                FaultKind::Missing,
                "it has no path to the checkpoint",
            ));
        }
        let stream = placed.entry.stream;
        let keys = StreamId::from(self.header.ledger);
        let heads = StreamId::from(heads_stream(self.header.ledger));
        if stream != keys && stream != heads {
            let what = "it is not of the ledger's own streams";
            return Err(fault(FaultKind::Format, what));
        }
        if stream == keys {
            let link = entry::link(&placed.bytes);
            self.own
                .check(placed.position, line.back, &placed.entry, link)?;
        }
        let event = open(line, &placed)?.map(|(event, _)| event);
        match event {
            Some(Event::Ledger(event)) => match event {
                LedgerEvent::KeyIntroduced { key } if stream == keys && self.key.is_none() => {
                    self.key = Some(key);
                    Ok(())
                }
                LedgerEvent::KeyRotated {
                    from,
                    to,
                    statement,
                } if stream == keys && self.key.as_ref() == Some(&from) => {
                    self.rotate(placed.position, from, to, &statement)
                }
                LedgerEvent::HeadsRecorded { through, root } if stream == heads => {
                    self.record_heads(&placed, RecordedHeads { through, root })
                }
                LedgerEvent::KeyIntroduced { .. }
                | LedgerEvent::KeyRotated { .. }
                | LedgerEvent::HeadsRecorded { .. } => Err(fault(
                    FaultKind::Event,
                    "it does not follow what was before it",
                )),
            },
            Some(_) => Err(fault(FaultKind::Event, "it is no event of the ledger")),
            None => Err(fault(FaultKind::Missing, "it has no text or no key")),
        }
    }

    fn rotate(
        &mut self,
        position: Position,
        from: VerifierKey,
        to: VerifierKey,
        statement: &str,
    ) -> Result<(), Fault> {
        let note = Note::parse(statement.as_bytes()).ok();
        let signed = note.is_some_and(|note| {
            note.text() == rotation_text(&from, &to) && note.verify([&from]).is_ok()
        });
        let alike = from.name() == to.name() && from.algorithm() == to.algorithm();
        if !signed || !alike {
            let what = "the change of key is not signed by the key before it";
            return Err(Fault::new(position, FaultKind::Signature, what));
        }
        // Whoever is believed hands belief over; nobody else can.
        if self.policy.logs().contains(&from) {
            self.policy.add_log(to.clone());
        }
        self.key = Some(to);
        Ok(())
    }

    /// The record of heads that counts is the checkpoint's last event: an earlier one would let the
    /// newest events be left off.
    fn record_heads(&mut self, placed: &Placed, recorded: RecordedHeads) -> Result<(), Fault> {
        let fault = |what: &str| Err(Fault::new(placed.position, FaultKind::Head, what));
        if placed.position != self.signed.checkpoint.position() {
            return fault("it is a record of heads, but not the checkpoint's last event");
        }
        if recorded.through >= placed.position {
            return fault("heads are recorded for a position that was not there yet");
        }
        self.recorded = Some((recorded, placed.entry.recorded_at));
        Ok(())
    }

    fn take_heads(&mut self, line: HeadsLine) -> Result<(), Fault> {
        let fault = |what: String| Fault::new(Position::ZERO, FaultKind::Head, what);
        let (recorded, _) = self
            .recorded
            .ok_or_else(|| fault("there is no record of heads".to_owned()))?;
        if self.bucket.is_some() {
            return Err(format_fault("there is a second line of heads"));
        }
        let heads = read_bucket(&line.heads.0);
        let proof = BucketProof {
            bucket: line.bucket,
            heads: heads.ok_or_else(|| format_fault("the heads are not 73 bytes each"))?,
            path: hashes(&line.path)?,
        };
        proof
            .check(&recorded.root)
            .map_err(|error| fault(error.to_string()))?;
        self.bucket = Some(proof);
        self.student_key = line.key;
        Ok(())
    }

    fn take_event(
        &mut self,
        line: &EventLine,
        seen: &mut dyn FnMut(&RecordedEvent, &Event),
    ) -> Result<(), Fault> {
        let placed = self.place(line)?;
        let position = placed.position;
        let fault = |kind, what: String| Fault::new(position, kind, what);
        let stream = placed.entry.stream;
        match (self.header.scope, &mut self.frontier) {
            (Scope::Range { from, to }, Some(frontier)) => {
                let expected = Position::new(frontier.size() + 1);
                if position != expected || position > to || position < from {
                    let what = format!("the event at {expected} is missing");
                    return Err(fault(FaultKind::Order, what));
                }
                frontier.push(entry::leaf(&placed.bytes));
            }
            (Scope::Plan(plan), _) if stream != StreamId::from(plan) => {
                return Err(fault(
                    FaultKind::Format,
                    format!("{stream} is not in scope"),
                ));
            }
            (Scope::Student(student), _)
                if stream.kind != StreamKind::Plan && stream != StreamId::from(student) =>
            {
                return Err(fault(
                    FaultKind::Format,
                    format!("{stream} is not in scope"),
                ));
            }
            (Scope::Plan(_) | Scope::Student(_) | Scope::Range { .. }, _) => {
                if line.path.is_none() {
                    let what = "it has no path to the checkpoint".to_owned();
                    return Err(fault(FaultKind::Missing, what));
                }
            }
        }
        let link = entry::link(&placed.bytes);
        self.chains
            .check(position, line.back, &placed.entry, link)?;
        self.keep_heads(stream, position)?;
        if line.key.is_some() && self.header.disclosure == Disclosure::Integrity {
            let what = "it has a key, and the bundle is said to have none";
            return Err(fault(FaultKind::Format, what.to_owned()));
        }
        let event = open(line, &placed)?;
        match (&event, line.sealed.is_some()) {
            (Some((event, json)), _) => {
                self.check_student(position, event)?;
                self.opened += 1;
                let payload = Payload::Json(json.clone());
                seen(&recorded(position, &placed.entry, payload), event);
            }
            (None, true) if self.header.disclosure == Disclosure::Events => {
                let what = "its key is not disclosed".to_owned();
                return Err(fault(FaultKind::Missing, what));
            }
            (None, true) => {}
            (None, false) => self.redacted += 1,
        }
        self.events += 1;
        *self.counts.entry(stream).or_default() += 1;
        self.first.get_or_insert(placed.entry.recorded_at);
        self.last = Some(placed.entry.recorded_at);
        Ok(())
    }

    /// Where the streams are when the recorded heads were told: for a plan or student to be compared
    /// with them at the end, for a range that has the whole log to be compared now.
    fn keep_heads(&mut self, stream: StreamId, position: Position) -> Result<(), Fault> {
        let Some((recorded, _)) = self.recorded else {
            return Ok(());
        };
        let from = match self.header.scope {
            Scope::Range { from, .. } => from,
            Scope::Plan(_) | Scope::Student(_) => {
                let place = self.chains.streams().get(&stream);
                if let Some(place) = place.filter(|_| position <= recorded.through) {
                    self.at_heads.insert(stream, *place);
                }
                return Ok(());
            }
        };
        if from != Position::new(1) || position != recorded.through {
            return Ok(());
        }
        match heads_root(&self.chains) == recorded.root {
            true => Ok(()),
            false => {
                let what = "the recorded heads are not where the streams are";
                Err(Fault::new(position, FaultKind::Head, what))
            }
        }
    }

    /// A plan in a student's bundle is that student's.
    fn check_student(&self, position: Position, event: &Event) -> Result<(), Fault> {
        match (self.header.scope, event) {
            (Scope::Student(student), Event::Plan(PlanEvent::Opened { student: of, .. }))
                if *of != student =>
            {
                let what = "it opens another student's plan";
                Err(Fault::new(position, FaultKind::Event, what))
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, events: u64) -> Result<Report, Fault> {
        self.vouch()?;
        let (Some(witnessed), Some((recorded, as_of))) = (self.witnessed.clone(), self.recorded)
        else {
            return Err(cut_off());
        };
        if events != self.events || events == 0 {
            let what = format!("there are {} events in scope, not {events}", self.events);
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        self.check_growth()?;
        let streams = match self.header.scope {
            Scope::Range { .. } => Vec::new(),
            Scope::Plan(_) | Scope::Student(_) => self.check_heads(recorded.through)?,
        };
        Ok(Report {
            ledger: self.header.ledger,
            scope: self.header.scope,
            disclosure: self.header.disclosure,
            checkpoint: self.signed.checkpoint.clone(),
            witnessed,
            as_of,
            since: self.since,
            events,
            opened: self.opened,
            redacted: self.redacted,
            recorded: self.first.zip(self.last),
            streams,
            stream_count: self.chains.streams().len() as u64,
        })
    }

    /// For a range: it ends where it should, and the checkpoint grew from there.
    fn check_growth(&self) -> Result<(), Fault> {
        let (Some(frontier), Scope::Range { to, .. }) = (&self.frontier, self.header.scope) else {
            return Ok(());
        };
        if frontier.size() != to.get() {
            let position = Position::new(frontier.size() + 1);
            let what = "the range ends early";
            return Err(Fault::new(position, FaultKind::Missing, what));
        }
        let proof = hashes(&self.header.growth)?;
        let checkpoint = &self.signed.checkpoint;
        let root = frontier.root();
        check_consistency(to.get(), checkpoint.size, &proof, &root, &checkpoint.root).map_err(
            |error| {
                let what = format!("the range is not in the checkpoint: {error}");
                Fault::new(to, FaultKind::Leaf, what)
            },
        )
    }

    /// Every stream ends where the recorded heads say, and none of a student's is left out.
    fn check_heads(&self, through: Position) -> Result<Vec<StreamReport>, Fault> {
        let fault = |kind, what: String| Err(Fault::new(Position::ZERO, kind, what));
        let Some(proof) = &self.bucket else {
            let what = "the heads of the streams are not in the bundle".to_owned();
            return fault(FaultKind::Missing, what);
        };
        let mut in_scope: BTreeSet<StreamId> = self.counts.keys().copied().collect();
        let mut key = None;
        if let Scope::Student(student) = self.header.scope {
            let person = StreamId::from(student);
            let Some(place) = self.chains.streams().get(&person) else {
                let what = format!("the stream {person} is not in the bundle");
                return fault(FaultKind::Missing, what);
            };
            let mut others = self.chains.streams().values();
            if others.any(|other| other.key != place.key) {
                let what = "a plan is sealed under another person's key".to_owned();
                return fault(FaultKind::Key, what);
            }
            let of_student = proof.heads.iter().filter(|head| head.key == place.key);
            in_scope.extend(of_student.map(|head| head.stream));
            key = Some(place.key);
        }
        if self.student_key != key {
            let what = "the heads are said to be of another key than the student's".to_owned();
            return fault(FaultKind::Key, what);
        }
        let streams = in_scope.into_iter();
        streams
            .map(|stream| self.check_head(stream, proof, through))
            .collect()
    }

    fn check_head(
        &self,
        stream: StreamId,
        proof: &BucketProof,
        through: Position,
    ) -> Result<StreamReport, Fault> {
        let fault = |what: String| Err(Fault::new(through, FaultKind::Head, what));
        let last = self.chains.streams().get(&stream);
        if last.is_some_and(|last| bucket_of(stream, last.key) != proof.bucket) {
            let what = format!("the heads are not those of the bucket of {stream}");
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        let there = self.at_heads.get(&stream);
        let revision = there.map(|place| place.revision).unwrap_or_default();
        match (proof.head(stream), there) {
            // It began after the heads were recorded.
            (None, None) => {}
            (None, Some(_)) => return fault(format!("{stream} has no recorded head")),
            (Some(head), _) if head.revision > revision => {
                return fault(format!(
                    "{stream} had {} events at position {through}, the bundle has {revision}: its \
                     newest events were left off",
                    head.revision
                ));
            }
            (Some(head), Some(place)) if (head.revision, head.link) == (revision, place.link) => {}
            (Some(head), _) => {
                return fault(format!(
                    "{stream} was at revision {revision} at position {through}, but another event \
                     at revision {} was recorded as its last",
                    head.revision
                ));
            }
        }
        Ok(StreamReport {
            stream,
            events: self.counts.get(&stream).copied().unwrap_or_default(),
            revision: last.map(|last| last.revision).unwrap_or_default(),
            complete_through: Some(through),
        })
    }
}

/// The root over where streams are.
fn heads_root(chains: &Chains) -> Hash32 {
    let mut buckets: BTreeMap<u16, Vec<StreamHead>> = BTreeMap::new();
    for (stream, place) in chains.streams() {
        let bucket = buckets.entry(bucket_of(*stream, place.key)).or_default();
        bucket.push(StreamHead {
            stream: *stream,
            key: place.key,
            revision: place.revision,
            link: place.link,
        });
    }
    let mut contents = Vec::new();
    for (number, mut heads) in buckets {
        heads.sort_unstable();
        contents.push((number, bucket_bytes(&heads)));
    }
    let mut tree = BucketTree::default();
    let contents = contents.iter();
    tree.set(contents.map(|(number, bytes)| (*number, bytes.as_slice())));
    tree.root()
}

fn checkpoint_fault(kind: FaultKind, error: impl ToString) -> Fault {
    Fault::new(Position::ZERO, kind, error.to_string())
}

fn hashes(list: &[Bytes]) -> Result<Vec<Hash32>, Fault> {
    let hashes: Option<_> = list.iter().map(Bytes::array).collect();
    hashes.ok_or_else(|| format_fault("a hash has 32 bytes"))
}

/// Opens an event; `None` if there is nothing to open, or no key to open it with.
fn open(line: &EventLine, placed: &Placed) -> Result<Option<(Event, Vec<u8>)>, Fault> {
    let Placed {
        position,
        entry,
        bytes,
    } = placed;
    let fault = |kind, what: String| Fault::new(*position, kind, what);
    let Some(Bytes(sealed)) = &line.sealed else {
        return match &line.key {
            None => Ok(None),
            Some(_) => Err(fault(
                FaultKind::Missing,
                "it has a key but no text".to_owned(),
            )),
        };
    };
    if sealed.len() != entry.sealed_len as usize || entry::sealed_hash(sealed) != entry.sealed_hash
    {
        let what = "the payload is not the one whose hash the entry holds".to_owned();
        return Err(fault(FaultKind::Payload, what));
    }
    let Some(key) = &line.key else {
        return Ok(None);
    };
    let key = key.array().map(EventKey::from_bytes);
    let key = key.ok_or_else(|| format_fault("a key has 32 bytes"))?;
    if seal::commitment(&key) != entry.key_commitment {
        let what = "the key is not the one that the entry commits to".to_owned();
        return Err(fault(FaultKind::Key, what));
    }
    let json = seal::open(&key, &entry.nonce, entry::prefix(bytes), sealed)
        .map_err(|error| fault(FaultKind::Sealed, format!("it {error}")))?;
    let event = Event::from_json(entry.event_type, entry.schema, &json)
        .map_err(|error| fault(FaultKind::Event, error.to_string()))?;
    match event.kind() == entry.stream.kind {
        true => Ok(Some((event, json))),
        false => {
            let what = "the event belongs to another kind of stream".to_owned();
            Err(fault(FaultKind::Event, what))
        }
    }
}
