//! Writes what a service gives as the tables of an export.

use std::fs::File;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;

use super::address::escape;
use super::client::Client;
use super::pages::{self, Record};
use super::records::{Collection, ROLES, VERSION_1_1, VERSION_1_2, roles};
use crate::import::fault::{FaultCode, ImportFault, Problem};
use crate::import::roster::FILE_LIMIT;

/// Since when changes are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes(String);

impl Changes {
    /// Takes a day (`2026-11-01`) or an instant (`2026-11-01T08:00:00Z`). `None` if it is neither.
    pub fn since(text: &str) -> Option<Self> {
        let is_day = text.len() == 10 && text.parse::<Date>().is_ok();
        let is_instant = text.parse::<Timestamp>().is_ok();
        (is_day || is_instant).then(|| Self(text.to_owned()))
    }
}

/// A table that is being written.
pub(in crate::import) struct Table {
    file: &'static str,
    out: csv::Writer<File>,
    left: u64,
}

impl Table {
    fn new(collection: &Collection) -> Result<Self, ImportFault> {
        let mut table = Self::of(collection.file)?;
        let header = collection
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned());
        table.push(&header.collect::<Vec<_>>())?;
        Ok(table)
    }

    /// Begins a table without a header.
    pub(in crate::import) fn of(file: &'static str) -> Result<Self, ImportFault> {
        let out = tempfile::tempfile().map_err(|error| failed(file, &error))?;
        Ok(Self {
            file,
            out: csv::Writer::from_writer(out),
            left: FILE_LIMIT,
        })
    }

    /// Adds a row.
    pub(in crate::import) fn push(&mut self, cells: &[String]) -> Result<(), ImportFault> {
        let size: usize = cells.iter().map(|cell| cell.len() + 3).sum();
        let left = self.left.checked_sub(size as u64);
        self.left = left.ok_or_else(|| ImportFault::new(FaultCode::FileTooLarge, self.file))?;
        let written = self.out.write_record(cells).map_err(io::Error::from);
        written.map_err(|error| failed(self.file, &error))
    }

    /// Adds a record of a collection.
    fn add(
        &mut self,
        collection: &Collection,
        record: &Record,
        page: u64,
    ) -> Result<(), ImportFault> {
        let cells = collection.columns.iter().map(|(_, cell)| {
            let field = || format!("page {page}, {}", cell.field());
            let made = cell.of(record);
            made.map_err(|problem| fault(collection, problem).field(field()))
        });
        self.push(&cells.collect::<Result<Vec<_>, _>>()?)
    }

    /// Ends the table.
    pub(in crate::import) fn finish(self) -> Result<(&'static str, File), ImportFault> {
        let file = self.file;
        let done = self
            .out
            .into_inner()
            .map_err(csv::IntoInnerError::into_error);
        let done = done.and_then(|mut out| out.flush().map(|()| out));
        Ok((file, done.map_err(|error| failed(file, &error))?))
    }
}

fn fault(collection: &Collection, problem: Problem) -> ImportFault {
    ImportFault::new(problem, format!("{} over REST", collection.name))
}

fn failed(file: &'static str, _: &io::Error) -> ImportFault {
    let problem = Problem::new(
        FaultCode::FileUnreadable,
        "the table cannot be kept on this machine while it is read; check that the folder for \
         temporary files has room",
    );
    ImportFault::new(problem, file)
}

/// Fetches all collections. `changes` asks only for what was changed since then.
pub(super) fn fetch(
    client: &mut Client,
    changes: Option<&Changes>,
) -> Result<Vec<(&'static str, File)>, ImportFault> {
    let is_1_2 = client.base().url().contains("/v1p2");
    let collections = if is_1_2 { VERSION_1_2 } else { VERSION_1_1 };
    let filter = changes.map_or_else(String::new, |Changes(since)| {
        format!("&filter={}", escape(&format!("dateLastModified>'{since}'")))
    });
    let mode = if changes.is_some() { "delta" } else { "bulk" };
    let mut manifest = Table::of("manifest.csv")?;
    let mut say = |name: &str, value: &str| manifest.push(&[name.to_owned(), value.to_owned()]);
    say("propertyName", "value")?;
    say("manifest.version", "1.0")?;
    say("oneroster.version", if is_1_2 { "1.2" } else { "1.1" })?;
    let mut tables = Vec::new();
    let mut roles_table = match is_1_2 {
        true => Some(Table::new(&ROLES)?),
        false => None,
    };
    for collection in &collections {
        let mut table = Table::new(collection)?;
        let fetched = pages::each(client, collection.name, &filter, |record, page| {
            table.add(collection, &record, page)?;
            if let Some(of_roles) = roles_table.as_mut().filter(|_| collection.name == "users") {
                let found = roles(&record).map_err(|problem| fault(collection, problem))?;
                for role in found {
                    of_roles.add(&ROLES, &role, page)?;
                }
            }
            Ok(())
        });
        let property = format!("file.{}", collection.name);
        match fetched {
            // Not every service has courses.
            Err(fault) if fault.code == FaultCode::RestMissing && collection.name == "courses" => {
                say(&property, "absent")?;
            }
            fetched => {
                fetched?;
                say(&property, mode)?;
                tables.push(table.finish()?);
            }
        }
    }
    if let Some(table) = roles_table {
        say("file.roles", mode)?;
        tables.push(table.finish()?);
    }
    tables.push(manifest.finish()?);
    Ok(tables)
}
