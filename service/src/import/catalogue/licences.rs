//! The terms under which a package's words may be used.

use std::collections::{BTreeMap, HashMap};

use planledger_core::domain::catalogue::{CatalogueItem, Licence};
use planledger_core::ids::CatalogueItemId;
use planledger_core::text::{Text, Title};
use serde_json::Value;

use super::published::clean;
use super::statement;
use super::values::Object;

/// What a document or item says of its licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    title: Option<String>,
    identifier: Option<String>,
    uri: Option<String>,
}

impl Link {
    /// The licence under `licenseURI`, which CASE makes an object and some write as an address.
    pub(super) fn read(object: &Object) -> Option<Self> {
        match object.get("licenseURI")? {
            Value::String(uri) if !uri.trim().is_empty() => Some(Self {
                uri: Some(uri.clone()),
                ..Self::default()
            }),
            Value::Object(link) => {
                let link = Self {
                    title: text(link, "title"),
                    identifier: text(link, "identifier"),
                    uri: text(link, "uri"),
                };
                (link != Self::default()).then_some(link)
            }
            _ => None,
        }
    }
}

/// The licences that a package defines, and those that its items name.
#[derive(Debug, Default)]
pub(super) struct Licences {
    /// By identifier and by address.
    defined: HashMap<String, Definition>,
    /// Most items of a package name the same licence, so that each is kept once.
    of_items: BTreeMap<Link, Vec<CatalogueItemId>>,
}

#[derive(Clone, Debug)]
struct Definition {
    title: Option<String>,
    uri: Option<String>,
    text: Option<String>,
}

impl Licences {
    /// Takes an element of `CFLicenses`.
    pub(super) fn define(&mut self, value: &Value) {
        let Some(object) = value.as_object() else {
            return;
        };
        let definition = Definition {
            title: text(object, "title"),
            uri: text(object, "uri"),
            text: text(object, "licenseText").or_else(|| text(object, "description")),
        };
        for name in ["identifier", "uri"] {
            if let Some(key) = text(object, name) {
                self.defined.insert(key, definition.clone());
            }
        }
    }

    /// Notes the licence that an item names.
    pub(super) fn name(&mut self, item: CatalogueItemId, link: Link) {
        self.of_items.entry(link).or_default().push(item);
    }

    /// The licence that a link leads to. A link that is not defined in the package is kept for its own
    /// title and address.
    pub(super) fn find(&self, link: &Link) -> Option<Licence> {
        let keys = [&link.identifier, &link.uri].into_iter().flatten();
        let defined = keys.filter_map(|key| self.defined.get(key)).next();
        let title = defined
            .and_then(|defined| defined.title.as_deref())
            .or(link.title.as_deref());
        let uri = link
            .uri
            .as_deref()
            .or(defined.and_then(|defined| defined.uri.as_deref()));
        let words = defined.and_then(|defined| defined.text.as_deref());
        let uri = uri.and_then(|uri| Title::published(uri).ok());
        let title = title.and_then(|title| Title::published(&statement::plain(title)).ok());
        Some(Licence {
            title: title.or_else(|| uri.clone())?,
            uri,
            text: words.and_then(|words| Text::published(&statement::plain(words)).ok()),
        })
    }

    /// Gives each item its licence, unless it is that of the document.
    pub(super) fn give(
        &self,
        items: &mut BTreeMap<CatalogueItemId, CatalogueItem>,
        document: Option<&Licence>,
    ) {
        for (link, ids) in &self.of_items {
            let licence = self.find(link);
            if licence.as_ref() == document {
                continue;
            }
            for id in ids {
                if let Some(item) = items.get_mut(id) {
                    item.licence.clone_from(&licence);
                }
            }
        }
    }
}

/// A text that is there and not empty.
pub(super) fn text(object: &Object, name: &str) -> Option<String> {
    let (text, _) = clean(object.get(name)?.as_str()?);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
