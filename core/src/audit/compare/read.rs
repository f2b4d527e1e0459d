//! Reads pieces of evidence, and keeps of each event only what contradictions are looked for in. What
//! does not hold by itself is refused: every entry that is kept is covered by its file's checkpoint.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, Read};

use super::check::{handed_over, hashes, key_fact, ledger_event, recorded_heads};
use super::facts::{Fact, HeadsFact, KeyFact};
use super::tree::Tree;
use crate::audit::bundle::{EventLine, Header, HeadsLine, Line, Scope};
use crate::audit::fault::{Fault, FaultKind};
use crate::audit::verify::next_line;
use crate::domain::ledger::{LedgerEvent, RecordedHeads};
use crate::entry::{self, Entry, EntryBytes};
use crate::heads::{BucketProof, read_bucket};
use crate::ids::{Position, StreamId};
use crate::merkle::{Part, check_inclusion, growth_nodes, inclusion_nodes};
use crate::note::{self, Note, Rotation, VerifierKey};
use crate::tlog::{Checkpoint, Policy, SignedCheckpoint};

/// What the name of each version of the format of bundles begins with.
const BUNDLES: &str = "planledger-audit-bundle/";

/// A bundle or a checkpoint, which can be read more than once.
pub trait Piece {
    /// Reads it from the beginning.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self) -> io::Result<Box<dyn BufRead + '_>>;
}

impl Piece for Vec<u8> {
    fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

/// Why pieces of evidence cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// There are fewer than two pieces.
    #[error("there is nothing to compare with: name two files or more")]
    Few,
    /// A piece has a fault, so that nothing follows from it. Checking it alone says more.
    #[error("line {line}: {fault}")]
    Fault {
        /// The number of the piece, from 0.
        piece: usize,
        /// The line of the fault, from 1.
        line: u64,
        /// The fault.
        fault: Fault,
    },
    /// A piece is about another log than the first one.
    #[error("it is of the log {found}, but the first file is of {expected}")]
    TwoLogs {
        /// The number of the piece, from 0.
        piece: usize,
        /// The log of the first piece.
        expected: String,
        /// The log of this piece.
        found: String,
    },
    /// A piece was changed while it was read.
    #[error("it changed while it was read")]
    Changed {
        /// The number of the piece, from 0.
        piece: usize,
    },
    /// A contradiction was found that cannot be written down so that others can check it.
    #[error("a contradiction was found, but there is no proof of it: {0}")]
    Unproved(String),
}

impl CompareError {
    /// The number of the piece that the error is about, from 0. `None` if it is about none.
    pub fn piece(&self) -> Option<usize> {
        match self {
            Self::Fault { piece, .. } | Self::TwoLogs { piece, .. } | Self::Changed { piece } => {
                Some(*piece)
            }
            Self::Few | Self::Unproved(_) => None,
        }
    }
}

/// Where an entry was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) piece: u32,
    pub(super) position: Position,
}

/// A checkpoint, and the note with nothing but the signature of a believed key.
pub(super) struct Signed {
    pub(super) checkpoint: Checkpoint,
    pub(super) note: String,
    pub(super) key: VerifierKey,
}

/// The heads of a bucket, with their record.
pub(super) struct HeadsAt {
    pub(super) fact: HeadsFact,
    pub(super) record: At,
}

/// Everything that the pieces prove, by itself.
#[derive(Default)]
pub(super) struct Evidence {
    /// The checkpoint of each piece.
    pub(super) signed: Vec<Signed>,
    /// What is known of the tree of each piece's checkpoint.
    pub(super) trees: Vec<Tree>,
    pub(super) facts: Vec<(Fact, u32)>,
    pub(super) records: Vec<(RecordedHeads, At)>,
    pub(super) heads: Vec<HeadsAt>,
    pub(super) keys: Vec<(KeyFact, At)>,
    pub(super) rotations: Vec<Rotation>,
    /// Forks that are settled on record.
    pub(super) settled: BTreeSet<(StreamId, Position)>,
}

/// The beginning of a piece.
enum Opening {
    Bundle(Box<Header>, SignedCheckpoint),
    Checkpoint(SignedCheckpoint),
}

impl Opening {
    fn signed(&self) -> &SignedCheckpoint {
        match self {
            Self::Bundle(_, signed) | Self::Checkpoint(signed) => signed,
        }
    }
}

impl Evidence {
    /// Reads all pieces.
    pub(super) fn read(pieces: &[&dyn Piece], policy: &Policy) -> Result<Self, CompareError> {
        if pieces.len() < 2 {
            return Err(CompareError::Few);
        }
        let mut openings = Vec::new();
        for (piece, read) in pieces.iter().enumerate() {
            let opening = opening(*read);
            let fault = |fault| CompareError::Fault {
                piece,
                line: 1,
                fault,
            };
            openings.push(opening.map_err(fault)?);
        }
        let sizes = openings
            .iter()
            .map(|opening| opening.signed().checkpoint.size);
        let sizes: BTreeSet<u64> = sizes.collect();
        let mut evidence = Self::default();
        for (piece, (read, opening)) in pieces.iter().zip(&openings).enumerate() {
            let checkpoint = &opening.signed().checkpoint;
            let tree = match opening {
                Opening::Checkpoint(_) => Tree::of(checkpoint),
                Opening::Bundle(header, _) => {
                    let number = piece as u32;
                    let mut reading =
                        Reading::new(&mut evidence, number, header, checkpoint, &sizes);
                    let tree = reading.all(*read);
                    let line = reading.line;
                    tree.map_err(|fault| CompareError::Fault { piece, line, fault })?
                }
            };
            evidence.trees.push(tree);
        }
        evidence.believe(openings, policy)?;
        Ok(evidence)
    }

    /// Checks who signed the checkpoints. This waits until every change of key was read.
    fn believe(&mut self, openings: Vec<Opening>, policy: &Policy) -> Result<(), CompareError> {
        let keys = handed_over(policy.logs(), &self.rotations);
        for (piece, opening) in openings.into_iter().enumerate() {
            let signed = opening.signed();
            let verified = signed.verify(&keys).map(|_| ());
            let found = verified.map_err(|error| CompareError::Fault {
                piece,
                line: 1,
                fault: Fault::new(Position::ZERO, FaultKind::Signature, error.to_string()),
            });
            found?;
            let alone = signed.note.signatures().iter().find_map(|signature| {
                let note = Note::new(signed.note.text().to_owned(), vec![signature.clone()]);
                let checkpoint = signed.checkpoint.clone();
                let alone = SignedCheckpoint { checkpoint, note };
                let key = alone.verify(&keys).ok()?.clone();
                Some((key, alone))
            });
            let Some((key, alone)) = alone else {
                return Err(CompareError::Changed { piece });
            };
            if let Some(first) = self.signed.first()
                && first.checkpoint.origin != alone.checkpoint.origin
            {
                return Err(CompareError::TwoLogs {
                    piece,
                    expected: first.checkpoint.origin.clone(),
                    found: alone.checkpoint.origin,
                });
            }
            self.signed.push(Signed {
                note: alone.note.to_string(),
                checkpoint: alone.checkpoint,
                key,
            });
        }
        Ok(())
    }
}

fn format(what: impl Into<String>) -> Fault {
    Fault::new(Position::ZERO, FaultKind::Format, what)
}

/// Reads the header of a bundle, or a checkpoint.
fn opening(piece: &dyn Piece) -> Result<Opening, Fault> {
    let unread = |error: io::Error| format(format!("it cannot be read: {error}"));
    let checkpoint = |bytes: &[u8]| {
        let signed = SignedCheckpoint::parse(bytes);
        signed.map_err(|error| Fault::new(Position::ZERO, FaultKind::Checkpoint, error.to_string()))
    };
    let mut input = piece.open().map_err(unread)?;
    let is_bundle = input.fill_buf().map_err(unread)?.first() == Some(&b'{');
    let mut bytes = Vec::new();
    if !is_bundle {
        let most = note::MOST_BYTES as u64 + 1;
        input.take(most).read_to_end(&mut bytes).map_err(unread)?;
        return Ok(Opening::Checkpoint(checkpoint(&bytes)?));
    }
    let whole = next_line(&mut *input, &mut bytes).map_err(format)?;
    match Line::parse(&bytes) {
        Ok(Line::Header(header)) if whole && header.format.starts_with(BUNDLES) => {
            let signed = checkpoint(header.checkpoint.as_bytes())?;
            Ok(Opening::Bundle(header, signed))
        }
        _ => Err(format("it is neither a bundle nor a checkpoint")),
    }
}

/// Reads one bundle.
struct Reading<'a> {
    evidence: &'a mut Evidence,
    piece: u32,
    header: &'a Header,
    checkpoint: &'a Checkpoint,
    /// Parts of the tree that show the root which it has at the size of another piece's checkpoint.
    needed: HashSet<Part>,
    /// The records of heads in this bundle, by their place in [`Evidence::records`].
    records: Vec<usize>,
    line: u64,
}

impl<'a> Reading<'a> {
    fn new(
        evidence: &'a mut Evidence,
        piece: u32,
        header: &'a Header,
        checkpoint: &'a Checkpoint,
        sizes: &BTreeSet<u64>,
    ) -> Self {
        let size = checkpoint.size;
        let needed = sizes.range(..size);
        let needed = needed.flat_map(|old| growth_nodes(*old, size)).collect();
        Self {
            evidence,
            piece,
            header,
            checkpoint,
            needed,
            records: Vec::new(),
            line: 1,
        }
    }

    fn all(&mut self, piece: &dyn Piece) -> Result<Tree, Fault> {
        let tree = Tree::of_bundle(self.checkpoint, self.header);
        let mut tree = tree.ok_or_else(|| format("the header does not fit its scope"))?;
        let mut ended = false;
        let mut number = 0;
        let read = lines(piece, &mut number, &mut |number, line| {
            if ended {
                return Err(format("the file goes on after the last line of the bundle"));
            }
            match line {
                Line::Header(_) if number == 1 => Ok(()),
                Line::Header(_) => Err(format("the bundle has two headers")),
                Line::Ledger(line) | Line::Act(line) | Line::Event(line) => {
                    self.event(&line, &mut tree)
                }
                Line::Heads(line) => self.heads(line),
                Line::End(_) => {
                    ended = true;
                    Ok(())
                }
            }
        });
        self.line = number.max(1);
        read?;
        if !ended {
            let what = "the bundle has no last line, so its export did not finish";
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        if let Scope::Range { to, .. } = self.header.scope
            && (tree.next() != to.get() || !tree.check_range())
        {
            let what = "the checkpoint does not cover the range";
            return Err(Fault::new(to, FaultKind::Leaf, what));
        }
        if let Some(since) = &self.header.since {
            tree.take_since(since.size, &since.proof);
        }
        Ok(tree)
    }

    fn event(&mut self, line: &EventLine, tree: &mut Tree) -> Result<(), Fault> {
        let position = line.position;
        let fault = |kind, what: String| Fault::new(position, kind, what);
        let bytes = line.entry.array();
        let bytes: EntryBytes = bytes
            .ok_or_else(|| fault(FaultKind::Entry, "it does not have 230 bytes".to_owned()))?;
        let entry = Entry::decode(&bytes).map_err(|e| fault(FaultKind::Entry, e.to_string()))?;
        let leaf = entry::leaf(&bytes);
        let index = position.get().checked_sub(1);
        let index = index.ok_or_else(|| format("its position is 0, but positions begin at 1"))?;
        match &line.path {
            Some(path) => {
                let path = hashes(path).ok_or_else(|| format("a hash does not have 32 bytes"))?;
                let Checkpoint { size, root, .. } = self.checkpoint;
                let included = check_inclusion(index, *size, &leaf, &path, root);
                included.map_err(|error| {
                    let what = format!("it is not covered by the checkpoint: {error}");
                    fault(FaultKind::Leaf, what)
                })?;
                if !self.needed.is_empty() {
                    let parts = inclusion_nodes(index, *size).into_iter().zip(path);
                    let parts = parts.chain([((index, index + 1), leaf)]);
                    for (part, hash) in parts.filter(|(part, _)| self.needed.contains(part)) {
                        tree.know(part, hash);
                    }
                }
            }
            None if matches!(self.header.scope, Scope::Range { .. }) => {
                if tree.push(leaf) != index {
                    let what = "an event before it is missing".to_owned();
                    return Err(fault(FaultKind::Order, what));
                }
            }
            None => {
                let what = "it has no proof that the checkpoint covers it".to_owned();
                return Err(fault(FaultKind::Missing, what));
            }
        }
        let fact = Fact::of(position, &entry, &bytes);
        self.evidence.facts.push((fact, self.piece));
        match ledger_event(line, &entry, &bytes)? {
            Some(event) => self.own(fact, event),
            None => Ok(()),
        }
    }

    /// Takes an event of one of the ledger's own streams.
    fn own(&mut self, fact: Fact, event: LedgerEvent) -> Result<(), Fault> {
        let at = At {
            piece: self.piece,
            position: fact.position,
        };
        if let Some(recorded) = recorded_heads(&event) {
            self.records.push(self.evidence.records.len());
            self.evidence.records.push((recorded, at));
        }
        match &event {
            LedgerEvent::KeyRotated { statement, .. } => {
                // A statement that the old key did not sign hands nothing over.
                let rotation = Rotation::parse(statement);
                let rotations = &mut self.evidence.rotations;
                rotations.extend(rotation.filter(|rotation| !rotations.contains(rotation)));
            }
            LedgerEvent::ForkSettled { stream, forks, .. } => {
                let forks = forks.iter().map(|fork| (*stream, *fork));
                self.evidence.settled.extend(forks);
            }
            LedgerEvent::KeyIntroduced { .. }
            | LedgerEvent::HeadsRecorded { .. }
            | LedgerEvent::AccessLogNoted(_)
            | LedgerEvent::AccessLogLost(_)
            | LedgerEvent::Restored(_)
            | LedgerEvent::CarriedOver(_)
            | LedgerEvent::PlaceHeld(_) => {}
        }
        let change = key_fact(fact, event);
        self.evidence.keys.extend(change.map(|change| (change, at)));
        Ok(())
    }

    fn heads(&mut self, line: HeadsLine) -> Result<(), Fault> {
        let heads = read_bucket(&line.heads.0);
        let proof = BucketProof {
            bucket: line.bucket,
            heads: heads.ok_or_else(|| format("a head does not have 73 bytes"))?,
            path: hashes(&line.path).ok_or_else(|| format("a hash does not have 32 bytes"))?,
        };
        let records = self.records.iter().rev();
        let records = records.filter_map(|place| self.evidence.records.get(*place));
        let mut records = records.filter(|(recorded, _)| proof.check(&recorded.root).is_ok());
        let Some((recorded, record)) = records.next().copied() else {
            let what = "no record of heads before it has these heads";
            return Err(Fault::new(Position::ZERO, FaultKind::Head, what));
        };
        let fact = HeadsFact { recorded, proof };
        self.evidence.heads.push(HeadsAt { fact, record });
        Ok(())
    }
}

/// Calls `take` with every line of a bundle and its number, from 1. `number` says afterwards how far
/// it came.
fn lines(
    piece: &dyn Piece,
    number: &mut u64,
    take: &mut dyn FnMut(u64, Line) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let input = piece.open();
    let mut input = input.map_err(|error| format(format!("it cannot be read: {error}")))?;
    let mut bytes = Vec::new();
    while next_line(&mut *input, &mut bytes).map_err(format)? {
        *number += 1;
        let line = Line::parse(&bytes).map_err(|error| {
            let column = error.column();
            format(format!("this is not a line of a bundle: column {column}"))
        });
        take(*number, line?)?;
    }
    Ok(())
}

/// Reads the lines of some events again. A line with a proof of its own is taken before one without.
pub(super) fn again(
    piece: &dyn Piece,
    wanted: &HashSet<Position>,
) -> Result<HashMap<Position, EventLine>, Fault> {
    let mut found: HashMap<Position, EventLine> = HashMap::new();
    lines(piece, &mut 0, &mut |_, line| {
        if let Line::Ledger(line) | Line::Act(line) | Line::Event(line) = line
            && wanted.contains(&line.position)
        {
            let before = found.get(&line.position);
            if before.is_none_or(|before| before.path.is_none() && line.path.is_some()) {
                found.insert(line.position, line);
            }
        }
        Ok(())
    })?;
    Ok(found)
}
