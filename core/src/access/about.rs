use crate::actor::Actor;
use crate::ids::{GrantId, InstitutionId, PersonId, PlanId, SystemId, TeamId, YearPlanId};

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The ledger as a whole, or something that belongs to no institution: school years, catalogues,
    /// all events, all institutions together.
    Municipality,
    /// An institution.
    Institution(InstitutionId),
    /// A team.
    Team(TeamId),
    /// A year plan.
    YearPlan(YearPlanId),
    /// A plan.
    Plan(PlanId),
    /// A person as the student whose plans it is about.
    Student(PersonId),
    /// A person as the roster has them.
    Person(PersonId),
    /// A registered system.
    System(SystemId),
    /// A grant of a person or system.
    Grant(Actor, GrantId),
}
