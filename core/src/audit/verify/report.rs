//! What is asked of a check, and what it answers.

use crate::audit::bundle::{Disclosure, Scope};
use crate::audit::fault::Fault;
use crate::ids::{LedgerId, Position, Revision, StreamId};
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Policy, SignedCheckpoint, Witnessed};

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
    /// How many have no text otherwise: it was redacted, or whoever made the bundle left it out.
    pub redacted: u64,
    /// How many have no text because their person was erased, as whoever made the bundle says.
    pub erased: u64,
    /// When the first and the last event in scope were recorded.
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// What is proved about each stream in scope. Empty for a range.
    pub streams: Vec<StreamReport>,
    /// How many streams the events in scope belong to.
    pub stream_count: u64,
}
