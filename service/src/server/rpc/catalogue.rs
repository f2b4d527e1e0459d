//! The catalogue service: reads catalogues.

use planledger_proto::v1::catalogue_service_server::CatalogueService;
use planledger_proto::v1::{
    GetCatalogueItemRequest, GetCatalogueItemResponse, GetCatalogueRequest, GetCatalogueResponse,
    ListCatalogueGoalsRequest, ListCatalogueGoalsResponse, ListCatalogueItemsRequest,
    ListCatalogueItemsResponse, ListCatalogueScalesRequest, ListCatalogueScalesResponse,
    ListCataloguesRequest, ListCataloguesResponse,
};
use tonic::{Request, Response};

use crate::server::api::{Api, Rpc};
use crate::server::catalogue as queries;
use crate::wire::{self, request};

#[tonic::async_trait]
impl CatalogueService for Api {
    async fn get_catalogue(
        &self,
        request: Request<GetCatalogueRequest>,
    ) -> Rpc<GetCatalogueResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("catalogue_id", &request.catalogue_id)?;
        let (catalogue, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::catalogue(reading, gate, id, wire::catalogue)
            })
            .await?;
        Ok(Response::new(GetCatalogueResponse {
            catalogue: Some(catalogue),
            position: position.get(),
        }))
    }

    async fn list_catalogues(
        &self,
        request: Request<ListCataloguesRequest>,
    ) -> Rpc<ListCataloguesResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = request::everything("ListCatalogues", request.page_size, &request.page_token)?;
        let ((catalogues, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::catalogues(reading, gate, &page, wire::catalogue)
            })
            .await?;
        Ok(Response::new(ListCataloguesResponse {
            catalogues,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_catalogue_item(
        &self,
        request: Request<GetCatalogueItemRequest>,
    ) -> Rpc<GetCatalogueItemResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (id, item) = request::get_catalogue_item(&request)?;
        let ((item, retired), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::item(reading, gate, id, item, wire::catalogue_item)
            })
            .await?;
        Ok(Response::new(GetCatalogueItemResponse {
            item: Some(item),
            retired,
            position: position.get(),
        }))
    }

    async fn list_catalogue_items(
        &self,
        request: Request<ListCatalogueItemsRequest>,
    ) -> Rpc<ListCatalogueItemsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let list = request::list_catalogue_items(&request)?;
        let ((items, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::items(reading, gate, &list, wire::catalogue_item)
            })
            .await?;
        Ok(Response::new(ListCatalogueItemsResponse {
            items,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_catalogue_scales(
        &self,
        request: Request<ListCatalogueScalesRequest>,
    ) -> Rpc<ListCatalogueScalesResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let list = request::list_catalogue_scales(&request)?;
        let ((scales, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::scales(reading, gate, &list, wire::catalogue_scale)
            })
            .await?;
        Ok(Response::new(ListCatalogueScalesResponse {
            scales,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_catalogue_goals(
        &self,
        request: Request<ListCatalogueGoalsRequest>,
    ) -> Rpc<ListCatalogueGoalsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let list = request::list_catalogue_goals(&request)?;
        let ((year_plans, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::goals(reading, gate, &list, |id, plan| {
                    wire::catalogue_goals(id, plan, list.catalogue)
                })
            })
            .await?;
        Ok(Response::new(ListCatalogueGoalsResponse {
            year_plans,
            next_page_token,
            position: position.get(),
        }))
    }
}
