//! Who could own something: who evaluates there most, and who shares the team. What the school's staff
//! should talk about, not a decision.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::school::{Ownable, RosterQueries};
use crate::domain::plan::Plan;
use crate::domain::{Actor, Aggregate};
use crate::ids::{InstitutionId, PersonId, StreamId, YearPlanId};
use crate::ledger::{ReadError, Reading};

/// Somebody who could own something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Who.
    pub person: PersonId,
    /// How many of the evaluations there are theirs.
    pub evaluations: u32,
    /// Whether they are on the team's staff.
    pub on_team: bool,
}

/// Who could own a team, year plan or plan, most suitable first: who evaluated most in the plans
/// there, then who is on the team's staff. Only staff who work at its institution and have not left,
/// and not the owner. Empty for what cannot be owned.
///
/// # Errors
/// [`ReadError`]
pub fn suggest(reading: &Reading<'_>, stream: StreamId) -> Result<Vec<Suggestion>, ReadError> {
    let school = RosterQueries { reading };
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
                for year_plan in self.year_plans_of(thing.team)? {
                    self.count_in(year_plan, &mut counts)?;
                }
            }
            Aggregate::Institution(_)
            | Aggregate::SchoolYear(_)
            | Aggregate::Person(_)
            | Aggregate::Catalogue(_)
            | Aggregate::Ledger(_)
            | Aggregate::Recovery(_) => {}
        }
        let staff = self.team(thing.team, |team| team.staff.clone())?;
        let staff = staff.unwrap_or_default();
        for person in staff.keys() {
            counts.entry(*person).or_insert(0);
        }
        let mut suggestions = Vec::new();
        for (person, evaluations) in counts {
            if Some(person) != thing.owner && self.can_own(person, thing.institution)? {
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

    /// Whether somebody is staff at an institution and has not left.
    pub(super) fn can_own(
        &self,
        person: PersonId,
        institution: InstitutionId,
    ) -> Result<bool, ReadError> {
        let can = self.person(person, |person| {
            person.departed.is_none() && person.works_at(institution)
        })?;
        Ok(can == Some(true))
    }
}

fn count(plan: &Plan, counts: &mut BTreeMap<PersonId, u32>) {
    for evaluation in &plan.evaluations {
        if let Actor::Person(person) = evaluation.actor {
            *counts.entry(person).or_insert(0) += 1;
        }
    }
}
