//! Comparing what a server lists of people, groups and year plans with what was folded here.

use std::collections::{HashMap, HashSet};

use planledger_core::domain::Aggregate;
use planledger_core::domain::view::{Viewer, year_plan_view};
use planledger_core::ids::{
    CatalogueId, InstitutionId, PersonId, SchoolYearId, StreamId, StreamKind, TeamId, YearPlanId,
};
use planledger_proto::v1::{
    CatalogueItem, GetPersonRequest, GetYearPlanRequest, Institution, ListCatalogueItemsRequest,
    ListCataloguesRequest, ListInstitutionsRequest, ListPersonsRequest, ListPlansRequest,
    ListSchoolYearsRequest, ListTeamsRequest, list_plans_request, list_teams_request,
};

use super::super::{Failure, output};
use super::replay::Folded;
use crate::client::Client;
use crate::wire;

/// Items on a page.
const PAGE: i32 = 1_000;

/// What came of it.
#[derive(Default)]
pub(super) struct Compared {
    /// States and lists that were compared.
    pub(super) count: u64,
    /// Streams whose state, or a list of what belongs to them, is not what the events lead to.
    pub(super) differing: Vec<StreamId>,
    seen: HashSet<StreamId>,
    by_institution: HashMap<InstitutionId, HashSet<StreamId>>,
    by_year_plan: HashMap<YearPlanId, HashSet<String>>,
    position: u64,
}

/// All pages of a list; the request's type, its call, and the field with the items.
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
    /// Compares everything but plans, which are compared as each viewer sees them. The server must
    /// still be at the position that was read up to.
    pub(super) async fn of(
        client: &Client,
        folded: &Folded,
        position: u64,
    ) -> Result<Self, Failure> {
        let mut compared = Self {
            position,
            by_institution: folded.by_institution(),
            by_year_plan: folded.by_year_plan(),
            ..Self::default()
        };
        let bar = output::progress(folded.streams.len() as u64, "comparing");
        let institutions = compared.lists(client, folded).await?;
        for institution in institutions {
            compared
                .at_institution(client, folded, &institution)
                .await?;
            bar.set_position(compared.seen.len() as u64);
        }
        let streams: Vec<_> = folded.streams.keys().copied().collect();
        for stream in streams {
            if !compared.seen.contains(&stream) {
                compared.alone(client, folded, stream).await?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        compared.differing.sort_unstable();
        compared.differing.dedup();
        Ok(compared)
    }

    /// An answer of another position is about something else.
    fn at(&self, position: u64) -> Result<(), Failure> {
        match position == self.position {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "something was recorded while it was compared, at position {position}; run it again, \
                 or say --plan to compare one plan as of a position"
            ))),
        }
    }

    fn note(&mut self, stream: StreamId, same: bool) {
        self.count += 1;
        self.seen.insert(stream);
        if !same {
            self.differing.push(stream);
        }
    }

    /// Institutions, school years and catalogues; gives the institutions.
    async fn lists(
        &mut self,
        client: &Client,
        folded: &Folded,
    ) -> Result<Vec<Institution>, Failure> {
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
            |item: Institution| -> Result<(), Failure> {
                let stream = stream(StreamKind::Institution, &item.institution_id)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::Institution(found) => Some(wire::institution(
                        InstitutionId::from_uuid(stream.id),
                        revision,
                        found,
                    )),
                    _ => None,
                });
                self.note(stream, here.as_ref() == Some(&item));
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
            |item: planledger_proto::v1::SchoolYear| -> Result<(), Failure> {
                let stream = stream(StreamKind::SchoolYear, &item.school_year_id)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::SchoolYear(found) => Some(wire::school_year(
                        SchoolYearId::from_uuid(stream.id),
                        revision,
                        found,
                    )),
                    _ => None,
                });
                self.note(stream, here == Some(item));
                Ok(())
            }
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
            |item: planledger_proto::v1::Catalogue| -> Result<(), Failure> {
                let stream = stream(StreamKind::Catalogue, &item.catalogue_id)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::Catalogue(found) => Some(wire::catalogue(
                        CatalogueId::from_uuid(stream.id),
                        revision,
                        found,
                    )),
                    _ => None,
                });
                self.note(stream, here == Some(item));
                found.push(stream);
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
                |item: CatalogueItem| -> Result<(), Failure> {
                    there.push(item);
                    Ok(())
                }
            );
            let here = folded.look(stream, |state, _| match state {
                Aggregate::Catalogue(found) => {
                    let items = found.items.iter();
                    Some(
                        items
                            .map(|(id, item)| wire::catalogue_item(*id, item))
                            .collect(),
                    )
                }
                _ => None,
            });
            self.note(stream, here == Some(there));
        }
        Ok(institutions)
    }

    /// Persons and teams of an institution: each as it is, and that all of them are listed.
    async fn at_institution(
        &mut self,
        client: &Client,
        folded: &Folded,
        institution: &Institution,
    ) -> Result<(), Failure> {
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
            |item: planledger_proto::v1::Person| -> Result<(), Failure> {
                let stream = stream(StreamKind::Person, &item.person_id)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::Person(found) => Some(wire::person(
                        PersonId::from_uuid(stream.id),
                        revision,
                        found,
                    )),
                    _ => None,
                });
                self.note(stream, here == Some(item));
                listed.insert(stream);
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
            |item: planledger_proto::v1::Team| -> Result<(), Failure> {
                let stream = stream(StreamKind::Team, &item.team_id)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::Team(found) => {
                        Some(wire::team(TeamId::from_uuid(stream.id), revision, found))
                    }
                    _ => None,
                });
                self.note(stream, here == Some(item));
                listed.insert(stream);
                Ok(())
            }
        );
        let of = stream(StreamKind::Institution, &institution.institution_id)?;
        let id = InstitutionId::from_uuid(of.id);
        let belongs = self.by_institution.remove(&id).unwrap_or_default();
        let same = belongs == listed;
        self.note(of, same);
        Ok(())
    }

    /// What is in no list that was read.
    async fn alone(
        &mut self,
        client: &Client,
        folded: &Folded,
        stream: StreamId,
    ) -> Result<(), Failure> {
        match stream.kind {
            StreamKind::YearPlan => self.year_plan(client, folded, stream).await,
            // Of no institution: everybody else was listed.
            StreamKind::Person => {
                let request = GetPersonRequest {
                    person_id: stream.id.to_string(),
                    ..GetPersonRequest::default()
                };
                let answer = client.roster().get_person(request).await?.into_inner();
                self.at(answer.position)?;
                let here = folded.look(stream, |state, revision| match state {
                    Aggregate::Person(found) => Some(wire::person(
                        PersonId::from_uuid(stream.id),
                        revision,
                        found,
                    )),
                    _ => None,
                });
                self.note(stream, here == answer.person);
                Ok(())
            }
            // Plans are compared as each viewer sees them; what is the ledger's own, and recoveries,
            // say themselves all that there is.
            StreamKind::Plan | StreamKind::Ledger | StreamKind::Recovery => Ok(()),
            // It should have been listed.
            StreamKind::Institution
            | StreamKind::SchoolYear
            | StreamKind::Team
            | StreamKind::Catalogue => {
                self.note(stream, false);
                Ok(())
            }
        }
    }

    /// A year plan, and which plans hang on it.
    async fn year_plan(
        &mut self,
        client: &Client,
        folded: &Folded,
        stream: StreamId,
    ) -> Result<(), Failure> {
        let year_plan = YearPlanId::from_uuid(stream.id);
        let request = GetYearPlanRequest {
            year_plan_id: year_plan.to_string(),
            viewer: wire::viewer(Viewer::Staff).into(),
            min_position: 0,
        };
        let answer = client.roster().get_year_plan(request).await?.into_inner();
        self.at(answer.position)?;
        let shown = year_plan_view(folded, year_plan, Viewer::Staff).map_err(|_| {
            Failure::Refused(format!("{stream} cannot be shown from what was read"))
        })?;
        let revision = folded.revision(stream);
        let here = shown.map(|shown| wire::year_plan(year_plan, revision, &shown.plan));
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
            |item: planledger_proto::v1::PlanSummary| -> Result<(), Failure> {
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

fn stream(kind: StreamKind, id: &str) -> Result<StreamId, Failure> {
    let id = id
        .parse()
        .map_err(|_| Failure::Refused(format!("the server gave no id: {id}")))?;
    Ok(StreamId { kind, id })
}
