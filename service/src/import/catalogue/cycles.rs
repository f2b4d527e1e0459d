//! Finds items that are part of themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_core::domain::catalogue::CatalogueItem;
use planledger_core::ids::CatalogueItemId;

/// One item of each cycle. Of cycles that share an item, at least one gives an item.
pub(super) fn find(items: &BTreeMap<CatalogueItemId, CatalogueItem>) -> Vec<CatalogueItemId> {
    let left = below_or_on_cycles(items);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for start in &left {
        // Every item that is left has a parent that is left. Climbing must come back to an item
        // that it has passed: in this climb, or in an earlier one, which has found the cycle.
        let mut path = BTreeSet::new();
        let mut at = *start;
        while seen.insert(at) {
            path.insert(at);
            let parents = items.get(&at).into_iter().flat_map(|item| &item.parents);
            match parents.into_iter().find(|parent| left.contains(parent)) {
                Some(parent) => at = *parent,
                None => break,
            }
        }
        if path.contains(&at) {
            found.push(at);
        }
    }
    found
}

/// The items that are on a cycle or below one. Takes away every item that has no parents left,
/// until none is taken away any more.
fn below_or_on_cycles(
    items: &BTreeMap<CatalogueItemId, CatalogueItem>,
) -> BTreeSet<CatalogueItemId> {
    let mut children: HashMap<CatalogueItemId, Vec<CatalogueItemId>> = HashMap::new();
    let mut left: BTreeMap<CatalogueItemId, usize> = BTreeMap::new();
    for (id, item) in items {
        left.insert(*id, item.parents.len());
        for parent in &item.parents {
            children.entry(*parent).or_default().push(*id);
        }
    }
    let roots = left.iter().filter(|(_, parents)| **parents == 0);
    let mut free: Vec<CatalogueItemId> = roots.map(|(id, _)| *id).collect();
    while let Some(id) = free.pop() {
        left.remove(&id);
        for child in children.get(&id).into_iter().flatten() {
            if let Some(parents) = left.get_mut(child) {
                *parents = parents.saturating_sub(1);
                if *parents == 0 {
                    free.push(*child);
                }
            }
        }
    }
    left.into_keys().collect()
}
