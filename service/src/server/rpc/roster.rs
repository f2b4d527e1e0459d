//! The roster service: reads institutions, school years, persons, teams and year plans.

use std::pin::Pin;

use planledger_proto::v1 as proto;
use planledger_proto::v1::roster_service_server::RosterService;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::server::api::{Api, Rpc};
use crate::server::links::links;
use crate::server::roster as queries;
use crate::wire::{self, request};

/// Most members of a source, or links of one of them, in one message.
const MEMBERS: usize = 1_000;

#[tonic::async_trait]
impl RosterService for Api {
    async fn get_institution(
        &self,
        request: Request<proto::GetInstitutionRequest>,
    ) -> Rpc<proto::GetInstitutionResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("institution_id", &request.institution_id)?;
        let (institution, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::institution(reading, gate, id, wire::institution)
            })
            .await?;
        Ok(Response::new(proto::GetInstitutionResponse {
            institution: Some(institution),
            position: position.get(),
        }))
    }

    async fn list_institutions(
        &self,
        request: Request<proto::ListInstitutionsRequest>,
    ) -> Rpc<proto::ListInstitutionsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = request::everything("ListInstitutions", request.page_size, &request.page_token)?;
        let ((institutions, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::institutions(reading, gate, &page, wire::institution)
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("school_year_id", &request.school_year_id)?;
        let (school_year, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::school_year(reading, gate, id, wire::school_year)
            })
            .await?;
        Ok(Response::new(proto::GetSchoolYearResponse {
            school_year: Some(school_year),
            position: position.get(),
        }))
    }

    async fn list_school_years(
        &self,
        request: Request<proto::ListSchoolYearsRequest>,
    ) -> Rpc<proto::ListSchoolYearsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = request::everything("ListSchoolYears", request.page_size, &request.page_token)?;
        let ((school_years, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::school_years(reading, gate, &page, wire::school_year)
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("person_id", &request.person_id)?;
        let ((person, children), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                let person = queries::person(reading, gate, id, wire::person)?;
                let children = queries::children(reading, gate, id, wire::child)?;
                Ok((person, children))
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let list = request::list_persons(&request)?;
        let ((persons, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::persons(reading, gate, &list, wire::person)
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("team_id", &request.team_id)?;
        let (team, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::team(reading, gate, id, wire::team)
            })
            .await?;
        Ok(Response::new(proto::GetTeamResponse {
            team: Some(team),
            position: position.get(),
        }))
    }

    async fn list_teams(
        &self,
        request: Request<proto::ListTeamsRequest>,
    ) -> Rpc<proto::ListTeamsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (filter, page) = request::list_teams(&request)?;
        let ((teams, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::teams(reading, gate, filter, &page, wire::team)
            })
            .await?;
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
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let view = request::get_year_plan(&request)?;
        let (year_plan, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::year_plan(reading, gate, &view, wire::year_plan)
            })
            .await?;
        Ok(Response::new(proto::GetYearPlanResponse {
            year_plan: Some(year_plan),
            position: position.get(),
        }))
    }

    async fn list_year_plans(
        &self,
        request: Request<proto::ListYearPlansRequest>,
    ) -> Rpc<proto::ListYearPlansResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (filter, page) = request::list_year_plans(&request)?;
        let ((year_plans, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::year_plans(reading, gate, filter, &page, wire::year_plan_summary)
            })
            .await?;
        Ok(Response::new(proto::ListYearPlansResponse {
            year_plans,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn lookup_person(
        &self,
        request: Request<proto::LookupPersonRequest>,
    ) -> Rpc<proto::LookupPersonResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (source, id) = request::lookup_person(&request)?;
        let (persons, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::lookup(reading, gate, source.as_ref(), &id, wire::person)
            })
            .await?;
        Ok(Response::new(proto::LookupPersonResponse {
            persons,
            position: position.get(),
        }))
    }

    async fn list_roster_sources(
        &self,
        request: Request<proto::ListRosterSourcesRequest>,
    ) -> Rpc<proto::ListRosterSourcesResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (size, token) = (request.page_size, &request.page_token);
        let page = request::everything("ListRosterSources", size, token)?;
        let ((sources, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::sources(reading, gate, &page, wire::roster_source)
            })
            .await?;
        Ok(Response::new(proto::ListRosterSourcesResponse {
            sources,
            next_page_token,
            position: position.get(),
        }))
    }

    type ListRosterMembersStream =
        Pin<Box<dyn Stream<Item = Result<proto::ListRosterMembersResponse, Status>> + Send>>;

    async fn list_roster_members(
        &self,
        request: Request<proto::ListRosterMembersRequest>,
    ) -> Rpc<Self::ListRosterMembersStream> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let source = request::roster_members(&request)?;
        let (members, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::members(reading, gate, &source, wire::roster_member)
            })
            .await?;
        let parts: Vec<_> = members.chunks(MEMBERS).map(<[_]>::to_vec).collect();
        let parts = parts.into_iter().map(move |members| {
            Ok(proto::ListRosterMembersResponse {
                members,
                position: position.get(),
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }

    type ListRosterLinksStream =
        Pin<Box<dyn Stream<Item = Result<proto::ListRosterLinksResponse, Status>> + Send>>;

    async fn list_roster_links(
        &self,
        request: Request<proto::ListRosterLinksRequest>,
    ) -> Rpc<Self::ListRosterLinksStream> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (source, streams) = request::roster_links(&request)?;
        let (found, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                let mut found = Vec::new();
                for stream in &streams {
                    let links = links(reading, gate, &source, *stream, wire::roster_link)?;
                    found.push((stream.to_string(), links));
                }
                Ok(found)
            })
            .await?;
        let parts = found.into_iter().flat_map(move |(stream, links)| {
            let parts: Vec<_> = links.chunks(MEMBERS).map(<[_]>::to_vec).collect();
            parts.into_iter().map(move |links| {
                Ok(proto::ListRosterLinksResponse {
                    stream: stream.clone(),
                    links,
                    position: position.get(),
                })
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }
}
