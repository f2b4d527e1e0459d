//! Writes what a service gives as the tables of an export.

use std::fs::File;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;

use super::address::escape;
use super::client::{Client, cannot_keep};
use super::pages::{self, Record};
use super::records::{Collection, PROFILES, ROLES, VERSION_1_1, VERSION_1_2, profiles, roles};
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
    ImportFault::new(cannot_keep(), file)
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
    let mut inside = match is_1_2 {
        true => Some(InsideUsers::new()?),
        false => None,
    };
    for collection in &collections {
        let mut table = Table::new(collection)?;
        let fetched = pages::each(client, collection.name, &filter, |record, page| {
            table.add(collection, &record, page)?;
            match inside.as_mut().filter(|_| collection.name == "users") {
                Some(inside) => inside.add(collection, &record, page),
                None => Ok(()),
            }
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
    if let Some(inside) = inside {
        say("file.roles", mode)?;
        tables.push(inside.roles.finish()?);
        // A user comes with every profile, also if only the changed users were asked for.
        say(
            "file.userProfiles",
            if inside.has_profiles {
                "bulk"
            } else {
                "absent"
            },
        )?;
        if inside.has_profiles {
            tables.push(inside.profiles.finish()?);
        }
    }
    tables.push(manifest.finish()?);
    Ok(tables)
}

/// What stands inside of the users of OneRoster 1.2, and in tables of its own in an export.
struct InsideUsers {
    roles: Table,
    profiles: Table,
    /// Whether the service says of any user which profiles there are.
    has_profiles: bool,
}

impl InsideUsers {
    fn new() -> Result<Self, ImportFault> {
        Ok(Self {
            roles: Table::new(&ROLES)?,
            profiles: Table::new(&PROFILES)?,
            has_profiles: false,
        })
    }

    fn add(&mut self, users: &Collection, user: &Record, page: u64) -> Result<(), ImportFault> {
        let wrong = |problem| fault(users, problem);
        for role in roles(user).map_err(wrong)? {
            self.roles.add(&ROLES, &role, page)?;
        }
        if let Some(found) = profiles(user).map_err(wrong)? {
            self.has_profiles = true;
            for profile in found {
                self.profiles.add(&PROFILES, &profile, page)?;
            }
        }
        Ok(())
    }
}
