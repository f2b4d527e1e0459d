//! Catalogues of goals, such as the national one (*kompetencemål*), imported from 1EdTech CASE.

mod apply;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::CatalogueItemId;
use crate::text::{Code, Text, Title};

/// What a catalogue is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueDetails {
    /// What people call it.
    pub title: Title,
    /// Who publishes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Title>,
    /// Its edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Code>,
    /// BCP 47 language of its texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Code>,
}

/// One item of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueItem {
    /// Its words.
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
    /// Makes the catalogue as given; records differences only. An item that is not named is
    /// retired. Goals that use it keep their words.
    Put {
        /// What it is.
        details: CatalogueDetails,
        /// Every item. A parent must be among them.
        items: BTreeMap<CatalogueItemId, CatalogueItem>,
    },
}

/// What happened to a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueEvent {
    /// It became known, or what it is changed.
    Defined(CatalogueDetails),
    /// An item was added, changed or taken into use again.
    ItemDefined {
        /// Its id.
        item: CatalogueItemId,
        /// What it is.
        details: CatalogueItem,
    },
    /// An item went out of use.
    ItemRetired {
        /// Its id.
        item: CatalogueItemId,
    },
}

/// A catalogue as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// What it is.
    pub details: CatalogueDetails,
    /// Items in use.
    pub items: BTreeMap<CatalogueItemId, CatalogueItem>,
    /// Items out of use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<CatalogueItemId, CatalogueItem>,
}
