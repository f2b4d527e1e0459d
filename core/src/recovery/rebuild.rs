//! Creates a new year plan from what the plans of an old one hold.

use std::collections::BTreeSet;

use uuid::Builder;

use super::proposal::{Proposed, Why, absent};
use super::request::Rebuild;
use super::school::RosterQueries;
use crate::domain::plan::UnitRef;
use crate::domain::recovery::Step;
use crate::ids::{GoalId, PersonId, PlanId, StreamId, UnitId, YearPlanId};
use crate::ledger::ReadError;

const ID_CONTEXT: &str = "planledger v1 2026-11-25 copied id";

impl RosterQueries<'_, '_> {
    /// Proposes the steps: create the year plan, copy every unit that a plan includes, and move the
    /// plans to the new year plan. Withdrawn plans stay where they are. A plan whose owner has left
    /// goes to `give_to`, too.
    pub(super) fn rebuild(
        &self,
        request: &Rebuild,
        give_to: Option<PersonId>,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let (like, year_plan) = (request.from, request.year_plan);
        let mut add = |stream: StreamId, step, why| items.push(Proposed { stream, step, why });
        let old = self.year_plan(like, |plan| (plan.details.clone(), plan.owner))?;
        let Some((mut details, owner)) = old else {
            add(year_plan.into(), Err(absent(like.into())), Why::Asked);
            return Ok(());
        };
        if let Some(title) = &request.title {
            details.title = title.clone();
        }
        details.team = request.team.unwrap_or(details.team);
        details.institution = request.institution.unwrap_or(details.institution);
        let place = details.place();
        let owner = request.owner.or(give_to).unwrap_or(owner);
        let create = Step::CreateYearPlan {
            year_plan,
            like,
            details,
            owner,
        };
        add(year_plan.into(), Ok(create), Why::Asked);
        let plans = self.plans_in_use_on(like)?;
        for from in self.units_in(&plans)? {
            let goals = self.year_plan(from.year_plan, |source| {
                let unit = source.unit(from.unit);
                let goals = unit.map(|unit| unit.goals.as_slice()).unwrap_or_default();
                let in_use = goals.iter().filter(|goal| {
                    let goal = source.goals.get(*goal);
                    goal.is_some_and(|goal| !goal.retired)
                });
                in_use
                    .map(|goal| {
                        let copy = copied(year_plan, b"goal", goal.as_bytes());
                        (*goal, GoalId::from_bytes(copy))
                    })
                    .collect()
            })?;
            let copy = Step::CopyUnit {
                year_plan,
                unit: UnitId::from_bytes(copied(year_plan, b"unit", from.unit.as_bytes())),
                from,
                goals: goals.unwrap_or_default(),
            };
            add(year_plan.into(), Ok(copy), Why::BelongsTo(like.into()));
        }
        for plan in plans {
            let step = Step::MovePlan {
                plan,
                from: like,
                to: year_plan,
            };
            add(plan.into(), Ok(step), Why::BelongsTo(like.into()));
            if let Some(to) = give_to
                && let Some(from) = self.plan(plan, |plan| plan.owner)?
                && from != to
                && self.has_no_owner(Some(from), place)?
            {
                add(
                    plan.into(),
                    Ok(Step::PlanOwner { plan, from, to }),
                    Why::BelongsTo(year_plan.into()),
                );
            }
        }
        Ok(())
    }

    fn plans_in_use_on(&self, year_plan: YearPlanId) -> Result<Vec<PlanId>, ReadError> {
        let mut plans = Vec::new();
        for plan in self.plans_on(year_plan)? {
            if self.plan(plan, |plan| plan.withdrawn)? == Some(false) {
                plans.push(plan);
            }
        }
        Ok(plans)
    }

    /// The units that at least one of the plans includes, sorted by year plan, and in the year
    /// plan's own order.
    fn units_in(&self, plans: &[PlanId]) -> Result<Vec<UnitRef>, ReadError> {
        let mut included = BTreeSet::new();
        for plan in plans {
            let units = self.plan(*plan, |plan| plan.units.clone())?;
            included.extend(units.unwrap_or_default());
        }
        let year_plans: BTreeSet<_> = included.iter().map(|unit| unit.year_plan).collect();
        let mut ordered = Vec::new();
        for year_plan in year_plans {
            let units = self.year_plan(year_plan, |plan| {
                let units = plan.units.iter().map(|unit| unit.id);
                let units = units.map(|unit| UnitRef { year_plan, unit });
                units
                    .filter(|unit| included.contains(unit))
                    .collect::<Vec<_>>()
            })?;
            ordered.extend(units.unwrap_or_default());
        }
        Ok(ordered)
    }
}

/// The id of a copy. The same original always gives the same id, so that the dry run and the
/// recovery agree.
fn copied(year_plan: YearPlanId, what: &[u8], id: &[u8; 16]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(ID_CONTEXT);
    hasher.update(year_plan.as_bytes()).update(id).update(what);
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    Builder::from_custom_bytes(bytes).into_uuid().into_bytes()
}
