//! The roster service: reads institutions, school years, persons, teams and year plans.

use std::sync::Arc;

use planledger_core::derived::Term;
use planledger_core::domain::view::year_plan_view;
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{
    InstitutionId, PersonId, Revision, SchoolYearId, StreamId, StreamKind, TeamId, YearPlanId,
};
use planledger_core::ledger::{ReadError, Reading};
use planledger_proto::v1 as proto;
use planledger_proto::v1::roster_service_server::RosterService;
use tonic::{Request, Response};

use super::api::{Api, Rpc};
use super::auth::Access;
use super::pages;
use crate::wire::request::{TeamFilter, YearPlanFilter};
use crate::wire::{self, Failure, request};

/// Reads one stream and turns it into its message. The answer is a failure if the stream does not
/// exist.
fn show<T>(
    reading: &Reading<'_>,
    id: impl Into<StreamId>,
    missing: (Reason, &str),
    show: impl FnOnce(Revision, &Aggregate) -> Option<T>,
) -> Result<T, Failure> {
    let id = id.into();
    let found: Option<(Arc<Aggregate>, Revision)> = reading.stream(id)?;
    let shown = found.and_then(|(state, revision)| show(revision, &state));
    shown.ok_or_else(|| Failure::no_stream(missing.0, missing.1, id))
}

fn institution(
    id: InstitutionId,
    revision: Revision,
    state: &Aggregate,
) -> Option<proto::Institution> {
    match state {
        Aggregate::Institution(state) => Some(wire::institution(id, revision, state)),
        _ => None,
    }
}

fn school_year(
    id: SchoolYearId,
    revision: Revision,
    state: &Aggregate,
) -> Option<proto::SchoolYear> {
    match state {
        Aggregate::SchoolYear(state) => Some(wire::school_year(id, revision, state)),
        _ => None,
    }
}

fn person(id: PersonId, revision: Revision, state: &Aggregate) -> Option<proto::Person> {
    match state {
        Aggregate::Person(state) => Some(wire::person(id, revision, state)),
        _ => None,
    }
}

fn team(id: TeamId, revision: Revision, state: &Aggregate) -> Option<proto::Team> {
    match state {
        Aggregate::Team(state) => Some(wire::team(id, revision, state)),
        _ => None,
    }
}

/// The children whose guardian this person is or was.
fn children(reading: &Reading<'_>, guardian: PersonId) -> Result<Vec<proto::Child>, ReadError> {
    let mut children = Vec::new();
    for stream in reading.find(Term::ChildrenOf(guardian))?.iter() {
        if let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::Person(child) = &*state
            && let Some(last_day) = child.guardians.get(&guardian)
        {
            children.push(wire::child(PersonId::from_uuid(stream.id), *last_day));
        }
    }
    Ok(children)
}

#[tonic::async_trait]
impl RosterService for Api {
    async fn get_institution(
        &self,
        request: Request<proto::GetInstitutionRequest>,
    ) -> Rpc<proto::GetInstitutionResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let id = request::id("institution_id", &request.institution_id)?;
        let missing = (Reason::InstitutionNotFound, "institution_id");
        let read = move |reading: &Reading<'_>| {
            show(reading, id, missing, |revision, state| {
                institution(id, revision, state)
            })
        };
        let (institution, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::GetInstitutionResponse {
            institution: Some(institution),
            position: position.get(),
        }))
    }

    async fn list_institutions(
        &self,
        request: Request<proto::ListInstitutionsRequest>,
    ) -> Rpc<proto::ListInstitutionsResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let page = request::everything("ListInstitutions", request.page_size, &request.page_token)?;
        let kind = StreamKind::Institution;
        let read = move |reading: &Reading<'_>| {
            let all = reading.find(Term::All(kind))?;
            pages::list(reading, &all, kind, &page, |id, revision, state| {
                institution(InstitutionId::from_uuid(id), revision, state)
            })
            .map_err(Failure::of_reading)
        };
        let ((institutions, next_page_token), position) =
            self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListInstitutionsResponse {
            institutions,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_school_year(
        &self,
        request: Request<proto::GetSchoolYearRequest>,
    ) -> Rpc<proto::GetSchoolYearResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let id = request::id("school_year_id", &request.school_year_id)?;
        let missing = (Reason::SchoolYearNotFound, "school_year_id");
        let read = move |reading: &Reading<'_>| {
            show(reading, id, missing, |revision, state| {
                school_year(id, revision, state)
            })
        };
        let (school_year, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::GetSchoolYearResponse {
            school_year: Some(school_year),
            position: position.get(),
        }))
    }

    async fn list_school_years(
        &self,
        request: Request<proto::ListSchoolYearsRequest>,
    ) -> Rpc<proto::ListSchoolYearsResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let page = request::everything("ListSchoolYears", request.page_size, &request.page_token)?;
        let kind = StreamKind::SchoolYear;
        let read = move |reading: &Reading<'_>| {
            let all = reading.find(Term::All(kind))?;
            pages::list(reading, &all, kind, &page, |id, revision, state| {
                school_year(SchoolYearId::from_uuid(id), revision, state)
            })
            .map_err(Failure::of_reading)
        };
        let ((school_years, next_page_token), position) =
            self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListSchoolYearsResponse {
            school_years,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_person(
        &self,
        request: Request<proto::GetPersonRequest>,
    ) -> Rpc<proto::GetPersonResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let id = request::id("person_id", &request.person_id)?;
        let missing = (Reason::PersonNotFound, "person_id");
        let read = move |reading: &Reading<'_>| {
            let shown = show(reading, id, missing, |revision, state| {
                person(id, revision, state)
            })?;
            let children = children(reading, id)?;
            Ok((shown, children))
        };
        let ((person, children), position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::GetPersonResponse {
            person: Some(person),
            children,
            position: position.get(),
        }))
    }

    async fn list_persons(
        &self,
        request: Request<proto::ListPersonsRequest>,
    ) -> Rpc<proto::ListPersonsResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let list = request::list_persons(&request)?;
        let read = move |reading: &Reading<'_>| {
            let kind = StreamKind::Person;
            let show = |id, revision, state: &Aggregate| {
                let Aggregate::Person(found) = state else {
                    return None;
                };
                let mut places = found.affiliations.iter();
                let wanted = places.any(|at| {
                    at.institution == list.institution
                        && list.role.is_none_or(|role| at.role == role)
                });
                wanted.then(|| wire::person(PersonId::from_uuid(id), revision, found))
            };
            pages::list_in_institution(reading, list.institution, kind, &list.page, show)
                .map_err(Failure::of_reading)
        };
        let ((persons, next_page_token), position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListPersonsResponse {
            persons,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_team(
        &self,
        request: Request<proto::GetTeamRequest>,
    ) -> Rpc<proto::GetTeamResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let id = request::id("team_id", &request.team_id)?;
        let missing = (Reason::TeamNotFound, "team_id");
        let read = move |reading: &Reading<'_>| {
            show(reading, id, missing, |revision, state| {
                team(id, revision, state)
            })
        };
        let (team, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::GetTeamResponse {
            team: Some(team),
            position: position.get(),
        }))
    }

    async fn list_teams(
        &self,
        request: Request<proto::ListTeamsRequest>,
    ) -> Rpc<proto::ListTeamsResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let (filter, page) = request::list_teams(&request)?;
        let read = move |reading: &Reading<'_>| {
            let kind = StreamKind::Team;
            let show =
                |id, revision, state: &Aggregate| team(TeamId::from_uuid(id), revision, state);
            let term = match filter {
                TeamFilter::Institution(institution) => {
                    return pages::list_in_institution(reading, institution, kind, &page, show)
                        .map_err(Failure::of_reading);
                }
                TeamFilter::Person(person) => Term::TeamsOf(person),
                TeamFilter::Owner(owner) => Term::Owner(owner),
            };
            let streams = reading.find(term)?;
            pages::list(reading, &streams, kind, &page, show).map_err(Failure::of_reading)
        };
        let ((teams, next_page_token), position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListTeamsResponse {
            teams,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_year_plan(
        &self,
        request: Request<proto::GetYearPlanRequest>,
    ) -> Rpc<proto::GetYearPlanResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let view = request::get_year_plan(&request)?;
        let read = move |reading: &Reading<'_>| {
            let revision = reading.stream(view.id)?.map(|(_, revision)| revision);
            let shown = year_plan_view(reading, view.id, view.viewer)?;
            let found = shown.zip(revision);
            let missing = (Reason::YearPlanNotFound, "year_plan_id");
            found
                .map(|(shown, revision)| wire::year_plan(view.id, revision, &shown.plan))
                .ok_or_else(|| Failure::no_stream(missing.0, missing.1, view.id))
        };
        let (year_plan, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::GetYearPlanResponse {
            year_plan: Some(year_plan),
            position: position.get(),
        }))
    }

    async fn list_year_plans(
        &self,
        request: Request<proto::ListYearPlansRequest>,
    ) -> Rpc<proto::ListYearPlansResponse> {
        self.allow(request.metadata(), Access::ReadRoster)?;
        let request = request.into_inner();
        let (filter, page) = request::list_year_plans(&request)?;
        let term = match filter {
            YearPlanFilter::Team(team) => Term::YearPlansOfTeam(team),
            YearPlanFilter::Owner(owner) => Term::Owner(owner),
        };
        let kind = StreamKind::YearPlan;
        let read = move |reading: &Reading<'_>| {
            let streams = reading.find(term)?;
            pages::list(reading, &streams, kind, &page, |id, revision, state| {
                let Aggregate::YearPlan(plan) = state else {
                    return None;
                };
                Some(wire::year_plan_summary(
                    YearPlanId::from_uuid(id),
                    revision,
                    plan,
                ))
            })
            .map_err(Failure::of_reading)
        };
        let ((year_plans, next_page_token), position) =
            self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListYearPlansResponse {
            year_plans,
            next_page_token,
            position: position.get(),
        }))
    }
}
