//! What came of carrying a ledger over.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use crate::domain::ledger::KnownCheckpoint;
use crate::hash::Hash32;
use crate::ids::{LedgerId, PersonId, Position, StreamId};
use crate::seal::KeyDamage;

/// What was carried over, and what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The earlier ledger.
    pub from: LedgerId,
    /// The new one.
    pub ledger: LedgerId,
    /// How many events stand at the same position with the same text, or without one as before.
    pub events: u64,
    /// The last position that was carried over.
    pub position: Position,
    /// The position of the event that says where the ledger came from.
    pub recorded: Position,
    /// The positions whose events are lost.
    pub lost: Vec<LostPlaces>,
    /// The furthest position that is known to have been there.
    pub reached: Position,
    /// Whether something follows the last event that cannot be read, and nothing tells how much.
    pub open_end: bool,
    /// The revisions that are lost, by stream. That the last ones of a stream are missing cannot be seen.
    pub missing: Vec<LostRevisions>,
    /// Streams that have other revisions than before.
    pub renumbered: BTreeSet<StreamId>,
    /// The root over the earlier ledger's entries; `None` if some are lost.
    pub root: Option<Hash32>,
    /// The checkpoint that is kept.
    pub checkpoint: Option<KnownCheckpoint>,
    /// What was damaged of the key store; nothing for an import.
    pub key_damage: KeyDamage,
}

impl Carried {
    /// Whether nothing is lost.
    pub fn is_whole(&self) -> bool {
        let nothing = self.lost.is_empty() && self.missing.is_empty();
        nothing && self.reached == self.position && !self.open_end
    }

    /// The persons of whom something is lost.
    pub fn persons(&self) -> BTreeSet<PersonId> {
        self.missing.iter().filter_map(|it| it.person).collect()
    }

    /// The same as JSON: ids and numbers only.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "from": self.from.to_string(),
            "ledger": self.ledger.to_string(),
            "whole": self.is_whole(),
            "events": self.events,
            "lastPosition": self.position.get(),
            "recordedAtPosition": self.recorded.get(),
            "reached": self.reached.get(),
            "openEnd": self.open_end,
            "lost": self.lost,
            "missing": self.missing.iter().map(|it| it.json()).collect::<Vec<_>>(),
            "persons": self.persons().iter().map(PersonId::to_string).collect::<Vec<_>>(),
            "renumbered": self.renumbered.iter().map(StreamId::to_string).collect::<Vec<_>>(),
            "root": self.root.map(|root| crate::hex::encode(&root)),
            "checkpoint": self.checkpoint.map(|it| it.size.get()),
            "keysDamaged": self.key_damage.gaps.iter().map(|gap| json!({
                "firstByte": gap.from,
                "lastByte": gap.to.saturating_sub(1),
            })).collect::<Vec<_>>(),
            "rescueRecipientUnknown": self.key_damage.header,
        })
    }
}

/// Positions that follow each other and whose events are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LostPlaces {
    /// The first one.
    pub first: Position,
    /// The last one.
    pub last: Position,
}

/// Revisions of a stream that are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRevisions {
    /// The stream.
    pub stream: StreamId,
    /// The person whose key seals it; `None` if it is nobody's, or that cannot be known.
    pub person: Option<PersonId>,
    /// The first revision that is lost, as the earlier ledger counted.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Whether their entries are there, and only what they say cannot be read: their key is lost, or their payload.
    pub unreadable: bool,
}

impl LostRevisions {
    fn json(self) -> serde_json::Value {
        json!({
            "stream": self.stream.to_string(),
            "person": self.person.map(|person| person.to_string()),
            "firstRevision": self.first,
            "lastRevision": self.last,
            "unreadable": self.unreadable,
        })
    }
}
