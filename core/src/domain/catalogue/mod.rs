//! Catalogues of goals, such as the national one (*kompetencemål*), imported from 1EdTech CASE.

mod apply;
mod decide;
mod edition;
mod scale;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::edition::{EditionDiff, ItemChange};
pub use self::scale::{CRITERION, LEVEL, SCALE, Scales};
use crate::ids::CatalogueItemId;
use crate::text::{Code, Text, Title};

/// The terms under which a publisher lets others use its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The name of the licence: "CC BY 4.0". Its address if the publisher gives no name.
    pub title: Title,
    /// Where the licence can be read; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<Title>,
    /// The words of the licence; `None` if the publisher does not give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// The title, publisher, version, language and licence of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueDetails {
    /// The title that people see.
    pub title: Title,
    /// The publisher; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Title>,
    /// The edition; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Code>,
    /// The language of its texts, as a BCP 47 tag; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Code>,
    /// The terms of use of its words; `None` if they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// Who holds the rights in its words; `None` if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights_holder: Option<Title>,
}

/// One item of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueItem {
    /// The words of the item.
    pub text: Text,
    /// What sort of item the publisher calls it: "Kompetencemål".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Title>,
    /// The publisher's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The items that it is part of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parents: BTreeSet<CatalogueItemId>,
    /// Where the publisher put it among the items next to it: lower numbers first. `None` if the
    /// publisher gave no number. See [`ItemPlace`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// Its number under each parent that gives it another one than `sequence`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub orders: BTreeMap<CatalogueItemId, i64>,
    /// The terms of use of its words, if they are not those of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
}

impl CatalogueItem {
    /// Where an item with this id stands in lists: of the items of `parent`, or of all items.
    pub fn place(&self, id: CatalogueItemId, parent: Option<CatalogueItemId>) -> ItemPlace {
        let number = parent.and_then(|parent| self.orders.get(&parent).copied());
        ItemPlace::new(number.or(self.sequence), id)
    }
}

/// Where an item stands in lists of its catalogue: by the publisher's number, items without one last,
/// and by id where numbers do not tell items apart.
///
/// A number orders the items with the same parent. So a list of one parent's items is in the
/// publisher's order. In a list of all items those of one parent keep it among themselves, except items
/// that have other numbers under other parents: such an item has one place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemPlace {
    // The order of these fields is the order of items.
    unnumbered: bool,
    sequence: i64,
    id: CatalogueItemId,
}

impl ItemPlace {
    /// The place with this number and id.
    pub fn new(sequence: Option<i64>, id: CatalogueItemId) -> Self {
        Self {
            unnumbered: sequence.is_none(),
            sequence: sequence.unwrap_or_default(),
            id,
        }
    }

    /// The publisher's number.
    pub fn sequence(self) -> Option<i64> {
        (!self.unnumbered).then_some(self.sequence)
    }

    /// The item.
    pub fn id(self) -> CatalogueItemId {
        self.id
    }
}

/// What can be asked of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueCommand {
    /// Makes the catalogue as given and records only the differences. An item that is not named is
    /// retired. Goals that use it keep their words.
    Put {
        /// The title, publisher, version and language.
        details: CatalogueDetails,
        /// Every item. A parent must be among them.
        items: BTreeMap<CatalogueItemId, CatalogueItem>,
    },
    /// Makes a part of the catalogue as given and records only the differences. Items that are not
    /// named stay as they are. A catalogue that is too large for one command is sent as such parts,
    /// parents first, and each part leaves a catalogue that is sound.
    PutPart {
        /// The title, publisher, version, language and licence of the whole catalogue.
        details: CatalogueDetails,
        /// Items to add or change. A parent must be among them or in use already.
        items: BTreeMap<CatalogueItemId, CatalogueItem>,
        /// Items to retire. No item in use may name one of them as a parent afterwards. Goals that use
        /// them keep their words.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        retire: BTreeSet<CatalogueItemId>,
    },
}

/// What happened to a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueEvent {
    /// The catalogue became known, or one of its details changed.
    Defined(CatalogueDetails),
    /// An item was added, changed or taken into use again.
    ItemDefined {
        /// The id of the item.
        item: CatalogueItemId,
        /// The words, kind, code, parents, number and licence of the item.
        details: CatalogueItem,
    },
    /// An item went out of use.
    ItemRetired {
        /// The id of the item.
        item: CatalogueItemId,
    },
}

/// A catalogue as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The title, publisher, version and language.
    pub details: CatalogueDetails,
    /// Items in use.
    pub items: BTreeMap<CatalogueItemId, CatalogueItem>,
    /// Items out of use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<CatalogueItemId, CatalogueItem>,
}

impl Catalogue {
    /// The items in use in the order of their [`ItemPlace`]s, beginning behind `after`: at most
    /// `limit` of those that are part of `parent`, or of all.
    pub fn listed(
        &self,
        parent: Option<CatalogueItemId>,
        after: Option<ItemPlace>,
        limit: usize,
    ) -> Vec<(ItemPlace, &CatalogueItem)> {
        let wanted =
            |item: &CatalogueItem| parent.is_none_or(|parent| item.parents.contains(&parent));
        let items = self.items.iter().filter(|(_, item)| wanted(item));
        let items = items.map(|(id, item)| (item.place(*id, parent), item));
        let mut found: Vec<_> = items
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        // A page is short and a catalogue is long: only what is on the page is sorted.
        if limit < found.len() {
            found.select_nth_unstable_by_key(limit, |(place, _)| *place);
            found.truncate(limit);
        }
        found.sort_unstable_by_key(|(place, _)| *place);
        found
    }
}
