//! The plan service: reads plans.

use planledger_proto::v1::plan_service_server::PlanService;
use planledger_proto::v1::{
    DiffPlanRequest, DiffPlanResponse, GetCollectedViewRequest, GetCollectedViewResponse,
    GetPlanHistoryRequest, GetPlanHistoryResponse, GetPlanRequest, GetPlanResponse,
    ListPlansRequest, ListPlansResponse,
};
use tonic::{Request, Response};

use crate::server::api::{Api, Rpc};
use crate::server::plans as queries;
use crate::wire::{self, request};

#[tonic::async_trait]
impl PlanService for Api {
    async fn get_plan(&self, request: Request<GetPlanRequest>) -> Rpc<GetPlanResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = request::get_plan(&request)?;
        let (min_position, at) = (request.min_position, asked.at);
        let (plan, position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                let (revision, view) = queries::plan(reading, gate, &asked)?;
                Ok(wire::plan_view(revision, &view))
            })
            .await?;
        Ok(Response::new(GetPlanResponse {
            plan: Some(plan),
            position: position.get(),
        }))
    }

    async fn list_plans(&self, request: Request<ListPlansRequest>) -> Rpc<ListPlansResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (filter, page) = request::list_plans(&request)?;
        let ((plans, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::plans(reading, gate, filter, &page, wire::summary)
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = request::get_plan_history(&request)?;
        self.reached(request.min_position).await?;
        let page = asked.page;
        let (events, position) = self
            .gated(&caller, move |ledger, gate| {
                queries::history(ledger, gate, &asked)
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = request::get_collected_view(&request)?;
        let (min_position, at) = (request.min_position, asked.at);
        let (view, position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                let (view, revisions) = queries::collected(reading, gate, &asked)?;
                let revision_of = |plan| revisions.get(&plan).copied().unwrap_or_default();
                Ok(wire::collected_view(&view, revision_of))
            })
            .await?;
        Ok(Response::new(GetCollectedViewResponse {
            view: Some(view),
            position: position.get(),
        }))
    }

    async fn diff_plan(&self, request: Request<DiffPlanRequest>) -> Rpc<DiffPlanResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = request::diff_plan(&request)?;
        self.reached(request.min_position).await?;
        let answer = self
            .gated(&caller, move |ledger, gate| {
                let found = queries::difference(ledger, gate, &asked)?;
                Ok(DiffPlanResponse {
                    changes: found.changes.iter().map(wire::plan_change).collect(),
                    from_position: found.from.get(),
                    to_position: found.to.get(),
                })
            })
            .await?;
        Ok(Response::new(answer))
    }
}
