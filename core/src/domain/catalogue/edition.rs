//! What a new edition of a catalogue changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, CatalogueDetails, CatalogueItem};
use crate::ids::CatalogueItemId;

/// One way in which an edition changes an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemChange {
    /// The item is new, or was out of use and comes back.
    Added,
    /// The item has other words.
    Reworded,
    /// The item goes out of use.
    Retired,
    /// The item is part of other items, or has another number among those next to it under a parent.
    Moved,
    /// The item has another kind, code or licence.
    Described,
}

impl ItemChange {
    /// Every way, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Added,
        Self::Reworded,
        Self::Retired,
        Self::Moved,
        Self::Described,
    ];

    /// Whether a goal with the words of the item is worth a look: its words are no longer those of the
    /// publisher.
    pub const fn touches_goals(self) -> bool {
        match self {
            Self::Reworded | Self::Retired => true,
            Self::Added | Self::Moved | Self::Described => false,
        }
    }
}

/// What an edition changes in a catalogue. An item can be changed in several ways at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditionDiff {
    /// Whether the catalogue is new.
    pub new: bool,
    /// Whether title, publisher, version, language, licence or holder of rights change.
    pub details: bool,
    /// The items that change, and in which ways.
    pub items: BTreeMap<CatalogueItemId, BTreeSet<ItemChange>>,
    /// How many items stay as they are.
    pub unchanged: usize,
}

impl EditionDiff {
    /// Compares a catalogue as it is with an edition of it. `None`: there is no such catalogue yet.
    pub fn between(
        now: Option<&Catalogue>,
        details: &CatalogueDetails,
        items: &BTreeMap<CatalogueItemId, CatalogueItem>,
    ) -> Self {
        let none = BTreeMap::new();
        let present = now.map_or(&none, |now| &now.items);
        let mut diff = Self {
            new: now.is_none(),
            details: now.is_none_or(|now| now.details != *details),
            ..Self::default()
        };
        for id in present.keys().filter(|id| !items.contains_key(id)) {
            diff.items.insert(*id, [ItemChange::Retired].into());
        }
        for (id, item) in items {
            let ways = match present.get(id) {
                Some(before) => ways(before, item),
                None => [ItemChange::Added].into(),
            };
            if ways.is_empty() {
                diff.unchanged += 1;
            } else {
                diff.items.insert(*id, ways);
            }
        }
        diff
    }

    /// Whether the edition changes nothing.
    pub fn is_empty(&self) -> bool {
        !self.details && self.items.is_empty()
    }

    /// The items that change in this way.
    pub fn items_of(&self, change: ItemChange) -> impl Iterator<Item = CatalogueItemId> {
        let items = self.items.iter();
        items
            .filter(move |(_, ways)| ways.contains(&change))
            .map(|(id, _)| *id)
    }

    /// The items whose goals are worth a look, in the order of their ids.
    pub fn touching_goals(&self) -> impl Iterator<Item = CatalogueItemId> {
        let items = self.items.iter();
        items
            .filter(|(_, ways)| ways.iter().any(|way| way.touches_goals()))
            .map(|(id, _)| *id)
    }
}

fn ways(before: &CatalogueItem, after: &CatalogueItem) -> BTreeSet<ItemChange> {
    let CatalogueItem {
        text,
        kind,
        code,
        parents,
        sequence,
        orders,
        licence,
    } = before;
    let told = [
        (*text != after.text, ItemChange::Reworded),
        (
            *parents != after.parents || *sequence != after.sequence || *orders != after.orders,
            ItemChange::Moved,
        ),
        (
            *kind != after.kind || *code != after.code || *licence != after.licence,
            ItemChange::Described,
        ),
    ];
    let told = told.into_iter().filter(|(differs, _)| *differs);
    told.map(|(_, way)| way).collect()
}
