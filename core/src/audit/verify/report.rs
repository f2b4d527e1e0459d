//! What is asked of a check, and what it answers.

use crate::audit::bundle::{Disclosure, Gone, Scope};
use crate::audit::fault::Fault;
use crate::domain::erasure::Done;
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

/// How the records of where all streams ended were checked. Completeness rests on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadsChecked {
    /// The bundle is about a plan or a student. The last record is believed as the server recorded it: a
    /// server that holds the signing key can record heads that leave off events, or heads of one of two
    /// branches. Only whoever has the whole log finds that.
    Believed,
    /// The bundle has the log from its first event on, so the heads were computed from its events and
    /// compared with every record that can be read.
    Recomputed {
        /// How many records agree.
        records: u64,
        /// How many could not be read, because an earlier version made the bundle without their keys.
        unread: u64,
    },
    /// The bundle has a part of the log that begins later. Of every record that can be read it was checked
    /// only that it is as of a position between the record before and itself.
    InOrder {
        /// How many records were checked.
        records: u64,
        /// How many could not be read, because an earlier version made the bundle without their keys.
        unread: u64,
    },
}

/// A redaction or an erasure that two people decided, and that took texts of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedAct {
    /// The stream of the act.
    pub act: StreamId,
    /// Who asked for it, and when.
    pub requested: Done,
    /// Who approved it, and when.
    pub approved: Done,
    /// The position at which it is recorded that it was carried out.
    pub carried_out: Position,
    /// Whether it was a redaction or an erasure.
    pub gone: Gone,
    /// How many texts that the bundle lacks it took.
    pub texts: u64,
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
    /// The position up to which the checkpoint's record of heads counts events. Events after it are
    /// covered by the next checkpoint.
    pub heads_through: Position,
    /// How the records of heads were checked.
    pub heads: HeadsChecked,
    /// The size of the auditor's earlier checkpoint, from which the log grew. `None` if the auditor
    /// gave none.
    pub since: Option<u64>,
    /// How many events in scope the bundle holds.
    pub events: u64,
    /// How many of them were opened with their keys and read.
    pub opened: u64,
    /// How many have no text because a redaction took it.
    pub redacted: u64,
    /// How many have no text because their person was erased.
    pub erased: u64,
    /// The acts that took these texts.
    pub acts: Vec<ProvedAct>,
    /// When the first and the last event in scope were recorded.
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// What is proved about each stream in scope. Empty for a range.
    pub streams: Vec<StreamReport>,
    /// How many streams the events in scope belong to.
    pub stream_count: u64,
}
