//! Writes what a service gives as the tables of an export.

use std::fs::File;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;

use super::address::escape;
use super::client::{Client, cannot_keep};
use super::pages::{self, Place, Question, Record};
use super::records::{
    Cells, Collection, PROFILES, ROLES, VERSION_1_1, VERSION_1_2, Wrong, id_of, profiles, roles,
};
use super::told::Told;
use crate::import::fault::{FaultCode, ImportFault};
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

/// The status of a row whose record cannot be used. It is no word of the standard, so the reader of the
/// table passes the row over as a bad one, and leaves alone what the row is about.
const UNUSABLE: &str = "unusable";

/// A table that is being written.
pub(in crate::import) struct Table {
    file: &'static str,
    out: csv::Writer<File>,
    left: u64,
    /// The line on which the next row begins.
    line: u64,
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
            line: 1,
        })
    }

    /// Adds a row.
    pub(in crate::import) fn push(&mut self, cells: &[String]) -> Result<(), ImportFault> {
        let size: usize = cells.iter().map(|cell| cell.len() + 3).sum();
        let left = self.left.checked_sub(size as u64);
        self.left = left.ok_or_else(|| ImportFault::new(FaultCode::FileTooLarge, self.file))?;
        let bytes = cells.iter().flat_map(|cell| cell.bytes());
        self.line += 1 + bytes.filter(|byte| *byte == b'\n').count() as u64;
        let written = self.out.write_record(cells).map_err(io::Error::from);
        written.map_err(|error| failed(self.file, &error))
    }

    /// Adds the row of a record. One that cannot be used becomes a row that the reader of the table
    /// passes over.
    fn add(
        &mut self,
        collection: &Collection,
        mut row: Cells,
        from: (&Record, Place),
        told: &mut Told,
    ) -> Result<(), ImportFault> {
        if let Some(wrong) = row.wrong {
            let status = collection.place("status");
            if let Some(status) = status.and_then(|status| row.cells.get_mut(status)) {
                UNUSABLE.clone_into(status);
            }
            told.tell(self.file, self.line, from, wrong);
        }
        self.push(&row.cells)
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

fn failed(file: &'static str, _: &io::Error) -> ImportFault {
    ImportFault::new(cannot_keep(), file)
}

/// What a service gave.
pub(super) struct Fetched {
    pub(super) tables: Vec<(&'static str, File)>,
    /// Why records cannot be used, by the rows that they became.
    pub(super) told: Told,
}

/// Fetches all collections. `changes` asks only for what was changed since then.
pub(super) fn fetch(
    client: &mut Client,
    changes: Option<&Changes>,
) -> Result<Fetched, ImportFault> {
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
    let (mut tables, mut told) = (Vec::new(), Told::default());
    let mut inside = match is_1_2 {
        true => Some(InsideUsers::new()?),
        false => None,
    };
    for collection in &collections {
        let mut table = Table::new(collection)?;
        let question = Question {
            collection: collection.name,
            id: "sourcedId",
            filter: if is_named(collection) { "" } else { &filter },
        };
        let fetched = pages::each(client, question, |record, place| {
            let mut row = collection.cells(&record);
            if let Some(inside) = inside.as_mut().filter(|_| collection.name == "users")
                && row.wrong.is_none()
            {
                row.wrong = inside.add(&record, place, &mut told)?;
            }
            table.add(collection, row, (&record, place), &mut told)
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
    Ok(Fetched { tables, told })
}

/// Whether records of other collections name those of this one. There are few of these, and they are
/// asked for without a filter: a class that was changed names a course and terms that were not.
fn is_named(collection: &Collection) -> bool {
    matches!(collection.name, "orgs" | "academicSessions" | "courses")
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

    /// Adds what a user holds. Tells what is wrong with it if the user as a whole cannot be used,
    /// because nobody knows what they are.
    fn add(
        &mut self,
        user: &Record,
        place: Place,
        told: &mut Told,
    ) -> Result<Option<Wrong>, ImportFault> {
        let roles = match roles(user) {
            Ok(roles) => roles.into_iter().map(|role| ROLES.cells(&role)),
            Err(problem) => return Ok(Some(Wrong::new(problem, "roles"))),
        };
        let mut rows = Vec::new();
        for row in roles {
            if let Some(wrong) = row.wrong {
                return Ok(Some(wrong));
            }
            rows.push(row.cells);
        }
        for row in rows {
            self.roles.push(&row)?;
        }
        let found = match profiles(user) {
            Ok(None) => return Ok(None),
            Ok(Some(found)) => {
                self.has_profiles = true;
                found
                    .iter()
                    .map(|profile| PROFILES.cells(profile))
                    .collect()
            }
            Err(problem) => vec![Cells {
                cells: PROFILES.columns.iter().map(|_| String::new()).collect(),
                wrong: Some(Wrong::new(problem, "userProfiles")),
            }],
        };
        for mut row in found {
            if row.wrong.is_some() {
                // The row says whose profile cannot be read, and no more: so the reader passes it over,
                // and leaves this person's accounts.
                row.cells.iter_mut().for_each(String::clear);
                let owner = PROFILES.place("userSourcedId");
                if let Some(owner) = owner.and_then(|owner| row.cells.get_mut(owner)) {
                    id_of(user).clone_into(owner);
                }
            }
            self.profiles.add(&PROFILES, row, (user, place), told)?;
        }
        Ok(None)
    }
}
