//! The first pass: reads every table to its end, checks each row and every reference, and keeps
//! what the second pass needs. Names and other texts of persons are not kept. Of a person, an id
//! and five bytes are kept; of an enrolment, two ids.
//!
//! Each table has a room of its own, which says what one row means, and what is kept of all rows.
//! A table refers only to tables that are read before it, except that users refer to users.

pub(super) mod cells;
pub(super) mod classes;
pub(super) mod courses;
pub(super) mod enrollments;
mod manifest;
pub(super) mod orgs;
mod references;
pub(super) mod roles;
pub(super) mod sessions;
pub(super) mod users;

use jiff::civil::Date;
use planledger_core::ids::{PersonId, SchoolYearId, TeamId};

use self::classes::{Class, Classes, Known};
use self::courses::{Course, Courses};
use self::enrollments::{InClass, Places};
use self::manifest::Manifest;
use self::orgs::Orgs;
use self::roles::{Relationships, Roles};
use self::sessions::Sessions;
use self::users::{Around, KnownUser, User, Users};
use super::reader::layout::{COURSES, Format, ONEROSTER_1_1, USER_PROFILES};
use super::reader::row::Row;
use super::reader::source::Source;
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault, Problem};

/// When an export is read, and what its silence means.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    /// Enrolments whose last day is before this day have ended.
    pub(crate) today: Date,
    /// Whether the export holds changes only. Then it may name what it does not hold, and nothing
    /// follows from what it does not name.
    pub(crate) is_delta: bool,
}

/// Everything but the texts of persons and classes.
pub(super) struct Index {
    pub(super) scope: Scope,
    pub(super) format: &'static Format,
    pub(super) orgs: Orgs,
    pub(super) sessions: Sessions,
    pub(super) courses: Courses,
    pub(super) classes: Classes,
    roles: Option<Roles>,
    relationships: Option<Relationships>,
    pub(super) users: Users,
    pub(super) places: Places,
    /// What was assumed. Nothing of what is in the files.
    pub(super) notes: Vec<String>,
}

impl Index {
    fn empty(scope: Scope) -> Self {
        Self {
            scope,
            format: &ONEROSTER_1_1,
            orgs: Orgs::default(),
            sessions: Sessions::not_exported(),
            courses: Courses::default(),
            classes: Classes::default(),
            roles: None,
            relationships: None,
            users: Users::default(),
            places: Places::default(),
            notes: Vec::new(),
        }
    }

    /// Reads and checks everything. Enrolments whose last day is before `today` have ended.
    ///
    /// `relationships` are those that no table of the format holds.
    pub(super) fn build(
        source: &mut Source,
        relationships: Option<Relationships>,
        today: Date,
        findings: &mut Findings,
    ) -> Self {
        let manifest = Manifest::read(source, findings);
        let is_delta = manifest.is_delta;
        let mut index = Self::empty(Scope { today, is_delta });
        index.format = manifest.format;
        index.relationships = relationships;
        require_files(source, &manifest, findings);
        if !findings.of_files.is_empty() {
            return index;
        }
        index.note(source, &manifest);
        index.read(source, findings);
        if index.places.any_unsaid() {
            let note = "rows of enrollments.csv that were passed over do not say which place they are \
                        about: no place in a team ends by this import";
            index.notes.push(note.to_owned());
        }
        index
    }

    fn read(&mut self, source: &mut Source, findings: &mut Findings) {
        let (format, scope) = (self.format, self.scope);
        // A table that is not there and need not be is one without rows.
        let has = |source: &Source, file| source.has(file);
        if has(source, format.orgs.file) {
            self.orgs = Orgs::read(source, format, findings);
        }
        if has(source, format.sessions.file) {
            self.sessions = Sessions::read(source, format.sessions, scope, findings);
        }
        if !scope.is_delta && !format.is_sds && self.sessions.may_be_elsewhere() {
            let note = "academicSessions.csv holds no session: classes that are known keep their \
                        school years, and new ones have none";
            self.notes.push(note.to_owned());
        }
        if has(source, format.courses.file) {
            self.courses = Courses::read(source, format.courses, &self.sessions, findings);
        }
        if has(source, format.classes.file) {
            let tables = (&self.orgs, &self.sessions, &self.courses);
            self.classes = Classes::read(source, format.classes, tables, scope, findings);
        }
        if let Some(layout) = format.roles {
            self.roles = Some(Roles::default());
            if has(source, layout.file) {
                let roles = Roles::read(source, layout, &self.orgs, scope, findings);
                self.roles = Some(roles);
                whole(findings, layout.file);
            }
        }
        if let Some(layout) = format.relationships
            && has(source, layout.file)
        {
            self.relationships = Some(Relationships::read(source, layout, findings));
            whole(findings, layout.file);
        }
        if has(source, format.users.file) {
            self.users = Users::read(source, format.users, self.around(), findings);
        }
        if has(source, format.enrollments.file) {
            let (classes, users) = (&mut self.classes, &mut self.users);
            let layout = format.enrollments;
            self.places = Places::read(source, layout, classes, users, scope, findings);
        }
    }

    /// What must be known to read a row of a person.
    pub(super) fn around(&self) -> Around<'_> {
        Around {
            orgs: &self.orgs,
            roles: self.roles.as_ref(),
            relationships: self.relationships.as_ref(),
            scope: self.scope,
        }
    }

    fn note(&mut self, source: &Source, manifest: &Manifest) {
        let name = self.format.name;
        if manifest.is_guessed {
            self.notes
                .push(format!("no version is given: read as {name}"));
        } else if name != ONEROSTER_1_1.name {
            self.notes.push(format!("read as {name}"));
        }
        if manifest.is_delta {
            let note = "the export holds changes only: what it does not name stays as it is";
            self.notes.push(note.to_owned());
        }
        if !source.has(COURSES.file) {
            let note = "no courses.csv: subjects and school years are those of the classes";
            self.notes.push(note.to_owned());
        }
        if source.has(USER_PROFILES) {
            self.notes.push("userProfiles.csv is not read".to_owned());
        }
    }

    /// The school year and course of a class.
    pub(super) fn of_class(
        &self,
        row: &Row<'_>,
        class: &Class,
        faults: &mut Collector,
    ) -> (Option<SchoolYearId>, Option<&Course>) {
        let course = classes::course(row, class, &self.courses, self.scope, faults);
        let year = classes::school_year(row, course, &self.sessions, faults);
        (year, course)
    }

    /// What the export says of the places in a team. The outer `None` if there is no such class, the
    /// inner if its row was passed over.
    pub(super) fn places_in(&self, team: TeamId) -> Option<Option<InClass<'_>>> {
        let (number, known) = self.classes.get(team)?;
        let is_said = known != Known::PassedOver;
        Some(is_said.then(|| self.places.of_class(number, self.scope)))
    }

    /// Whether the export has a person in a class; `None` if it does not say.
    pub(super) fn enrolled(&self, user: &User) -> Option<bool> {
        self.places.enrolled(user, &self.users, self.scope)
    }

    /// Whether nothing is said of who guards a child.
    pub(super) fn leaves_guardians(&self, child: PersonId) -> bool {
        let relationships = self.relationships.as_ref();
        relationships.is_some_and(|known| known.all_left().contains(&child))
    }

    /// Persons of whom nothing is said of whether they guard a child, unless another place says it.
    pub(super) fn guardians_left(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        let relationships = self.relationships.iter();
        relationships.flat_map(move |known| known.left_of(child))
    }

    /// How many students there are of whom nothing is said of who guards them.
    pub(super) fn students_left(&self) -> u64 {
        let relationships = self.relationships.iter();
        let children = relationships.flat_map(|known| known.all_left());
        let known = children.filter_map(|child| self.person(*child));
        known
            .filter(|known| known.usable && known.is_student())
            .count() as u64
    }

    /// What is known of a person.
    pub(super) fn person(&self, id: PersonId) -> Option<KnownUser> {
        self.users.get(id)
    }
}

/// Adds a fault for each file that is needed and not there. All are named at once.
fn require_files(source: &Source, manifest: &Manifest, findings: &mut Findings) {
    if manifest.is_delta {
        return;
    }
    let format = manifest.format;
    let mut needed = vec![
        format.orgs,
        format.classes,
        format.users,
        format.enrollments,
    ];
    needed.extend(format.roles);
    if !format.is_sds {
        needed.insert(1, format.sessions);
    }
    for layout in needed {
        let problem = if source.has(layout.file) {
            continue;
        } else if manifest.is_absent(layout.file) {
            "the manifest says that the export does not hold this table; export all tables"
        } else {
            "the export does not hold this file; export all tables, and put them at the top of the \
             folder or zip file"
        };
        let problem = Problem::new(FaultCode::FileMissing, problem);
        findings
            .of_files
            .push(ImportFault::new(problem, layout.file));
    }
}

/// Refuses a table with rows that cannot be taken apart, if nobody can say whose rows they are and
/// something would end without them.
fn whole(findings: &mut Findings, file: &'static str) {
    if findings.has_unreadable(file) {
        let problem = Problem::new(
            FaultCode::RowsBad,
            "a row of this table cannot be read, and nobody knows whose it is; correct the row",
        );
        findings.of_files.push(ImportFault::new(problem, file));
    }
}
