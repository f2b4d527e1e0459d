//! Reads plans from a server.

use clap::ValueEnum;
use planledger_core::ids::PlanId;
use planledger_proto::v1::list_plans_request::Filter;
use planledger_proto::v1::{
    Event, GetPlanHistoryRequest, GetPlanRequest, ListPlansRequest, PlanSummary, PlanView, Viewer,
    as_of,
};
use tonic::Code;

use super::super::error::CliError;
use super::super::moment::as_of;
use crate::client::Client;

const PAGE: i32 = 1_000;

/// Who looks at the plan.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Eyes {
    Staff,
    Student,
    Guardians,
    Others,
}

impl From<Eyes> for Viewer {
    fn from(eyes: Eyes) -> Self {
        match eyes {
            Eyes::Staff => Self::Staff,
            Eyes::Student => Self::Student,
            Eyes::Guardians => Self::Guardians,
            Eyes::Others => Self::Others,
        }
    }
}

/// Reads a plan as a viewer sees it, now or at a position; `None` if the viewer sees nothing.
pub(in crate::cli) async fn view_at(
    client: &Client,
    plan: PlanId,
    viewer: Viewer,
    position: Option<u64>,
) -> Result<Option<PlanView>, CliError> {
    let request = GetPlanRequest {
        plan_id: plan.to_string(),
        viewer: viewer.into(),
        min_position: 0,
        at: position.map(|position| as_of(as_of::Moment::Position(position))),
    };
    match client.plans().get_plan(request).await {
        Ok(response) => Ok(response.into_inner().plan),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// Reads all events of a plan, oldest first, and the position up to which they are complete.
pub(in crate::cli) async fn history(
    client: &Client,
    plan: PlanId,
) -> Result<(Vec<Event>, u64), CliError> {
    let mut events = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = GetPlanHistoryRequest {
            plan_id: plan.to_string(),
            page_size: PAGE,
            page_token,
            ..GetPlanHistoryRequest::default()
        };
        let page = client.plans().get_plan_history(request).await?.into_inner();
        events.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((events, page.position));
        }
    }
}

/// Reads all plans that match a filter, and the position of the last page.
pub(in crate::cli) async fn list(
    client: &Client,
    filter: Filter,
) -> Result<(Vec<PlanSummary>, u64), CliError> {
    let mut plans = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListPlansRequest {
            filter: Some(filter.clone()),
            page_size: PAGE,
            page_token,
            ..ListPlansRequest::default()
        };
        let page = client.plans().list_plans(request).await?.into_inner();
        plans.extend(page.plans);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((plans, page.position));
        }
    }
}
