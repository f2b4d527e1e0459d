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

pub use self::client::{Access, Client};
pub use self::tables::Changes;
pub(super) use self::tables::Table;
use super::catalogue::{Catalogue, FILE_LIMIT};
use super::fault::ImportFaults;
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
        Self::from_open(tables::fetch(client, changes)?, terms)
    }
}

impl Catalogue {
    /// Fetches a package from a CASE service and checks it. `id` is the identifier of its document.
    ///
    /// # Errors
    /// What the service refuses, or all faults of the package.
    pub fn fetch(client: &mut Client, id: uuid::Uuid) -> Result<Self, ImportFaults> {
        let path = format!("CFPackages/{id}");
        let file = client.get_file(&client.url(&path), "CFPackages", FILE_LIMIT)?;
        Self::from_open("CFPackages", file)
    }
}
