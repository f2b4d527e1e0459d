//! Who came before sources had names and is not in the first export of a source. No roster has ever
//! brought them under its name, so no comparison with what it brought names them.

use std::collections::HashSet;

use planledger_proto::v1::list_teams_request::Filter;
use planledger_proto::v1::{ListPersonsRequest, ListTeamsRequest};
use tonic::{Code, Status};
use uuid::Uuid;

use super::KnownInstitutions;
use crate::client::Client;

const PAGE: i32 = 1_000;

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unrecorded {
    /// Persons with a place at an institution.
    pub persons: u64,
    /// Teams that are open.
    pub classes: u64,
}

impl Unrecorded {
    /// Counts those of all institutions whom no source has brought and an export does not name. Who has
    /// left, and what is closed or deleted, is not counted.
    ///
    /// # Errors
    /// The status of a call that failed.
    pub async fn find(
        client: &Client,
        institutions: &KnownInstitutions,
        named: &HashSet<Uuid>,
    ) -> Result<Self, Status> {
        let is_named = |id: &str| Uuid::parse_str(id).is_ok_and(|id| named.contains(&id));
        let (mut persons, mut classes) = (HashSet::new(), 0);
        for institution in institutions.ids() {
            let mut request = ListPersonsRequest {
                institution_id: institution.to_owned(),
                page_size: PAGE,
                ..ListPersonsRequest::default()
            };
            while let Some(page) = seen(client.roster().list_persons(request.clone()).await)? {
                let found = page.persons.into_iter().filter(|person| {
                    let is_there = person.records.is_empty() && person.departure.is_none();
                    is_there && !is_named(&person.person_id)
                });
                persons.extend(found.map(|person| person.person_id));
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
            let mut request = ListTeamsRequest {
                filter: Some(Filter::InstitutionId(institution.to_owned())),
                page_size: PAGE,
                ..ListTeamsRequest::default()
            };
            while let Some(page) = seen(client.roster().list_teams(request.clone()).await)? {
                let found = page.teams.iter().filter(|team| {
                    let is_there = team.sources.is_empty() && !team.closed;
                    is_there && team.deletion.is_none() && !is_named(&team.team_id)
                });
                classes += found.count() as u64;
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(Self {
            persons: persons.len() as u64,
            classes,
        })
    }
}

/// An answer; `None` if the caller may not read it.
fn seen<T>(answer: Result<tonic::Response<T>, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::PermissionDenied => Ok(None),
        Err(status) => Err(status),
    }
}
