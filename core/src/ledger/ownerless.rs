//! Keeps the list of teams, year plans and plans without an owner who is still there. The list is
//! kept while events are folded. It depends on more than one stream: the team, year plan or plan
//! itself, its owner, its team's staff, and for a plan also the year plan, which names the institution
//! and the team. The rule for one owner and one place is [`Person::no_owner_at`].

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::fold::Fold;
use crate::derived::{StoreError, Term};
use crate::domain::Aggregate;
use crate::domain::person::{NoOwner, Person};
use crate::domain::year_plan::Place;
use crate::ids::{InstitutionId, PersonId, StreamId, StreamKind, TeamId, YearPlanId};

/// The list must not depend on a clock, so it also holds what has an owner who will leave. Whoever
/// reads the list asks again for the day of the reading.
const LISTED: Date = Date::MAX;

/// What the state of a stream says about ownership.
#[derive(Clone, PartialEq, Eq)]
enum Facts {
    /// A team, year plan or plan: its owner, if it has one, and what says where it belongs.
    Thing(Option<PersonId>, Belongs),
    /// A person, with what decides what the person can be an owner of.
    Person(AsOwner),
    /// The state says nothing about ownership.
    Other,
}

/// Everything about a person that [`Person::no_owner_at`] depends on, apart from the day on which a
/// roster last had the person.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct AsOwner {
    /// The noted departure, with its last day if that is known.
    departed: Option<Option<Date>>,
    works_at: BTreeSet<InstitutionId>,
    absent: bool,
    owns_from_elsewhere: BTreeSet<InstitutionId>,
}

impl AsOwner {
    pub(super) fn of(person: &Person) -> Self {
        Self {
            departed: person.departed.as_ref().map(|departure| departure.on),
            works_at: person.workplaces(),
            absent: person.is_doubtful(),
            owns_from_elsewhere: person.owned_from_elsewhere(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Belongs {
    To(Place),
    With(StreamId),
}

fn facts(id: StreamId, state: &Aggregate) -> Facts {
    match state {
        Aggregate::Team(team) => {
            let place = Place {
                institution: team.details.institution,
                team: TeamId::from_uuid(id.id),
            };
            Facts::Thing(team.owner, Belongs::To(place))
        }
        Aggregate::YearPlan(plan) => {
            Facts::Thing(Some(plan.owner), Belongs::To(plan.details.place()))
        }
        Aggregate::Plan(plan) => {
            Facts::Thing(Some(plan.owner), Belongs::With(plan.year_plan.into()))
        }
        Aggregate::Person(person) => Facts::Person(AsOwner::of(person)),
        Aggregate::Institution(_)
        | Aggregate::SchoolYear(_)
        | Aggregate::Catalogue(_)
        | Aggregate::Ledger(_)
        | Aggregate::Recovery(_)
        | Aggregate::RosterSource(_)
        | Aggregate::System(_)
        | Aggregate::Grants(_)
        | Aggregate::Erasure(_) => Facts::Other,
    }
}

impl Fold {
    /// Updates the list after the state of stream `id` has changed from `was` to `now`.
    pub(super) fn note_ownership(
        &mut self,
        id: StreamId,
        was: Option<&Aggregate>,
        now: &Aggregate,
    ) -> Result<(), StoreError> {
        if let (Some(Aggregate::Team(before)), Aggregate::Team(after)) = (was, now)
            && !before.staff.keys().eq(after.staff.keys())
        {
            self.note_team(id)?;
        }
        let (was, now) = (was.map(|was| facts(id, was)), facts(id, now));
        if was.as_ref() == Some(&now) {
            return Ok(());
        }
        match now {
            Facts::Thing(owner, belongs) => {
                let from = match was {
                    Some(Facts::Thing(_, before)) if before != belongs => self.place(before)?,
                    Some(_) | None => None,
                };
                if let Some(from) = from {
                    self.post(Term::Ownerless(from.institution), id, false)?;
                    self.note_move(id, from.institution)?;
                }
                if let Some(place) = self.place(belongs)? {
                    let ownerless = self.no_owner(owner, place, LISTED)?.is_some();
                    self.post(Term::Ownerless(place.institution), id, ownerless)?;
                }
            }
            // A person who is new owns nothing yet.
            Facts::Person(_) if was.is_some() => {
                for thing in self.list(Term::Owner(PersonId::from_uuid(id.id)))?.iter() {
                    self.note_thing(*thing)?;
                }
            }
            Facts::Person(_) | Facts::Other => {}
        }
        Ok(())
    }

    /// Lists a team, year plan or plan as ownerless, or no longer, by its present state.
    fn note_thing(&mut self, thing: StreamId) -> Result<(), StoreError> {
        let state = self.stream(thing)?;
        if let Some(Facts::Thing(owner, belongs)) = state.map(|doc| facts(thing, &doc.state))
            && let Some(place) = self.place(belongs)?
        {
            let ownerless = self.no_owner(owner, place, LISTED)?.is_some();
            self.post(Term::Ownerless(place.institution), thing, ownerless)?;
        }
        Ok(())
    }

    /// Moves the entries of a year plan's plans when the year plan has moved to another institution.
    fn note_move(&mut self, id: StreamId, from: InstitutionId) -> Result<(), StoreError> {
        if id.kind != StreamKind::YearPlan {
            return Ok(());
        }
        let plans = self.list(Term::PlansOfYearPlan(YearPlanId::from_uuid(id.id)))?;
        for plan in plans.iter() {
            self.post(Term::Ownerless(from), *plan, false)?;
            self.note_thing(*plan)?;
        }
        Ok(())
    }

    /// Lists a team whose staff has changed, its year plans and their plans as ownerless, or no
    /// longer: whoever is on the staff owns them wherever else they work.
    fn note_team(&mut self, team: StreamId) -> Result<(), StoreError> {
        self.note_thing(team)?;
        let year_plans = self.list(Term::YearPlansOfTeam(TeamId::from_uuid(team.id)))?;
        for year_plan in year_plans.iter() {
            self.note_thing(*year_plan)?;
            let plans = self.list(Term::PlansOfYearPlan(YearPlanId::from_uuid(year_plan.id)))?;
            for plan in plans.iter() {
                self.note_thing(*plan)?;
            }
        }
        Ok(())
    }

    /// Why something has no owner who is still there on a day; `None` if it has one.
    pub(super) fn no_owner(
        &self,
        owner: Option<PersonId>,
        place: Place,
        day: Date,
    ) -> Result<Option<NoOwner>, StoreError> {
        let Some(owner) = owner else {
            return Ok(Some(NoOwner::Nobody));
        };
        let on_team = self.is_on_staff(owner, place.team)?;
        let state = self.stream(owner.into())?;
        Ok(state.and_then(|doc| match &*doc.state {
            Aggregate::Person(person) => person.no_owner_at(place.institution, on_team, day),
            _ => None,
        }))
    }

    /// Whether somebody is on the staff of a team.
    pub(super) fn is_on_staff(&self, person: PersonId, team: TeamId) -> Result<bool, StoreError> {
        let state = self.stream(team.into())?;
        Ok(state.is_some_and(|doc| match &*doc.state {
            Aggregate::Team(team) => team.staff.contains_key(&person),
            _ => false,
        }))
    }

    fn place(&self, belongs: Belongs) -> Result<Option<Place>, StoreError> {
        let stream = match belongs {
            Belongs::To(place) => return Ok(Some(place)),
            Belongs::With(stream) => stream,
        };
        let state = self.stream(stream)?;
        Ok(state.and_then(|doc| match facts(stream, &doc.state) {
            Facts::Thing(_, Belongs::To(place)) => Some(place),
            Facts::Thing(_, Belongs::With(_)) | Facts::Person(_) | Facts::Other => None,
        }))
    }
}
