use std::fmt;

use crate::domain::{Aggregate, Event};
use crate::ids::{InstitutionId, PersonId, StreamId};

/// The owner of the key that seals something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyScope {
    /// The ledger. Its key seals school years, catalogues, recoveries, sources of rosters, systems,
    /// grants, redactions, erasures and the ledger's own streams, which name nobody.
    Ledger,
    /// An institution. Its key seals the institution, its teams and its year plans.
    Institution(InstitutionId),
    /// A person. The key seals the person's stream and, for a student, the student's plans.
    Person(PersonId),
}

impl KeyScope {
    /// The scope of a stream in a given state.
    pub fn of(stream: StreamId, state: &Aggregate) -> Self {
        match state {
            Aggregate::Institution(_) => Self::Institution(InstitutionId::from_uuid(stream.id)),
            Aggregate::SchoolYear(_)
            | Aggregate::Catalogue(_)
            | Aggregate::Ledger(_)
            | Aggregate::Recovery(_)
            | Aggregate::RosterSource(_)
            | Aggregate::System(_)
            | Aggregate::Grants(_)
            | Aggregate::Erasure(_) => Self::Ledger,
            Aggregate::Person(_) => Self::Person(PersonId::from_uuid(stream.id)),
            Aggregate::Team(team) => Self::Institution(team.details.institution),
            Aggregate::YearPlan(plan) => Self::Institution(plan.details.institution),
            Aggregate::Plan(plan) => Self::Person(plan.student),
        }
    }

    /// The scope that a stream has from this event on, if the event sets one. All other events
    /// leave the scope as it was.
    pub fn of_event(stream: StreamId, event: &Event) -> Option<Self> {
        match event {
            Event::Institution(_) => Some(Self::Institution(InstitutionId::from_uuid(stream.id))),
            Event::SchoolYear(_)
            | Event::Catalogue(_)
            | Event::Ledger(_)
            | Event::Recovery(_)
            | Event::RosterSource(_)
            | Event::System(_)
            | Event::Grants(_)
            | Event::Erasure(_) => Some(Self::Ledger),
            Event::Person(_) => Some(Self::Person(PersonId::from_uuid(stream.id))),
            Event::Team(event) => Some(Self::Institution(event.institution()?)),
            Event::YearPlan(event) => Some(Self::Institution(event.institution()?)),
            Event::Plan(event) => Some(Self::Person(event.opened()?.student)),
        }
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => write!(f, "the ledger"),
            Self::Institution(id) => write!(f, "institution {id}"),
            Self::Person(id) => write!(f, "person {id}"),
        }
    }
}
