//! The lines of an export: version 2 of the form. `service/schema/` has the schema.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the first line calls the form.
pub(crate) const FORMAT: &str = "planledger-export";
/// The version of the form.
pub(crate) const VERSION: u32 = 2;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HeadLine<'a> {
    pub(crate) format: Cow<'a, str>,
    pub(crate) version: u32,
    /// The id of the ledger.
    pub(crate) ledger: String,
    /// How many events can be read.
    pub(crate) events: u64,
    pub(crate) last_position: u64,
    /// The positions that cannot be read.
    pub(crate) missing: Vec<MissingPlaces>,
    /// The newest checkpoint that the journal reaches, with all its signatures.
    pub(crate) checkpoint: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MissingPlaces {
    pub(crate) first: u64,
    /// `None` if nothing that follows tells.
    pub(crate) last: Option<u64>,
    pub(crate) why: String,
}

/// An event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventLine<'a> {
    pub(crate) position: u64,
    /// The position of the stream's event before it, 0 if there is none.
    pub(crate) back: u64,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    pub(crate) recorded_at_nanos: String,
    pub(crate) actor: String,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) command: String,
    #[serde(rename = "type")]
    pub(crate) event_type: u16,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) schema: u16,
    /// Whose key seals it: `ledger`, `institution/ID` or `person/ID`.
    pub(crate) scope: Option<String>,
    /// The 230 bytes of the entry, in base64.
    pub(crate) entry: String,
    /// The leaf of the entry, in hexadecimal digits.
    pub(crate) leaf: String,
    /// Why the payload is not there.
    pub(crate) why: Option<Cow<'a, str>>,
    /// The key of this one event, in base64: with it the payload can be held against the entry.
    pub(crate) key: Option<String>,
    /// The payload as it was sealed.
    #[serde(borrow)]
    pub(crate) payload: Option<&'a RawValue>,
}

impl EventLine<'_> {
    /// The names of the fields.
    pub(crate) const FIELDS: [&'static str; 17] = [
        "position",
        "back",
        "stream",
        "revision",
        "recordedAtNanos",
        "actor",
        "onBehalfOf",
        "command",
        "type",
        "name",
        "schema",
        "scope",
        "entry",
        "leaf",
        "why",
        "key",
        "payload",
    ];
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EndLine {
    /// How many events there are.
    pub(crate) end: u64,
    /// The revisions that are missing before one that is there.
    pub(crate) missing_revisions: Vec<MissingOfStream>,
    /// The root of the tree over all entries, in hexadecimal digits; `None` if some are missing.
    pub(crate) root: Option<String>,
    /// The key that signs checkpoints; `None` if there is none yet.
    pub(crate) log_key: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MissingOfStream {
    pub(crate) stream: String,
    pub(crate) person: Option<String>,
    pub(crate) first_revision: u64,
    pub(crate) last_revision: u64,
}
