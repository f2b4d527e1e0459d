//! Comparing what a server lists of people, groups and year plans with what was folded here.

use std::collections::{HashMap, HashSet};

use planledger_core::domain::Aggregate;
use planledger_core::domain::view::{Viewer, year_plan_view};
use planledger_core::ids::{
    CatalogueId, InstitutionId, PersonId, Revision, SchoolYearId, StreamId, StreamKind, TeamId,
    YearPlanId,
};
use planledger_proto::v1::{
    self as proto, CatalogueItem, GetPersonRequest, GetYearPlanRequest, Institution,
    ListCatalogueItemsRequest, ListCataloguesRequest, ListInstitutionsRequest, ListPersonsRequest,
    ListPlansRequest, ListSchoolYearsRequest, ListTeamsRequest, list_plans_request,
    list_teams_request,
};

use super::super::failure::Failure;
use super::super::output;
use super::fold::Folded;
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
    /// Where the server had got to when it was too late to compare the rest.
    pub(super) moved: Option<u64>,
    seen: HashSet<StreamId>,
    by_institution: HashMap<InstitutionId, HashSet<StreamId>>,
    by_year_plan: HashMap<YearPlanId, HashSet<String>>,
    position: u64,
}

/// A state as the API lists it.
trait Listed: PartialEq + Sized {
    /// Whose state it says it is.
    fn stream(&self) -> Result<StreamId, Failure>;

    /// What a state that was folded here looks like; `None` if it is of something else.
    fn of(stream: StreamId, state: &Aggregate, revision: Revision) -> Option<Self>;
}

macro_rules! listed {
    ($($kind:ident: $id:ident in $field:ident, $show:path;)*) => {$(
        impl Listed for proto::$kind {
            fn stream(&self) -> Result<StreamId, Failure> {
                let id = &self.$field;
                let unreadable = |_| Failure::Refused(format!("the server gave no id: {id}"));
                let id: $id = id.parse().map_err(unreadable)?;
                Ok(id.into())
            }

            fn of(stream: StreamId, state: &Aggregate, revision: Revision) -> Option<Self> {
                match state {
                    Aggregate::$kind(state) => {
                        Some($show($id::from_uuid(stream.id), revision, state))
                    }
                    _ => None,
                }
            }
        }
    )*};
}

listed! {
    Institution: InstitutionId in institution_id, wire::institution;
    SchoolYear: SchoolYearId in school_year_id, wire::school_year;
    Catalogue: CatalogueId in catalogue_id, wire::catalogue;
    Person: PersonId in person_id, wire::person;
    Team: TeamId in team_id, wire::team;
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
    /// Compares everything but plans, which are compared as each viewer sees them; as far as it gets
    /// before something is recorded.
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
        match compared.all(client, folded).await {
            Err(failure) if compared.moved.is_none() => return Err(failure),
            Ok(()) | Err(_) => {}
        }
        compared.differing.sort_unstable();
        compared.differing.dedup();
        Ok(compared)
    }

    async fn all(&mut self, client: &Client, folded: &Folded) -> Result<(), Failure> {
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

    /// Lists are of the present: an answer of another position is about something else, and ends the
    /// comparison.
    fn at(&mut self, position: u64) -> Result<(), Failure> {
        if position == self.position {
            return Ok(());
        }
        self.moved = Some(position);
        Err(Failure::Refused(format!(
            "position {position} is about something else"
        )))
    }

    fn note(&mut self, stream: StreamId, same: bool) {
        self.count += 1;
        self.seen.insert(stream);
        if !same {
            self.differing.push(stream);
        }
    }

    /// Compares a state that is listed; gives whose it is.
    fn listed<T: Listed>(&mut self, folded: &Folded, there: &T) -> Result<StreamId, Failure> {
        let stream = there.stream()?;
        self.note(stream, folded.state(stream).as_ref() == Some(there));
        Ok(stream)
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
            |item: proto::Institution| -> Result<(), Failure> {
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
            |item: proto::Catalogue| -> Result<(), Failure> {
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
            |item: proto::Person| -> Result<(), Failure> {
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
            |item: proto::Team| -> Result<(), Failure> {
                listed.insert(self.listed(folded, &item)?);
                Ok(())
            }
        );
        let of = institution.stream()?;
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
                let here: Option<proto::Person> = folded.state(stream);
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
            |item: proto::PlanSummary| -> Result<(), Failure> {
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

impl Folded {
    /// What a stream would be listed as.
    fn state<T: Listed>(&self, stream: StreamId) -> Option<T> {
        self.look(stream, |state, revision| T::of(stream, state, revision))
    }
}
