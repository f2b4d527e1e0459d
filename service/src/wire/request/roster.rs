//! Requests about persons, teams and year plans.

use planledger_core::domain::person::Role;
use planledger_core::ids::{InstitutionId, PersonId, StreamId, StreamKind, TeamId, YearPlanId};
use planledger_core::text::{CprContext, ExternalId, SourceName};
use uuid::Uuid;

use super::view::{View, read_view};
use crate::wire::choice::Choice;
use crate::wire::errors::Failure;
use crate::wire::fields::{Fields, ViolationReason};
use crate::wire::page::{Page, Scope, read_size};
use crate::wire::proto;

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

/// Reads `LookupPerson`: the source, if one is named, and the id.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn lookup_person(
    request: &proto::LookupPersonRequest,
) -> Result<(Option<SourceName>, ExternalId), Failure> {
    Ok(Fields::read(|fields| {
        let source = match request.source.as_str() {
            "" => Some(None),
            name => fields.text("source", name).map(Some),
        };
        let id = fields.in_context(CprContext::OrganisationId, |fields| {
            fields.text("id", &request.id)
        });
        Some((source?, id?))
    })?)
}

/// Reads `ListRosterMembers`.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn roster_members(request: &proto::ListRosterMembersRequest) -> Result<SourceName, Failure> {
    Ok(Fields::read(|fields| {
        fields.text("source", &request.source)
    })?)
}

/// Most persons and teams whose links one request asks for.
const MOST_LINKED: usize = 1_000;

/// Reads `ListRosterLinks`: the source, and the persons and teams.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn roster_links(
    request: &proto::ListRosterLinksRequest,
) -> Result<(SourceName, Vec<StreamId>), Failure> {
    Ok(Fields::read(|fields| {
        let source = fields.text("source", &request.source);
        let asked = request.streams.iter().collect();
        let streams = match request.streams.len() {
            0 => fields.missing("streams"),
            1..=MOST_LINKED => fields.list("streams", asked, |fields, stream: &String| {
                person_or_team(fields, stream)
            }),
            count => {
                let description = format!(
                    "has {count} items, but at most {MOST_LINKED} are allowed in one request"
                );
                fields.violate("streams", ViolationReason::OutOfRange, description);
                None
            }
        };
        Some((source?, streams?))
    })?)
}

fn person_or_team(fields: &mut Fields, stream: &str) -> Option<StreamId> {
    let stream: StreamId = fields.id("", stream)?;
    if matches!(stream.kind, StreamKind::Person | StreamKind::Team) {
        return Some(stream);
    }
    fields.violate(
        "",
        ViolationReason::MalformedId,
        "must name a person or a team",
    );
    None
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
