//! The overview service.

use planledger_proto::v1 as proto;
use planledger_proto::v1::overview_service_server::OverviewService;
use tonic::{Request, Response};

use crate::server::api::{Api, Rpc};
use crate::server::overview as queries;
use crate::server::surveys;
use crate::wire::{self, Failure};

#[tonic::async_trait]
impl OverviewService for Api {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Rpc<proto::GetOverviewResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::get_overview(request)?;
        let today = queries::day_of(self.ledger.now());
        if asked.as_of.is_some_and(|day| day > today) {
            return Err(Failure::instant_ahead("as_of").into());
        }
        let mask_below = asked.mask_below;
        let (found, position) = self
            .read(&caller, min_position, move |reading, gate| {
                queries::overview(reading, gate, &asked, today)
            })
            .await?;
        let row = |row: &queries::NamedRow| proto::OverviewRow {
            institution_name: row.institution_name.clone(),
            team_title: row.team_title.clone(),
            ..wire::overview_row(&row.row, &found.columns, &row.shown, mask_below)
        };
        Ok(Response::new(proto::GetOverviewResponse {
            school_year_id: found.school_year.0.to_string(),
            school_year_title: found.school_year.1.title.to_string(),
            as_of: found.day.to_string(),
            rows: found.rows.iter().map(row).collect(),
            total: found.total.as_ref().map(row),
            due_from: found.due_from.iter().map(ToString::to_string).collect(),
            next_page_token: found.next_page_token,
            position: position.get(),
        }))
    }

    async fn get_survey_overview(
        &self,
        request: Request<proto::GetSurveyOverviewRequest>,
    ) -> Rpc<proto::GetSurveyOverviewResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = wire::get_survey_overview(&request)?;
        let (at, day) = self.end_of_day(asked.as_of)?;
        let min_position = request.min_position;
        let (found, position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                surveys::overview(reading, gate, &asked, day)
            })
            .await?;
        Ok(Response::new(proto::GetSurveyOverviewResponse {
            school_year_id: found.school_year.0.to_string(),
            school_year_title: found.school_year.1.title.to_string(),
            as_of: day.to_string(),
            rows: found.rows.iter().map(survey_row).collect(),
            total: Some(wire::survey_row(&found.total)),
            without: found.without.iter().map(survey_row).collect(),
            next_page_token: found.next_page_token,
            position: position.get(),
        }))
    }

    async fn list_survey_discussions(
        &self,
        request: Request<proto::ListSurveyDiscussionsRequest>,
    ) -> Rpc<proto::ListSurveyDiscussionsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = wire::list_survey_discussions(&request)?;
        let (at, _) = self.end_of_day(asked.as_of)?;
        let min_position = request.min_position;
        let ((found, next_page_token), position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                surveys::discussions(reading, gate, &asked)
            })
            .await?;
        Ok(Response::new(proto::ListSurveyDiscussionsResponse {
            discussions: found.iter().map(survey_discussion).collect(),
            next_page_token,
            position: position.get(),
        }))
    }
}

fn survey_row(row: &surveys::CountedInstitution) -> proto::SurveyRow {
    proto::SurveyRow {
        institution_id: Some(row.id.to_string()),
        institution_name: Some(row.name.to_string()),
        closed: row.closed,
        ..wire::survey_row(&row.counts)
    }
}

fn survey_discussion(found: &surveys::FoundDiscussion) -> proto::SurveyDiscussion {
    let institution = (found.institution, found.institution_name.as_str());
    wire::survey_discussion(institution, found.id, &found.discussion)
}
