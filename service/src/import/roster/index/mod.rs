//! The first pass: reads every table to its end, checks each row and every reference, and keeps
//! what the second pass needs. Names and other texts of persons are not kept, except for what
//! stands in a table of its own: grades in `roles.csv`, and user names in `userProfiles.csv`. Of a
//! person, an id and five bytes are kept; of an enrolment, two ids.
//!
//! Each table has a room of its own, which says what one row means, and what is kept of all rows.
//! A table refers only to tables that are read before it, except that users refer to users.

pub(super) mod cells;
pub(super) mod classes;
pub(super) mod courses;
pub(super) mod enrollments;
mod manifest;
pub(super) mod orgs;
pub(super) mod parents;
pub(super) mod profiles;
mod references;
pub(super) mod roles;
pub(super) mod sessions;
mod strays;
pub(super) mod user_ids;
pub(super) mod users;

use std::collections::BTreeSet;

use jiff::civil::Date;
use planledger_core::domain::person::UserProfile;
use planledger_core::ids::{PersonId, SchoolYearId, TeamId};

use self::classes::{Class, Classes, Known};
use self::courses::{Course, Courses};
use self::enrollments::{InClass, Places};
use self::manifest::Manifest;
use self::orgs::Orgs;
use self::profiles::Profiles;
use self::roles::{Relationships, Roles};
use self::sessions::Sessions;
use self::users::{Around, KnownUser, User, Users};
use super::reader::layout::{COURSES, Format, Layout, ONEROSTER_1_1, PROFILES_1_2, SDS_1, USERS};
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
    /// `None` if the export does not say which accounts persons have in other systems.
    pub(super) profiles: Option<Profiles>,
    pub(super) places: Places,
    /// What was assumed. Nothing of what is in the files.
    pub(super) notes: Vec<String>,
    /// Which form the export has: what is assumed because of the tables that are there.
    pub(super) form: Vec<String>,
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
            profiles: None,
            places: Places::default(),
            form: Vec::new(),
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
        if let Some(layout) = profiles_in(source, &manifest)
            && Profiles::can_be_read(source, layout, findings)
        {
            index.read_profiles(source, layout, manifest.are_profiles_whole(), findings);
        }
        index.note_absent(source);
        if index.places.any_unsaid() && source.has(index.format.enrollments.file) {
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
        if self.lacks_relationships() {
            let note = "no relationships.csv: nothing says who guards whom, and guardians stay as they \
                        are";
            self.notes.push(note.to_owned());
        }
        if has(source, format.users.file) {
            self.users = Users::read(source, format.users, self.around(), findings);
            if self.users.lacks_agents() {
                let note = "the service gives no user any agents: nothing says who guards whom, and \
                            guardians stay as they are";
                self.notes.push(note.to_owned());
            }
            self.pass_over_strays(source, findings);
        }
        if has(source, format.enrollments.file) {
            let (classes, users) = (&mut self.classes, &mut self.users);
            let layout = format.enrollments;
            self.places = Places::read(source, layout, classes, users, scope, findings);
        } else {
            self.places = Places::not_exported();
        }
    }

    /// Passes over rows about what persons are who are not in the table of users.
    fn pass_over_strays(&self, source: &mut Source, findings: &mut Findings) {
        let roles = self.roles.as_ref().map(Roles::passed_over);
        let related = self.relationships.as_ref();
        let related = related.map(Relationships::passed_over);
        let format = self.format;
        for (layout, told) in [(format.roles, roles), (format.relationships, related)] {
            if let (Some(layout), Some(told)) = (layout, told)
                && source.has(layout.file)
            {
                strays::pass_over(source, layout, told, &self.users, self.scope, findings);
            }
        }
    }

    fn read_profiles(
        &mut self,
        source: &mut Source,
        layout: &'static Layout,
        are_whole: bool,
        findings: &mut Findings,
    ) {
        let terms = (self.scope, are_whole);
        let profiles = Profiles::read(source, layout, &self.users, terms, findings);
        if are_whole && profiles.any_unsaid {
            let note = "rows of userProfiles.csv that were passed over do not say whose they are: \
                        nobody loses an account in another system by this import";
            self.notes.push(note.to_owned());
        }
        self.profiles = Some(profiles);
    }

    /// What must be known to read a row of a person.
    pub(super) fn around(&self) -> Around<'_> {
        Around {
            orgs: &self.orgs,
            roles: self.roles.as_ref(),
            relationships: self.relationships.as_ref(),
            lacks_relationships: self.lacks_relationships(),
            scope: self.scope,
        }
    }

    /// Whether a table says who guards whom, and the export does not hold it. That says nothing of
    /// guardians.
    pub(super) fn lacks_relationships(&self) -> bool {
        self.format.relationships.is_some() && self.relationships.is_none()
    }

    /// Whether the export says who guards whom.
    pub(super) fn says_guardians(&self) -> bool {
        !self.lacks_relationships() && !self.users.lacks_agents()
    }

    /// Says what the tables leave out.
    fn note_absent(&mut self, source: &Source) {
        let mut notes = Vec::new();
        let others = self.sessions.other_types();
        if others > 0 {
            notes.push(format!(
                "academicSessions.csv: {others} sessions are of a type that the standard does not name; \
                 they are read as terms"
            ));
        }
        let classes = self.classes.without_year();
        if classes > 0 && !self.sessions.may_be_elsewhere() {
            let why = match self.sessions.years().is_empty() {
                true => "no session is of the type schoolYear",
                false => "none of their terms, nor their course, is part of a school year",
            };
            notes.push(format!(
                "{classes} classes have no school year, because {why}; those that are known keep theirs"
            ));
        }
        if self.users.lacks_enabled() {
            let note = "users.csv has no column enabledUser: every account counts as enabled";
            notes.push(note.to_owned());
        }
        if !self.scope.is_delta && !source.has(self.format.classes.file) {
            let note = "no classes.csv: nothing is said of classes, and they stay as they are";
            notes.push(note.to_owned());
        }
        if !self.scope.is_delta && !source.has(self.format.enrollments.file) {
            let note = "no enrollments.csv: nothing says who is in which class, and places stay as they are";
            notes.push(note.to_owned());
        }
        self.notes.extend(notes);
    }

    fn note(&mut self, source: &Source, manifest: &Manifest) {
        let name = self.format.name;
        if manifest.is_guessed {
            self.form
                .push(format!("no version is given: read as {name}"));
        } else if name != ONEROSTER_1_1.name {
            self.form.push(format!("read as {name}"));
        }
        if manifest.is_delta {
            let note = "the export holds changes only: what it does not name stays as it is";
            self.form.push(note.to_owned());
        }
        if !source.has(COURSES.file) {
            let note = "no courses.csv: subjects and school years are those of the classes";
            self.form.push(note.to_owned());
        }
        if self
            .format
            .profiles
            .is_some_and(|table| !source.has(table.file))
        {
            let note =
                "no user profiles (userProfiles): accounts in other systems stay as they are";
            self.form.push(note.to_owned());
        }
        if source.has(PROFILES_1_2.file) && profiles_in(source, manifest).is_none() {
            let why = match self.format.profiles {
                Some(_) => "the manifest says that the export does not hold it".to_owned(),
                None => format!("{name} has no such table"),
            };
            self.form
                .push(format!("userProfiles.csv is not read: {why}"));
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

    /// Every account that somebody has in other systems; `None` if the export does not say.
    pub(super) fn profiles_of(&self, person: PersonId) -> Option<BTreeSet<UserProfile>> {
        self.profiles.as_ref()?.all_of(person)
    }

    /// Whether nothing is said of whoever is not named as a guardian of a child.
    pub(super) fn leaves_others(&self, child: PersonId) -> bool {
        let relationships = self.relationships.as_ref();
        relationships.is_some_and(|known| known.all_left().contains(&child))
    }

    /// Persons of whom nothing is said of whether they guard a child, unless another place says it.
    pub(super) fn guardians_left(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        let relationships = self.relationships.iter();
        relationships.flat_map(move |known| known.left_of(child))
    }

    /// Persons who do not guard a child, whatever is said of others.
    pub(super) fn guardians_ended(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        let relationships = self.relationships.iter();
        relationships.flat_map(move |known| known.ended_of(child))
    }

    /// Whether nothing at all is said of who guards a child.
    fn says_no_guardian(&self, child: PersonId) -> bool {
        let relationships = self.relationships.iter();
        let mut named = relationships.flat_map(|known| known.of(child).into_iter().flatten());
        let guards = |guardian: &PersonId| {
            let known = self.person(*guardian);
            // The ledger knows whom an export of changes names and does not hold.
            known.map_or(self.scope.is_delta, |known| known.guards(*guardian, child))
        };
        !named.any(guards) && self.guardians_ended(child).next().is_none()
    }

    /// How many students there are of whom nothing at all is said of who guards them.
    pub(super) fn students_left(&self) -> u64 {
        let relationships = self.relationships.iter();
        let children = relationships.flat_map(|known| known.all_left());
        let left = children.filter(|child| self.says_no_guardian(**child));
        let known = left.filter_map(|child| self.person(*child));
        known
            .filter(|known| known.usable && known.is_student())
            .count() as u64
    }

    /// What is known of a person.
    pub(super) fn person(&self, id: PersonId) -> Option<KnownUser> {
        self.users.get(id)
    }
}

/// The table of accounts in other systems, if there is one to read.
fn profiles_in(source: &Source, manifest: &Manifest) -> Option<&'static Layout> {
    let layout = manifest.format.profiles?;
    let is_there = source.has(layout.file) && !manifest.is_absent(layout.file);
    is_there.then_some(layout)
}

/// Adds a fault for each file that is needed and not there. All are named at once.
fn require_files(source: &Source, manifest: &Manifest, findings: &mut Findings) {
    if manifest.is_delta {
        return;
    }
    let mut former = SDS_1.iter().filter(|file| source.has(file));
    if !source.has(USERS.file)
        && let (Some(file), Some(_)) = (former.next(), former.next())
    {
        let problem = Problem::new(
            FaultCode::VersionUnsupported,
            "this is an export of Microsoft School Data Sync 1 (School.csv, Section.csv, Student.csv and \
             so on, also of its UK format), which is not read; export as School Data Sync 2.1, or as \
             OneRoster 1.1 or 1.2",
        );
        findings.of_files.push(ImportFault::new(problem, *file));
        return;
    }
    for layout in needed(source, manifest.format) {
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

/// The tables that an export of everything must hold. In School Data Sync with a table of roles, classes
/// and who is in them need not be there.
fn needed(source: &Source, format: &'static Format) -> Vec<&'static Layout> {
    let mut needed = vec![format.orgs];
    if !format.is_sds {
        needed.push(format.sessions);
    }
    let is_bare = format.is_sds && format.roles.is_some();
    if !is_bare || source.has(format.enrollments.file) {
        needed.push(format.classes);
    }
    needed.push(format.users);
    if !is_bare {
        needed.push(format.enrollments);
    }
    needed.extend(format.roles);
    needed
}

/// Refuses a table with rows that cannot be read so far that anybody can say whose they are, because
/// something could end without them. The fault names the first.
fn whole(findings: &mut Findings, file: &'static str) {
    let Some((count, first)) = findings.unreadable_in(file) else {
        return;
    };
    let which = match count {
        1 => String::new(),
        _ => format!(", the first of {count} such rows"),
    };
    let message = format!(
        "nobody can tell whom this row is about{which}, and something could end without it: {}",
        first.message
    );
    let problem = Problem::new(FaultCode::RowsBad, message);
    let fault = ImportFault {
        row: first.row,
        field: first.field.clone(),
        ..ImportFault::new(problem, file)
    };
    findings.of_files.push(fault);
}
