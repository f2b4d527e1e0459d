//! What is asked about persons and things on the way to an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::derived::Term;
use crate::domain::Aggregate;
use crate::domain::person::{Person, Role};
use crate::domain::plan::Plan;
use crate::domain::team::Team;
use crate::domain::year_plan::YearPlan;
use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, StreamKind, TeamId, YearPlanId};
use crate::ledger::{ReadError, Reading};
use crate::text::Name;

/// Something that can be owned, with where it belongs.
pub(super) struct Ownable {
    pub(super) state: Arc<Aggregate>,
    pub(super) owner: Option<PersonId>,
    pub(super) institution: InstitutionId,
    pub(super) team: TeamId,
    /// Of a team that belongs to one and covers it, of a year plan, of a plan's year plan.
    pub(super) subjects: BTreeSet<Name>,
}

/// A reading with the questions that recoveries ask.
pub(super) struct RosterQueries<'a, 'r> {
    pub(super) reading: &'a Reading<'r>,
}

impl RosterQueries<'_, '_> {
    fn state(&self, stream: impl Into<StreamId>) -> Result<Option<Arc<Aggregate>>, ReadError> {
        Ok(self.reading.stream(stream)?.map(|(state, _)| state))
    }

    /// Looks at a person, if known.
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

    /// Looks at a team, if known.
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

    /// Looks at a year plan, if known.
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

    /// Looks at a plan, if known.
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

    /// Year plans of a team that were there.
    pub(super) fn year_plans_of(&self, team: TeamId) -> Result<Vec<YearPlanId>, ReadError> {
        let found = self.reading.find(Term::YearPlansOfTeam(team))?;
        let mut plans = Vec::new();
        for stream in found.iter() {
            let id = YearPlanId::from_uuid(stream.id);
            if self.year_plan(id, |_| ())?.is_some() {
                plans.push(id);
            }
        }
        Ok(plans)
    }

    /// Plans that hang on a year plan. When the past is read: of those that hang on it now, those
    /// that did then.
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

    /// Leaders of an institution who are still there, in the order of their ids.
    pub(super) fn leaders(&self, institution: InstitutionId) -> Result<Vec<PersonId>, ReadError> {
        let (mut after, mut leaders) = (None, Vec::new());
        loop {
            let kind = StreamKind::Person;
            let page = self
                .reading
                .find_in_institution(institution, kind, after, 1_000)?;
            for stream in &page {
                let id = PersonId::from_uuid(stream.id);
                let leads = self.person(id, |person| {
                    person.departed.is_none()
                        && person
                            .affiliations
                            .iter()
                            .any(|at| (at.institution, at.role) == (institution, Role::Leader))
                })?;
                leaders.extend((leads == Some(true)).then_some(id));
            }
            match page.last() {
                Some(last) => after = Some(*last),
                None => return Ok(leaders),
            }
        }
    }

    /// A thing, if the stream is one that can be owned and is there.
    pub(super) fn thing(&self, stream: StreamId) -> Result<Option<Ownable>, ReadError> {
        let Some(state) = self.state(stream)? else {
            return Ok(None);
        };
        let (owner, institution, team, subjects) = match &*state {
            Aggregate::Team(team) => (
                team.owner,
                team.details.institution,
                TeamId::from_uuid(stream.id),
                team.details.subject.clone().into_iter().collect(),
            ),
            Aggregate::YearPlan(plan) => (
                Some(plan.owner),
                plan.details.institution,
                plan.details.team,
                plan.details.subjects.clone(),
            ),
            Aggregate::Plan(plan) => {
                let look = |year_plan: &YearPlan| {
                    let details = &year_plan.details;
                    (details.institution, details.team, details.subjects.clone())
                };
                let Some((institution, team, subjects)) = self.year_plan(plan.year_plan, look)?
                else {
                    return Ok(None);
                };
                (Some(plan.owner), institution, team, subjects)
            }
            Aggregate::Institution(_)
            | Aggregate::SchoolYear(_)
            | Aggregate::Person(_)
            | Aggregate::Catalogue(_)
            | Aggregate::Ledger(_)
            | Aggregate::Recovery(_) => return Ok(None),
        };
        Ok(Some(Ownable {
            state,
            owner,
            institution,
            team,
            subjects,
        }))
    }
}
