//! What a monitor keeps when it has found that a log is wrong: enough for anybody who has the log's key to
//! find the same.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use planledger_core::audit::Fault;
use planledger_core::entry::{EntryBytes, Hash32};
use planledger_core::tlog::{DisclosedHeads, SignedCheckpoint};
use serde::{Deserialize, Serialize};

/// A fault of a log, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The name of the log.
    pub origin: String,
    /// The first position that cannot be relied on.
    pub position: u64,
    /// The code of the kind of fault, such as `HEAD`.
    pub kind: String,
    /// The fault in words.
    pub what: String,
    /// When it was found, in seconds since 1970 by the monitor's clock.
    pub found: u64,
    /// The signed checkpoint that is wrong, or that covers what is wrong.
    pub checkpoint: String,
    /// A checkpoint that the log signed before and that the other contradicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    /// The root over the first entries of the checkpoint, as many as the earlier one has, and the
    /// consistency proof from there; in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beginning: Option<Beginning>,
    /// The entry that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<WrongEntry>,
}

/// The beginning of a log that another checkpoint of it contradicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    /// The root.
    pub root: String,
    /// The consistency proof to the checkpoint.
    pub proof: Vec<String>,
}

/// An entry that does not fit those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongEntry {
    /// Its 230 bytes, in base64.
    pub entry: String,
    /// The proof that the checkpoint covers it, in base64.
    pub path: Vec<String>,
    /// What opens it, if it is a record of heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<DisclosedHeads>,
    /// The root over where all streams ended before it, as the monitor computed it; in base64.
    pub heads_root: String,
}

impl Evidence {
    pub(super) fn of(fault: &Fault, signed: &SignedCheckpoint, found: u64) -> Self {
        Self {
            origin: signed.checkpoint.origin.clone(),
            position: fault.position.get(),
            kind: fault.kind.code().to_owned(),
            what: super::plain(&fault.what),
            found,
            checkpoint: signed.note.to_string(),
            earlier: None,
            beginning: None,
            entry: None,
        }
    }

    pub(super) fn with_entry(
        mut self,
        entry: &EntryBytes,
        path: &[Hash32],
        opens: Option<DisclosedHeads>,
        heads_root: &Hash32,
    ) -> Self {
        self.entry = Some(WrongEntry {
            entry: BASE64.encode(entry),
            path: encoded(path),
            opens,
            heads_root: BASE64.encode(heads_root),
        });
        self
    }

    pub(super) fn against(
        mut self,
        earlier: &SignedCheckpoint,
        beginning: Option<planledger_core::monitor::Beginning>,
    ) -> Self {
        self.earlier = Some(earlier.note.to_string());
        self.beginning = beginning.map(|beginning| Beginning {
            root: BASE64.encode(beginning.root),
            proof: encoded(&beginning.proof),
        });
        self
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            origin,
            position,
            kind,
            what,
            ..
        } = self;
        write!(
            f,
            "the log {origin} is wrong: {kind} at position {position}: {what}; this monitor cosigns \
             nothing of it any more"
        )
    }
}

fn encoded(hashes: &[Hash32]) -> Vec<String> {
    hashes.iter().map(|hash| BASE64.encode(hash)).collect()
}
