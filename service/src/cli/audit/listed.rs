//! Compares the people, groups and year plans that a server lists with the states that this program
//! folded from the server's events.

use std::collections::{HashMap, HashSet};

use planledger_core::ids::{InstitutionId, StreamId, StreamKind, YearPlanId};
use planledger_proto::v1::{
    self as proto, CatalogueItem, GetPersonRequest, GetYearPlanRequest, Institution,
    ListCatalogueItemsRequest, ListCataloguesRequest, ListInstitutionsRequest, ListPersonsRequest,
    ListPlansRequest, ListSchoolYearsRequest, ListTeamsRequest, Viewer, list_plans_request,
    list_teams_request,
};

use super::super::error::CliError;
use super::super::output;
use super::fold::Folded;
use crate::client::Client;
use crate::system::today;
use crate::wire::{self, Listed};

/// Number of items asked for on each page.
const PAGE: i32 = 1_000;

/// The result of a comparison.
#[derive(Default)]
pub(super) struct Compared {
    /// How many states and lists were compared.
    pub(super) count: u64,
    /// Streams whose state on the server differs from the state that the events give. Also streams
    /// for which a list of what belongs to them differs.
    pub(super) differing: Vec<StreamId>,
    /// The server's position when it had recorded more events, so that the rest could not be
    /// compared. `None` if everything was compared.
    pub(super) moved: Option<u64>,
    seen: HashSet<StreamId>,
    by_institution: HashMap<InstitutionId, HashSet<StreamId>>,
    by_year_plan: HashMap<YearPlanId, HashSet<String>>,
    position: u64,
}

/// Reads all pages of a list. Takes the client's call, the request, and the field of the answer
/// that holds the items.
macro_rules! each_page {
    ($compared:ident, $client:ident.$method:ident, $request:expr, $items:ident, $take:expr) => {{
        let mut request = $request;
        loop {
            let page = $client.$method(request.clone()).await?.into_inner();
            $compared.at(page.position)?;
            for item in page.$items {
                $take(item)?;
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
    }};
}

impl Compared {
    /// Compares everything except plans: `replay` compares those as each viewer sees them. The
    /// comparison stops when the server records something new.
    pub(super) async fn of(
        client: &Client,
        folded: &Folded,
        position: u64,
    ) -> Result<Self, CliError> {
        let mut compared = Self {
            position,
            by_institution: folded.by_institution(),
            by_year_plan: folded.by_year_plan(),
            ..Self::default()
        };
        match compared.all(client, folded).await {
            Err(failure) if compared.moved.is_none() => return Err(failure),
            Ok(()) | Err(_) => {}
        }
        compared.differing.sort_unstable();
        compared.differing.dedup();
        Ok(compared)
    }

    async fn all(&mut self, client: &Client, folded: &Folded) -> Result<(), CliError> {
        let bar = output::progress(folded.streams.len() as u64, "comparing");
        let institutions = self.lists(client, folded).await?;
        for institution in institutions {
            self.at_institution(client, folded, &institution).await?;
            bar.set_position(self.seen.len() as u64);
        }
        for stream in folded.streams.keys() {
            if !self.seen.contains(stream) {
                self.alone(client, folded, *stream).await?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Checks that an answer is about the position that was folded here. Lists always show the
    /// present, so an answer at another position ends the comparison.
    fn at(&mut self, position: u64) -> Result<(), CliError> {
        if position == self.position {
            return Ok(());
        }
        self.moved = Some(position);
        Err(CliError::Refused(format!(
            "the server's answer for position {position} is about another stream"
        )))
    }

    fn note(&mut self, stream: StreamId, same: bool) {
        self.count += 1;
        self.seen.insert(stream);
        if !same {
            self.differing.push(stream);
        }
    }

    /// Compares one listed state and returns its stream.
    fn listed<T: Listed>(&mut self, folded: &Folded, there: &T) -> Result<StreamId, CliError> {
        let stream = stream_of(there)?;
        self.note(stream, folded.state(stream).as_ref() == Some(there));
        Ok(stream)
    }

    /// Compares institutions, school years and catalogues. Returns the institutions.
    async fn lists(
        &mut self,
        client: &Client,
        folded: &Folded,
    ) -> Result<Vec<Institution>, CliError> {
        let mut institutions = Vec::new();
        let mut roster = client.roster();
        each_page!(
            self,
            roster.list_institutions,
            ListInstitutionsRequest {
                page_size: PAGE,
                ..ListInstitutionsRequest::default()
            },
            institutions,
            |item: proto::Institution| -> Result<(), CliError> {
                self.listed(folded, &item)?;
                institutions.push(item);
                Ok(())
            }
        );
        let mut roster = client.roster();
        each_page!(
            self,
            roster.list_school_years,
            ListSchoolYearsRequest {
                page_size: PAGE,
                ..ListSchoolYearsRequest::default()
            },
            school_years,
            |item: proto::SchoolYear| self.listed(folded, &item).map(drop)
        );
        let mut found = Vec::new();
        let mut catalogues = client.catalogues();
        each_page!(
            self,
            catalogues.list_catalogues,
            ListCataloguesRequest {
                page_size: PAGE,
                ..ListCataloguesRequest::default()
            },
            catalogues,
            |item: proto::Catalogue| -> Result<(), CliError> {
                found.push(self.listed(folded, &item)?);
                Ok(())
            }
        );
        for stream in found {
            let request = ListCatalogueItemsRequest {
                catalogue_id: stream.id.to_string(),
                page_size: PAGE,
                ..ListCatalogueItemsRequest::default()
            };
            let mut there: Vec<CatalogueItem> = Vec::new();
            let mut catalogues = client.catalogues();
            each_page!(
                self,
                catalogues.list_catalogue_items,
                request,
                items,
                |item: CatalogueItem| -> Result<(), CliError> {
                    there.push(item);
                    Ok(())
                }
            );
            let here = folded.look(stream, |_, state| wire::catalogue_items(state));
            self.note(stream, here == Some(there));
        }
        Ok(institutions)
    }

    /// Compares each person and team of an institution, and checks that the server lists all of
    /// them.
    async fn at_institution(
        &mut self,
        client: &Client,
        folded: &Folded,
        institution: &Institution,
    ) -> Result<(), CliError> {
        let request = ListPersonsRequest {
            institution_id: institution.institution_id.clone(),
            page_size: PAGE,
            ..ListPersonsRequest::default()
        };
        let mut listed = HashSet::new();
        let mut roster = client.roster();
        each_page!(
            self,
            roster.list_persons,
            request,
            persons,
            |item: proto::Person| -> Result<(), CliError> {
                listed.insert(self.listed(folded, &item)?);
                Ok(())
            }
        );
        let filter = list_teams_request::Filter::InstitutionId(institution.institution_id.clone());
        let request = ListTeamsRequest {
            filter: Some(filter),
            page_size: PAGE,
            ..ListTeamsRequest::default()
        };
        let mut roster = client.roster();
        each_page!(
            self,
            roster.list_teams,
            request,
            teams,
            |item: proto::Team| -> Result<(), CliError> {
                listed.insert(self.listed(folded, &item)?);
                Ok(())
            }
        );
        let of = stream_of(institution)?;
        let id = InstitutionId::from_uuid(of.id);
        let belongs = self.by_institution.remove(&id).unwrap_or_default();
        let same = belongs == listed;
        self.note(of, same);
        Ok(())
    }

    /// Compares a stream that no list has shown so far.
    async fn alone(
        &mut self,
        client: &Client,
        folded: &Folded,
        stream: StreamId,
    ) -> Result<(), CliError> {
        match stream.kind {
            StreamKind::YearPlan => self.year_plan(client, folded, stream).await,
            // This person belongs to no institution. All other persons were listed.
            StreamKind::Person => {
                let request = GetPersonRequest {
                    person_id: stream.id.to_string(),
                    ..GetPersonRequest::default()
                };
                let answer = client.roster().get_person(request).await?.into_inner();
                self.at(answer.position)?;
                let here: Option<proto::Person> = folded.state(stream);
                self.note(stream, here == answer.person);
                Ok(())
            }
            // `replay` compares plans as each viewer sees them. Streams of the ledger itself, of
            // recoveries and of sources have no other state to compare with their events.
            StreamKind::Plan
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::System
            | StreamKind::Grants
            | StreamKind::Erasure => Ok(()),
            // The server should have listed this stream.
            StreamKind::Institution
            | StreamKind::SchoolYear
            | StreamKind::Team
            | StreamKind::Catalogue => {
                self.note(stream, false);
                Ok(())
            }
        }
    }

    /// Compares a year plan, and the list of plans that are attached to it.
    async fn year_plan(
        &mut self,
        client: &Client,
        folded: &Folded,
        stream: StreamId,
    ) -> Result<(), CliError> {
        let year_plan = YearPlanId::from_uuid(stream.id);
        let request = GetYearPlanRequest {
            year_plan_id: year_plan.to_string(),
            viewer: Viewer::Staff.into(),
            min_position: 0,
        };
        let answer = client.roster().get_year_plan(request).await?.into_inner();
        self.at(answer.position)?;
        let here = folded.year_plan(year_plan, wire::year_plan)?;
        self.note(stream, here == answer.year_plan);
        let request = ListPlansRequest {
            filter: Some(list_plans_request::Filter::YearPlanId(
                year_plan.to_string(),
            )),
            page_size: PAGE,
            ..ListPlansRequest::default()
        };
        let mut listed = HashSet::new();
        let mut plans = client.plans();
        each_page!(
            self,
            plans.list_plans,
            request,
            plans,
            |item: proto::PlanSummary| -> Result<(), CliError> {
                listed.insert(item.plan_id);
                Ok(())
            }
        );
        let hang = self.by_year_plan.remove(&year_plan).unwrap_or_default();
        let same = hang == listed;
        self.note(stream, same);
        Ok(())
    }
}

/// The stream that the server says a listed state belongs to.
fn stream_of<T: Listed>(there: &T) -> Result<StreamId, CliError> {
    let unreadable = |_| {
        CliError::Refused(format!(
            "the server sent an id that is not valid: {}",
            there.id()
        ))
    };
    there.stream().map_err(unreadable)
}

impl Folded {
    /// The state that the server should list for a stream.
    fn state<T: Listed>(&self, stream: StreamId) -> Option<T> {
        self.look(stream, |revision, state| {
            T::of(stream, revision, state, today())
        })
    }
}
