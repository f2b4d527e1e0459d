//! What a caller may ask a recovery to do: give items to other owners, bring them back, or
//! carry them to another institution.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, TeamId, UnitId, YearPlanId};
use crate::text::{self, Name, Title};

/// A request for a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryRequest {
    /// Gives teams, year plans and plans to other owners.
    Transfer(Transfer),
    /// Brings back what was deleted or withdrawn.
    Restore(Restore),
    /// Carries everything of a closed institution to its successor.
    Merge(Merge),
}

/// Which teams, year plans and plans get which new owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What is transferred.
    pub what: What,
    /// How the new owners are chosen.
    pub rule: Rule,
    /// Who becomes the owner where the rule finds nobody.
    pub fallback: Fallback,
    /// The reason, recorded with the recovery.
    pub reason: Option<text::ReasonText>,
}

/// What a transfer covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything that one person owns.
    Everything {
        /// The owner until now.
        of: PersonId,
        /// Only what belongs to this institution. `None` means every institution.
        institution: Option<InstitutionId>,
    },
    /// These teams, year plans and plans.
    Items(BTreeSet<StreamId>),
}

/// How the new owner of an item is chosen. An item is a team, a year plan or a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// This person gets every item.
    To(PersonId),
    /// The member of the team's staff with the most evaluations in the item's plans. If nobody on
    /// the staff has evaluated there, the member with the lowest id.
    Team,
    /// The person who is named for the item's team.
    PerTeam(BTreeMap<TeamId, PersonId>),
    /// The person who is named for the item's subject. If the item has several subjects, the first
    /// one with a named person decides.
    PerSubject(BTreeMap<Name, PersonId>),
}

/// Who becomes the owner of an item for which the rule finds nobody. [`Rule::To`] has no fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nobody. The item keeps its owner.
    Nobody,
    /// This person.
    To(PersonId),
    /// A leader of the item's institution who does not own the item already. Of several leaders,
    /// the one with the lowest id.
    Leader,
}

/// Which institution carries on for a closed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The closed institution.
    pub from: InstitutionId,
    /// The institution that carries on. It is open.
    pub to: InstitutionId,
    /// Teams of the closed institution, each with the team that carries on for it. Such a team stays
    /// where it is, and its year plans go to the other one. All other teams move.
    pub teams: BTreeMap<TeamId, TeamId>,
    /// Who becomes the owner of what has no present owner, where nobody else is on the team's staff.
    pub fallback: Fallback,
    /// The reason, recorded with the recovery.
    pub reason: Option<text::ReasonText>,
}

/// What is brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// What to bring back, item by item.
    pub what: Vec<RestoreItem>,
    /// The new owner of the teams and year plans that come back. `None` leaves them with the owner
    /// that they had.
    pub give_to: Option<PersonId>,
    /// The reason, recorded with the recovery.
    pub reason: Option<text::ReasonText>,
}

/// One thing to bring back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RestoreItem {
    /// A team that is deleted, or has deleted contents.
    Team {
        /// The team.
        team: TeamId,
        /// Whether the team's deleted year plans and their deleted units come back too.
        with_contents: bool,
    },
    /// A year plan that is deleted, or has deleted contents.
    YearPlan {
        /// The year plan.
        year_plan: YearPlanId,
        /// Whether the year plan's deleted units come back too.
        with_contents: bool,
    },
    /// A deleted unit.
    Unit {
        /// The year plan that the unit is a part of.
        year_plan: YearPlanId,
        /// The unit.
        unit: UnitId,
    },
    /// A withdrawn plan.
    Plan {
        /// The plan.
        plan: PlanId,
    },
    /// Moves a plan to another year plan.
    Move {
        /// The plan.
        plan: PlanId,
        /// The year plan that the plan belongs to from then on.
        to: YearPlanId,
    },
    /// Creates a new year plan from what the plans of an old one hold, and moves the plans to it.
    Rebuild(Rebuild),
}

impl RestoreItem {
    /// The stream that would change.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Team { team, .. } => (*team).into(),
            Self::YearPlan { year_plan, .. } | Self::Unit { year_plan, .. } => (*year_plan).into(),
            Self::Plan { plan } | Self::Move { plan, .. } => (*plan).into(),
            Self::Rebuild(rebuild) => rebuild.year_plan.into(),
        }
    }
}

/// Which year plan is created from which other one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rebuild {
    /// The old year plan, whose plans are read. It may be deleted.
    pub from: YearPlanId,
    /// The id of the new year plan.
    pub year_plan: YearPlanId,
    /// The title of the new year plan. `None` takes the old one's.
    pub title: Option<Title>,
    /// The team of the new year plan. `None` takes the old one's.
    pub team: Option<TeamId>,
    /// The institution of the new year plan. `None` takes the old one's.
    pub institution: Option<InstitutionId>,
    /// The owner of the new year plan. `None` takes the person to whom the restore gives
    /// everything, or else the old one's owner.
    pub owner: Option<PersonId>,
}
