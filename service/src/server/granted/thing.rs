//! What an access names, as the table has it.

use planledger_core::access::About;
use planledger_core::domain::Actor;
use planledger_core::ids::{
    InstitutionId, PersonId, PlanId, StreamId, StreamKind, SystemId, TeamId, YearPlanId,
};

use crate::server::auth::PlansOf;

/// What an access names, as the table has it.
pub(super) struct Thing(pub(super) About);

impl From<About> for Thing {
    fn from(about: About) -> Self {
        Self(about)
    }
}

impl From<Actor> for Thing {
    fn from(actor: Actor) -> Self {
        Self(match actor {
            Actor::Person(id) => About::Person(id),
            Actor::System(id) => About::System(id),
        })
    }
}

impl From<InstitutionId> for Thing {
    fn from(id: InstitutionId) -> Self {
        Self(About::Institution(id))
    }
}

impl From<PersonId> for Thing {
    fn from(id: PersonId) -> Self {
        Self(About::Person(id))
    }
}

impl From<TeamId> for Thing {
    fn from(id: TeamId) -> Self {
        Self(About::Team(id))
    }
}

impl From<YearPlanId> for Thing {
    fn from(id: YearPlanId) -> Self {
        Self(About::YearPlan(id))
    }
}

impl From<PlanId> for Thing {
    fn from(id: PlanId) -> Self {
        Self(About::Plan(id))
    }
}

impl From<StreamId> for Thing {
    fn from(stream: StreamId) -> Self {
        Self(match stream.kind {
            StreamKind::Institution => About::Institution(InstitutionId::from_uuid(stream.id)),
            StreamKind::Person => About::Person(PersonId::from_uuid(stream.id)),
            StreamKind::Team => About::Team(TeamId::from_uuid(stream.id)),
            StreamKind::YearPlan => About::YearPlan(YearPlanId::from_uuid(stream.id)),
            StreamKind::Plan => About::Plan(PlanId::from_uuid(stream.id)),
            StreamKind::System => About::System(SystemId::from_uuid(stream.id)),
            // They belong to no institution, or to several.
            StreamKind::SchoolYear
            | StreamKind::Catalogue
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::Grants
            | StreamKind::Erasure => About::Municipality,
        })
    }
}

impl From<PlansOf> for Thing {
    fn from(of: PlansOf) -> Self {
        Self(match of {
            PlansOf::Plan(id) => About::Plan(id),
            PlansOf::Student(id) => About::Student(id),
            PlansOf::Owner(id) => About::Person(id),
            PlansOf::Team(id) => About::Team(id),
            PlansOf::YearPlan(id) => About::YearPlan(id),
        })
    }
}
