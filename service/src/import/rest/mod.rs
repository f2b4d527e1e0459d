//! Rosters and catalogues over REST: OneRoster 1.1 and 1.2, and 1EdTech CASE 1.0 and 1.1.
//!
//! A roster is fetched collection by collection and written as the tables that a CSV export would
//! hold, so everything after is one way. The tables are files without a name: they are gone when the
//! program ends, however it ends.
//!
//! A catalogue is one package. It goes into such a file too, and is read from there piece by piece.
//!
//! - `client` signs in (OAuth 2 client credentials), asks, and asks again when a server is busy.
//! - `pages` reads a collection page by page, and knows whether it got all of it.
//! - `records` says which cells a record becomes.
//! - `tables` brings the three together.
//! - `told` says which records cannot be used, and why.
//!
//! Everything is bounded: the size of an answer, the number of pages, the size of a table, the time to
//! wait. The token goes only to the server that was named. Faults name a collection, never what it
//! holds.

mod address;
mod client;
mod pages;
mod records;
mod tables;
#[cfg(test)]
mod tests;
mod told;

use planledger_core::text::{Code, Title};
use serde_json::Value;
use uuid::Uuid;

pub use self::client::{Access, Client};
use self::pages::{Question, Record};
pub use self::tables::Changes;
pub(super) use self::tables::Table;
use super::catalogue::{Catalogue, FILE_LIMIT};
use super::fault::{FaultCode, ImportFault, ImportFaults};
use super::roster::{Roster, Terms};

impl Roster {
    /// Fetches a roster from a OneRoster service and checks it. See [`Roster::open`].
    ///
    /// # Errors
    /// What the service refuses or leaves out, or all faults of what it gave.
    pub fn fetch(
        client: &mut Client,
        changes: Option<&Changes>,
        terms: impl Into<Terms>,
    ) -> Result<Self, ImportFaults> {
        let fetched = tables::fetch(client, changes)?;
        let mut roster = Self::from_open(fetched.tables, terms)
            .map_err(|refused| fetched.told.explain_refusal(refused))?;
        roster.retell(|passed| fetched.told.explain(passed));
        Ok(roster)
    }
}

/// A framework that a CASE service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// The identifier of its document, by which it is fetched.
    pub id: Uuid,
    /// What it is called, as far as that may be shown.
    pub title: Option<Title>,
    /// Who publishes it.
    pub publisher: Option<Title>,
    /// Its version.
    pub version: Option<Code>,
}

impl Framework {
    /// The most that are listed.
    const MOST: usize = 10_000;

    /// Reads a document; `None` if its identifier is no UUID, so that it cannot be fetched.
    fn read(document: &Record) -> Option<Self> {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let title = |name: &str| Title::published(text(name)?.trim()).ok();
        Some(Self {
            id: Uuid::parse_str(text("identifier")?).ok()?,
            title: title("title"),
            publisher: title("publisher").or_else(|| title("creator")),
            version: text("version").and_then(|text| Code::published(text.trim()).ok()),
        })
    }
}

impl Catalogue {
    /// Asks a CASE service which frameworks it has, in the order in which it lists them.
    ///
    /// # Errors
    /// What the service refuses or leaves out.
    pub fn list(client: &mut Client) -> Result<Vec<Framework>, ImportFault> {
        let question = Question {
            collection: "CFDocuments",
            id: "identifier",
            filter: "",
        };
        let mut frameworks = Vec::new();
        pages::each(client, question, |document, _| {
            if frameworks.len() == Framework::MOST {
                return Err(ImportFault::new(
                    FaultCode::RestAnswerTooLarge,
                    "CFDocuments over REST",
                ));
            }
            frameworks.extend(Framework::read(&document));
            Ok(())
        })?;
        Ok(frameworks)
    }

    /// Fetches a package from a CASE service and checks it. `id` is the identifier of its document.
    ///
    /// # Errors
    /// What the service refuses, or all faults of the package.
    pub fn fetch(client: &mut Client, id: Uuid) -> Result<Self, ImportFaults> {
        let path = format!("CFPackages/{id}");
        let file = client.get_file(&client.url(&path), "CFPackages", FILE_LIMIT)?;
        Self::from_open("CFPackages", file)
    }
}
