//! The questions that recoveries ask about people, teams, year plans and plans.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::derived::Term;
use crate::domain::institution::Institution;
use crate::domain::person::{Person, Role};
use crate::domain::plan::Plan;
use crate::domain::team::Team;
use crate::domain::year_plan::{Place, YearPlan};
use crate::domain::{Aggregate, Without, World};
use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, StreamKind, TeamId, YearPlanId};
use crate::ledger::{ReadError, Reading};
use crate::text::Name;

/// A team, year plan or plan: something that can have an owner.
pub(super) struct Ownable {
    pub(super) state: Arc<Aggregate>,
    pub(super) owner: Option<PersonId>,
    pub(super) place: Place,
    /// A team's subject, if it has one; a year plan's subjects; for a plan, the subjects of its
    /// year plan.
    pub(super) subjects: BTreeSet<Name>,
}

/// Answers the questions from one reading.
pub(super) struct RosterQueries<'a, 'r> {
    pub(super) reading: &'a Reading<'r>,
    gone: &'a BTreeSet<StreamId>,
}

impl<'a, 'r> RosterQueries<'a, 'r> {
    pub(super) fn new(reading: &'a Reading<'r>) -> Self {
        static NOTHING: BTreeSet<StreamId> = BTreeSet::new();
        Self::without(reading, &NOTHING)
    }

    /// The answers as if some people and things did not exist.
    pub(super) fn without(reading: &'a Reading<'r>, gone: &'a BTreeSet<StreamId>) -> Self {
        Self { reading, gone }
    }
}

impl<'r> RosterQueries<'_, 'r> {
    /// The world that the rules are asked about.
    pub(super) fn world(&self) -> Without<'_, Reading<'r>> {
        Without::new(self.reading, self.gone)
    }

    fn state(&self, stream: impl Into<StreamId>) -> Result<Option<Arc<Aggregate>>, ReadError> {
        let stream = stream.into();
        match self.gone.contains(&stream) {
            true => Ok(None),
            false => Ok(self.reading.stream(stream)?.map(|(state, _)| state)),
        }
    }

    /// Applies `look` to a person. `None` if there is no such person.
    pub(super) fn person<T>(
        &self,
        id: PersonId,
        look: impl FnOnce(&Person) -> T,
    ) -> Result<Option<T>, ReadError> {
        Ok(match self.state(id)?.as_deref() {
            Some(Aggregate::Person(person)) => Some(look(person)),
            _ => None,
        })
    }

    /// Applies `look` to an institution. `None` if there is no such institution.
    pub(super) fn institution<T>(
        &self,
        id: InstitutionId,
        look: impl FnOnce(&Institution) -> T,
    ) -> Result<Option<T>, ReadError> {
        Ok(match self.state(id)?.as_deref() {
            Some(Aggregate::Institution(institution)) => Some(look(institution)),
            _ => None,
        })
    }

    /// Applies `look` to a team. `None` if there is no such team.
    pub(super) fn team<T>(
        &self,
        id: TeamId,
        look: impl FnOnce(&Team) -> T,
    ) -> Result<Option<T>, ReadError> {
        Ok(match self.state(id)?.as_deref() {
            Some(Aggregate::Team(team)) => Some(look(team)),
            _ => None,
        })
    }

    /// Applies `look` to a year plan. `None` if there is no such year plan.
    pub(super) fn year_plan<T>(
        &self,
        id: YearPlanId,
        look: impl FnOnce(&YearPlan) -> T,
    ) -> Result<Option<T>, ReadError> {
        Ok(match self.state(id)?.as_deref() {
            Some(Aggregate::YearPlan(plan)) => Some(look(plan)),
            _ => None,
        })
    }

    /// Applies `look` to a plan. `None` if there is no such plan.
    pub(super) fn plan<T>(
        &self,
        id: PlanId,
        look: impl FnOnce(&Plan) -> T,
    ) -> Result<Option<T>, ReadError> {
        Ok(match self.state(id)?.as_deref() {
            Some(Aggregate::Plan(plan)) => Some(look(plan)),
            _ => None,
        })
    }

    /// The team's year plans. A reading of the past finds only year plans that were the team's then
    /// and still are today.
    pub(super) fn year_plans_of(&self, team: TeamId) -> Result<Vec<YearPlanId>, ReadError> {
        let found = self.reading.find(Term::YearPlansOfTeam(team))?;
        let mut plans = Vec::new();
        for stream in found.iter() {
            let id = YearPlanId::from_uuid(stream.id);
            if self.year_plan(id, |plan| plan.details.team == team)? == Some(true) {
                plans.push(id);
            }
        }
        Ok(plans)
    }

    /// The plans that belong to a year plan. A reading of the past finds only plans that belonged
    /// to it then and still belong to it today.
    pub(super) fn plans_on(&self, year_plan: YearPlanId) -> Result<Vec<PlanId>, ReadError> {
        let found = self.reading.find(Term::PlansOfYearPlan(year_plan))?;
        let mut plans = Vec::new();
        for stream in found.iter() {
            let id = PlanId::from_uuid(stream.id);
            if self.plan(id, |plan| plan.year_plan == year_plan)? == Some(true) {
                plans.push(id);
            }
        }
        Ok(plans)
    }

    /// All persons, teams or year plans of an institution, sorted by id.
    pub(super) fn all_in(
        &self,
        institution: InstitutionId,
        kind: StreamKind,
    ) -> Result<Vec<StreamId>, ReadError> {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = self
                .reading
                .find_in_institution(institution, kind, after, 1_000)?;
            match page.last() {
                Some(last) => after = Some(*last),
                None => return Ok(all),
            }
            all.extend(page);
        }
    }

    /// The leaders of an institution who have not left, sorted by id.
    pub(super) fn leaders(&self, institution: InstitutionId) -> Result<Vec<PersonId>, ReadError> {
        let mut leaders = Vec::new();
        for stream in self.all_in(institution, StreamKind::Person)? {
            let id = PersonId::from_uuid(stream.id);
            let leads = self.person(id, |person| {
                !person.has_left_on(self.reading.day())
                    && person
                        .affiliations
                        .iter()
                        .any(|at| (at.institution, at.role) == (institution, Role::Leader))
            })?;
            leaders.extend((leads == Some(true)).then_some(id));
        }
        Ok(leaders)
    }

    /// Reads what can have an owner. `None` if the stream does not exist or is of another kind.
    pub(super) fn thing(&self, stream: StreamId) -> Result<Option<Ownable>, ReadError> {
        let Some(state) = self.state(stream)? else {
            return Ok(None);
        };
        let (owner, place, subjects) = match &*state {
            Aggregate::Team(team) => (
                team.owner,
                Place {
                    institution: team.details.institution,
                    team: TeamId::from_uuid(stream.id),
                },
                team.details.subject.clone().into_iter().collect(),
            ),
            Aggregate::YearPlan(plan) => (
                Some(plan.owner),
                plan.details.place(),
                plan.details.subjects.clone(),
            ),
            Aggregate::Plan(plan) => {
                let look = |year_plan: &YearPlan| {
                    let details = &year_plan.details;
                    (details.place(), details.subjects.clone())
                };
                let Some((place, subjects)) = self.year_plan(plan.year_plan, look)? else {
                    return Ok(None);
                };
                (Some(plan.owner), place, subjects)
            }
            Aggregate::Institution(_)
            | Aggregate::SchoolYear(_)
            | Aggregate::Person(_)
            | Aggregate::Catalogue(_)
            | Aggregate::Ledger(_)
            | Aggregate::Recovery(_)
            | Aggregate::RosterSource(_)
            | Aggregate::System(_)
            | Aggregate::Grants(_)
            | Aggregate::Erasure(_) => return Ok(None),
        };
        Ok(Some(Ownable {
            state,
            owner,
            place,
            subjects,
        }))
    }
}
