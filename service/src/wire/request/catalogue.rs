//! Requests about catalogues.

use planledger_core::domain::catalogue::ItemPlace;
use planledger_core::ids::{CatalogueId, CatalogueItemId, InstitutionId};
use uuid::Uuid;

use crate::wire::errors::Failure;
use crate::wire::fields::Fields;
use crate::wire::page::{Page, Scope, read_size};
use crate::wire::proto;

/// Reads `GetCatalogueItem`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn get_catalogue_item(
    request: &proto::GetCatalogueItemRequest,
) -> Result<(CatalogueId, CatalogueItemId), Failure> {
    Ok(Fields::read(|fields| {
        let catalogue = fields.id("catalogue_id", &request.catalogue_id);
        let item = fields.id("item_id", &request.item_id);
        Some((catalogue?, item?))
    })?)
}

/// A request for a page of items of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCatalogueItems {
    /// The catalogue.
    pub catalogue: CatalogueId,
    /// List only items that are part of this item; all items if `None`.
    pub parent: Option<CatalogueItemId>,
    /// The requested page.
    pub page: Page<ItemPlace>,
}

/// Reads `ListCatalogueItems`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_catalogue_items(
    request: &proto::ListCatalogueItemsRequest,
) -> Result<ListCatalogueItems, Failure> {
    let (catalogue, parent, size) = Fields::read(|fields| {
        let catalogue: Option<CatalogueId> = fields.id("catalogue_id", &request.catalogue_id);
        let parent: Option<Option<CatalogueItemId>> =
            fields.optional_id("parent_id", request.parent_id.as_deref());
        let size = read_size(fields, request.page_size);
        Some((catalogue?, parent?, size?))
    })?;
    let parent_bytes = parent.map_or(Uuid::nil(), |parent| parent.uuid());
    let filter = [catalogue.as_bytes().as_slice(), parent_bytes.as_bytes()];
    let scope = Scope::new("ListCatalogueItems", &filter);
    Ok(ListCatalogueItems {
        catalogue,
        parent,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

/// A request for a page of scales of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCatalogueScales {
    /// The catalogue.
    pub catalogue: CatalogueId,
    /// List only scales that assess this item; all scales if `None`.
    pub assessed: Option<CatalogueItemId>,
    /// The requested page.
    pub page: Page<Uuid>,
}

/// Reads `ListCatalogueScales`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_catalogue_scales(
    request: &proto::ListCatalogueScalesRequest,
) -> Result<ListCatalogueScales, Failure> {
    let (catalogue, assessed, size) = Fields::read(|fields| {
        let catalogue: Option<CatalogueId> = fields.id("catalogue_id", &request.catalogue_id);
        let assessed: Option<Option<CatalogueItemId>> =
            fields.optional_id("assessed_item_id", request.assessed_item_id.as_deref());
        let size = read_size(fields, request.page_size);
        Some((catalogue?, assessed?, size?))
    })?;
    let item = assessed.map_or(Uuid::nil(), |item| item.uuid());
    let filter = [catalogue.as_bytes().as_slice(), item.as_bytes()];
    let scope = Scope::new("ListCatalogueScales", &filter);
    Ok(ListCatalogueScales {
        catalogue,
        assessed,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

/// A request for a page of year plans with goals that come from a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCatalogueGoals {
    /// The catalogue.
    pub catalogue: CatalogueId,
    /// The institution whose year plans are looked at.
    pub institution: InstitutionId,
    /// The requested page.
    pub page: Page<Uuid>,
}

/// Reads `ListCatalogueGoals`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_catalogue_goals(
    request: &proto::ListCatalogueGoalsRequest,
) -> Result<ListCatalogueGoals, Failure> {
    let (catalogue, institution, size) = Fields::read(|fields| {
        let catalogue: Option<CatalogueId> = fields.id("catalogue_id", &request.catalogue_id);
        let institution: Option<InstitutionId> =
            fields.id("institution_id", &request.institution_id);
        let size = read_size(fields, request.page_size);
        Some((catalogue?, institution?, size?))
    })?;
    let filter = [
        catalogue.as_bytes().as_slice(),
        institution.as_bytes().as_slice(),
    ];
    let scope = Scope::new("ListCatalogueGoals", &filter);
    Ok(ListCatalogueGoals {
        catalogue,
        institution,
        page: Page::new(scope, size, &request.page_token)?,
    })
}
