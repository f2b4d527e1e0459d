//! Queries about plans.

use std::collections::BTreeMap;

use planledger_core::derived::Term;
use planledger_core::domain::plan::Plan;
use planledger_core::domain::view::{self, Change, CollectedView, PlanView};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{
    PersonId, PlanId, Position, Revision, StreamId, StreamKind, YearPlanId,
};
use planledger_core::ledger::{Ledger, ReadError, Reading, RecordedEvent};
use uuid::Uuid;

use super::api::moment;
use super::auth::{Access, PlansOf};
use super::gate::Gate;
use super::missing::missing;
use super::pages::{self, Items, Wanted};
use crate::wire::Failure;
use crate::wire::page::Page;
use crate::wire::request::{Diff, History, PlanFilter, View};

/// Reads a plan as the viewer sees it, with its revision.
pub(super) fn plan(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &View<PlanId>,
) -> Result<(Revision, PlanView), Failure> {
    gate.require(&Access::ReadPlan {
        plan: asked.id,
        viewer: asked.viewer,
        at: asked.at,
    })?;
    let view = view::plan_view(reading, asked.id, asked.viewer)?;
    let revision = revision(reading, asked.id)?;
    view.map(|view| (revision, view))
        .ok_or_else(|| missing(reading, Reason::PlanNotFound, "plan_id", asked.id))
}

/// Reads a page of the plans that a filter names.
pub(super) fn plans<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    filter: PlanFilter,
    page: &Page<Uuid>,
    show: impl Fn(PlanId, Revision, &Plan) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListPlans(match filter {
        PlanFilter::Student(id) => PlansOf::Student(id),
        PlanFilter::Owner(id) => PlansOf::Owner(id),
        PlanFilter::Team(id) => PlansOf::Team(id),
        PlanFilter::YearPlan(id) => PlansOf::YearPlan(id),
    }))?;
    let streams = match filter {
        PlanFilter::Student(student) => reading.find(Term::PlansOfStudent(student))?,
        PlanFilter::Owner(owner) => reading.find(Term::Owner(owner))?,
        PlanFilter::YearPlan(year_plan) => reading.find(Term::PlansOfYearPlan(year_plan))?,
        PlanFilter::Team(team) => {
            let mut plans = Vec::new();
            for year_plan in reading.find(Term::YearPlansOfTeam(team))?.iter() {
                let year_plan = YearPlanId::from_uuid(year_plan.id);
                plans.extend(
                    reading
                        .find(Term::PlansOfYearPlan(year_plan))?
                        .iter()
                        .copied(),
                );
            }
            plans.sort_unstable();
            plans.into()
        }
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::Plan,
        access: |id| Access::ReadPlanSummary(PlanId::from_uuid(id)),
    };
    pages::list(reading, &wanted, &streams, page, |id, revision, state| {
        let Aggregate::Plan(plan) = state else {
            return None;
        };
        Some(show(PlanId::from_uuid(id), revision, plan))
    })
}

/// Reads a page of a plan's events and one event more, which tells whether there is a next page.
/// Also returns the position of the ledger.
pub(super) fn history(
    ledger: &Ledger,
    gate: &Gate<'_>,
    asked: &History,
) -> Result<(Vec<RecordedEvent>, Position), Failure> {
    gate.require(&Access::ReadPlanHistory(asked.plan))?;
    let stream = StreamId::from(asked.plan);
    let position = ledger.position();
    let after = asked.page.after.map(Position::new);
    let wanted = asked.page.size + 1;
    let events = match asked.newest_first {
        true => ledger.history(stream, after, wanted),
        false => ledger.history_after(stream, after.unwrap_or_default(), wanted),
    };
    let events = events.map_err(Failure::of_reading)?;
    if events.is_empty() && after.is_none() {
        return Err(Failure::no_stream(Reason::PlanNotFound, "plan_id", stream));
    }
    Ok((events, position))
}

/// Reads all plans of a student as the viewer sees them, with the revision of each plan.
pub(super) fn collected(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &View<PersonId>,
) -> Result<(CollectedView, BTreeMap<PlanId, Revision>), Failure> {
    gate.require(&Access::ReadCollected {
        student: asked.id,
        viewer: asked.viewer,
        at: asked.at,
    })?;
    let plans = reading.plans_of(asked.id)?;
    let view = view::collected_view(reading, asked.id, &plans, asked.viewer)?;
    let mut revisions = BTreeMap::new();
    for plan in plans {
        revisions.insert(plan, revision(reading, plan)?);
    }
    view.map(|view| (view, revisions))
        .ok_or_else(|| missing(reading, Reason::PersonNotFound, "student_id", asked.id))
}

/// What differs in a plan between two moments.
pub(super) struct Difference {
    pub(super) changes: Vec<Change>,
    /// The position of the first moment.
    pub(super) from: Position,
    /// The position of the second moment.
    pub(super) to: Position,
}

/// Finds what differs in a plan between two moments.
pub(super) fn difference(
    ledger: &Ledger,
    gate: &Gate<'_>,
    asked: &Diff,
) -> Result<Difference, Failure> {
    gate.require(&Access::ComparePlan {
        plan: asked.plan,
        viewer: asked.viewer,
        from: asked.from,
        to: asked.to,
    })?;
    let view = |reading: &Reading<'_>| view::plan_view(reading, asked.plan, asked.viewer);
    let from = (moment(ledger, "from", asked.from)?, asked.from.day());
    let to = match asked.to {
        Some(to) => Some((moment(ledger, "to", to)?, to.day())),
        None => None,
    };
    let (was, from) = (ledger.read_on(from.0, from.1, view)).map_err(Failure::of_reading)?;
    let (is, to) = match to {
        None => ledger.read(view),
        Some((to, day)) => ledger.read_on(to, day, view),
    }
    .map_err(Failure::of_reading)?;
    if was.is_none() && is.is_none() {
        return Err(Failure::no_stream(
            Reason::PlanNotFound,
            "plan_id",
            asked.plan,
        ));
    }
    let changes = view::diff(was.as_ref(), is.as_ref());
    Ok(Difference { changes, from, to })
}

fn revision(reading: &Reading<'_>, plan: PlanId) -> Result<Revision, ReadError> {
    let found = reading.stream(plan)?;
    Ok(found.map(|(_, revision)| revision).unwrap_or_default())
}
