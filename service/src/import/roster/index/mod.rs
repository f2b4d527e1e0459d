//! The first pass: reads every table to its end, checks each row and every reference, and keeps
//! what the second pass needs. Names and other texts of persons are not kept. Of a person, an id
//! and four bytes are kept; of an enrolment, two ids.
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
pub(super) mod sessions;
pub(super) mod users;

use jiff::civil::Date;
use planledger_core::ids::{PersonId, SchoolYearId, TeamId};

use self::classes::{Class, Classes};
use self::courses::Courses;
use self::enrollments::{ClassPlace, Places};
use self::orgs::Orgs;
use self::sessions::Sessions;
use self::users::{KnownUser, Users};
use super::reader::layout::REQUIRED;
use super::reader::row::Row;
use super::reader::source::Source;
use crate::import::fault::{Collector, FaultCode, ImportFault, Problem};

/// Everything but the texts of persons and classes.
#[derive(Default)]
pub(super) struct Index {
    pub(super) orgs: Orgs,
    pub(super) sessions: Sessions,
    pub(super) courses: Courses,
    pub(super) classes: Classes,
    pub(super) users: Users,
    pub(super) places: Places,
}

impl Index {
    /// Reads and checks everything. Enrolments whose last day is before `today` have ended.
    pub(super) fn build(source: &mut Source, today: Date, faults: &mut Collector) -> Self {
        manifest::check(source, faults);
        // All missing files are named at once.
        for layout in REQUIRED.iter().filter(|layout| !source.has(layout.file)) {
            let problem = Problem::new(
                FaultCode::FileMissing,
                "the export does not hold this file; export all tables, and put them at the top of \
                 the folder or zip file",
            );
            faults.push(ImportFault::new(problem, layout.file));
        }
        if !faults.is_empty() {
            return Self::default();
        }
        let orgs = Orgs::read(source, faults);
        let sessions = Sessions::read(source, faults);
        let courses = Courses::read(source, &sessions, faults);
        let classes = Classes::read(source, &orgs, &sessions, &courses, faults);
        let users = Users::read(source, &orgs, faults);
        let places = Places::read(source, &classes, &users, today, faults);
        Self {
            orgs,
            sessions,
            courses,
            classes,
            users,
            places,
        }
    }

    /// The school year of a class. See [`classes::school_year`].
    pub(super) fn school_year(
        &self,
        row: &Row<'_>,
        class: &Class,
        faults: &mut Collector,
    ) -> Option<SchoolYearId> {
        classes::school_year(row, class, &self.sessions, &self.courses, faults)
    }

    /// The places in a team, in the order of the file. `None` if there is no such class.
    pub(super) fn places_in(&self, team: TeamId) -> Option<&[ClassPlace]> {
        Some(self.places.of_class(self.classes.number(team)?))
    }

    /// What is known of a person.
    pub(super) fn person(&self, id: PersonId) -> Option<KnownUser> {
        self.users.get(id)
    }
}
