//! Checking a bundle, with nothing but the bundle and whom to believe. Reads it once, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};

use super::bundle::{Bytes, Disclosure, EventLine, FORMAT, Header, HeadsLine, Line, Scope};
use super::chain::Chains;
use super::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads, heads_stream, rotation_text};
use crate::entry::{self, Entry, EntryBytes, Hash32};
use crate::heads::{BucketProof, read_bucket};
use crate::ids::{LedgerId, Position, Revision, StreamId, StreamKind};
use crate::ledger::{Payload, RecordedEvent, event as recorded};
use crate::merkle::{Frontier, check_consistency, check_inclusion};
use crate::seal::{self, EventKey};
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Note, Policy, SignedCheckpoint, Witnessed};

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
    /// The size of the earlier checkpoint that it grew from, if one was given.
    pub since: Option<u64>,
    /// Events in scope.
    pub events: u64,
    /// Of those, opened with their keys and read.
    pub opened: u64,
    /// Of those, without a text: redacted.
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
    recorded: Option<RecordedHeads>,
    buckets: Vec<(Option<crate::ids::KeyId>, BucketProof)>,
    chains: Chains,
    /// For a range: the tree so far.
    frontier: Option<Frontier>,
    /// For a head that was recorded, where its event stands.
    heads_seen: Vec<(StreamId, Revision, Hash32, Position)>,
    events: u64,
    counts: BTreeMap<StreamId, u64>,
    /// Where each stream begins in the bundle.
    begins: BTreeMap<StreamId, Position>,
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
            recorded: None,
            buckets: Vec::new(),
            chains,
            frontier,
            heads_seen: Vec::new(),
            events: 0,
            counts: BTreeMap::new(),
            begins: BTreeMap::new(),
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
        let witnessed = witnessed.map_err(|error| checkpoint_fault(FaultKind::Signature, error))?;
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
            Some(Event::Ledger(LedgerEvent::KeyIntroduced { .. })) => Ok(()),
            Some(Event::Ledger(LedgerEvent::KeyRotated {
                from,
                to,
                statement,
            })) => {
                if !self.policy.logs().contains(&from) {
                    return Ok(());
                }
                let note = Note::parse(statement.as_bytes()).ok();
                let signed = note.is_some_and(|note| {
                    note.text() == rotation_text(&from, &to) && note.verify([&from]).is_ok()
                });
                if !signed || from.name() != to.name() {
                    let what = "the change of key is not signed by the key before it";
                    return Err(fault(FaultKind::Signature, what));
                }
                self.policy.add_log(to);
                Ok(())
            }
            Some(Event::Ledger(LedgerEvent::HeadsRecorded { through, root })) => {
                if through >= placed.position {
                    let what = "heads are recorded for a position that was not there yet";
                    return Err(fault(FaultKind::Head, what));
                }
                self.recorded = Some(RecordedHeads { through, root });
                Ok(())
            }
            Some(_) => Err(fault(FaultKind::Event, "it is no event of the ledger")),
            None => Err(fault(FaultKind::Missing, "it has no text or no key")),
        }
    }

    fn take_heads(&mut self, line: HeadsLine) -> Result<(), Fault> {
        let fault = |what: String| Fault::new(Position::ZERO, FaultKind::Head, what);
        let recorded = self
            .recorded
            .ok_or_else(|| fault("there is no record of heads".to_owned()))?;
        let heads = read_bucket(&line.heads.0);
        let proof = BucketProof {
            bucket: line.bucket,
            heads: heads.ok_or_else(|| format_fault("the heads are not 73 bytes each"))?,
            path: hashes(&line.path)?,
        };
        proof
            .check(&recorded.root)
            .map_err(|error| fault(error.to_string()))?;
        self.buckets.push((line.key, proof));
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
        let head = (stream, placed.entry.revision, link, position);
        let is_head = |head: &crate::heads::StreamHead| {
            (head.stream, head.revision) == (stream, placed.entry.revision)
        };
        if self
            .buckets
            .iter()
            .any(|(_, proof)| proof.heads.iter().any(is_head))
        {
            self.heads_seen.push(head);
        }
        let event = open(line, &placed)?;
        match (&event, line.sealed.is_some()) {
            (Some((event, json)), _) => {
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
        self.begins.entry(stream).or_insert(position);
        self.first.get_or_insert(placed.entry.recorded_at);
        self.last = Some(placed.entry.recorded_at);
        Ok(())
    }

    fn finish(&mut self, events: u64) -> Result<Report, Fault> {
        self.vouch()?;
        let Some(witnessed) = self.witnessed.clone() else {
            return Err(cut_off());
        };
        if events != self.events || events == 0 {
            let what = format!("there are {} events in scope, not {events}", self.events);
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        self.check_growth()?;
        let streams = match self.header.scope {
            Scope::Range { .. } => Vec::new(),
            Scope::Plan(_) | Scope::Student(_) => self.check_heads()?,
        };
        Ok(Report {
            ledger: self.header.ledger,
            scope: self.header.scope,
            disclosure: self.header.disclosure,
            checkpoint: self.signed.checkpoint.clone(),
            witnessed,
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
    fn check_heads(&self) -> Result<Vec<StreamReport>, Fault> {
        let fault = |kind, what: String| Err(Fault::new(Position::ZERO, kind, what));
        let Some(recorded) = self.recorded else {
            return fault(FaultKind::Missing, "there is no record of heads".to_owned());
        };
        let mut in_scope: BTreeSet<StreamId> = self.counts.keys().copied().collect();
        if let Scope::Student(student) = self.header.scope {
            let person = StreamId::from(student);
            let Some(place) = self.chains.streams().get(&person) else {
                let what = format!("the stream {person} is not in the bundle");
                return fault(FaultKind::Missing, what);
            };
            let others = self.chains.streams().values();
            if others.clone().any(|other| other.key != place.key) {
                let what = "a plan is sealed under another person's key".to_owned();
                return fault(FaultKind::Key, what);
            }
            let heads = self.buckets.iter().flat_map(|(_, proof)| &proof.heads);
            let of_student = heads.filter(|head| head.key == place.key);
            in_scope.extend(of_student.map(|head| head.stream));
        }
        let mut reports = Vec::new();
        for stream in in_scope {
            reports.push(self.check_head(stream, recorded.through)?);
        }
        Ok(reports)
    }

    fn check_head(&self, stream: StreamId, through: Position) -> Result<StreamReport, Fault> {
        let fault = |position, what: String| Err(Fault::new(position, FaultKind::Head, what));
        let place = self.chains.streams().get(&stream);
        let mut buckets = self.buckets.iter().filter(|(_, proof)| {
            place.is_none_or(|place| crate::heads::bucket_of(stream, place.key) == proof.bucket)
        });
        let Some((_, proof)) = buckets.next() else {
            let what = format!("the heads of {stream} are not in the bundle");
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        };
        let events = self.counts.get(&stream).copied().unwrap_or_default();
        let revision = place.map(|place| place.revision).unwrap_or_default();
        let report = StreamReport {
            stream,
            events,
            revision,
            complete_through: Some(through),
        };
        let Some(head) = proof.head(stream) else {
            // It may have begun after the heads were recorded.
            let begins = self.begins.get(&stream);
            return match begins.is_some_and(|first| *first > through) {
                true => Ok(report),
                false => fault(through, format!("{stream} has no recorded head")),
            };
        };
        let seen = self
            .heads_seen
            .iter()
            .find(|(other, revision, ..)| (*other, *revision) == (stream, head.revision));
        match seen {
            Some((_, _, link, position)) if *link == head.link && *position <= through => {
                Ok(report)
            }
            Some((_, _, _, position)) => fault(
                *position,
                format!(
                    "{stream} has another event at revision {} than recorded",
                    head.revision
                ),
            ),
            None => fault(
                through,
                format!(
                    "{stream} had {} events at position {through}, the bundle ends at revision \
                     {revision}: its newest events were left off",
                    head.revision
                ),
            ),
        }
    }
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
