//! Rosters: a OneRoster 1.1 CSV bulk export, in a folder or a zip archive.
//!
//! | OneRoster | planledger |
//! |---|---|
//! | org, of any type | institution; `identifier` is its code; `tobedeleted`: closed |
//! | academicSession of type `schoolYear` | school year |
//! | class | team; subject and code of the class, else of its course; the school year of its terms, else of its course; `tobedeleted`: closed |
//! | user | person with the same role at every org: `guardian`, `parent` and `relative` are guardians, `aide` a pedagogue, `administrator` a leader, `proctor` other; `tobedeleted`: departed, and nothing else says so: a user who is not enabled is there |
//! | a student's `agentSourcedIds` | guardians, whatever else those users are, unless they have departed |
//! | enrollment | member or staff of a team; `tobedeleted` or ended: neither; the first primary teacher owns a team that has no owner |
//!
//! Of a user, planledger reads the name, role, grade and orgs. It does not read user names,
//! numbers, addresses and passwords. A file is read at least twice: once to check everything, then
//! again to make the commands. So memory holds ids only.

mod commands;
mod index;
mod reader;
mod summary;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::Path;

use jiff::civil::Date;

pub use self::commands::ImportedCommand;
use self::index::Index;
use self::reader::layout::FILES;
use self::reader::source::Source;
pub use self::summary::RosterSummary;
use super::fault::{Collector, ImportFault, ImportFaults};

/// A roster without faults.
pub struct Roster {
    // One reader for each pass over a table that makes commands.
    persons: Source,
    guardians: Source,
    teams: Source,
    index: Index,
    today: Date,
}

impl Roster {
    /// Opens and checks the export at `path`, which is a folder or a zip archive. Enrolments whose
    /// last day is before `today` have ended. Guardianships that the roster no longer names end on
    /// `today`.
    ///
    /// # Errors
    /// All faults of the files, up to [`ImportFaults::LIMIT`] faults.
    pub fn open(path: &Path, today: Date) -> Result<Self, ImportFaults> {
        Self::check(Source::open(path, FILES)?, today)
    }

    /// Checks an export whose files are in memory, by name. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_files<'n>(
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
        today: Date,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_files(files, FILES), today)
    }

    /// Checks a zipped export in memory. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_zip(
        bytes: impl Into<Cow<'static, [u8]>>,
        today: Date,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_zip(bytes.into())?, today)
    }

    fn check(mut source: Source, today: Date) -> Result<Self, ImportFaults> {
        let mut faults = Collector::default();
        let index = Index::build(&mut source, today, &mut faults);
        faults.finish(Self {
            persons: source.clone(),
            guardians: source.clone(),
            teams: source,
            index,
            today,
        })
    }

    /// How much the roster holds.
    pub fn summary(&self) -> RosterSummary {
        RosterSummary::of(&self.index)
    }

    /// The commands that bring this roster into a ledger: school years, institutions, persons,
    /// guardians of students, teams, in this order. A command names only what an earlier command
    /// has brought. Another call gives the same commands.
    ///
    /// # Errors
    /// An item is an error if a file changed since it was checked. It is the last item.
    pub fn commands(&mut self) -> impl Iterator<Item = Result<ImportedCommand, ImportFault>> {
        let mut failed = false;
        commands::school_years(&self.index)
            .chain(commands::institutions(&self.index))
            .chain(commands::persons(&mut self.persons, &self.index))
            .chain(commands::guardians(
                &mut self.guardians,
                &self.index,
                self.today,
            ))
            .chain(commands::teams(&mut self.teams, &self.index))
            .take_while(move |item| !std::mem::replace(&mut failed, item.is_err()))
    }
}
