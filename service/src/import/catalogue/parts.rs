//! Cuts a catalogue that is too large for one command into parts.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::Command;
use planledger_core::domain::catalogue::{
    Catalogue as Present, CatalogueCommand, CatalogueItem, EditionDiff, ItemChange, Licence,
};
use planledger_core::ids::CatalogueItemId;

use super::Catalogue;

/// Most bytes of the items of one command, about. A server takes messages of 16 MiB.
const PART_BYTES: usize = 4 << 20;
/// Most items of one command.
const PART_ITEMS: usize = 4_000;

impl Catalogue {
    /// Whether it is too large for one command. Then [`Catalogue::parts`] takes it in.
    pub fn is_large(&self) -> bool {
        let items = &self.content.items;
        items.len() > PART_ITEMS || items.values().map(weight).sum::<usize>() > PART_BYTES
    }

    /// The commands that make the present catalogue this one. Each leaves a sound catalogue, so the
    /// import can be interrupted: what is still missing is in the parts of the next attempt. Items come
    /// after the items that they are part of; what goes out of use goes last.
    pub fn parts(&self, present: Option<&Present>) -> Vec<Command> {
        let content = &self.content;
        let diff = EditionDiff::between(present, &content.details, &content.items);
        let retired: BTreeSet<_> = diff.items_of(ItemChange::Retired).collect();
        let mut parts = Vec::new();
        let mut part = BTreeMap::new();
        let mut bytes = 0;
        let changed = in_order(&content.items).into_iter();
        for (id, item) in changed.filter(|(id, _)| diff.items.contains_key(id)) {
            let more = weight(item);
            if !part.is_empty() && (bytes + more > PART_BYTES || part.len() == PART_ITEMS) {
                parts.push(self.part(std::mem::take(&mut part), BTreeSet::new()));
                bytes = 0;
            }
            bytes += more;
            part.insert(id, item.clone());
        }
        // An import that changes nothing still asks the server, which answers where it is.
        if !part.is_empty() || parts.is_empty() {
            parts.push(self.part(part, BTreeSet::new()));
        }
        if !retired.is_empty() {
            parts.push(self.part(BTreeMap::new(), retired));
        }
        parts
    }

    fn part(
        &self,
        items: BTreeMap<CatalogueItemId, CatalogueItem>,
        retire: BTreeSet<CatalogueItemId>,
    ) -> Command {
        let part = CatalogueCommand::PutPart {
            details: self.content.details.clone(),
            items,
            retire,
        };
        Command::Catalogue(self.content.id, part)
    }
}

/// The items, each after those that it is part of. There are no circles: the reader refuses them.
fn in_order(
    items: &BTreeMap<CatalogueItemId, CatalogueItem>,
) -> Vec<(CatalogueItemId, &CatalogueItem)> {
    let mut children: BTreeMap<CatalogueItemId, Vec<CatalogueItemId>> = BTreeMap::new();
    let mut waiting = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for (id, item) in items {
        waiting.insert(*id, item.parents.len());
        if item.parents.is_empty() {
            ready.insert(*id);
        }
        for parent in &item.parents {
            children.entry(*parent).or_default().push(*id);
        }
    }
    let mut ordered = Vec::new();
    while let Some(id) = ready.pop_first() {
        ordered.extend(items.get(&id).map(|item| (id, item)));
        for child in children.get(&id).into_iter().flatten() {
            if let Some(parents) = waiting.get_mut(child) {
                *parents = parents.saturating_sub(1);
                if *parents == 0 {
                    ready.insert(*child);
                }
            }
        }
    }
    ordered
}

/// About how many bytes an item takes in a message.
fn weight(item: &CatalogueItem) -> usize {
    let length = |text: Option<&str>| text.map_or(0, str::len);
    let licence = |licence: &Licence| {
        licence.title.as_str().len()
            + length(licence.uri.as_ref().map(|uri| uri.as_str()))
            + length(licence.text.as_ref().map(|text| text.as_str()))
    };
    64 + item.text.as_str().len()
        + length(item.kind.as_ref().map(|kind| kind.as_str()))
        + length(item.code.as_ref().map(|code| code.as_str()))
        + 40 * item.parents.len()
        + 56 * item.orders.len()
        + item.licence.as_ref().map_or(0, licence)
}
