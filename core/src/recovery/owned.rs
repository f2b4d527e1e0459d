//! What a person owns, what nobody owns, and what belongs to a team or year plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::school::RosterQueries;
use super::suggest::Suggestion;
use crate::derived::Term;
use crate::domain::person::NoOwner;
use crate::domain::year_plan::Place;
use crate::domain::{Actor, Aggregate, Deletion, World};
use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, YearPlanId};
use crate::ledger::{ReadError, Reading};
use crate::text::Title;
use crate::time::Timestamp;

/// A team, year plan or plan, with what matters for its ownership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The team's, year plan's or plan's stream.
    pub stream: StreamId,
    /// The owner. `None` if a team has no owner.
    pub owner: Option<PersonId>,
    /// Why it has no owner who is still there, or that its owner will leave; `None` if it has an owner
    /// who stays.
    pub ownerless: Option<NoOwner>,
    /// The institution that it belongs to.
    pub institution: InstitutionId,
    /// The title of the team or year plan. A plan has the title of its year plan.
    pub title: Option<Title>,
    /// When and by whom the team or year plan was deleted. `None` if it is not deleted.
    pub deleted: Option<Deletion>,
    /// Whether the plan is withdrawn. False for teams and year plans.
    pub withdrawn: bool,
    /// How many students have a plan in the team or year plan. For a plan it is 1.
    pub students: u32,
    /// When something last happened in it, or in a plan that belongs to it.
    pub last_activity: Timestamp,
}

impl Owned {
    /// Whether the present owner deleted it.
    pub fn deleted_by_owner(&self) -> bool {
        let owner = self.owner.map(Actor::Person);
        self.deleted
            .as_ref()
            .is_some_and(|deletion| Some(deletion.by) == owner)
    }
}

/// Finds the teams, year plans and plans that a person owns at the moment that is read, sorted by
/// stream.
///
/// # Errors
/// [`ReadError`]
pub fn owned(reading: &Reading<'_>, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
    let school = RosterQueries::new(reading);
    let now = reading.find(Term::Owner(person))?;
    let before = reading.find(Term::OwnedBefore(person))?;
    let all: BTreeSet<_> = now.iter().chain(before.iter()).copied().collect();
    let mut owned = Vec::new();
    for stream in all {
        if school.owner(stream)? == Some(person) {
            owned.push(stream);
        }
    }
    Ok(owned)
}

/// Finds the teams, year plans and plans of an institution that have no owner who is still there, or
/// whose owner will leave, sorted by stream; [`Owned::ownerless`] says why. It answers for the present only.
///
/// # Errors
/// [`ReadError`]
pub fn ownerless(
    reading: &Reading<'_>,
    institution: InstitutionId,
) -> Result<Arc<Vec<StreamId>>, ReadError> {
    reading.find(Term::Ownerless(institution))
}

/// Describes a team, year plan or plan. `None` if it does not exist.
///
/// # Errors
/// [`ReadError`]
pub fn describe(reading: &Reading<'_>, stream: StreamId) -> Result<Option<Owned>, ReadError> {
    let school = RosterQueries::new(reading);
    let Some(thing) = school.thing(stream)? else {
        return Ok(None);
    };
    let activity = reading.last_activity(stream)?;
    let mut owned = Owned {
        stream,
        owner: thing.owner,
        ownerless: school.no_owner(thing.owner, thing.place)?,
        institution: thing.place.institution,
        title: school.title(&thing.state)?,
        deleted: None,
        withdrawn: false,
        students: 0,
        last_activity: activity.unwrap_or_default(),
    };
    match &*thing.state {
        Aggregate::Team(team) => {
            owned.deleted.clone_from(&team.deleted);
            let plans = school.plans_of_team(thing.place.team)?;
            school.count_students(&mut owned, plans)?;
        }
        Aggregate::YearPlan(plan) => {
            owned.deleted.clone_from(&plan.deleted);
            let plans = school.plans_on(YearPlanId::from_uuid(stream.id))?;
            school.count_students(&mut owned, plans)?;
        }
        Aggregate::Plan(plan) => {
            owned.withdrawn = plan.withdrawn;
            owned.students = 1;
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
    }
    Ok(Some(owned))
}

/// The title of a team or year plan. A plan has the title of its year plan.
///
/// # Errors
/// [`ReadError`]
pub fn title(reading: &Reading<'_>, stream: StreamId) -> Result<Option<Title>, ReadError> {
    let school = RosterQueries::new(reading);
    Ok(match school.thing(stream)? {
        Some(thing) => school.title(&thing.state)?,
        None => None,
    })
}

/// What would need a new owner if a team or year plan were deleted. Deleting loses nothing, but
/// somebody has to carry on the plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleting {
    /// The team's year plans. Empty if a year plan is to be deleted.
    pub year_plans: Vec<YearPlanId>,
    /// The plans that belong to the team or year plan.
    pub plans: Vec<PlanId>,
    /// How many students these plans belong to.
    pub students: u32,
    /// People who could take it over, the most suitable first.
    pub successors: Vec<Suggestion>,
    /// True if nobody else on the team's staff could take it over: when the owner leaves, it has no
    /// owner.
    pub last_owner: bool,
}

/// Says what belongs to a team or year plan, before somebody deletes it. `None` if it does not
/// exist or is neither of the two.
///
/// # Errors
/// [`ReadError`]
pub fn deleting(reading: &Reading<'_>, stream: StreamId) -> Result<Option<Deleting>, ReadError> {
    let school = RosterQueries::new(reading);
    let Some(thing) = school.thing(stream)? else {
        return Ok(None);
    };
    let (year_plans, plans) = match &*thing.state {
        Aggregate::Team(_) => (
            school.year_plans_of(thing.place.team)?,
            school.plans_of_team(thing.place.team)?,
        ),
        Aggregate::YearPlan(_) => (
            Vec::new(),
            school.plans_on(YearPlanId::from_uuid(stream.id))?,
        ),
        Aggregate::Institution(_)
        | Aggregate::SchoolYear(_)
        | Aggregate::Person(_)
        | Aggregate::Plan(_)
        | Aggregate::Catalogue(_)
        | Aggregate::Ledger(_)
        | Aggregate::Recovery(_)
        | Aggregate::RosterSource(_)
        | Aggregate::System(_)
        | Aggregate::Grants(_)
        | Aggregate::Erasure(_) => return Ok(None),
    };
    let mut students = BTreeSet::new();
    for plan in &plans {
        students.extend(school.plan(*plan, |plan| plan.student)?);
    }
    let successors = school.suggestions(stream, &thing)?;
    Ok(Some(Deleting {
        year_plans,
        plans,
        students: students.len() as u32,
        last_owner: !successors.iter().any(|found| found.on_team),
        successors,
    }))
}

impl RosterQueries<'_, '_> {
    fn owner(&self, stream: StreamId) -> Result<Option<PersonId>, ReadError> {
        let state = self.reading.stream(stream)?;
        Ok(state.and_then(|(state, _)| state.owner()))
    }

    fn title(&self, state: &Aggregate) -> Result<Option<Title>, ReadError> {
        match state {
            Aggregate::Team(team) => Ok(Some(team.details.title.clone())),
            Aggregate::YearPlan(plan) => Ok(Some(plan.details.title.clone())),
            Aggregate::Plan(plan) => {
                self.year_plan(plan.year_plan, |found| found.details.title.clone())
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
            | Aggregate::Erasure(_) => Ok(None),
        }
    }

    pub(super) fn no_owner(
        &self,
        owner: Option<PersonId>,
        place: Place,
    ) -> Result<Option<NoOwner>, ReadError> {
        let Some(owner) = owner else {
            return Ok(Some(NoOwner::Nobody));
        };
        let on_team = match self.reading.stream(place.team)? {
            Some((state, _)) => match &*state {
                Aggregate::Team(team) => team.staff.contains_key(&owner),
                _ => false,
            },
            None => false,
        };
        let reason = self.person(owner, |person| {
            person.no_owner_at(place.institution, on_team, self.reading.day())
        })?;
        Ok(reason.flatten())
    }

    /// Whether something certainly has no owner who is still there. Whoever will leave owns it until the
    /// end of the last day: nothing is taken from them at once by what is not about them.
    pub(super) fn has_no_owner(
        &self,
        owner: Option<PersonId>,
        place: Place,
    ) -> Result<bool, ReadError> {
        let reason = self.no_owner(owner, place)?;
        Ok(reason.is_some_and(NoOwner::is_certain))
    }

    pub(super) fn plans_of_team(&self, team: crate::ids::TeamId) -> Result<Vec<PlanId>, ReadError> {
        let mut plans = Vec::new();
        for year_plan in self.year_plans_of(team)? {
            plans.extend(self.plans_on(year_plan)?);
        }
        Ok(plans)
    }

    fn count_students(&self, owned: &mut Owned, plans: Vec<PlanId>) -> Result<(), ReadError> {
        let mut students = BTreeSet::new();
        for plan in plans {
            if let Some((student, changed)) =
                self.plan(plan, |plan| (plan.student, plan.changed_at))?
            {
                students.insert(student);
                owned.last_activity = owned.last_activity.max(changed);
            }
        }
        owned.students = students.len() as u32;
        Ok(())
    }
}
