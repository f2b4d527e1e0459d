//! What a ledger says about the earlier ledger from which its events were carried over.

use serde::{Deserialize, Serialize};

use super::{KnownCheckpoint, LedgerEvent, own_stream};
use crate::hash::Hash32;
use crate::ids::{LedgerId, Position, Revision, StreamId};
use crate::text::ReasonText;
use crate::time::Timestamp;

const ORIGIN_STREAM_CONTEXT: &str = "planledger v1 2026-11-30 origin stream";

/// The events up to a position were carried over from an earlier ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedOver {
    /// The id of the earlier ledger.
    pub ledger: LedgerId,
    /// The last position that was carried over.
    pub position: Position,
    /// The furthest position that is known to have been there. What lies between is lost.
    pub reached: Position,
    /// How many places up to `position` are lost.
    pub lost: u64,
    /// How many streams have other revisions than in the earlier ledger, because of lost events or forks.
    pub renumbered: u64,
    /// Root of the tree over the earlier ledger's entries up to `position`; `None` if some are lost.
    #[serde(
        with = "optional_digits",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub root: Option<Hash32>,
    /// The checkpoint of most events that the earlier ledger has signed and that is kept; `None` if there is
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<KnownCheckpoint>,
    /// Hash of the file with the earlier ledger's entries.
    #[serde(with = "crate::hex::digits")]
    pub entries: Hash32,
    /// When it was done.
    pub carried_at: Timestamp,
    /// Why, as a person put it. No name of a person.
    pub reason: ReasonText,
}

/// A place of the earlier ledger that no event of a stream of then has any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceHeld {
    /// The event is lost.
    Lost(LostPlace),
    /// An event of the earlier ledger itself. It says nothing of this ledger, so it stands in no stream in
    /// which it could be taken for one of this ledger.
    Own(OwnEvent),
}

/// What is known of an event that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostPlace {
    /// The stream that it was of; `None` if nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// Its revision there; `None` if nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
}

/// An event of the earlier ledger itself: of its keys, its heads, its access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnEvent {
    /// The stream that it was of.
    pub stream: StreamId,
    /// Its revision there.
    pub revision: Revision,
    /// What it said.
    pub event: Box<LedgerEvent>,
}

/// Where a ledger came from, as far as rules and status ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The id of the earlier ledger.
    pub ledger: LedgerId,
    /// The last position that was carried over.
    pub position: Position,
}

/// The stream in which it is recorded where the ledger came from.
pub fn origin_stream(ledger: LedgerId) -> LedgerId {
    own_stream(ORIGIN_STREAM_CONTEXT, ledger)
}

mod optional_digits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::hash::Hash32;
    use crate::hex;

    pub(super) fn serialize<S: Serializer>(
        hash: &Option<Hash32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let digits = hash.as_ref().map(|hash| hex::encode(hash));
        digits.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Hash32>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let decode = |text: String| hex::decode(&text);
        let hash = text.map(|text| {
            decode(text)
                .ok_or_else(|| serde::de::Error::custom("it is not a hash in hexadecimal digits"))
        });
        hash.transpose()
    }
}
