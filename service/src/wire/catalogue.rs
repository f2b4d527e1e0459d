//! Catalogues.

use planledger_core::domain::catalogue::{
    Catalogue, CatalogueCommand, CatalogueDetails, CatalogueItem,
};
use planledger_core::ids::{CatalogueId, CatalogueItemId, Revision};
use planledger_core::text::CprContext;

use super::fields::Fields;
use super::proto;
use super::proto::catalogue_command::Operation;
use super::scalar::{count, string};

pub(super) fn read(
    fields: &mut Fields,
    command: proto::CatalogueCommand,
) -> Option<(CatalogueId, CatalogueCommand)> {
    let id = fields.id("catalogue_id", &command.catalogue_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::PutCatalogue(_) => "put_catalogue",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<CatalogueCommand> {
    match operation {
        Operation::PutCatalogue(m) => fields.in_context(CprContext::Published, |fields| {
            let details = fields.message("details", m.details, read_details);
            let items = fields.map("items", m.items, read_item);
            Some(CatalogueCommand::Put {
                details: details?,
                items: items?,
            })
        }),
    }
}

fn read_details(fields: &mut Fields, details: proto::CatalogueDetails) -> Option<CatalogueDetails> {
    let title = fields.text("title", &details.title);
    let publisher = fields.optional_text("publisher", details.publisher.as_deref());
    let version = fields.optional_text("version", details.version.as_deref());
    let language = fields.optional_text("language", details.language.as_deref());
    Some(CatalogueDetails {
        title: title?,
        publisher: publisher?,
        version: version?,
        language: language?,
    })
}

fn read_item(
    fields: &mut Fields,
    item: proto::CatalogueItem,
) -> Option<(CatalogueItemId, CatalogueItem)> {
    let id = fields.id("item_id", &item.item_id);
    let text = fields.text("text", &item.text);
    let kind = fields.optional_text("kind", item.kind.as_deref());
    let code = fields.optional_text("code", item.code.as_deref());
    let parents = fields.ids("parent_ids", &item.parent_ids);
    let details = CatalogueItem {
        text: text?,
        kind: kind?,
        code: code?,
        parents: parents?,
        sequence: item.sequence_number,
    };
    Some((id?, details))
}

pub(super) fn write(id: CatalogueId, command: &CatalogueCommand) -> proto::CatalogueCommand {
    let operation = match command {
        CatalogueCommand::Put { details, items } => Operation::PutCatalogue(proto::PutCatalogue {
            details: Some(write_details(details)),
            items: items
                .iter()
                .map(|(id, item)| catalogue_item(*id, item))
                .collect(),
        }),
    };
    proto::CatalogueCommand {
        catalogue_id: id.to_string(),
        operation: Some(operation),
    }
}

fn write_details(details: &CatalogueDetails) -> proto::CatalogueDetails {
    proto::CatalogueDetails {
        title: details.title.to_string(),
        publisher: string(details.publisher.as_ref()),
        version: string(details.version.as_ref()),
        language: string(details.language.as_ref()),
    }
}

/// A catalogue as it is now, without its items.
pub fn catalogue(id: CatalogueId, revision: Revision, catalogue: &Catalogue) -> proto::Catalogue {
    proto::Catalogue {
        catalogue_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&catalogue.details)),
        item_count: count(catalogue.items.len()),
        retired_item_count: count(catalogue.retired.len()),
    }
}

/// One item of a catalogue.
pub fn catalogue_item(id: CatalogueItemId, item: &CatalogueItem) -> proto::CatalogueItem {
    proto::CatalogueItem {
        item_id: id.to_string(),
        text: item.text.to_string(),
        kind: string(item.kind.as_ref()),
        code: string(item.code.as_ref()),
        parent_ids: item.parents.iter().map(ToString::to_string).collect(),
        sequence_number: item.sequence,
    }
}
