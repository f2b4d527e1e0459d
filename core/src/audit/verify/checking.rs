//! The state of a check, and the faults that more than one part of it finds.

use std::collections::BTreeMap;

use super::acts::Acts;
use super::records::Records;
use super::report::VerifyOptions;
use crate::audit::bundle::{Bytes, FORMAT, FORMAT_1, Header, Scope};
use crate::audit::chain::{Chains, StreamPlace};
use crate::audit::fault::{Fault, FaultKind};
use crate::domain::ledger::RecordedHeads;
use crate::entry::{Entry, EntryBytes};
use crate::hash::Hash32;
use crate::heads::BucketProof;
use crate::ids::{KeyId, Position, StreamId};
use crate::merkle::Frontier;
use crate::time::Timestamp;
use crate::tlog::{Policy, SignedCheckpoint, VerifierKey, Witnessed};

/// The version of a bundle's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Earlier versions wrote it. It has no events of acts, and no keys of records of heads if it has no
    /// other keys.
    One,
    /// The version that is written now.
    Two,
}

impl Version {
    fn of(header: &Header) -> Result<Self, Fault> {
        match &*header.format {
            FORMAT => Ok(Self::Two),
            FORMAT_1 => Ok(Self::One),
            _ => Err(format_fault(format!("the format is not {FORMAT}"))),
        }
    }
}

/// The state of a check.
pub(super) struct Checking<'a> {
    pub(super) version: Version,
    pub(super) header: Header,
    pub(super) options: &'a VerifyOptions,
    pub(super) policy: Policy,
    pub(super) signed: SignedCheckpoint,
    pub(super) witnessed: Option<Witnessed>,
    pub(super) since: Option<u64>,
    pub(super) own: Chains,
    /// The key that signs checkpoints, as the ledger's own events say.
    pub(super) key: Option<VerifierKey>,
    /// The record of heads, and the time when it was recorded.
    pub(super) recorded: Option<(RecordedHeads, Timestamp)>,
    pub(super) bucket: Option<BucketProof>,
    /// The student's key, as the line of heads names it.
    pub(super) student_key: Option<KeyId>,
    pub(super) chains: Chains,
    /// For a range: the log up to the last event that was checked, and its records of heads.
    pub(super) records: Option<Records>,
    pub(super) acts: Acts,
    /// For a plan or student: where each stream was when the heads were recorded.
    pub(super) at_heads: BTreeMap<StreamId, StreamPlace>,
    pub(super) events: u64,
    pub(super) counts: BTreeMap<StreamId, u64>,
    pub(super) opened: u64,
    pub(super) redacted: u64,
    pub(super) erased: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) stage: u8,
}

/// An event line whose entry was checked against the checkpoint.
pub(crate) struct Placed {
    pub(crate) position: Position,
    pub(crate) entry: Entry,
    pub(crate) bytes: EntryBytes,
}

impl<'a> Checking<'a> {
    pub(super) fn new(header: Header, options: &'a VerifyOptions) -> Result<Self, Fault> {
        let version = Version::of(&header)?;
        let signed = SignedCheckpoint::parse(header.checkpoint.as_bytes());
        let signed = signed.map_err(|error| checkpoint_fault(FaultKind::Checkpoint, error))?;
        let (chains, records) = match header.scope {
            Scope::Range { from, to } => {
                if from == Position::ZERO || from > to || to.get() > signed.checkpoint.size {
                    return Err(format_fault("the range is outside the checkpoint"));
                }
                let peaks = hashes(&header.peaks)?;
                let frontier = Frontier::from_parts(from.get() - 1, peaks);
                let frontier = frontier
                    .ok_or_else(|| format_fault("the number of peaks does not fit the range"))?;
                (Chains::part(from), Some(Records::from(from, frontier)))
            }
            Scope::Plan(_) | Scope::Student(_) => (Chains::default(), None),
        };
        Ok(Self {
            version,
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
            records,
            acts: Acts::default(),
            at_heads: BTreeMap::new(),
            events: 0,
            counts: BTreeMap::new(),
            opened: 0,
            redacted: 0,
            erased: 0,
            first: None,
            last: None,
            stage: 0,
        })
    }
}

pub(super) fn format_fault(what: impl Into<String>) -> Fault {
    Fault::new(Position::ZERO, FaultKind::Format, what)
}

pub(super) fn cut_off() -> Fault {
    let what = "the bundle has no last line, so its export did not finish; repeat the export to \
                continue it";
    Fault::new(Position::ZERO, FaultKind::Missing, what)
}

pub(super) fn checkpoint_fault(kind: FaultKind, error: impl ToString) -> Fault {
    Fault::new(Position::ZERO, kind, error.to_string())
}

pub(super) fn hashes(list: &[Bytes]) -> Result<Vec<Hash32>, Fault> {
    let hashes: Option<_> = list.iter().map(Bytes::array).collect();
    hashes.ok_or_else(|| format_fault("a hash does not have 32 bytes"))
}
