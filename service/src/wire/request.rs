//! Reads and checks the requests of queries. Each method has a function, which returns the request
//! in the library's types.

use std::str::FromStr;

use planledger_core::domain::EventType;
use planledger_core::domain::person::Role;
use planledger_core::domain::view::Viewer;
use planledger_core::ids::{
    CatalogueId, CatalogueItemId, IdError, InstitutionId, PersonId, PlanId, Position, TeamId,
    YearPlanId,
};
use planledger_core::ledger::EventFilter;
use planledger_core::time::Timestamp;
use uuid::Uuid;

use super::choice::Choice;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::instant::read_timestamp;
use super::page::{Page, Scope, read_size};
use super::proto;

/// Most streams that an event filter may name.
const MAX_STREAMS: usize = 1_000;
/// Most event types that an event filter may name.
const MAX_TYPES: usize = 100;

/// A moment in the history of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Just after the event at this position.
    Position(Position),
    /// Just after the last event up to and including this instant.
    Instant(Timestamp),
}

/// A request to view one thing, such as a plan or all plans of a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<Id> {
    /// The id of what to view, such as a plan or student.
    pub id: Id,
    /// The viewer: staff, the student, guardians or others.
    pub viewer: Viewer,
    /// The past moment to show; the present if `None`.
    pub at: Option<AsOf>,
}

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

fn read_view<Id>(
    fields: &mut Fields,
    id: Option<Id>,
    viewer: i32,
    at: Option<proto::AsOf>,
) -> Option<View<Id>> {
    let viewer = fields.choice("viewer", viewer);
    let at = fields.optional(at, |fields, at| {
        fields.within("at", |fields| read_as_of(fields, at))
    });
    Some(View {
        id: id?,
        viewer: viewer?,
        at: at?,
    })
}

pub(super) fn read_as_of(fields: &mut Fields, at: proto::AsOf) -> Option<AsOf> {
    match at.moment {
        Some(proto::as_of::Moment::Position(position)) => {
            Some(AsOf::Position(Position::new(position)))
        }
        Some(proto::as_of::Moment::Instant(instant)) => {
            let instant = read_timestamp(instant);
            if instant.is_none() {
                fields.violate(
                    "instant",
                    ViolationReason::OutOfRange,
                    "is not an instant from 1970 to 2554",
                );
            }
            instant.map(AsOf::Instant)
        }
        None => fields.missing("moment"),
    }
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

/// Reads the id in a request for one thing. `field` is the name of the id's field.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn id<Id: FromStr<Err = IdError>>(field: &str, value: &str) -> Result<Id, Failure> {
    Ok(Fields::read(|fields| fields.id(field, value))?)
}

/// Reads a request for a list without a filter.
///
/// # Errors
/// `REQUEST_INVALID`, or the errors of a page token.
pub fn everything(method: &str, size: i32, token: &str) -> Result<Page<Uuid>, Failure> {
    let size = Fields::read(|fields| read_size(fields, size))?;
    Page::new(Scope::new(method, &[]), size, token)
}

/// Reads how many items an answer may hold, for a list without page tokens.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn page_size(size: i32) -> Result<usize, Failure> {
    Ok(Fields::read(|fields| read_size(fields, size))?)
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

/// A request for a page of persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPersons {
    /// Of this institution.
    pub institution: InstitutionId,
    /// List only persons with this role at the institution; all persons if `None`.
    pub role: Option<Role>,
    /// The requested page.
    pub page: Page<Uuid>,
}

/// Reads `ListPersons`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_persons(request: &proto::ListPersonsRequest) -> Result<ListPersons, Failure> {
    let (institution, role, size) = Fields::read(|fields| {
        let institution: Option<InstitutionId> =
            fields.id("institution_id", &request.institution_id);
        let role: Option<Option<Role>> =
            fields.optional(request.role, |fields, role| fields.choice("role", role));
        let size = read_size(fields, request.page_size);
        Some((institution?, role?, size?))
    })?;
    let number = role.map_or(0, Choice::number).to_be_bytes();
    let scope = Scope::new("ListPersons", &[institution.as_bytes(), &number]);
    Ok(ListPersons {
        institution,
        role,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

/// The teams that a request lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamFilter {
    /// Of this institution.
    Institution(InstitutionId),
    /// Teams in which this person is a student or a member of staff.
    Person(PersonId),
    /// What this person owns.
    Owner(PersonId),
}

/// Reads `ListTeams`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_teams(request: &proto::ListTeamsRequest) -> Result<(TeamFilter, Page<Uuid>), Failure> {
    use proto::list_teams_request::Filter;
    let (filter, size) = Fields::read(|fields| {
        let filter = match &request.filter {
            Some(Filter::InstitutionId(id)) => {
                fields.id("institution_id", id).map(TeamFilter::Institution)
            }
            Some(Filter::PersonId(id)) => fields.id("person_id", id).map(TeamFilter::Person),
            Some(Filter::OwnerId(id)) => fields.id("owner_id", id).map(TeamFilter::Owner),
            None => fields.missing("filter"),
        };
        let size = read_size(fields, request.page_size);
        Some((filter?, size?))
    })?;
    let (by, id) = match filter {
        TeamFilter::Institution(id) => ("institution", id.uuid()),
        TeamFilter::Person(id) => ("person", id.uuid()),
        TeamFilter::Owner(id) => ("owner", id.uuid()),
    };
    let scope = Scope::new("ListTeams", &[by.as_bytes(), id.as_bytes()]);
    Ok((filter, Page::new(scope, size, &request.page_token)?))
}

/// Reads `GetYearPlan`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn get_year_plan(request: &proto::GetYearPlanRequest) -> Result<View<YearPlanId>, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("year_plan_id", &request.year_plan_id);
        read_view(fields, id, request.viewer, None)
    })?)
}

/// The year plans that a request lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YearPlanFilter {
    /// Year plans of this team.
    Team(TeamId),
    /// What this person owns.
    Owner(PersonId),
}

/// Reads `ListYearPlans`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_year_plans(
    request: &proto::ListYearPlansRequest,
) -> Result<(YearPlanFilter, Page<Uuid>), Failure> {
    use proto::list_year_plans_request::Filter;
    let (filter, size) = Fields::read(|fields| {
        let filter = match &request.filter {
            Some(Filter::TeamId(id)) => fields.id("team_id", id).map(YearPlanFilter::Team),
            Some(Filter::OwnerId(id)) => fields.id("owner_id", id).map(YearPlanFilter::Owner),
            None => fields.missing("filter"),
        };
        let size = read_size(fields, request.page_size);
        Some((filter?, size?))
    })?;
    let (by, id) = match filter {
        YearPlanFilter::Team(id) => ("team", id.uuid()),
        YearPlanFilter::Owner(id) => ("owner", id.uuid()),
    };
    let scope = Scope::new("ListYearPlans", &[by.as_bytes(), id.as_bytes()]);
    Ok((filter, Page::new(scope, size, &request.page_token)?))
}

/// Reads `GetCatalogueItem`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn get_catalogue_item(
    request: &proto::GetCatalogueItemRequest,
) -> Result<(CatalogueId, CatalogueItemId), Failure> {
    Ok(Fields::read(|fields| {
        let catalogue = fields.id("catalogue_id", &request.catalogue_id);
        let item = fields.id("item_id", &request.item_id);
        Some((catalogue?, item?))
    })?)
}

/// A request for a page of items of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCatalogueItems {
    /// The catalogue.
    pub catalogue: CatalogueId,
    /// List only items that are part of this item; all items if `None`.
    pub parent: Option<CatalogueItemId>,
    /// The requested page.
    pub page: Page<Uuid>,
}

/// Reads `ListCatalogueItems`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_catalogue_items(
    request: &proto::ListCatalogueItemsRequest,
) -> Result<ListCatalogueItems, Failure> {
    let (catalogue, parent, size) = Fields::read(|fields| {
        let catalogue: Option<CatalogueId> = fields.id("catalogue_id", &request.catalogue_id);
        let parent: Option<Option<CatalogueItemId>> =
            fields.optional_id("parent_id", request.parent_id.as_deref());
        let size = read_size(fields, request.page_size);
        Some((catalogue?, parent?, size?))
    })?;
    let parent_bytes = parent.map_or(Uuid::nil(), |parent| parent.uuid());
    let filter = [catalogue.as_bytes().as_slice(), parent_bytes.as_bytes()];
    let scope = Scope::new("ListCatalogueItems", &filter);
    Ok(ListCatalogueItems {
        catalogue,
        parent,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

/// Reads the filter of `ReadEvents` and `FollowEvents`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn event_filter(filter: Option<proto::EventFilter>) -> Result<EventFilter, Failure> {
    let Some(filter) = filter else {
        return Ok(EventFilter::default());
    };
    Ok(Fields::read(|fields| {
        fields.within("filter", |fields| read_event_filter(fields, filter))
    })?)
}

fn read_event_filter(fields: &mut Fields, filter: proto::EventFilter) -> Option<EventFilter> {
    let enough = at_most(fields, "streams", filter.streams.len(), MAX_STREAMS);
    let streams = fields.list("streams", filter.streams, |fields, stream| {
        fields.id("", &stream)
    });
    let few = at_most(fields, "types", filter.types.len(), MAX_TYPES);
    let types = fields.list("types", filter.types, |fields, name| {
        let known = EventType::from_name(&name);
        if known.is_none() {
            let description = "is a type that this server does not know";
            fields.violate("", ViolationReason::UnknownEnum, description);
        }
        known.map(|event_type| event_type.code)
    });
    let student = fields.optional_id("student_id", filter.student_id.as_deref());
    enough?;
    few?;
    Some(EventFilter {
        streams: streams?,
        types: types?,
        student: student?,
    })
}

fn at_most(fields: &mut Fields, name: &str, length: usize, limit: usize) -> Option<()> {
    if length <= limit {
        return Some(());
    }
    let description = format!("holds {length} values, at most {limit} are allowed");
    fields.violate(name, ViolationReason::OutOfRange, description);
    None
}
