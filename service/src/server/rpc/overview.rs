//! The overview service.

use planledger_proto::v1 as proto;
use planledger_proto::v1::overview_service_server::OverviewService;
use tonic::{Request, Response};

use crate::server::api::{Api, Rpc};
use crate::server::auth::Access;
use crate::server::overview as queries;
use crate::wire::{self, Failure};

#[tonic::async_trait]
impl OverviewService for Api {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Rpc<proto::GetOverviewResponse> {
        let caller = self.caller(request.metadata())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::get_overview(request)?;
        self.permit(&caller, Access::ReadOverview(&asked.institutions))?;
        let today = queries::day_of(self.ledger.now());
        if asked.as_of.is_some_and(|day| day > today) {
            return Err(Failure::instant_ahead("as_of").into());
        }
        let mask_below = asked.mask_below;
        let (found, position) = self
            .read(min_position, move |reading| {
                queries::overview(reading, &asked, today)
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
}
