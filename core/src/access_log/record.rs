//! What is recorded of a read.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::domain::grants::Purpose;
use crate::domain::plan::Audience;
use crate::domain::view::Viewer;
use crate::ids::{PersonId, PlanId, Position};
use crate::time::Timestamp;

/// Number of the event type of a record. No event of a ledger has it.
pub(crate) const EVENT_TYPE: u16 = 0xFE01;
/// Version of the payload's shape.
pub(crate) const SCHEMA: u16 = 1;

/// What of a student's plans was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// A plan.
    Plan,
    /// What differs in a plan between two moments.
    Comparison,
    /// Every plan of the student, in one.
    CollectedView,
    /// The recorded events of one plan.
    History,
    /// Events of a stream of events, with their texts. One record stands for one page of the stream.
    Events,
    /// Evidence with texts.
    Evidence,
    /// Who has read the student's plans.
    AccessLog,
}

impl Shown {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Plan,
        Self::Comparison,
        Self::CollectedView,
        Self::History,
        Self::Events,
        Self::Evidence,
        Self::AccessLog,
    ];
}

/// What was read. It is sealed under the student's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// What was shown.
    pub shown: Shown,
    /// The method of the API through which it was read: `GetPlan`.
    pub method: String,
    /// The plan; `None` if it was not one plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// Through whose eyes it was shown; `None` if it was not shown through anybody's.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "eyes")]
    pub viewer: Option<Viewer>,
    /// The position of the ledger of which it was shown. A page of events ends here.
    pub position: Position,
    /// How many events were shown; 0 if it was not events.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub events: u32,
    /// What the request was for; `None` if it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A read of the plans of one student, as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose plans were read.
    pub student: PersonId,
    /// Who read them.
    pub actor: Actor,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<Actor>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub seen: Seen,
}

impl Read {
    /// About how many bytes it takes while it waits.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.seen.method.len()
    }
}

/// A read as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the access log, from 1.
    pub position: Position,
    /// Whose plans were read.
    pub student: PersonId,
    /// Who read them.
    pub actor: Actor,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<Actor>,
    /// When.
    pub at: Timestamp,
    /// What; `None` if the student's key was destroyed, or the text of this record.
    pub seen: Option<Seen>,
}

/// The words for viewers in records.
mod eyes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Audience, Viewer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Eyes {
        Staff,
        Student,
        Guardians,
        Others,
    }

    pub(super) fn serialize<S: Serializer>(
        viewer: &Option<Viewer>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let eyes = viewer.map(|viewer| match viewer {
            Viewer::Staff => Eyes::Staff,
            Viewer::Audience(Audience::Student) => Eyes::Student,
            Viewer::Audience(Audience::Guardians) => Eyes::Guardians,
            Viewer::Audience(Audience::Others) => Eyes::Others,
        });
        eyes.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Viewer>, D::Error> {
        let eyes = Eyes::deserialize(deserializer).map_err(D::Error::custom)?;
        Ok(Some(match eyes {
            Eyes::Staff => Viewer::Staff,
            Eyes::Student => Viewer::Audience(Audience::Student),
            Eyes::Guardians => Viewer::Audience(Audience::Guardians),
            Eyes::Others => Viewer::Audience(Audience::Others),
        }))
    }
}
