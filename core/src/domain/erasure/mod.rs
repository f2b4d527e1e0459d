//! Redaction and erasure, the only acts that destroy text (P6).
//!
//! Somebody asks for an act, and somebody else approves it. Then the ledger carries it out and
//! records that it has. There is one stream for each target, so nothing is destroyed twice.

mod apply;
mod decide;
mod keep;
mod without_text;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(in crate::domain) use self::decide::check_not_erased;
pub(crate) use self::decide::{erased, not_due, not_redactable};
pub use self::keep::{Keep, KeepError, RetentionTerm, Start};
pub use self::without_text::Left;
use crate::actor::Actor;
use crate::domain::ledger::Loss;
use crate::hash::{Context, Hash32};
use crate::ids::{ErasureId, KeyId, PersonId, Position, Revision, StreamId};
use crate::text::ReasonText;
use crate::time::Timestamp;

static READS_CONTEXT: Context = Context::new("planledger v1 2026-11-29 removal of reads");
static EVENT_CONTEXT: Context = Context::new("planledger v1 2026-11-29 redaction");

/// What an act destroys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Everything that is sealed under a person's key: the events of the person and of the
    /// person's plans.
    Person(PersonId),
    /// The text of one event.
    Event(EventPlace),
    /// The records of the access log from before a day: its first segments in which every record is
    /// from before that day. Nothing of the ledger itself.
    Reads {
        /// The day, in Copenhagen.
        before: Date,
    },
}

/// What is known of the records that an act removes from the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedReads {
    /// The last record that is removed. Every one before it is removed too.
    pub through: Position,
    /// How many of them were there when the act was carried out.
    pub records: u64,
    /// The instant of the last record that is removed. No earlier record is there any more.
    pub until: Timestamp,
    /// Root of the tree over the records up to `through`.
    #[serde(with = "crate::hex::digits")]
    pub root: Hash32,
}

impl RemovedReads {
    /// The last record that is removed of the access log as it is after these losses. What was recorded after
    /// a loss has the numbers of lost records again, and an earlier act says nothing of it.
    pub(crate) fn through_after(&self, losses: &[Loss]) -> Position {
        let later = losses
            .iter()
            .filter(|loss| self.until < loss.complete_since);
        let kept = later.map(|loss| loss.kept);
        kept.fold(self.through, Position::min)
    }
}

/// What is left of an event whose text is redacted: everything but the text. It is sealed under a key
/// that follows from the event's own, so it goes with the person whom the event is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedRest {
    /// The version of the shape of the JSON that is sealed.
    pub schema: u16,
    /// The event's JSON without its text, sealed.
    #[serde(with = "base64_text")]
    pub sealed: Vec<u8>,
}

/// Shows the length only.
impl std::fmt::Debug for SealedRest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedRest({} bytes)", self.sealed.len())
    }
}

/// For serde: bytes in base64.
mod base64_text {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD as BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text);
        bytes.map_err(|_| serde::de::Error::custom("it is not base64"))
    }
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventPlace {
    /// Its place in the journal.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
}

impl ErasureId {
    /// The stream of the act on a target. For a person it has the id of the person.
    pub fn of(target: Target) -> Self {
        match target {
            Target::Person(person) => Self::of_person(person),
            Target::Event(place) => Self::of_event(place.position),
            Target::Reads { before } => {
                let hash = READS_CONTEXT.hash(before.to_string().as_bytes());
                let builder = uuid::Builder::from_custom_bytes(crate::hash::first(&hash));
                Self::from_uuid(builder.into_uuid())
            }
        }
    }

    /// The stream of the redaction of the event at a position.
    pub fn of_event(position: Position) -> Self {
        let hash = EVENT_CONTEXT.hash(&position.get().to_be_bytes());
        let builder = uuid::Builder::from_custom_bytes(crate::hash::first(&hash));
        Self::from_uuid(builder.into_uuid())
    }

    /// The stream of the erasure of a person.
    pub const fn of_person(person: PersonId) -> Self {
        Self::from_uuid(person.uuid())
    }
}

/// What can be asked about an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureCommand {
    /// Asks for it.
    Request {
        /// What is to be destroyed.
        target: Target,
        /// The law that asks for it or allows it, as a person put it. No name of a person.
        basis: ReasonText,
        /// Why it is asked for. No name of a person.
        reason: ReasonText,
        /// The time of the retention class by which a student is due; `None` if it is asked for otherwise.
        /// Then it is refused, now and when it is to be approved, unless the student is due by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retention: Option<RetentionTerm>,
    },
    /// Approves it. Only somebody else than who asked may.
    Approve {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Takes the request back, as long as nobody has approved it.
    Withdraw {
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
    /// Records which records of the access log are removed, before they are. Clients cannot send it.
    SettleReads(RemovedReads),
    /// Records what is left of an event, before its text is destroyed. Clients cannot send it.
    SettleText(SealedRest),
    /// Records that it is carried out. Clients cannot send it.
    CarryOut {
        /// The key that was destroyed; `None` for one event, and for a person without a key.
        key: Option<KeyId>,
    },
    /// Records that an act was carried out again that the journal does not have, because the journal
    /// is an older copy. Clients cannot send it.
    ApplyAgain(Box<ActRecord>),
}

/// What happened to an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureEvent {
    /// It was asked for.
    Requested {
        /// What is to be destroyed.
        target: Target,
        /// The law that asks for it or allows it.
        basis: ReasonText,
        /// Why it was asked for.
        reason: ReasonText,
        /// The time of the retention class by which the student was due; `None` if it was asked for
        /// otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retention: Option<RetentionTerm>,
    },
    /// Somebody else approved it.
    Approved {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// The request was taken back.
    Withdrawn {
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
    /// It was carried out: the text is gone.
    CarriedOut {
        /// The key that was destroyed; `None` for one event, and for a person without a key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
    },
    /// It was settled which records of the access log are removed.
    ReadsSettled(RemovedReads),
    /// It was carried out again after an older copy of the journal was put back.
    AppliedAgain(Box<ActRecord>),
    /// It was settled what is left of the event.
    TextSettled(SealedRest),
}

/// Who did something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The person or system that acted.
    pub by: Actor,
    /// The person or system for whom the actor acted; `None` if for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// The instant at which it was recorded.
    pub at: Timestamp,
}

impl Done {
    /// The persons who took part: as actor, or as whom the actor acted for.
    pub fn people(&self) -> impl Iterator<Item = PersonId> + use<> {
        let actors = [Some(self.by), self.on_behalf_of].into_iter().flatten();
        actors.filter_map(|actor| match actor {
            Actor::Person(person) => Some(person),
            Actor::System(_) => None,
        })
    }

    /// Whether two different people decided an act that was asked for by `self` and approved by `approved`.
    pub(crate) fn is_decided_by(&self, approved: &Self) -> bool {
        let by_people = |done: &Self| done.people().next().is_some();
        by_people(self) && by_people(approved) && !approved.shares_a_person(self)
    }

    /// Whether somebody took part in both.
    pub fn shares_a_person(&self, other: &Self) -> bool {
        self.people()
            .any(|person| other.people().any(|one| one == person))
    }
}

/// Everything that says which act was carried out, and by whom it was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRecord {
    /// What was destroyed.
    pub target: Target,
    /// The law that asks for it or allows it.
    pub basis: ReasonText,
    /// Why it was asked for.
    pub reason: ReasonText,
    /// Who asked for it.
    pub requested: Done,
    /// Who approved it.
    pub approved: Done,
    /// The key that was destroyed; `None` for one event, and for a person without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// What was removed from the access log; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<RemovedReads>,
    /// What is left of the event; `None` if nothing is, and for other targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<SealedRest>,
}

/// How far an act has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is asked for. Nothing is destroyed.
    Requested,
    /// It is approved, and is being carried out.
    Approved(Done),
    /// The request was taken back.
    Withdrawn(Done),
    /// The text is gone.
    CarriedOut {
        /// Who approved it.
        approved: Done,
        /// The instant at which it was recorded as carried out.
        at: Timestamp,
        /// The key that was destroyed; `None` for one event, and for a person without a key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
    },
}

/// An act as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// What it destroys.
    pub target: Target,
    /// The law that asks for it or allows it.
    pub basis: ReasonText,
    /// Why it was asked for.
    pub reason: ReasonText,
    /// The time of the retention class by which the student was due; `None` if it was asked for
    /// otherwise, and once it was carried out again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionTerm>,
    /// Who asked for it.
    pub requested: Done,
    /// How far it has come.
    pub phase: Phase,
    /// What it removes from the access log; `None` if nothing, and before that is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<RemovedReads>,
    /// What it leaves of the event; `None` if nothing, before that is settled, and for other targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<SealedRest>,
}

impl Erasure {
    /// The approval, if there is one.
    pub fn approval(&self) -> Option<&Done> {
        match &self.phase {
            Phase::Approved(approved) | Phase::CarriedOut { approved, .. } => Some(approved),
            Phase::Requested | Phase::Withdrawn(_) => None,
        }
    }

    /// Whether two different people decided it. Only then may its text be unreadable.
    pub fn is_proved(&self) -> bool {
        let approved = self.approval();
        approved.is_some_and(|approved| self.requested.is_decided_by(approved))
    }

    /// Whether it is on record what it destroys. Of an act on the access log that is found out when it is
    /// carried out.
    pub fn is_settled(&self) -> bool {
        match self.target {
            Target::Person(_) | Target::Event(_) => true,
            Target::Reads { .. } => self.reads.is_some(),
        }
    }

    /// Whether its text is said to be gone.
    pub fn is_carried_out(&self) -> bool {
        matches!(self.phase, Phase::CarriedOut { .. })
    }

    /// What is kept beside the journal of an act that was carried out; `None` if it was not.
    pub fn record(&self) -> Option<ActRecord> {
        let Phase::CarriedOut { approved, key, .. } = &self.phase else {
            return None;
        };
        Some(ActRecord {
            target: self.target,
            basis: self.basis.clone(),
            reason: self.reason.clone(),
            requested: self.requested,
            approved: *approved,
            key: *key,
            reads: self.reads,
            left: self.left.clone(),
        })
    }
}
