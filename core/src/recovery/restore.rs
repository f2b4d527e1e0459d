//! Works out which steps bring back what a restore names.

use std::collections::BTreeSet;

use super::proposal::{Proposed, Why, absent};
use super::request::{Restore, RestoreItem};
use super::school::RosterQueries;
use super::transfer::owner_step;
use crate::domain::recovery::Step;
use crate::domain::{Aggregate, Field, Reason, Refusal, RequestField, Stop, can_own};
use crate::ids::{PersonId, YearPlanId};
use crate::ledger::ReadError;

impl RosterQueries<'_, '_> {
    pub(super) fn restore(&self, request: &Restore) -> Result<Vec<Proposed>, Stop> {
        if let Some(person) = request.give_to {
            let field = Field::Request(RequestField::RestoreGiveTo);
            can_own(&self.world(), person, None, field)?;
        }
        let mut items = Vec::new();
        for item in &request.what {
            let from = items.len();
            self.bring_back(item, request.give_to, &mut items)?;
            let Some(successor) = request.give_to else {
                continue;
            };
            let back: Vec<_> = items.iter().skip(from).map(|item| item.stream).collect();
            let back: BTreeSet<_> = back.into_iter().collect();
            for stream in back {
                if let Some(thing) = self.thing(stream)?
                    && !matches!(&*thing.state, Aggregate::Plan(_))
                    && thing.owner != Some(successor)
                {
                    let fit = Stop::verdict(self.fit(successor, &thing, Why::Asked))?;
                    let step = fit.and_then(|(to, _)| owner_step(stream, &thing, to));
                    let why = Why::Asked;
                    items.push(Proposed { stream, step, why });
                }
            }
        }
        // The request may name the same item twice, or two items that have a part in common.
        let mut seen = BTreeSet::new();
        items.retain(|item| match &item.step {
            Ok(step) => seen.insert(format!("{step:?}")),
            Err(_) => true,
        });
        Ok(items)
    }

    fn bring_back(
        &self,
        item: &RestoreItem,
        give_to: Option<PersonId>,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let from = items.len();
        let (stream, why) = (item.stream(), Why::Asked);
        let mut add = |step| items.push(Proposed { stream, step, why });
        match *item {
            RestoreItem::Rebuild(ref request) => return self.rebuild(request, give_to, items),
            RestoreItem::Team {
                team,
                with_contents,
            } => {
                match self.team(team, |team| team.deleted.is_some())? {
                    Some(true) => add(Ok(Step::UndeleteTeam { team })),
                    Some(false) => {}
                    None => add(Err(absent(stream))),
                }
                if with_contents {
                    for year_plan in self.year_plans_of(team)? {
                        self.undelete_year_plan(year_plan, Why::BelongsTo(stream), true, items)?;
                    }
                }
            }
            RestoreItem::YearPlan {
                year_plan,
                with_contents,
            } => match self.year_plan(year_plan, |_| ())? {
                Some(()) => self.undelete_year_plan(year_plan, why, with_contents, items)?,
                None => add(Err(absent(stream))),
            },
            RestoreItem::Unit { year_plan, unit } => {
                add(Ok(Step::UndeleteUnit { year_plan, unit }))
            }
            RestoreItem::Plan { plan } => add(Ok(Step::RestorePlan { plan })),
            RestoreItem::Move { plan, to } => match self.plan(plan, |plan| plan.year_plan)? {
                Some(from) if from == to => {
                    let message = format!("plan {plan} already belongs to year plan {to}");
                    let refusal = Refusal::new(Reason::AlreadyThere, message);
                    add(Err(refusal.with("year_plan_id", to)));
                }
                Some(from) => add(Ok(Step::MovePlan { plan, from, to })),
                None => add(Err(absent(stream))),
            },
        }
        if items.len() == from {
            let message = format!("{stream} is not deleted");
            let step = Err(Refusal::new(Reason::NotDeleted, message));
            items.push(Proposed { stream, step, why });
        }
        Ok(())
    }

    fn undelete_year_plan(
        &self,
        year_plan: YearPlanId,
        why: Why,
        with_contents: bool,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let stream = year_plan.into();
        let found = self.year_plan(year_plan, |plan| {
            let units = plan.units.iter().filter(|unit| unit.deleted.is_some());
            let units: Vec<_> = units.map(|unit| unit.id).collect();
            (plan.deleted.is_some(), units)
        })?;
        let Some((deleted, units)) = found else {
            return Ok(());
        };
        if deleted {
            let step = Ok(Step::UndeleteYearPlan { year_plan });
            items.push(Proposed { stream, step, why });
        }
        for unit in units.into_iter().filter(|_| with_contents) {
            let step = Ok(Step::UndeleteUnit { year_plan, unit });
            let why = Why::BelongsTo(stream);
            items.push(Proposed { stream, step, why });
        }
        Ok(())
    }
}
