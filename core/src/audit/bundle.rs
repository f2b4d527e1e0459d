//! The lines of a bundle. Each line is one JSON object, so that a bundle can be written and read as
//! a stream, and a person can read it too.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{KeyId, LedgerId, PersonId, PlanId, Position};

/// The name of the format that is written. Every header has one.
pub(super) const FORMAT: &str = "planledger-audit-bundle/2";
/// The name of the format that earlier versions wrote. Such a bundle is still read, and proves less.
pub(super) const FORMAT_1: &str = "planledger-audit-bundle/1";

/// Bytes. In JSON they are base64 text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The bytes as an array of `N`. `None` if their number is not `N`.
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

/// Which events a bundle is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// The events of one plan.
    Plan(PlanId),
    /// The events of one student: of the person's own stream and of every plan that the student
    /// has.
    Student(PersonId),
    /// Every event from one position to another. Both ends are included.
    Range {
        /// The position of the first event.
        from: Position,
        /// The position of the last event.
        to: Position,
    },
}

/// Whether a bundle lets its reader read the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// The texts can be read. The bundle holds the event keys of exactly the events in scope, and
    /// those of the ledger's own events.
    Events,
    /// The texts cannot be read, because only the ledger's own events come with event keys. The
    /// bundle still shows that the log is sound.
    Integrity,
}

/// The first line of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format's name: `planledger-audit-bundle/2`.
    pub format: String,
    /// The ledger that the events are from.
    pub ledger: LedgerId,
    /// Which events the bundle is about.
    pub scope: Scope,
    /// Whether the reader can read the texts.
    pub disclosure: Disclosure,
    /// The checkpoint that every proof in the bundle leads to, as a signed note.
    pub checkpoint: String,
    /// For a range: the peaks of the tree before the range's first event. Otherwise empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peaks: Vec<Bytes>,
    /// For a range: the consistency proof from the range's last event to the checkpoint. Otherwise
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growth: Vec<Bytes>,
    /// The proof that the checkpoint grew from an earlier one that the auditor kept. `None` if
    /// nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// The proof that a checkpoint grew from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The size of the earlier checkpoint.
    pub size: u64,
    /// The consistency proof from that size to the bundle's checkpoint.
    pub proof: Vec<Bytes>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine {
    /// The event's place in the journal.
    pub position: Position,
    /// The position of the previous event of the same stream. 0 if there is none.
    pub back: Position,
    /// The event's entry, 230 bytes.
    pub entry: Bytes,
    /// The sealed payload. `None` if the text was redacted or, where texts are disclosed, erased; also
    /// for the events of an act whose payloads prove nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Bytes>,
    /// The event key, 32 bytes. `None` if it is not disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Bytes>,
    /// Why the text is gone. `None` if it is there. The act that took it is in the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// The proof that the event is in the checkpoint. Events of a range have none: the range is
    /// proved as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<Bytes>>,
}

/// Why a text is gone. The events of the act prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// This one text was overwritten.
    Redacted,
    /// The key of its person was destroyed.
    Erased,
}

/// The heads of one bucket: where each of its streams ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsLine {
    /// The number of the bucket.
    pub bucket: u16,
    /// For a student: the key under which all streams of the student are sealed. Otherwise `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The heads of the bucket's streams, 73 bytes each.
    pub heads: Bytes,
    /// The hashes that prove the bucket, from its sibling up to the child of the root.
    pub path: Vec<Bytes>,
}

/// The last line. A bundle without it is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many events in scope the bundle holds.
    pub events: u64,
}

/// One line of a bundle. The lines come in this order: one header; events of the ledger's own
/// streams; heads; events of the acts that destroyed texts; the events in scope by position; the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Header(Box<Header>),
    /// An event of one of the ledger's own streams: a change of key, or a record of heads.
    Ledger(EventLine),
    /// Where the streams in scope ended.
    Heads(HeadsLine),
    /// An event of a redaction or erasure that took a text of the events in scope, or the first event of
    /// the person who was erased, which says whose key it was.
    Act(EventLine),
    /// An event in scope.
    Event(EventLine),
    /// The last line.
    End(End),
}

impl Line {
    /// The line as JSON, with its newline.
    ///
    /// # Errors
    /// Never happens for a line of this crate. The type comes from serde.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads one line.
    ///
    /// # Errors
    /// The text is not a line of a bundle.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}
