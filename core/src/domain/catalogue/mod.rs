//! Catalogues of goals, such as the national one (*kompetencemål*), imported from 1EdTech CASE.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::CatalogueItemId;
use crate::text::{Code, Text, Title};

/// The title, publisher, version and language of a catalogue.
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
}

/// What happened to a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueEvent {
    /// The catalogue became known, or its title, publisher, version or language changed.
    Defined(CatalogueDetails),
    /// An item was added, changed or taken into use again.
    ItemDefined {
        /// The id of the item.
        item: CatalogueItemId,
        /// The words, kind, code and parents of the item.
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
