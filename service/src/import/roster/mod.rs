//! Rosters: a OneRoster 1.1 CSV bulk export, in a folder or a zip archive.
//!
//! | OneRoster | planledger |
//! |---|---|
//! | org, of any type | institution; `identifier` is its code; `tobedeleted`: closed |
//! | academicSession of type `schoolYear` | school year |
//! | class | team; subject and code of the class, else of its course; the school year of its terms, else of its course; `tobedeleted`: closed |
//! | user | person with one role at every org: `guardian`, `parent` and `relative` are guardians, `aide` a pedagogue, `administrator` a leader, `proctor` other; `tobedeleted` or not enabled: departed; so is a teacher or aide whose enrolments have all ended, one of them before its class's school year |
//! | a student's `agentSourcedIds` | guardians, as far as those users are |
//! | enrollment | member or staff of a team; `tobedeleted` or ended: neither; the first primary teacher owns a team that has no owner |
//!
//! Of a user, name, role, grade and places are read; user names, numbers, addresses and passwords
//! are not. A file is read at least twice: once to check everything, then again to make the
//! commands, so that memory holds ids only.

mod commands;
mod index;
mod rows;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::Path;

use jiff::civil::Date;
use planledger_core::domain::Command;
use planledger_core::domain::person::Role;

use self::index::Index;
use self::rows::EnrolledAs;
use self::source::Source;
use super::fault::{Collector, ImportFault, ImportFaults};

/// A command and the row that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCommand {
    /// The command.
    pub command: Command,
    /// The file.
    pub file: &'static str,
    /// The line in the file, from 1.
    pub row: u64,
}

/// How much a roster holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RosterSummary {
    /// School years.
    pub school_years: u64,
    /// Institutions, the closed ones too.
    pub institutions: u64,
    /// Students, the departed ones too.
    pub students: u64,
    /// Guardians, the departed ones too.
    pub guardians: u64,
    /// Teachers, the departed ones too.
    pub teachers: u64,
    /// Pedagogues, the departed ones too.
    pub pedagogues: u64,
    /// Leaders, the departed ones too.
    pub leaders: u64,
    /// Persons of any other role, the departed ones too.
    pub others: u64,
    /// Persons who have left, whatever their role.
    pub departed: u64,
    /// Guardians of students, counted once for each child.
    pub guardianships: u64,
    /// Teams, the closed ones too.
    pub teams: u64,
    /// Places of students in teams.
    pub memberships: u64,
    /// Places of teachers and pedagogues in teams.
    pub staff: u64,
    /// Commands that [`Roster::commands`] gives.
    pub commands: u64,
}

impl RosterSummary {
    /// Persons of every role.
    pub fn persons(&self) -> u64 {
        self.students
            + self.guardians
            + self.teachers
            + self.pedagogues
            + self.leaders
            + self.others
    }
}

/// A roster without faults.
pub struct Roster {
    // One reader for each table that the second pass streams.
    persons: Source,
    guardians: Source,
    teams: Source,
    index: Index,
    today: Date,
}

impl Roster {
    /// Opens and checks the export at `path`, a folder or a zip archive. Enrolments whose last
    /// day is before `today` have ended, and guardianships that the roster no longer names end
    /// on `today`.
    ///
    /// # Errors
    /// Everything that is wrong, up to [`ImportFaults::LIMIT`] faults.
    pub fn open(path: &Path, today: Date) -> Result<Self, ImportFaults> {
        Self::check(Source::open(path, rows::FILES)?, today)
    }

    /// Checks an export whose files are in memory, by name. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_files<'n>(
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
        today: Date,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_files(files, rows::FILES), today)
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
        let index = &self.index;
        let mut summary = RosterSummary {
            school_years: index.years.len() as u64,
            institutions: index.orgs.len() as u64,
            guardianships: index.guardianships,
            teams: index.classes() as u64,
            ..RosterSummary::default()
        };
        for person in index.persons() {
            summary.departed += u64::from(person.departed);
            *match person.role {
                Role::Student => &mut summary.students,
                Role::Guardian => &mut summary.guardians,
                Role::Teacher => &mut summary.teachers,
                Role::Pedagogue => &mut summary.pedagogues,
                Role::Leader => &mut summary.leaders,
                Role::Other => &mut summary.others,
            } += 1;
        }
        for place in index.all_places() {
            match place.role {
                EnrolledAs::Student => summary.memberships += 1,
                EnrolledAs::Staff { .. } => summary.staff += 1,
                EnrolledAs::Neither => {}
            }
        }
        summary.commands = summary.school_years
            + summary.institutions
            + summary.persons()
            + summary.students
            + summary.teams;
        summary
    }

    /// The commands that make a ledger hold this roster: school years, institutions, persons,
    /// guardians of students, teams. What a command names, an earlier one has made known. May be
    /// called again and gives the same.
    ///
    /// # Errors
    /// An item is an error if a file changed since it was checked; nothing comes after it.
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
