//! Catalogues.

use std::collections::BTreeSet;

use planledger_core::domain::catalogue::{
    Catalogue, CatalogueCommand, CatalogueDetails, CatalogueItem, Licence,
};
use planledger_core::domain::year_plan::{Scale, YearPlan};
use planledger_core::ids::{CatalogueId, CatalogueItemId, GoalId, Revision, YearPlanId};
use planledger_core::text::CprContext;

use super::fields::{BadRequest, Fields};
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
        Operation::PutCataloguePart(_) => "put_catalogue_part",
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
        Operation::PutCataloguePart(m) => fields.in_context(CprContext::Published, |fields| {
            let details = fields.message("details", m.details, read_details);
            let items = fields.map("items", m.items, read_item);
            let retire = fields.ids("retired_item_ids", &m.retired_item_ids);
            Some(CatalogueCommand::PutPart {
                details: details?,
                items: items?,
                retire: retire?,
            })
        }),
    }
}

fn read_details(fields: &mut Fields, details: proto::CatalogueDetails) -> Option<CatalogueDetails> {
    let title = fields.text("title", &details.title);
    let publisher = fields.optional_text("publisher", details.publisher.as_deref());
    let version = fields.optional_text("version", details.version.as_deref());
    let language = fields.optional_text("language", details.language.as_deref());
    let licence = read_licence(fields, details.licence);
    let rights_holder = fields.optional_text("rights_holder", details.rights_holder.as_deref());
    Some(CatalogueDetails {
        title: title?,
        publisher: publisher?,
        version: version?,
        language: language?,
        licence: licence?,
        rights_holder: rights_holder?,
    })
}

fn read_licence(fields: &mut Fields, licence: Option<proto::Licence>) -> Option<Option<Licence>> {
    fields.optional(licence, |fields, licence| {
        fields.within("licence", |fields| {
            let title = fields.text("title", &licence.title);
            let uri = fields.optional_text("uri", licence.uri.as_deref());
            let text = fields.optional_text("text", licence.text.as_deref());
            Some(Licence {
                title: title?,
                uri: uri?,
                text: text?,
            })
        })
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
    let orders = fields.map("parent_orders", item.parent_orders, read_order);
    let licence = read_licence(fields, item.licence);
    let details = CatalogueItem {
        text: text?,
        kind: kind?,
        code: code?,
        parents: parents?,
        sequence: item.sequence_number,
        orders: orders?,
        licence: licence?,
    };
    Some((id?, details))
}

fn read_order(
    fields: &mut Fields,
    order: proto::CatalogueParentOrder,
) -> Option<(CatalogueItemId, i64)> {
    let parent = fields.id("parent_id", &order.parent_id);
    Some((parent?, order.sequence_number))
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
        CatalogueCommand::PutPart {
            details,
            items,
            retire,
        } => Operation::PutCataloguePart(proto::PutCataloguePart {
            details: Some(write_details(details)),
            items: items
                .iter()
                .map(|(id, item)| catalogue_item(*id, item))
                .collect(),
            retired_item_ids: retire.iter().map(ToString::to_string).collect(),
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
        licence: details.licence.as_ref().map(write_licence),
        rights_holder: string(details.rights_holder.as_ref()),
    }
}

fn write_licence(licence: &Licence) -> proto::Licence {
    proto::Licence {
        title: licence.title.to_string(),
        uri: string(licence.uri.as_ref()),
        text: string(licence.text.as_ref()),
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
        parent_orders: item.orders.iter().map(write_order).collect(),
        licence: item.licence.as_ref().map(write_licence),
    }
}

fn write_order((parent, number): (&CatalogueItemId, &i64)) -> proto::CatalogueParentOrder {
    proto::CatalogueParentOrder {
        parent_id: parent.to_string(),
        sequence_number: *number,
    }
}

/// A scale of a catalogue, and the items that it assesses.
pub fn catalogue_scale(
    id: CatalogueItemId,
    scale: &Scale,
    assessed: &BTreeSet<CatalogueItemId>,
) -> proto::CatalogueScale {
    proto::CatalogueScale {
        item_id: id.to_string(),
        title: scale.title.to_string(),
        levels: scale.levels.iter().map(ToString::to_string).collect(),
        assessed_item_ids: assessed.iter().map(ToString::to_string).collect(),
    }
}

/// The details and items of a catalogue as a server gives them.
///
/// # Errors
/// When the messages hold what no server of this version sends.
pub fn catalogue_of_messages(
    details: proto::CatalogueDetails,
    items: Vec<proto::CatalogueItem>,
) -> Result<Catalogue, BadRequest> {
    Fields::read(|fields| {
        fields.in_context(CprContext::Published, |fields| {
            let details = read_details(fields, details);
            let items = fields.map("items", items, read_item);
            Some(Catalogue {
                details: details?,
                items: items?,
                retired: Default::default(),
            })
        })
    })
}

/// The goals of a year plan that come from a catalogue; `None` if there are none.
pub fn catalogue_goals(
    id: YearPlanId,
    year_plan: &YearPlan,
    catalogue: CatalogueId,
) -> Option<proto::YearPlanCatalogueGoals> {
    let goals = year_plan.goals_of_catalogue(catalogue);
    let goals = goals.map(|(goal, item, text)| catalogue_goal(goal, item, text.as_str()));
    let goals: Vec<_> = goals.collect();
    (!goals.is_empty()).then(|| proto::YearPlanCatalogueGoals {
        year_plan_id: id.to_string(),
        goals,
    })
}

fn catalogue_goal(goal: GoalId, item: CatalogueItemId, text: &str) -> proto::CatalogueGoal {
    proto::CatalogueGoal {
        goal_id: goal.to_string(),
        item_id: item.to_string(),
        text: text.to_owned(),
    }
}
