//! Checks a bundle, and needs only the bundle and the policy that says whom to believe. It reads
//! the bundle once, line by line.

mod events;
mod heads;
mod keys;

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use self::events::open;
use super::bundle::{Bytes, Disclosure, FORMAT, Header, Line, Scope};
use super::chain::{Chains, StreamPlace};
use super::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::domain::ledger::RecordedHeads;
use crate::entry::{Entry, EntryBytes};
use crate::hash::Hash32;
use crate::heads::BucketProof;
use crate::ids::{KeyId, LedgerId, Position, Revision, StreamId};
use crate::ledger::RecordedEvent;
use crate::merkle::Frontier;
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Policy, SignedCheckpoint, VerifierKey, Witnessed};

/// The longest line, in bytes. A line holds one event at most, and a payload has 16 MiB at most.
const MOST_LINE: u64 = 32 << 20;

/// Whom the auditor believes, and what the auditor knows from before.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The logs and witnesses that the auditor believes.
    pub policy: Policy,
    /// A checkpoint that the auditor kept from an earlier time. `None` if there is none.
    pub since: Option<SignedCheckpoint>,
}

/// The first fault of a bundle, and its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct BundleFault {
    /// The number of the line, from 1.
    pub line: u64,
    /// The fault.
    pub fault: Fault,
}

/// What the bundle proves about one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamReport {
    /// The stream.
    pub stream: StreamId,
    /// How many events of the stream are in the bundle.
    pub events: u64,
    /// The revision of the stream's last event in the bundle.
    pub revision: Revision,
    /// The bundle has every event of the stream up to this position. `None` if that is not proved.
    pub complete_through: Option<Position>,
}

/// What a sound bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The ledger that the events are from.
    pub ledger: LedgerId,
    /// Which events the bundle is about.
    pub scope: Scope,
    /// Whether the reader can read the texts.
    pub disclosure: Disclosure,
    /// The checkpoint that every proof leads to.
    pub checkpoint: Checkpoint,
    /// Who signed and cosigned the checkpoint.
    pub witnessed: Witnessed,
    /// When the checkpoint's last event was recorded, by the server's clock. A bundle about an
    /// older state of the log passes this check as well as one about the newest.
    pub as_of: Timestamp,
    /// The size of the auditor's earlier checkpoint, from which the log grew. `None` if the auditor
    /// gave none.
    pub since: Option<u64>,
    /// How many events in scope the bundle holds.
    pub events: u64,
    /// How many of them were opened with their keys and read.
    pub opened: u64,
    /// How many of them have no text: it was redacted, or whoever made the bundle left it out.
    pub redacted: u64,
    /// When the first and the last event in scope were recorded.
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// What is proved about each stream in scope. Empty for a range.
    pub streams: Vec<StreamReport>,
    /// How many streams the events in scope belong to.
    pub stream_count: u64,
}

/// Checks a bundle. Calls `seen` in order with every event in scope that could be opened. What
/// `seen` gets is proved only if this function returns a report.
///
/// # Errors
/// [`BundleFault`]: the first fault. It may be that the bundle cannot be read.
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
            let (column, line) = (error.column(), "this is not a line of a bundle");
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
                let fault = match bundle.take(1).read_to_end(&mut line) {
                    Ok(0) => return Ok(report),
                    Ok(_) => format_fault("the file goes on after the last line of the bundle"),
                    Err(error) => format_fault(unread(&error)),
                };
                return Err(BundleFault {
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
    let read = read.map_err(|error| unread(&error))?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if read as u64 == MOST_LINE => Err("the line is too long".to_owned()),
        // A line without its newline was cut off while it was written.
        Some(_) => Ok(false),
    }
}

fn unread(error: &std::io::Error) -> String {
    format!("the bundle cannot be read: {error}")
}

fn format_fault(what: impl Into<String>) -> Fault {
    Fault::new(Position::ZERO, FaultKind::Format, what)
}

fn cut_off() -> Fault {
    let what = "the bundle has no last line, so its export did not finish; repeat the export to \
                continue it";
    Fault::new(Position::ZERO, FaultKind::Missing, what)
}

/// The state of a check.
struct Checking<'a> {
    header: Header,
    options: &'a VerifyOptions,
    policy: Policy,
    signed: SignedCheckpoint,
    witnessed: Option<Witnessed>,
    since: Option<u64>,
    own: Chains,
    /// The key that signs checkpoints, as the ledger's own events say.
    key: Option<VerifierKey>,
    /// The record of heads, and the time when it was recorded.
    recorded: Option<(RecordedHeads, Timestamp)>,
    bucket: Option<BucketProof>,
    /// The student's key, as the line of heads names it.
    student_key: Option<KeyId>,
    chains: Chains,
    /// For a range: the tree up to the last event that was checked.
    frontier: Option<Frontier>,
    /// For a plan or student: where each stream was when the heads were recorded.
    at_heads: BTreeMap<StreamId, StreamPlace>,
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
                    return Err(format_fault("the range is outside the checkpoint"));
                }
                let peaks = hashes(&header.peaks)?;
                let frontier = Frontier::from_parts(from.get() - 1, peaks);
                let frontier = frontier
                    .ok_or_else(|| format_fault("the number of peaks does not fit the range"))?;
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
            return Err(format_fault("the line is in the wrong place"));
        }
        self.stage = stage;
        match line {
            Line::Header(_) => Err(format_fault("the bundle has two headers")),
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

    fn finish(&mut self, events: u64) -> Result<Report, Fault> {
        self.vouch()?;
        let (Some(witnessed), Some((recorded, as_of))) = (self.witnessed.clone(), self.recorded)
        else {
            return Err(cut_off());
        };
        if events != self.events || events == 0 {
            let what = format!(
                "the bundle has {} events in scope, but its last line says {events}",
                self.events
            );
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
}

fn checkpoint_fault(kind: FaultKind, error: impl ToString) -> Fault {
    Fault::new(Position::ZERO, kind, error.to_string())
}

fn hashes(list: &[Bytes]) -> Result<Vec<Hash32>, Fault> {
    let hashes: Option<_> = list.iter().map(Bytes::array).collect();
    hashes.ok_or_else(|| format_fault("a hash does not have 32 bytes"))
}
