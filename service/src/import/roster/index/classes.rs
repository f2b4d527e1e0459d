//! `classes.csv`: teams.

use std::collections::HashMap;

use planledger_core::ids::{InstitutionId, SchoolYearId, TeamId};
use planledger_core::text::{Code, Name, Title};
use uuid::Uuid;

use super::super::reader::layout::{CLASSES, COURSES, Column, ORGS, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{is_gone, reference};
use super::courses::{Courses, subject};
use super::orgs::Orgs;
use super::references::{each_row, push_dangling};
use super::sessions::Sessions;
use crate::import::fault::{Collector, FaultCode};

/// One row.
pub(crate) struct Class {
    pub(crate) team: TeamId,
    pub(crate) title: Title,
    pub(crate) subject: Option<Name>,
    pub(crate) code: Option<Code>,
    pub(crate) school: InstitutionId,
    pub(crate) course: Uuid,
    pub(crate) closed: bool,
}

impl Class {
    pub(crate) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        let team = faults.ok(row.id(TeamId::from_uuid));
        let closed = faults.ok(is_gone(row));
        let title = faults.ok(row.required(Column::Title, Title::new));
        let subject = faults.ok(subject(row));
        let code = faults.ok(row.optional(Column::ClassCode, Code::new));
        let school = faults.ok(reference(row, Column::SchoolSourcedId, &ORGS));
        let course = faults.ok(reference(row, Column::CourseSourcedId, &COURSES));
        Some(Self {
            team: team?,
            title: title?,
            subject: subject?,
            code: code?,
            school: InstitutionId::from_uuid(school?),
            course: course?,
            closed: closed?,
        })
    }
}

/// The school year of the first term of a class that has one, else of its course.
pub(super) fn school_year(
    row: &Row<'_>,
    class: &Class,
    sessions: &Sessions,
    courses: &Courses,
    faults: &mut Collector,
) -> Option<SchoolYearId> {
    let mut year = None;
    for term in row.list(Column::TermSourcedIds) {
        match sessions.year_of(SESSIONS.id_of(term)) {
            Some(of_term) => year = year.or(of_term),
            None => push_dangling(row, Column::TermSourcedIds, &SESSIONS, faults),
        }
    }
    year.or_else(|| {
        let session = courses.get(class.course)?.year?;
        sessions.year_of(session)?
    })
}

/// All classes. Each has a number, which takes less memory than its id in every enrolment.
#[derive(Default)]
pub(crate) struct Classes {
    numbers: HashMap<TeamId, u32>,
}

impl Classes {
    pub(super) fn read(
        source: &mut Source,
        orgs: &Orgs,
        sessions: &Sessions,
        courses: &Courses,
        faults: &mut Collector,
    ) -> Self {
        let mut classes = Self::default();
        each_row(source, &CLASSES, faults, |row, faults| {
            if let Some(class) = Class::read(row, faults) {
                if !orgs.contains(class.school) {
                    push_dangling(row, Column::SchoolSourcedId, &ORGS, faults);
                }
                if courses.get(class.course).is_none() {
                    push_dangling(row, Column::CourseSourcedId, &COURSES, faults);
                }
                school_year(row, &class, sessions, courses, faults);
            }
            // The id of a faulty row is kept too. A faulty id is a fault already.
            let Ok(id) = row.id(TeamId::from_uuid) else {
                return;
            };
            let number = u32::try_from(classes.numbers.len()).unwrap_or(u32::MAX);
            if classes.numbers.insert(id, number).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
        });
        classes
    }

    /// The number of a class. `None` if there is no such class.
    pub(super) fn number(&self, team: TeamId) -> Option<u32> {
        self.numbers.get(&team).copied()
    }

    /// How many classes there are.
    pub(crate) fn count(&self) -> usize {
        self.numbers.len()
    }
}
