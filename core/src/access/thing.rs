//! What an action is about, as roster and plans have it.

use super::{About, Scope};
use crate::actor::Actor;
use crate::domain::person::Role as Place;
use crate::domain::{Aggregate, World};
use crate::ids::{InstitutionId, PersonId, PlanId, TeamId, YearPlanId};
use crate::read_error::ReadError;

/// Where a thing belongs, and whom it concerns. Of a thing that does not exist nothing is known, so
/// only whoever may do something everywhere may do it there.
#[derive(Debug, Default)]
pub(super) struct Thing {
    /// The institutions that it belongs to.
    pub(super) institutions: Vec<InstitutionId>,
    /// The team that it is, or belongs to.
    pub(super) team: Option<TeamId>,
    /// The student whose plan it is, or who is meant as a student.
    pub(super) student: Option<PersonId>,
    /// The person that it is.
    pub(super) person: Option<PersonId>,
    /// Who owns it, or the year plan that it belongs to.
    pub(super) owners: Vec<PersonId>,
    /// The system whose grant it is, or that it is.
    pub(super) system: Option<crate::ids::SystemId>,
}

impl Thing {
    pub(super) fn of<F: World + ?Sized>(facts: &F, about: About) -> Result<Self, ReadError> {
        let mut thing = Self::default();
        match about {
            About::Municipality | About::Grant(..) => {}
            About::Institution(id) => thing.institutions.push(id),
            About::Team(id) => thing.is_team(facts, id)?,
            About::YearPlan(id) => thing.is_of_year_plan(facts, id)?,
            About::Plan(id) => thing.is_plan(facts, id)?,
            About::Student(id) => thing.is_of_student(facts, id)?,
            About::Person(id) => thing.is_person(facts, id)?,
            About::System(id) => thing.system = Some(id),
        }
        Ok(thing)
    }

    fn is_team<F: World + ?Sized>(&mut self, facts: &F, id: TeamId) -> Result<(), ReadError> {
        if let Some(Aggregate::Team(team)) = facts.aggregate(id.into())?.as_deref() {
            self.team = Some(id);
            self.institutions.push(team.details.institution);
            self.owners.extend(team.owner);
        }
        Ok(())
    }

    fn is_of_year_plan<F: World + ?Sized>(
        &mut self,
        facts: &F,
        id: YearPlanId,
    ) -> Result<(), ReadError> {
        if let Some(Aggregate::YearPlan(plan)) = facts.aggregate(id.into())?.as_deref() {
            self.team = Some(plan.details.team);
            self.institutions.push(plan.details.institution);
            self.owners.push(plan.owner);
        }
        Ok(())
    }

    fn is_plan<F: World + ?Sized>(&mut self, facts: &F, id: PlanId) -> Result<(), ReadError> {
        if let Some(Aggregate::Plan(plan)) = facts.aggregate(id.into())?.as_deref() {
            self.owners.push(plan.owner);
            self.is_of_year_plan(facts, plan.year_plan)?;
            self.is_of_student(facts, plan.student)?;
        }
        Ok(())
    }

    fn is_of_student<F: World + ?Sized>(
        &mut self,
        facts: &F,
        id: PersonId,
    ) -> Result<(), ReadError> {
        if let Some(Aggregate::Person(person)) = facts.aggregate(id.into())?.as_deref() {
            let places = person.affiliations.iter();
            let places = places.filter(|at| at.role == Place::Student);
            self.institutions.extend(places.map(|at| at.institution));
            // Of somebody who is gone the last school still keeps the plans.
            let last = person.last_place.as_ref();
            self.institutions.extend(last.map(|last| last.institution));
            self.student = Some(id);
        }
        Ok(())
    }

    fn is_person<F: World + ?Sized>(&mut self, facts: &F, id: PersonId) -> Result<(), ReadError> {
        if let Some(Aggregate::Person(person)) = facts.aggregate(id.into())?.as_deref() {
            let places = person.affiliations.iter();
            self.institutions.extend(places.map(|at| at.institution));
            let last = person.last_place.as_ref();
            self.institutions.extend(last.map(|last| last.institution));
            self.person = Some(id);
        }
        Ok(())
    }

    /// The student or other person whom the thing is about.
    pub(super) fn who(&self) -> Option<PersonId> {
        self.student.or(self.person)
    }

    /// Whether a grant in this scope covers the thing.
    pub(super) fn is_in<F: World + ?Sized>(
        &self,
        facts: &F,
        scope: Scope,
    ) -> Result<bool, ReadError> {
        Ok(match scope {
            Scope::Municipality => true,
            Scope::Institution(id) => self.institutions.contains(&id),
            Scope::Student(id) => self.who() == Some(id),
            // A team that was deleted, or is no longer in use, gives nobody a right. What there was of
            // it stays with its owners and the school.
            Scope::Team(id) => match facts.aggregate(id.into())?.as_deref() {
                Some(Aggregate::Team(team)) if team.deleted.is_none() && !team.closed => {
                    let mut who = self.who().into_iter();
                    self.team == Some(id) || who.any(|who| team.members.contains(&who))
                }
                Some(_) | None => false,
            },
        })
    }

    /// Whether the thing is a person or system itself.
    pub(super) fn is_oneself(&self, actor: Actor) -> bool {
        match actor {
            Actor::Person(id) => self.person == Some(id) || self.student == Some(id),
            Actor::System(id) => self.system == Some(id),
        }
    }
}
