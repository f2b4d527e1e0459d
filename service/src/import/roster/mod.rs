//! Rosters: an export in CSV of OneRoster 1.1 or 1.2 (bulk or changes only), or of Microsoft School
//! Data Sync, in a folder or a zip archive. `IMPORTING.md` says how the formats differ. An export of STIL
//! (UNI-Login) is turned into such tables first.
//!
//! | OneRoster | planledger |
//! |---|---|
//! | org, of any type | institution; `identifier` is its code; `tobedeleted`: closed |
//! | academicSession of type `schoolYear` | school year |
//! | class | team; subject and code of the class, else of its course; the school year of its terms, else of its course; `tobedeleted`: closed |
//! | user | person with the same role at every org: `guardian`, `parent` and `relative` are guardians, `aide` a pedagogue, `administrator` a leader, `proctor` other; `tobedeleted`: departed, and nothing else says so: a user who is not enabled is there |
//! | a student's `agentSourcedIds` | guardians, whatever else those users are, unless they have departed |
//! | user profile | user name of the person in another system |
//! | enrollment | member or staff of a team; `tobedeleted` or ended: neither; the first primary teacher owns a team that has no owner |
//!
//! Of a user, planledger reads the name, role, grade, orgs and the ids of the account and of profiles, so
//! that the person can be found by them. It does not read telephone numbers, addresses and passwords. A file
//! is read at least twice: once to check everything, then again to make the commands. So memory holds
//! ids only.

mod commands;
mod index;
mod near;
mod origin;
mod reader;
mod summary;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use jiff::civil::Date;
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::text::SourceName;
use uuid::Uuid;

pub use self::commands::ImportedCommand;
use self::index::Index;
use self::index::profiles::Profiles;
pub(super) use self::index::roles::Relationships;
use self::near::Near;
pub use self::origin::Origin;
use self::reader::layout::{CLASSES, Column, ENROLLMENTS, FILES, USERS};
pub(super) use self::reader::meter::FILE_LIMIT;
use self::reader::source::Source;
pub use self::summary::RosterSummary;
use super::fault::{FaultCode, Findings, ImportFault, ImportFaults, PassedOver, PassedOverKind};
use super::stil::{self, Converted, Spots};

/// The id of the person that a roster calls so.
pub(super) fn person_id(sourced_id: &str) -> PersonId {
    PersonId::from_uuid(USERS.id_of(sourced_id))
}

/// How an import reads a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Enrolments whose last day is before this day have ended. Guardianships that the roster no
    /// longer names end on it.
    pub today: Date,
    /// How many percent of a table's rows may be bad. One bad row of a table is allowed if it is not
    /// 0. Rows that say that what they describe is gone do not count.
    pub bad_rows: u8,
}

/// How many commands say of children elsewhere who guards them.
fn parents_elsewhere(index: &Index) -> u64 {
    index.users.parents().elsewhere(&index.users).count() as u64
}

impl Terms {
    /// How many percent of a table's rows may be bad unless something else is said.
    pub const BAD_ROWS: u8 = 5;
}

impl From<Date> for Terms {
    fn from(today: Date) -> Self {
        Self {
            today,
            bad_rows: Self::BAD_ROWS,
        }
    }
}

/// What the files of an export are called, for people. An export in XML has one name for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterFiles {
    /// What holds persons and their guardians.
    pub persons: Cow<'static, str>,
    /// What holds classes.
    pub classes: Cow<'static, str>,
    /// What holds enrolments.
    pub enrolments: Cow<'static, str>,
}

impl Default for RosterFiles {
    /// The tables of OneRoster.
    fn default() -> Self {
        Self {
            persons: USERS.file.into(),
            classes: CLASSES.file.into(),
            enrolments: ENROLLMENTS.file.into(),
        }
    }
}

/// A roster without faults but in rows that are passed over.
pub struct Roster {
    // One reader for each pass over a table that makes commands.
    persons: Source,
    guardians: Source,
    teams: Source,
    index: Index,
    today: Date,
    origin: Option<Origin>,
    passed_over: Vec<PassedOver>,
    /// Of an export that became tables first: where their rows come from, and what is passed over as it
    /// is told of the export.
    told: Option<(Spots, Vec<PassedOver>)>,
    /// What is told of an export that became tables first.
    notes: Vec<String>,
    /// Whether the export says who guards whom. If not, nothing is said of guardians.
    says_guardians: bool,
    /// Contact persons of students who guard nobody, in a format that names such.
    without_custody: u64,
}

impl Roster {
    /// Opens and checks the export at `path`: a folder or zip archive of tables, or an XML file of
    /// STIL (UNI-Login) or a folder of such files. Enrolments whose last day is before `today` have
    /// ended. Guardianships that the roster no longer names end on `today`.
    ///
    /// # Errors
    /// All faults of the files, up to [`ImportFaults::LIMIT`] faults.
    pub fn open(path: &Path, terms: impl Into<Terms>) -> Result<Self, ImportFaults> {
        match stil::open(path)? {
            Some(export) => Self::from_converted(export, terms),
            None => Self::check(Source::open(path, FILES)?, None, terms.into()),
        }
    }

    /// Checks an export of STIL that has become tables.
    pub(super) fn from_converted(
        export: Converted,
        terms: impl Into<Terms>,
    ) -> Result<Self, ImportFaults> {
        let says_guardians = export.relationships.is_some();
        let source = Source::from_open(export.tables);
        let spots = export.spots;
        let mut roster = match Self::check(source, export.relationships, terms.into()) {
            Ok(roster) => roster,
            Err(faults) => {
                let faults = spots.faults(faults);
                // There are too many bad rows, and the report lists the others, too.
                return Err(match faults.passed_over().is_empty() {
                    false => faults.with_passed_over(export.passed_over),
                    true => faults,
                });
            }
        };
        roster.passed_over.extend(export.passed_over);
        let passed_over = roster.passed_over.iter();
        let passed_over = passed_over.map(|passed| spots.passed(passed)).collect();
        Ok(Self {
            told: Some((spots, passed_over)),
            notes: export.notes,
            says_guardians,
            without_custody: export.without_custody,
            ..roster
        })
    }

    /// Checks an export of STIL (UNI-Login) in memory. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_stil(bytes: &[u8], terms: impl Into<Terms>) -> Result<Self, ImportFaults> {
        let export = stil::convert([("export.xml".to_owned(), bytes)], false)?;
        Self::from_converted(export, terms)
    }

    /// Checks an export whose files are in memory, by name. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_files<'n>(
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
        terms: impl Into<Terms>,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_files(files, FILES), None, terms.into())
    }

    /// Checks a zipped export in memory. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_zip(
        bytes: impl Into<Cow<'static, [u8]>>,
        terms: impl Into<Terms>,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_zip(bytes.into(), FILES)?, None, terms.into())
    }

    /// Checks tables in open files, by name. See [`Roster::open`].
    ///
    /// # Errors
    /// As [`Roster::open`].
    pub fn from_open(
        files: impl IntoIterator<Item = (&'static str, File)>,
        terms: impl Into<Terms>,
    ) -> Result<Self, ImportFaults> {
        Self::check(Source::from_open(files), None, terms.into())
    }

    fn check(
        mut source: Source,
        relationships: Option<Relationships>,
        terms: Terms,
    ) -> Result<Self, ImportFaults> {
        let mut findings = Findings::default();
        let index = Index::build(&mut source, relationships, terms.today, &mut findings);
        Ok(Self {
            passed_over: findings.finish(terms.bad_rows)?,
            says_guardians: index.says_guardians(),
            persons: source.clone(),
            guardians: source.clone(),
            teams: source,
            index,
            today: terms.today,
            origin: None,
            told: None,
            notes: Vec::new(),
            without_custody: 0,
        })
    }

    /// The name that the manifest gives the system that the export comes from, if it gives one.
    ///
    /// # Errors
    /// It gives one that no source may have.
    pub fn system_code(&mut self) -> Result<Option<SourceName>, ImportFault> {
        origin::system_code(&mut self.persons)
    }

    /// Says which source the roster comes from. The commands then have this source's ids, and say what
    /// the source knows of a person's account. Without a source they have the ids of the first source
    /// and say nothing of accounts.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = Some(origin);
    }

    /// How much the roster holds.
    pub fn summary(&self) -> RosterSummary {
        let mut summary = RosterSummary::of(&self.index, &self.passed_over);
        let relationships = self.index.around().relationships;
        summary.agents_passed_over += relationships.map_or(0, Relationships::guarding_nobody);
        summary.agents_passed_over += self.without_custody;
        let profiles = self
            .index
            .profiles
            .as_ref()
            .filter(|_| self.origin.is_some());
        summary.commands += profiles.map_or(0, Profiles::in_part_count);
        summary.commands += parents_elsewhere(&self.index);
        if self.origin.is_some() {
            summary.commands += self.index.users.only_gone();
        }
        summary.commands -= match self.says_guardians {
            true => self.index.students_left(),
            false => self.index.users.students(),
        };
        summary
    }

    /// Every row and value that the import does not use, with its place and the reason.
    pub fn passed_over(&self) -> &[PassedOver] {
        self.told
            .as_ref()
            .map_or(&self.passed_over, |(_, told)| told)
    }

    /// What the files of the export are called that hold persons, classes and enrolments.
    pub fn files(&self) -> RosterFiles {
        let format = self.index.format;
        let called = |table: &'static str| match &self.told {
            Some((spots, _)) => Cow::Owned(spots.whole().to_owned()),
            None => Cow::Borrowed(table),
        };
        RosterFiles {
            persons: called(format.users.file),
            classes: called(format.classes.file),
            enrolments: called(format.enrollments.file),
        }
    }

    /// Says anew what is passed over, in the words of whoever made the tables.
    pub(super) fn retell(&mut self, tell: impl FnOnce(Vec<PassedOver>) -> Vec<PassedOver>) {
        self.passed_over = tell(std::mem::take(&mut self.passed_over));
    }

    /// What was assumed about the export and about how its files are written: format, encoding,
    /// separator, days. Nothing of what is in them.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        match &self.told {
            // Nobody has the tables that the export became.
            Some((spots, _)) => {
                notes.extend(self.index.notes.iter().map(|note| spots.said(note)));
            }
            None => {
                let of_files = self.index.form.iter().chain(&self.index.notes);
                notes.extend(of_files.cloned());
            }
        }
        notes.extend(self.persons.notes());
        notes
    }

    /// Whether the roster holds changes only. Then nothing follows from what it does not name.
    pub fn is_delta(&self) -> bool {
        self.index.scope.is_delta
    }

    /// The ids of all persons and teams that the roster names, also of those whose rows are passed
    /// over, as the commands name them.
    pub fn members(&self) -> HashSet<Uuid> {
        let persons = self.index.users.ids().map(|id| id.uuid());
        let teams = self.index.classes.ids().map(|id| id.uuid());
        let relationships = self.index.around().relationships;
        let related = relationships.into_iter().flat_map(|known| known.named());
        let related = related.map(|id| id.uuid());
        let all = persons.chain(related).chain(teams);
        match &self.origin {
            Some(origin) => all.map(|id| origin.of(id)).collect(),
            None => all.collect(),
        }
    }

    /// Whether a row of a person that is passed over has no id that can be read. Then whoever is not
    /// named may still be in the roster.
    pub fn hides_persons(&self) -> bool {
        self.hides_ids(self.index.format.users.file)
    }

    /// The same of the classes. An export may also hold no table of them.
    pub fn hides_classes(&self) -> bool {
        let file = self.index.format.classes.file;
        !self.teams.has(file) || self.hides_ids(file)
    }

    fn hides_ids(&self, file: &str) -> bool {
        let bad = self
            .passed_over
            .iter()
            .filter(|passed| passed.kind == PassedOverKind::Bad);
        let mut bad = bad
            .map(|passed| &passed.fault)
            .filter(|fault| fault.file == file);
        bad.any(|fault| match fault.code {
            // Of such a row nothing is read, its id neither.
            FaultCode::FieldCountWrong | FaultCode::Utf8Invalid => true,
            FaultCode::IdDuplicated => false,
            _ => fault.field.as_deref() == Some(Column::SourcedId.header()),
        })
    }

    /// Whether somebody who is nothing but a guardian may be there and not be named: the export says
    /// nothing of guardians, or names one of whom nobody can tell who it is.
    pub fn hides_guardians(&self) -> bool {
        let relationships = self.index.around().relationships;
        !self.says_guardians || relationships.is_some_and(|known| !known.all_left().is_empty())
    }

    /// How many rows a file of the export has, without its header. `None` if the export has no such
    /// file, or it was not read.
    pub fn rows(&self, file: &str) -> Option<u64> {
        self.persons.rows(file)
    }

    /// The commands that bring this roster into a ledger: school years, institutions, persons, accounts of
    /// persons, guardians of students, teams, in this order. A command names only what an earlier command
    /// has brought. Another call gives the same commands.
    ///
    /// # Errors
    /// An item is an error if a file changed since it was checked. It is the last item.
    pub fn commands(&mut self) -> impl Iterator<Item = Result<ImportedCommand, ImportFault>> {
        let origin = self.origin.as_ref();
        let guardians = self
            .says_guardians
            .then(|| commands::guardians(&mut self.guardians, &self.index, self.today));
        let all = commands::school_years(&self.index)
            .chain(commands::institutions(&self.index))
            .chain(commands::persons(&mut self.persons, &self.index, origin))
            .chain(commands::profiles(&self.index, origin))
            .chain(guardians.into_iter().flatten())
            .chain(commands::guardians_elsewhere(&self.index, self.today))
            .chain(commands::teams(&mut self.teams, &self.index, origin))
            .chain(commands::teams_elsewhere(&self.index, origin));
        told(all, origin, self.told.as_ref().map(|(spots, _)| spots))
    }

    /// The same commands in an order in which those that name the same persons are near each other. It is
    /// for a ledger that has nothing of this roster yet: who is in the roster and who is not need not be
    /// told apart there.
    ///
    /// # Errors
    /// As for [`Self::commands`].
    pub fn commands_near(&mut self) -> impl Iterator<Item = Result<ImportedCommand, ImportFault>> {
        let origin = self.origin.as_ref();
        let guardians = self
            .says_guardians
            .then(|| commands::guardians(&mut self.guardians, &self.index, self.today));
        let near = Near::new(
            commands::persons(&mut self.persons, &self.index, origin),
            guardians.into_iter().flatten(),
            commands::teams(&mut self.teams, &self.index, origin),
            self.index.users.coming().map(StreamId::from).collect(),
            near::PERSONS,
        );
        let all = commands::school_years(&self.index)
            .chain(commands::institutions(&self.index))
            .chain(near)
            .chain(commands::profiles(&self.index, origin))
            .chain(commands::guardians_elsewhere(&self.index, self.today))
            .chain(commands::teams_elsewhere(&self.index, origin));
        told(all, origin, self.told.as_ref().map(|(spots, _)| spots))
    }
}

/// Commands with the ids that the ledger has for what they name, and the places in the files of which whoever
/// imports them knows. Nothing comes after a fault.
fn told<'r>(
    commands: impl Iterator<Item = commands::Item> + 'r,
    origin: Option<&'r Origin>,
    spots: Option<&'r Spots>,
) -> impl Iterator<Item = commands::Item> + 'r {
    let mut failed = false;
    let named = move |imported: ImportedCommand| {
        let place = spots.and_then(|spots| spots.of(&imported.file, imported.row));
        let place = place.map(|(file, line)| (Cow::Owned(file.to_owned()), line));
        let (file, row) = place.unwrap_or((imported.file, imported.row));
        let command = match origin {
            Some(origin) => origin.named(imported.command),
            None => imported.command,
        };
        ImportedCommand { command, file, row }
    };
    let told = move |fault| match spots {
        Some(spots) => spots.fault(fault),
        None => fault,
    };
    commands
        .map(move |item| item.map(named).map_err(told))
        .take_while(move |item| !std::mem::replace(&mut failed, item.is_err()))
}
