//! `courses.csv`: what classes have in common.

use std::collections::HashMap;

use planledger_core::text::{Code, Name, TextError};
use uuid::Uuid;

use super::super::reader::layout::{COURSES, Column, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{is_gone, optional_reference};
use super::references::{each_row, push_dangling};
use super::sessions::Sessions;
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// One row. A class uses what its own row leaves empty.
#[derive(Default)]
pub(crate) struct Course {
    /// The session that is its school year.
    pub(crate) year: Option<Uuid>,
    pub(crate) subject: Option<Name>,
    pub(crate) code: Option<Code>,
}

impl Course {
    fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        faults.ok(is_gone(row))?;
        let subject = faults.ok(subject(row));
        let code = faults.ok(row.optional(Column::CourseCode, Code::new));
        Some(Self {
            year: optional_reference(row, Column::SchoolYearSourcedId, &SESSIONS),
            subject: subject?,
            code: code?,
        })
    }
}

/// All subjects that a row of a course or class names, as one name.
pub(super) fn subject(row: &Row<'_>) -> Result<Option<Name>, ImportFault> {
    let joined = row.list(Column::Subjects).collect::<Vec<_>>().join(", ");
    match Name::new(&joined) {
        Ok(name) => Ok(Some(name)),
        Err(TextError::Empty) => Ok(None),
        Err(error) => Err(row.fault(error, Column::Subjects)),
    }
}

/// All courses.
#[derive(Default)]
pub(crate) struct Courses(HashMap<Uuid, Course>);

impl Courses {
    pub(super) fn read(source: &mut Source, sessions: &Sessions, faults: &mut Collector) -> Self {
        let mut courses = Self::default();
        each_row(source, &COURSES, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(|id| id)) else {
                return;
            };
            // The id of a faulty row is kept too, so that references to it are no further faults.
            let course = Course::read(row, faults).unwrap_or_default();
            if course
                .year
                .is_some_and(|year| sessions.year_of(year).is_none())
            {
                push_dangling(row, Column::SchoolYearSourcedId, &SESSIONS, faults);
            }
            if courses.0.insert(id, course).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
        });
        courses
    }

    /// A course. `None` if there is no such course.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Course> {
        self.0.get(&id)
    }
}
