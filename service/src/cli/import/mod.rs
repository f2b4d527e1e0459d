//! `planledger import`: imports rosters and catalogues.

mod catalogue;
mod done;
mod edition;
mod fact;
mod foreseen;
mod missing;
mod report;
mod roster;
mod sending;
mod told;

use clap::Subcommand;

use self::catalogue::CatalogueImport;
pub(super) use self::catalogue::send_catalogue;
use self::roster::RosterImport;
pub(super) use self::sending::send_roster;
use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

/// Import data from other systems
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Import people and groups: a OneRoster 1.1 or 1.2 or School Data Sync CSV export, as a folder or
    /// a zip file, or from a OneRoster service; or an XML export of STIL (UNI-Login)
    Roster(Box<RosterImport>),
    /// Import goals to choose from: a 1EdTech CASE 1.0 or 1.1 CFPackage, as a JSON file or
    /// from a CASE service
    Catalogue(Box<CatalogueImport>),
}

impl Import {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Roster(import) => block_on(import.run(file)),
            Self::Catalogue(import) => block_on(import.run(file)),
        }
    }
}
