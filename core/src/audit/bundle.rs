//! A bundle's lines: JSON objects, one to a line, so that it is written and read as a stream and
//! anybody can look into it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{KeyId, LedgerId, PersonId, PlanId, Position};

/// The format's name, in every header.
pub(super) const FORMAT: &str = "planledger-audit-bundle/1";

/// Bytes, base64 in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// As an array, if they are as many.
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }
}

impl<const N: usize> From<[u8; N]> for Bytes {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a bundle is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// One plan.
    Plan(PlanId),
    /// A student: the person's own stream and every plan of theirs.
    Student(PersonId),
    /// Every event from one position to another, both included.
    Range {
        /// The first.
        from: Position,
        /// The last.
        to: Position,
    },
}

/// Whether what was written can be read from a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// The event keys of exactly the events in scope are there.
    Events,
    /// No event keys of what is about people: the log's soundness can be checked, the texts not
    /// read.
    Integrity,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `planledger-audit-bundle/1`.
    pub format: String,
    /// The ledger.
    pub ledger: LedgerId,
    /// What it is about.
    pub scope: Scope,
    /// Whether texts can be read.
    pub disclosure: Disclosure,
    /// The checkpoint that everything is proved against: a signed note.
    pub checkpoint: String,
    /// For a range: the peaks of the tree before its first event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peaks: Vec<Bytes>,
    /// For a range: consistency proof from its last event to the checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growth: Vec<Bytes>,
    /// Proof that the checkpoint grew from an earlier one that the auditor holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// Proof of growth from an earlier checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The earlier checkpoint's size.
    pub size: u64,
    /// Consistency proof from there to the bundle's checkpoint.
    pub proof: Vec<Bytes>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine {
    /// Its place in the journal.
    pub position: Position,
    /// Position of its stream's event before it; 0 if none.
    pub back: Position,
    /// Its entry, 230 bytes.
    pub entry: Bytes,
    /// Its sealed payload; not there if it was redacted, or was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Bytes>,
    /// Its event key, 32 bytes, if disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Bytes>,
    /// Proof that it is in the checkpoint; an event of a range has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<Bytes>>,
}

/// Where the streams of a bucket ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsLine {
    /// The bucket's number.
    pub bucket: u16,
    /// For a student: the key that all of the student's streams are sealed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// Its heads, 73 bytes each.
    pub heads: Bytes,
    /// From the bucket's sibling up to the root's child.
    pub path: Vec<Bytes>,
}

/// The last line: without it the bundle is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many events in scope there are.
    pub events: u64,
}

/// A line of a bundle, in this order: one header; events of the ledger's own streams; heads; events
/// in scope in order of position; the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Header(Box<Header>),
    /// An event of the ledger's own streams: a change of key, or the record of heads.
    Ledger(EventLine),
    /// Where the streams in scope ended.
    Heads(HeadsLine),
    /// An event in scope.
    Event(EventLine),
    /// The last line.
    End(End),
}

impl Line {
    /// The line, with its newline.
    ///
    /// # Errors
    /// Never for lines of this crate; the signature is serde's.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}
