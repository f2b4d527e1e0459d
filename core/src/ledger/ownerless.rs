//! Keeps the list of teams, year plans and plans without an owner who is still there. The list is
//! kept while events are folded. It depends on more than one stream: the team, year plan or plan
//! itself, its owner, and for a plan also the year plan, which names the institution.

use super::fold::Fold;
use crate::derived::{StoreError, Term};
use crate::domain::Aggregate;
use crate::ids::{InstitutionId, PersonId, StreamId};

/// What the state of a stream says about ownership.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facts {
    /// A team, year plan or plan: its owner, if it has one, and what says which institution it
    /// belongs to.
    Thing(Option<PersonId>, Belongs),
    /// A person, and whether the person has left.
    Person { departed: bool },
    /// The state says nothing about ownership.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Belongs {
    To(InstitutionId),
    With(StreamId),
}

fn facts(state: &Aggregate) -> Facts {
    match state {
        Aggregate::Team(team) => Facts::Thing(team.owner, Belongs::To(team.details.institution)),
        Aggregate::YearPlan(plan) => {
            Facts::Thing(Some(plan.owner), Belongs::To(plan.details.institution))
        }
        Aggregate::Plan(plan) => {
            Facts::Thing(Some(plan.owner), Belongs::With(plan.year_plan.into()))
        }
        Aggregate::Person(person) => Facts::Person {
            departed: person.departed.is_some(),
        },
        Aggregate::Institution(_)
        | Aggregate::SchoolYear(_)
        | Aggregate::Catalogue(_)
        | Aggregate::Ledger(_)
        | Aggregate::Recovery(_) => Facts::Other,
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
        let (was, now) = (was.map(facts), facts(now));
        if was == Some(now) {
            return Ok(());
        }
        match now {
            Facts::Thing(owner, belongs) => {
                if let Some(Facts::Thing(_, before)) = was
                    && before != belongs
                    && let Some(institution) = self.institution(before)?
                {
                    self.post(Term::Ownerless(institution), id, false)?;
                }
                let ownerless = match owner {
                    Some(owner) => self.has_left(owner)?,
                    None => true,
                };
                if let Some(institution) = self.institution(belongs)? {
                    self.post(Term::Ownerless(institution), id, ownerless)?;
                }
            }
            Facts::Person { departed } => {
                // A person without an earlier state has not left.
                if departed == (was == Some(Facts::Person { departed: true })) {
                    return Ok(());
                }
                for thing in self.list(Term::Owner(PersonId::from_uuid(id.id)))?.iter() {
                    let state = self.stream(*thing)?;
                    if let Some(Facts::Thing(_, belongs)) = state.map(|doc| facts(&doc.state))
                        && let Some(institution) = self.institution(belongs)?
                    {
                        self.post(Term::Ownerless(institution), *thing, departed)?;
                    }
                }
            }
            Facts::Other => {}
        }
        Ok(())
    }

    pub(super) fn has_left(&self, person: PersonId) -> Result<bool, StoreError> {
        let state = self.stream(person.into())?;
        Ok(state.is_some_and(|doc| facts(&doc.state) == Facts::Person { departed: true }))
    }

    fn institution(&self, belongs: Belongs) -> Result<Option<InstitutionId>, StoreError> {
        let stream = match belongs {
            Belongs::To(institution) => return Ok(Some(institution)),
            Belongs::With(stream) => stream,
        };
        let state = self.stream(stream)?;
        Ok(state.and_then(|doc| match facts(&doc.state) {
            Facts::Thing(_, Belongs::To(institution)) => Some(institution),
            Facts::Thing(_, Belongs::With(_)) | Facts::Person { .. } | Facts::Other => None,
        }))
    }
}
