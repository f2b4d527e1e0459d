//! The plan service: reads plans.

use std::collections::BTreeMap;

use planledger_core::derived::Term;
use planledger_core::domain::view::{collected_view, diff, plan_view};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{PlanId, Position, Revision, StreamId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use planledger_proto::v1::plan_service_server::PlanService;
use planledger_proto::v1::{
    DiffPlanRequest, DiffPlanResponse, GetCollectedViewRequest, GetCollectedViewResponse,
    GetPlanHistoryRequest, GetPlanHistoryResponse, GetPlanRequest, GetPlanResponse,
    ListPlansRequest, ListPlansResponse,
};
use tonic::{Request, Response};
use uuid::Uuid;

use super::api::{Api, Rpc, moment};
use super::auth::{Access, PlansOf};
use super::pages::{self, Items};
use crate::wire::page::Page;
use crate::wire::request::PlanFilter;
use crate::wire::{self, Failure, request};

#[tonic::async_trait]
impl PlanService for Api {
    async fn get_plan(&self, request: Request<GetPlanRequest>) -> Rpc<GetPlanResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let asked = request::get_plan(&request)?;
        let viewer = asked.viewer;
        let of = PlansOf::Stream(asked.id.into());
        self.permit(&caller, Access::ReadPlans { of, viewer })?;
        let read = move |reading: &Reading<'_>| {
            let view = plan_view(reading, asked.id, viewer)?;
            let revision = revision(reading, asked.id)?;
            view.map(|view| wire::plan_view(revision, &view))
                .ok_or_else(|| Failure::no_stream(Reason::PlanNotFound, "plan_id", asked.id))
        };
        let (plan, position) = self.read_at(request.min_position, asked.at, read).await?;
        Ok(Response::new(GetPlanResponse {
            plan: Some(plan),
            position: position.get(),
        }))
    }

    async fn list_plans(&self, request: Request<ListPlansRequest>) -> Rpc<ListPlansResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let (filter, page) = request::list_plans(&request)?;
        let of = match filter {
            PlanFilter::Student(id) => PlansOf::Student(id),
            PlanFilter::Owner(id) => PlansOf::Stream(id.into()),
            PlanFilter::Team(id) => PlansOf::Stream(id.into()),
            PlanFilter::YearPlan(id) => PlansOf::Stream(id.into()),
        };
        self.permit(&caller, Access::ReadRecords(of))?;
        let read =
            move |reading: &Reading<'_>| list(reading, filter, &page).map_err(Failure::of_reading);
        let ((plans, next_page_token), position) = self.read(request.min_position, read).await?;
        Ok(Response::new(ListPlansResponse {
            plans,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_plan_history(
        &self,
        request: Request<GetPlanHistoryRequest>,
    ) -> Rpc<GetPlanHistoryResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let asked = request::get_plan_history(&request)?;
        let stream = StreamId::from(asked.plan);
        self.permit(&caller, Access::ReadRecords(PlansOf::Stream(stream)))?;
        self.reached(request.min_position).await?;
        let page = asked.page;
        let (events, position) = self
            .blocking(move |ledger| {
                let position = ledger.position();
                let after = page.after.map(Position::new);
                // Ask for one more than the page holds, to learn whether there is a next page.
                let events = match asked.newest_first {
                    true => ledger.history(stream, after, page.size + 1),
                    false => ledger.history_after(stream, after.unwrap_or_default(), page.size + 1),
                };
                let events = events.map_err(Failure::of_reading)?;
                if events.is_empty() && after.is_none() {
                    return Err(Failure::no_stream(Reason::PlanNotFound, "plan_id", stream));
                }
                Ok((events, position))
            })
            .await?;
        let more = events.len() > page.size;
        let events = events.into_iter().take(page.size);
        let events: Vec<_> = events.map(wire::event).collect();
        let next_page_token = match events.last() {
            Some(last) if more => page.next_token(last.position),
            Some(_) | None => String::new(),
        };
        Ok(Response::new(GetPlanHistoryResponse {
            events,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_collected_view(
        &self,
        request: Request<GetCollectedViewRequest>,
    ) -> Rpc<GetCollectedViewResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let asked = request::get_collected_view(&request)?;
        let viewer = asked.viewer;
        let of = PlansOf::Student(asked.id);
        self.permit(&caller, Access::ReadPlans { of, viewer })?;
        let read = move |reading: &Reading<'_>| {
            let plans = reading.plans_of(asked.id)?;
            let view = collected_view(reading, asked.id, &plans, viewer)?;
            let mut revisions = BTreeMap::new();
            for plan in plans {
                revisions.insert(plan, revision(reading, plan)?);
            }
            let revision_of = |plan| revisions.get(&plan).copied().unwrap_or_default();
            view.map(|view| wire::collected_view(&view, revision_of))
                .ok_or_else(|| Failure::no_stream(Reason::PersonNotFound, "student_id", asked.id))
        };
        let (view, position) = self.read_at(request.min_position, asked.at, read).await?;
        Ok(Response::new(GetCollectedViewResponse {
            view: Some(view),
            position: position.get(),
        }))
    }

    async fn diff_plan(&self, request: Request<DiffPlanRequest>) -> Rpc<DiffPlanResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let asked = request::diff_plan(&request)?;
        let viewer = asked.viewer;
        let of = PlansOf::Stream(asked.plan.into());
        self.permit(&caller, Access::ReadPlans { of, viewer })?;
        self.reached(request.min_position).await?;
        let answer = self
            .blocking(move |ledger| {
                let view = |reading: &Reading<'_>| plan_view(reading, asked.plan, viewer);
                let from = moment(ledger, "from", asked.from)?;
                let to = asked.to.map(|to| moment(ledger, "to", to)).transpose()?;
                let (was, from) = ledger.read_at(from, view).map_err(Failure::of_reading)?;
                let (is, to) = match to {
                    None => ledger.read(view),
                    Some(to) => ledger.read_at(to, view),
                }
                .map_err(Failure::of_reading)?;
                if was.is_none() && is.is_none() {
                    return Err(Failure::no_stream(
                        Reason::PlanNotFound,
                        "plan_id",
                        asked.plan,
                    ));
                }
                let changes = diff(was.as_ref(), is.as_ref());
                Ok(DiffPlanResponse {
                    changes: changes.iter().map(wire::plan_change).collect(),
                    from_position: from.get(),
                    to_position: to.get(),
                })
            })
            .await?;
        Ok(Response::new(answer))
    }
}

fn revision(reading: &Reading<'_>, plan: PlanId) -> Result<Revision, ReadError> {
    let found = reading.stream(plan)?;
    Ok(found.map(|(_, revision)| revision).unwrap_or_default())
}

fn list(
    reading: &Reading<'_>,
    filter: PlanFilter,
    page: &Page<Uuid>,
) -> Result<Items<planledger_proto::v1::PlanSummary>, ReadError> {
    let streams = match filter {
        PlanFilter::Student(student) => reading.find(Term::PlansOfStudent(student))?,
        PlanFilter::Owner(owner) => reading.find(Term::Owner(owner))?,
        PlanFilter::YearPlan(year_plan) => reading.find(Term::PlansOfYearPlan(year_plan))?,
        PlanFilter::Team(team) => {
            let mut plans = Vec::new();
            for year_plan in reading.find(Term::YearPlansOfTeam(team))?.iter() {
                let year_plan = planledger_core::ids::YearPlanId::from_uuid(year_plan.id);
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
    pages::list(
        reading,
        &streams,
        StreamKind::Plan,
        page,
        |id, revision, state| {
            let Aggregate::Plan(plan) = state else {
                return None;
            };
            Some(wire::summary(PlanId::from_uuid(id), revision, plan))
        },
    )
}
