//! The catalogue service: reads catalogues.

use std::sync::Arc;

use planledger_core::derived::Term;
use planledger_core::domain::catalogue::Catalogue;
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{CatalogueId, Revision, StreamKind};
use planledger_core::ledger::Reading;
use planledger_proto::v1::catalogue_service_server::CatalogueService;
use planledger_proto::v1::{
    GetCatalogueItemRequest, GetCatalogueItemResponse, GetCatalogueRequest, GetCatalogueResponse,
    ListCatalogueItemsRequest, ListCatalogueItemsResponse, ListCataloguesRequest,
    ListCataloguesResponse,
};
use tonic::{Request, Response};

use super::api::{Api, Rpc};
use super::auth::Access;
use super::pages;
use crate::wire::{self, Failure, request};

#[tonic::async_trait]
impl CatalogueService for Api {
    async fn get_catalogue(
        &self,
        request: Request<GetCatalogueRequest>,
    ) -> Rpc<GetCatalogueResponse> {
        self.allow(request.metadata(), Access::ReadCatalogue)?;
        let request = request.into_inner();
        let id = request::id("catalogue_id", &request.catalogue_id)?;
        let read = move |reading: &Reading<'_>| {
            with_catalogue(reading, id, |revision, catalogue| {
                Ok(wire::catalogue(id, revision, catalogue))
            })
        };
        let (catalogue, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(GetCatalogueResponse {
            catalogue: Some(catalogue),
            position: position.get(),
        }))
    }

    async fn list_catalogues(
        &self,
        request: Request<ListCataloguesRequest>,
    ) -> Rpc<ListCataloguesResponse> {
        self.allow(request.metadata(), Access::ReadCatalogue)?;
        let request = request.into_inner();
        let page = request::everything("ListCatalogues", request.page_size, &request.page_token)?;
        let read = move |reading: &Reading<'_>| {
            let kind = StreamKind::Catalogue;
            let all = reading.find(Term::All(kind))?;
            pages::list(reading, &all, kind, &page, |id, revision, state| {
                let Aggregate::Catalogue(catalogue) = state else {
                    return None;
                };
                Some(wire::catalogue(
                    CatalogueId::from_uuid(id),
                    revision,
                    catalogue,
                ))
            })
            .map_err(Failure::of_reading)
        };
        let ((catalogues, next_page_token), position) =
            self.read(request.min_position, read).await?;
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
        self.allow(request.metadata(), Access::ReadCatalogue)?;
        let request = request.into_inner();
        let (id, item) = request::get_catalogue_item(&request)?;
        let read = move |reading: &Reading<'_>| {
            with_catalogue(reading, id, |_, catalogue| {
                let in_use = catalogue.items.get(&item).map(|found| (found, false));
                let retired = || catalogue.retired.get(&item).map(|found| (found, true));
                let (found, retired) = in_use.or_else(retired).ok_or_else(|| {
                    let reason = Reason::CatalogueItemNotFound;
                    Failure::not_found(reason, "item_id", format!("{id} has no item {item}"))
                })?;
                Ok((wire::catalogue_item(item, found), retired))
            })
        };
        let ((item, retired), position) = self.read(request.min_position, read).await?;
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
        self.allow(request.metadata(), Access::ReadCatalogue)?;
        let request = request.into_inner();
        let list = request::list_catalogue_items(&request)?;
        let read = move |reading: &Reading<'_>| {
            with_catalogue(reading, list.catalogue, |_, catalogue| {
                let page = &list.page;
                let items = catalogue.items.iter().filter(|(id, item)| {
                    page.after.is_none_or(|after| id.uuid() > after)
                        && list
                            .parent
                            .is_none_or(|parent| item.parents.contains(&parent))
                });
                let items = items.take(page.size + 1);
                let items = items.map(|(id, item)| (id.uuid(), wire::catalogue_item(*id, item)));
                Ok(pages::cut(items.collect(), page))
            })
        };
        let ((items, next_page_token), position) = self.read(request.min_position, read).await?;
        Ok(Response::new(ListCatalogueItemsResponse {
            items,
            next_page_token,
            position: position.get(),
        }))
    }
}

fn with_catalogue<T>(
    reading: &Reading<'_>,
    id: CatalogueId,
    show: impl FnOnce(Revision, &Catalogue) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let found: Option<(Arc<Aggregate>, Revision)> = reading.stream(id)?;
    let found = found.as_ref();
    match found.map(|(state, revision)| (&**state, *revision)) {
        Some((Aggregate::Catalogue(catalogue), revision)) => show(revision, catalogue),
        _ => Err(Failure::no_stream(
            Reason::CatalogueNotFound,
            "catalogue_id",
            id,
        )),
    }
}
