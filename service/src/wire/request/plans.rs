//! Requests about plans.

use planledger_core::domain::view::Viewer;
use planledger_core::ids::{PersonId, PlanId, TeamId, YearPlanId};
use uuid::Uuid;

use super::view::{AsOf, View, read_as_of, read_view};
use crate::wire::errors::Failure;
use crate::wire::fields::Fields;
use crate::wire::page::{Page, Scope, read_size};
use crate::wire::proto;

/// Reads `GetPlan`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn get_plan(request: &proto::GetPlanRequest) -> Result<View<PlanId>, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("plan_id", &request.plan_id);
        read_view(fields, id, request.viewer, request.at)
    })?)
}

/// Reads `GetCollectedView`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn get_collected_view(
    request: &proto::GetCollectedViewRequest,
) -> Result<View<PersonId>, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("student_id", &request.student_id);
        read_view(fields, id, request.viewer, request.at)
    })?)
}

/// A request for what differs in a plan between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The plan.
    pub plan: PlanId,
    /// The viewer: staff, the student, guardians or others.
    pub viewer: Viewer,
    /// The first moment.
    pub from: AsOf,
    /// The second moment; the present if `None`.
    pub to: Option<AsOf>,
}

/// Reads `DiffPlan`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn diff_plan(request: &proto::DiffPlanRequest) -> Result<Diff, Failure> {
    Ok(Fields::read(|fields| {
        let plan = fields.id("plan_id", &request.plan_id);
        let viewer = fields.choice("viewer", request.viewer);
        let from = fields.message("from", request.from, read_as_of);
        let to = fields.optional(request.to, |fields, to| {
            fields.within("to", |fields| read_as_of(fields, to))
        });
        Some(Diff {
            plan: plan?,
            viewer: viewer?,
            from: from?,
            to: to?,
        })
    })?)
}

/// The plans that a request lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFilter {
    /// Plans of this student.
    Student(PersonId),
    /// What this person owns.
    Owner(PersonId),
    /// Plans of this team's year plans.
    Team(TeamId),
    /// Plans of this year plan.
    YearPlan(YearPlanId),
}

/// Reads `ListPlans`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_plans(request: &proto::ListPlansRequest) -> Result<(PlanFilter, Page<Uuid>), Failure> {
    use proto::list_plans_request::Filter;
    let (filter, size) = Fields::read(|fields| {
        let filter = match &request.filter {
            Some(Filter::StudentId(id)) => fields.id("student_id", id).map(PlanFilter::Student),
            Some(Filter::OwnerId(id)) => fields.id("owner_id", id).map(PlanFilter::Owner),
            Some(Filter::TeamId(id)) => fields.id("team_id", id).map(PlanFilter::Team),
            Some(Filter::YearPlanId(id)) => fields.id("year_plan_id", id).map(PlanFilter::YearPlan),
            None => fields.missing("filter"),
        };
        let size = read_size(fields, request.page_size);
        Some((filter?, size?))
    })?;
    let (by, id) = match filter {
        PlanFilter::Student(id) => ("student", id.uuid()),
        PlanFilter::Owner(id) => ("owner", id.uuid()),
        PlanFilter::Team(id) => ("team", id.uuid()),
        PlanFilter::YearPlan(id) => ("year_plan", id.uuid()),
    };
    let scope = Scope::new("ListPlans", &[by.as_bytes(), id.as_bytes()]);
    Ok((filter, Page::new(scope, size, &request.page_token)?))
}

/// A request for a page of a plan's history. The cursor of a page is a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// The plan.
    pub plan: PlanId,
    /// Whether the newest events come first.
    pub newest_first: bool,
    /// The requested page.
    pub page: Page<u64>,
}

/// Reads `GetPlanHistory`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn get_plan_history(request: &proto::GetPlanHistoryRequest) -> Result<History, Failure> {
    let (plan, size) = Fields::read(|fields| {
        let plan: Option<PlanId> = fields.id("plan_id", &request.plan_id);
        let size = read_size(fields, request.page_size);
        Some((plan?, size?))
    })?;
    let order = [u8::from(request.newest_first)];
    let scope = Scope::new("GetPlanHistory", &[plan.as_bytes(), &order]);
    Ok(History {
        plan,
        newest_first: request.newest_first,
        page: Page::new(scope, size, &request.page_token)?,
    })
}
