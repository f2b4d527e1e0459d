//! Catalogues of goals: a 1EdTech CASE 1.0 or 1.1 package (`CFPackage`) in JSON.
//!
//! | CASE | planledger |
//! |---|---|
//! | `CFDocument` | catalogue; `publisher`, else `creator`, is its publisher |
//! | `CFItems` | items: `fullStatement` the text (see `statement.rs`), `CFItemType` the kind, `humanCodingScheme` the code |
//! | `CFAssociations` of type `isChildOf` | parents of items; an item whose parent is the document, or is not in the package, has none |
//! | `licenseURI` and `CFDefinitions.CFLicenses`, `rightsHolder` | licence of the catalogue, or of an item that has another |
//! | `CFRubrics` | items of their own kinds: see `rubrics.rs` |
//! | `sequenceNumber` of such an association, else of the item | the order among the items of one parent |
//!
//! An item keeps its number under each parent. Its place among all items is the least of its numbers.
//! Items without a number come after those with one, in the order of their ids: in CASE the order of a
//! file means nothing, and an id is the same in the next edition.
//!
//! Identifiers that are UUIDs are kept, so that a goal can be traced to its publisher. From other
//! identifiers an id is derived: see [`names`](super::names). Other associations and fields are not
//! read.

mod associations;
mod bytes;
mod cycles;
mod formulas;
mod licences;
mod package;
mod parts;
mod published;
mod raised;
mod rubrics;
mod statement;
mod stream;
mod tag;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use planledger_core::domain::Command;
use planledger_core::domain::catalogue::{
    Catalogue as Present, CatalogueCommand, CatalogueItem, EditionDiff, Licence,
};
use planledger_core::ids::{CatalogueId, CatalogueItemId};
use planledger_core::text::Title;

use self::package::Content;
pub use self::published::Damage;
use super::fault::{FaultCode, ImportFault, ImportFaults, PassedOver};

/// The most bytes of a package. The largest published packages have some tens of millions, most of them
/// in fields that are not read.
pub(super) const FILE_LIMIT: u64 = 64 << 20;

/// How much a catalogue holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueSummary {
    /// Items.
    pub items: u64,
    /// Items that are part of no other.
    pub roots: u64,
    /// How often an item is part of one that is not in the package. There the item is part of nothing.
    pub foreign_parents: u64,
    /// How many rubrics, criteria and levels of rubrics could not be read and are not taken in.
    pub rubric_parts_passed_over: u64,
    /// How many items there are of each kind that the publisher names.
    pub kinds: BTreeMap<Title, u64>,
    /// The terms of use, if the publisher says them.
    pub licence: Option<Licence>,
    /// Who holds the rights, if the publisher says so.
    pub rights_holder: Option<Title>,
    /// Items with terms of their own.
    pub items_with_licence: u64,
}

impl CatalogueSummary {
    /// Parents and parts of rubrics that are passed over.
    pub fn passed_over(&self) -> u64 {
        self.foreign_parents + self.rubric_parts_passed_over
    }
}

/// A catalogue without faults.
#[derive(Clone, Debug)]
pub struct Catalogue {
    content: Content,
}

impl Catalogue {
    /// Reads and checks the package at `path`.
    ///
    /// # Errors
    /// All faults of the file, up to [`ImportFaults::LIMIT`] faults.
    pub fn open(path: &Path) -> Result<Self, ImportFaults> {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        let fault = |code| ImportFault::new(code, name.clone().into_owned());
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => fault(FaultCode::FileMissing),
            _ => fault(FaultCode::FileUnreadable),
        })?;
        Self::from_open(&name, file)
    }

    /// Reads and checks a package in an open file, from where the file stands; `name` stands for it in
    /// faults.
    pub(super) fn from_open(name: &str, file: File) -> Result<Self, ImportFaults> {
        let content = package::read_from(name, file)?;
        Ok(Self { content })
    }

    /// Checks a package in memory; `name` stands for it in faults. See [`Catalogue::open`].
    ///
    /// # Errors
    /// As [`Catalogue::open`].
    pub fn from_slice(name: &str, bytes: &[u8]) -> Result<Self, ImportFaults> {
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(values::too_long(name).into());
        }
        let content = package::read(name, bytes)?;
        Ok(Self { content })
    }

    /// The command that brings this catalogue into a ledger. Items of the ledger's catalogue that
    /// are not here go out of use. Goals that were made from them keep their words (P1).
    pub fn command(&self) -> Command {
        let put = CatalogueCommand::Put {
            details: self.content.details.clone(),
            items: self.content.items.clone(),
        };
        Command::Catalogue(self.content.id, put)
    }

    /// Which items held control characters in their texts. They may be damaged at the source.
    pub fn damage(&self) -> &Damage {
        &self.content.damage
    }

    /// The id of the catalogue.
    pub fn id(&self) -> CatalogueId {
        self.content.id
    }

    /// An item.
    pub fn item(&self, id: CatalogueItemId) -> Option<&CatalogueItem> {
        self.content.items.get(&id)
    }

    /// What this edition changes in the present catalogue; `None`: there is none yet.
    pub fn changes(&self, present: Option<&Present>) -> EditionDiff {
        EditionDiff::between(present, &self.content.details, &self.content.items)
    }

    /// Parents and parts of rubrics that are not taken in, with their places and the reasons. Only the
    /// first 100,000 of each are here.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.content.passed_over
    }

    /// How much it holds.
    pub fn summary(&self) -> CatalogueSummary {
        let items = &self.content.items;
        let mut kinds = BTreeMap::new();
        for kind in items.values().filter_map(|item| item.kind.as_ref()) {
            *kinds.entry(kind.clone()).or_default() += 1;
        }
        let roots = items.values().filter(|item| item.parents.is_empty());
        let licensed = items.values().filter(|item| item.licence.is_some());
        CatalogueSummary {
            items: items.len() as u64,
            roots: roots.count() as u64,
            foreign_parents: self.content.foreign_parents,
            rubric_parts_passed_over: self.content.rubric_parts_passed_over,
            kinds,
            licence: self.content.details.licence.clone(),
            rights_holder: self.content.details.rights_holder.clone(),
            items_with_licence: licensed.count() as u64,
        }
    }
}
