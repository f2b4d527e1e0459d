use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, CatalogueCommand, CatalogueEvent, CatalogueItem};
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{CatalogueId, CatalogueItemId};

type Items = BTreeMap<CatalogueItemId, CatalogueItem>;

impl CatalogueCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: CatalogueId,
    ) -> Result<Vec<CatalogueEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Catalogue(now)) => Some(now),
            _ => None,
        };
        match self {
            Self::Put { details, items } => {
                check_parents(items)?;
                let mut events = Vec::new();
                if now.is_none_or(|now| now.details != *details) {
                    events.push(CatalogueEvent::Defined(details.clone()));
                }
                differences(now, items, &mut events);
                Ok(events)
            }
            Self::PutPart {
                details,
                items,
                retire,
            } => {
                let mut whole = now.map_or_else(Items::new, |now| now.items.clone());
                whole.extend(items.iter().map(|(id, item)| (*id, item.clone())));
                whole.retain(|id, _| items.contains_key(id) || !retire.contains(id));
                check_parents(&whole)?;
                let mut events = Vec::new();
                if now.is_none_or(|now| now.details != *details) {
                    events.push(CatalogueEvent::Defined(details.clone()));
                }
                differences(now, &whole, &mut events);
                Ok(events)
            }
        }
    }
}

fn differences(now: Option<&Catalogue>, items: &Items, events: &mut Vec<CatalogueEvent>) {
    let present = |item| now.and_then(|now| now.items.get(item));
    for item in now.iter().flat_map(|now| now.items.keys()) {
        if !items.contains_key(item) {
            events.push(CatalogueEvent::ItemRetired { item: *item });
        }
    }
    for (item, details) in items {
        if present(item) != Some(details) {
            events.push(CatalogueEvent::ItemDefined {
                item: *item,
                details: details.clone(),
            });
        }
    }
}

/// Checks that every parent is among the items, that every number under a parent belongs to a parent of
/// the item, and that no item is its own ancestor.
fn check_parents(items: &Items) -> Result<(), Stop> {
    let invalid = |item: &CatalogueItemId, field, message: String| {
        refuse(
            Refusal::new(Reason::CatalogueParentInvalid, message)
                .field(field)
                .with("item_id", item),
        )
    };
    for (item, details) in items {
        if let Some(parent) = details
            .parents
            .iter()
            .find(|parent| !items.contains_key(parent))
        {
            return invalid(
                item,
                Field::ItemsParents,
                format!("item {item} names parent {parent}, which is not among the items"),
            );
        }
        let numbered = details.orders.keys();
        if let Some(other) = numbered
            .into_iter()
            .find(|other| !details.parents.contains(other))
        {
            return invalid(
                item,
                Field::ItemsOrders,
                format!("item {item} has a number under {other}, which is not one of its parents"),
            );
        }
    }
    // Repeatedly removes items whose parents have all been removed. What remains is an ancestor of
    // itself.
    let mut waiting: BTreeMap<_, usize> = items
        .iter()
        .map(|(item, details)| (*item, details.parents.len()))
        .collect();
    let mut children: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (item, details) in items {
        for parent in &details.parents {
            children.entry(*parent).or_default().push(*item);
        }
    }
    let roots = waiting.iter().filter(|(_, parents)| **parents == 0);
    let mut ready: BTreeSet<_> = roots.map(|(item, _)| *item).collect();
    while let Some(item) = ready.pop_first() {
        waiting.remove(&item);
        for child in children.get(&item).into_iter().flatten() {
            if let Some(parents) = waiting.get_mut(child) {
                *parents -= 1;
                if *parents == 0 {
                    ready.insert(*child);
                }
            }
        }
    }
    match waiting.first_key_value() {
        Some((item, _)) => invalid(
            item,
            Field::ItemsParents,
            format!("item {item} is its own ancestor; parents must not form a circle"),
        ),
        None => Ok(()),
    }
}
