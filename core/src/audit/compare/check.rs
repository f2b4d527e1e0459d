//! Checks a proof of misbehaviour. It believes the keys of the reader's policy, those to which they
//! handed over, and nothing else.

use super::facts::{self, Fact, HeadsFact, KeyFact};
use super::found::{Finding, Seen};
use super::proof::{Contradiction, FORMAT, Heads, MOST_BYTES, Misbehaviour, Opened, Placed};
use crate::audit::bundle::{Bytes, EventLine};
use crate::audit::fault::Fault;
use crate::audit::verify;
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads};
use crate::entry::{self, Entry, EntryBytes, EntryError};
use crate::hash::Hash32;
use crate::heads::{BucketError, BucketProof, read_bucket};
use crate::ids::StreamKind;
use crate::merkle::{ProofError, check_inclusion, root_of_beginning};
use crate::note::{Note, Rotation, VerifierKey};
use crate::tlog::{Checkpoint, CheckpointError, Policy, SignedCheckpoint};

/// The most changes of key in a proof.
pub(super) const MOST_ROTATIONS: usize = 256;

/// What a sound proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misbehaved {
    /// The name of the log.
    pub origin: String,
    /// The keys that signed what contradicts itself. If one of them was replaced, whoever stole it
    /// may have signed.
    pub signed_by: Vec<VerifierKey>,
    /// The contradiction.
    pub finding: Finding,
}

/// Why a file does not prove misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MisbehaviourError {
    /// The file is longer than a proof can be.
    #[error("the file is too long to be a proof of misbehaviour")]
    TooLong,
    /// The file is not a proof of this format.
    #[error("the file is not a proof of misbehaviour: line {line}, column {column}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The file holds what a proof says, in another form than it has.
    #[error("the proof is not in its only form: something was added or written otherwise")]
    Shape,
    /// A change of key is malformed, or the old key did not sign it.
    #[error("change of key {0} of the proof was not signed by the old key")]
    Rotation(usize),
    /// A checkpoint is malformed, or no key that is believed signed it.
    #[error("a checkpoint of the proof: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A note holds more than the one signature that is checked.
    #[error("a signed note of the proof holds more than the signature that counts")]
    MoreSignatures,
    /// The checkpoints are of two logs.
    #[error("the checkpoints of the proof are of two logs")]
    TwoLogs,
    /// An entry does not have the right form.
    #[error("an entry of the proof: {0}")]
    Entry(#[from] EntryError),
    /// A hash, entry, key or bucket does not have its length, or a position is 0.
    #[error("{0} of the proof does not have the right form")]
    Length(&'static str),
    /// The checkpoint does not cover what it should.
    #[error("a checkpoint of the proof does not cover what is said of it: {0}")]
    Proof(#[from] ProofError),
    /// The text of an event does not open, or is not that of a record of keys or heads.
    #[error("an event of the ledger itself in the proof: {0}")]
    Event(String),
    /// The heads are not those that were recorded.
    #[error("{0}")]
    Heads(#[from] BucketError),
    /// Everything in the proof can be true.
    #[error("what the proof holds does not contradict itself")]
    NoContradiction,
}

/// Checks a proof of misbehaviour.
///
/// # Errors
/// [`MisbehaviourError`]: the file proves nothing.
pub fn check_misbehaviour(text: &[u8], policy: &Policy) -> Result<Misbehaved, MisbehaviourError> {
    if text.len() > MOST_BYTES {
        return Err(MisbehaviourError::TooLong);
    }
    let parsed: Misbehaviour =
        serde_json::from_slice(text).map_err(|error| MisbehaviourError::Form {
            line: error.line(),
            column: error.column(),
        })?;
    let again = parsed.to_text().map_err(|_| MisbehaviourError::Shape)?;
    if again.as_bytes() != text || parsed.format != FORMAT {
        return Err(MisbehaviourError::Shape);
    }
    let mut check = Check {
        keys: believed(policy, &parsed.rotations)?,
        origin: None,
        signed_by: Vec::new(),
    };
    let finding = check.contradiction(&parsed.contradiction)?;
    Ok(Misbehaved {
        origin: check.origin.unwrap_or_default(),
        signed_by: check.signed_by,
        finding,
    })
}

/// The keys that the policy believes, and those to which they handed over.
fn believed(policy: &Policy, statements: &[String]) -> Result<Vec<VerifierKey>, MisbehaviourError> {
    if statements.len() > MOST_ROTATIONS {
        return Err(MisbehaviourError::TooLong);
    }
    let mut rotations = Vec::new();
    for (number, statement) in (1..).zip(statements) {
        let rotation = Rotation::parse(statement).ok_or(MisbehaviourError::Rotation(number))?;
        let note = Note::parse(statement.as_bytes());
        let note = note.map_err(|_| MisbehaviourError::Rotation(number))?;
        only_signature(&note, statement)?;
        rotations.push(rotation);
    }
    Ok(handed_over(policy.logs(), &rotations))
}

/// Keys, and those to which they handed over.
pub(super) fn handed_over(keys: &[VerifierKey], rotations: &[Rotation]) -> Vec<VerifierKey> {
    let mut keys = keys.to_vec();
    let mut count = 0;
    while count != keys.len() {
        count = keys.len();
        for rotation in rotations {
            if keys.contains(rotation.from()) && !keys.contains(rotation.to()) {
                keys.push(rotation.to().clone());
            }
        }
    }
    keys
}

/// Whatever nobody checks does not belong into a proof.
fn only_signature(note: &Note, text: &str) -> Result<(), MisbehaviourError> {
    match note.signatures().len() == 1 && note.to_string() == text {
        true => Ok(()),
        false => Err(MisbehaviourError::MoreSignatures),
    }
}

pub(super) fn hashes(list: &[Bytes]) -> Option<Vec<Hash32>> {
    list.iter().map(Bytes::array).collect()
}

/// An entry that a checkpoint covers.
struct Covered {
    fact: Fact,
    entry: Entry,
    bytes: EntryBytes,
    size: u64,
}

impl Covered {
    fn seen(&self) -> Seen {
        Seen {
            position: self.fact.position,
            stream: self.fact.stream,
            revision: self.fact.revision,
            recorded_at: self.fact.recorded_at,
            size: self.size,
        }
    }
}

struct Check {
    keys: Vec<VerifierKey>,
    origin: Option<String>,
    signed_by: Vec<VerifierKey>,
}

impl Check {
    fn checkpoint(&mut self, note: &str) -> Result<Checkpoint, MisbehaviourError> {
        let signed = SignedCheckpoint::parse(note.as_bytes())?;
        only_signature(&signed.note, note)?;
        let key = signed.verify(&self.keys)?;
        if !self.signed_by.contains(key) {
            self.signed_by.push(key.clone());
        }
        let origin = &signed.checkpoint.origin;
        match self.origin.get_or_insert_with(|| origin.clone()) == origin {
            true => Ok(signed.checkpoint),
            false => Err(MisbehaviourError::TwoLogs),
        }
    }

    fn covered(&mut self, placed: &Placed) -> Result<Covered, MisbehaviourError> {
        let checkpoint = self.checkpoint(&placed.checkpoint)?;
        let bytes = placed.entry.array();
        let bytes: EntryBytes = bytes.ok_or(MisbehaviourError::Length("an entry"))?;
        let entry = Entry::decode(&bytes)?;
        let index = placed.position.get().checked_sub(1);
        let index = index.ok_or(MisbehaviourError::Length("a position"))?;
        let path = hashes(&placed.path).ok_or(MisbehaviourError::Length("a hash"))?;
        let leaf = entry::leaf(&bytes);
        check_inclusion(index, checkpoint.size, &leaf, &path, &checkpoint.root)?;
        Ok(Covered {
            fact: Fact::of(placed.position, &entry, &bytes),
            entry,
            bytes,
            size: checkpoint.size,
        })
    }

    fn opened(&mut self, opened: &Opened) -> Result<(Covered, LedgerEvent), MisbehaviourError> {
        let covered = self.covered(&opened.placed)?;
        let line = EventLine {
            position: opened.placed.position,
            back: opened.placed.position,
            entry: opened.placed.entry.clone(),
            sealed: Some(opened.sealed.clone()),
            key: Some(opened.key.clone()),
            gone: None,
            path: None,
        };
        match ledger_event(&line, &covered.entry, &covered.bytes) {
            Ok(Some(event)) => Ok((covered, event)),
            Ok(None) => Err(MisbehaviourError::Event(
                "it is not an event of the ledger itself".to_owned(),
            )),
            Err(fault) => Err(MisbehaviourError::Event(fault.to_string())),
        }
    }

    fn record(&mut self, opened: &Opened) -> Result<(Covered, RecordedHeads), MisbehaviourError> {
        let (covered, event) = self.opened(opened)?;
        match recorded_heads(&event) {
            Some(recorded) => Ok((covered, recorded)),
            None => Err(MisbehaviourError::Event("it records no heads".to_owned())),
        }
    }

    fn change(&mut self, opened: &Opened) -> Result<(Covered, KeyFact), MisbehaviourError> {
        let (covered, event) = self.opened(opened)?;
        match key_fact(covered.fact, event) {
            Some(change) => Ok((covered, change)),
            None => Err(MisbehaviourError::Event("it records no key".to_owned())),
        }
    }

    fn heads(&mut self, heads: &Heads) -> Result<(Covered, HeadsFact), MisbehaviourError> {
        let (covered, recorded) = self.record(&heads.record)?;
        let list = read_bucket(&heads.heads.0);
        let proof = BucketProof {
            bucket: heads.bucket,
            heads: list.ok_or(MisbehaviourError::Length("a head"))?,
            path: hashes(&heads.path).ok_or(MisbehaviourError::Length("a hash"))?,
        };
        proof.check(&recorded.root)?;
        Ok((covered, HeadsFact { recorded, proof }))
    }

    fn contradiction(
        &mut self,
        contradiction: &Contradiction,
    ) -> Result<Finding, MisbehaviourError> {
        let none = MisbehaviourError::NoContradiction;
        match contradiction {
            Contradiction::Roots { first, second } => {
                let (first, second) = (self.checkpoint(first)?, self.checkpoint(second)?);
                match first.size == second.size && first.root != second.root {
                    true => Ok(Finding::Roots {
                        size: first.size,
                        roots: [first.root, second.root],
                    }),
                    false => Err(none),
                }
            }
            Contradiction::Growth {
                smaller,
                larger,
                nodes,
            } => {
                let (smaller, larger) = (self.checkpoint(smaller)?, self.checkpoint(larger)?);
                let nodes = hashes(nodes).ok_or(MisbehaviourError::Length("a hash"))?;
                let shown = root_of_beginning(smaller.size, larger.size, &nodes, &larger.root)?;
                match shown != smaller.root {
                    true => Ok(Finding::Growth {
                        smaller: smaller.size,
                        larger: larger.size,
                        signed: smaller.root,
                        shown,
                    }),
                    false => Err(none),
                }
            }
            Contradiction::Entries { first, second } => {
                let (first, second) = (self.covered(first)?, self.covered(second)?);
                let conflict = facts::entries(&first.fact, &second.fact).ok_or(none)?;
                let (first, second) = match first.fact.position <= second.fact.position {
                    true => (first.seen(), second.seen()),
                    false => (second.seen(), first.seen()),
                };
                Ok(Finding::Entries {
                    conflict,
                    first,
                    second,
                })
            }
            Contradiction::Keys { first, second } => {
                let (first, of_first) = self.change(first)?;
                let (second, of_second) = self.change(second)?;
                let conflict = facts::keys(&of_first, &of_second).ok_or(none)?;
                Ok(Finding::Keys {
                    conflict,
                    changes: [
                        (first.seen(), Box::new(of_first.to)),
                        (second.seen(), Box::new(of_second.to)),
                    ],
                })
            }
            Contradiction::Records { first, second } => {
                let (first, a) = self.record(first)?;
                let (second, b) = self.record(second)?;
                match facts::records(&a, &b) {
                    true => Ok(Finding::Records {
                        through: a.through,
                        records: [first.seen(), second.seen()],
                    }),
                    false => Err(none),
                }
            }
            Contradiction::Head { heads, event } => {
                let (record, heads) = self.heads(heads)?;
                let event = self.covered(event)?;
                let conflict = facts::head(&heads, &event.fact).ok_or(none)?;
                Ok(Finding::Head {
                    conflict,
                    through: heads.recorded.through,
                    record: record.seen(),
                    event: event.seen(),
                })
            }
            Contradiction::Heads { first, second } => {
                let (first, a) = self.heads(first)?;
                let (second, b) = self.heads(second)?;
                let (stream, conflict) = facts::heads(&a, &b).ok_or(none)?;
                Ok(Finding::Heads {
                    conflict,
                    stream,
                    through: [a.recorded.through, b.recorded.through],
                    records: [first.seen(), second.seen()],
                })
            }
        }
    }
}

/// The event of one of the ledger's own streams that a line opens. `None` if it is of another stream,
/// or the line cannot be opened.
pub(super) fn ledger_event(
    line: &EventLine,
    entry: &Entry,
    bytes: &EntryBytes,
) -> Result<Option<LedgerEvent>, Fault> {
    if entry.stream.kind != StreamKind::Ledger {
        return Ok(None);
    }
    let placed = verify::Placed {
        position: line.position,
        entry: entry.clone(),
        bytes: *bytes,
    };
    Ok(match verify::open(line, &placed)? {
        Some((Event::Ledger(event), _)) => Some(event),
        Some(_) | None => None,
    })
}

/// The heads that an event records, if it does.
pub(super) fn recorded_heads(event: &LedgerEvent) -> Option<RecordedHeads> {
    match event {
        LedgerEvent::HeadsRecorded { through, root } => Some(RecordedHeads {
            through: *through,
            root: *root,
        }),
        LedgerEvent::KeyIntroduced { .. }
        | LedgerEvent::KeyRotated { .. }
        | LedgerEvent::AccessLogNoted(_)
        | LedgerEvent::AccessLogLost(_)
        | LedgerEvent::Restored(_)
        | LedgerEvent::CarriedOver(_)
        | LedgerEvent::PlaceHeld(_)
        | LedgerEvent::ForkSettled { .. } => None,
    }
}

/// The change of key that an event records, if it does.
pub(super) fn key_fact(fact: Fact, event: LedgerEvent) -> Option<KeyFact> {
    let (from, to) = match event {
        LedgerEvent::KeyIntroduced { key } => (None, key),
        LedgerEvent::KeyRotated { from, to, .. } => (Some(from), to),
        LedgerEvent::HeadsRecorded { .. }
        | LedgerEvent::AccessLogNoted(_)
        | LedgerEvent::AccessLogLost(_)
        | LedgerEvent::Restored(_)
        | LedgerEvent::CarriedOver(_)
        | LedgerEvent::PlaceHeld(_)
        | LedgerEvent::ForkSettled { .. } => return None,
    };
    Some(KeyFact {
        event: fact,
        from,
        to,
    })
}
