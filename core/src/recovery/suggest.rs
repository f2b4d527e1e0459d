//! Suggests who could become the owner: people who evaluate most in its plans, and people on the
//! team's staff. The school's staff should discuss the suggestions; they are not a decision.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::school::{Ownable, RosterQueries};
use crate::domain::plan::Plan;
use crate::domain::year_plan::Place;
use crate::domain::{Actor, Aggregate, Field, Stop, can_own};
use crate::ids::{PersonId, StreamId, YearPlanId};
use crate::ledger::{ReadError, Reading};

/// A person who could become the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The person.
    pub person: PersonId,
    /// How many evaluations this person made in the plans.
    pub evaluations: u32,
    /// Whether this person is on the team's staff.
    pub on_team: bool,
}

/// Suggests new owners for a team, year plan or plan, the most suitable first: people with the most
/// evaluations in its plans, then people on the team's staff. The rules allow every suggested person
/// as the owner: the person is on the team's staff or works at the institution, has not left and is
/// not the owner. The list is empty for a stream that cannot have
/// an owner.
///
/// # Errors
/// [`ReadError`]
pub fn suggest(reading: &Reading<'_>, stream: StreamId) -> Result<Vec<Suggestion>, ReadError> {
    let school = RosterQueries::new(reading);
    match school.thing(stream)? {
        Some(thing) => school.suggestions(stream, &thing),
        None => Ok(Vec::new()),
    }
}

impl RosterQueries<'_, '_> {
    pub(super) fn suggestions(
        &self,
        stream: StreamId,
        thing: &Ownable,
    ) -> Result<Vec<Suggestion>, ReadError> {
        let mut counts = BTreeMap::new();
        match &*thing.state {
            Aggregate::Plan(plan) => count(plan, &mut counts),
            Aggregate::YearPlan(_) => {
                self.count_in(YearPlanId::from_uuid(stream.id), &mut counts)?;
            }
            Aggregate::Team(_) => {
                for year_plan in self.year_plans_of(thing.place.team)? {
                    self.count_in(year_plan, &mut counts)?;
                }
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
            | Aggregate::Erasure(_) => {}
        }
        let staff = self.team(thing.place.team, |team| team.staff.clone())?;
        let staff = staff.unwrap_or_default();
        for person in staff.keys() {
            counts.entry(*person).or_insert(0);
        }
        let mut suggestions = Vec::new();
        for (person, evaluations) in counts {
            if Some(person) != thing.owner && self.can_own(person, thing.place)? {
                suggestions.push(Suggestion {
                    person,
                    evaluations,
                    on_team: staff.contains_key(&person),
                });
            }
        }
        suggestions.sort_by_key(|found| {
            let Suggestion {
                person,
                evaluations,
                on_team,
            } = *found;
            (Reverse(evaluations), Reverse(on_team), person)
        });
        Ok(suggestions)
    }

    fn count_in(
        &self,
        year_plan: YearPlanId,
        counts: &mut BTreeMap<PersonId, u32>,
    ) -> Result<(), ReadError> {
        for plan in self.plans_on(year_plan)? {
            self.plan(plan, |plan| count(plan, counts))?;
        }
        Ok(())
    }

    /// Whether the rules allow a person as the next owner of something there.
    fn can_own(&self, person: PersonId, place: Place) -> Result<bool, ReadError> {
        let verdict = can_own(&self.world(), person, Some(place), Field::NewOwner);
        Ok(Stop::verdict(verdict)?.is_ok())
    }
}

fn count(plan: &Plan, counts: &mut BTreeMap<PersonId, u32>) {
    for evaluation in &plan.evaluations {
        if let Actor::Person(person) = evaluation.actor {
            *counts.entry(person).or_insert(0) += 1;
        }
    }
}
