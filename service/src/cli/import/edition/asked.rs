//! What has to be asked of the server before an edition can be compared with what it has.

use tonic::Code;

use crate::cli::error::CliError;
use crate::client::Client;
use crate::wire::proto::{
    CatalogueDetails, CatalogueItem, GetCatalogueRequest, ListCatalogueGoalsRequest,
    ListCatalogueItemsRequest, ListInstitutionsRequest,
};

const PAGE: i32 = 500;

/// The catalogue as the server has it; `None` if it has none.
pub(super) async fn catalogue(
    client: &Client,
    catalogue_id: &str,
) -> Result<Option<(CatalogueDetails, Vec<CatalogueItem>)>, CliError> {
    let catalogue_id = catalogue_id.to_owned();
    let mut service = client.catalogues();
    let request = GetCatalogueRequest {
        catalogue_id: catalogue_id.clone(),
        min_position: 0,
    };
    let found = match service.get_catalogue(request).await {
        Ok(found) => found.into_inner().catalogue,
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(status.into()),
    };
    let Some(details) = found.and_then(|found| found.details) else {
        return Ok(None);
    };
    let mut items = Vec::new();
    let mut request = ListCatalogueItemsRequest {
        catalogue_id,
        page_size: PAGE,
        ..ListCatalogueItemsRequest::default()
    };
    loop {
        let page = service
            .list_catalogue_items(request.clone())
            .await?
            .into_inner();
        items.extend(page.items);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    Ok(Some((details, items)))
}

/// A goal in use that comes from an item of a catalogue.
pub(super) struct Goal {
    pub(super) institution: String,
    pub(super) year_plan: String,
    pub(super) goal: String,
    pub(super) item: String,
    pub(super) words: String,
}

/// The goals in use, in all institutions, that come from items of a catalogue.
pub(super) async fn goals(client: &Client, catalogue_id: &str) -> Result<Vec<Goal>, CliError> {
    let mut found = Vec::new();
    for institution in institutions(client).await? {
        let mut request = ListCatalogueGoalsRequest {
            catalogue_id: catalogue_id.to_owned(),
            institution_id: institution.clone(),
            page_size: PAGE,
            ..ListCatalogueGoalsRequest::default()
        };
        let mut service = client.catalogues();
        loop {
            let page = service.list_catalogue_goals(request.clone()).await?;
            let page = page.into_inner();
            for plan in page.year_plans {
                found.extend(plan.goals.into_iter().map(|goal| Goal {
                    institution: institution.clone(),
                    year_plan: plan.year_plan_id.clone(),
                    goal: goal.goal_id,
                    item: goal.item_id,
                    words: goal.text,
                }));
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
    }
    Ok(found)
}

async fn institutions(client: &Client) -> Result<Vec<String>, CliError> {
    let mut found = Vec::new();
    let mut request = ListInstitutionsRequest {
        page_size: PAGE,
        ..ListInstitutionsRequest::default()
    };
    let mut service = client.roster();
    loop {
        let page = service
            .list_institutions(request.clone())
            .await?
            .into_inner();
        let ids = page.institutions.into_iter();
        found.extend(ids.map(|institution| institution.institution_id));
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}
