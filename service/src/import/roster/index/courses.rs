//! `courses.csv`: what classes have in common.

use std::collections::HashMap;

use planledger_core::text::{Code, Name, TextError};
use uuid::Uuid;

use super::super::reader::layout::{Column, Layout, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{is_gone, optional_reference};
use super::references::{dangling, each_row};
use super::sessions::Sessions;
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault};

/// One row. A class uses what its own row leaves empty.
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
        let code = faults.ok(row.optional(
            if row.has(Column::Code) {
                Column::Code
            } else {
                Column::CourseCode
            },
            Code::new,
        ));
        Some(Self {
            year: optional_reference(row, Column::SchoolYearSourcedId, &SESSIONS),
            subject: subject?,
            code: code?,
        })
    }
}

/// All subjects that a row of a course or class names, as one name.
pub(super) fn subject(row: &Row<'_>) -> Result<Option<Name>, ImportFault> {
    let subjects = row.one_line(Column::Subjects);
    let subjects = subjects.split(',').map(str::trim);
    let subjects: Vec<&str> = subjects.filter(|subject| !subject.is_empty()).collect();
    let joined = subjects.join(", ");
    match Name::new(&joined) {
        Ok(name) => Ok(Some(name)),
        Err(TextError::Empty) => Ok(None),
        Err(error) => Err(row.fault(error, Column::Subjects)),
    }
}

/// All courses; `None` for one whose row was passed over.
#[derive(Default)]
pub(crate) struct Courses(HashMap<Uuid, Option<Course>>);

impl Courses {
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        sessions: &Sessions,
        findings: &mut Findings,
    ) -> Self {
        let mut courses = Self::default();
        let mut parts = Vec::new();
        each_row(source, layout, findings, |row, faults| {
            let id = faults.ok(row.id(|id| id));
            let course = Course::read(row, faults);
            if let Some(year) = course.as_ref().and_then(|course| course.year) {
                sessions.check(year, row, Column::SchoolYearSourcedId, faults);
            }
            let Some(id) = id else {
                return;
            };
            if courses.0.contains_key(&id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let course = course.filter(|_| faults.is_empty());
            let year = course.as_ref().and_then(|course| course.year);
            if year.is_some_and(|year| sessions.year_of(year).is_none()) {
                parts.push(row.fault(dangling(&SESSIONS), Column::SchoolYearSourcedId));
            }
            courses.0.insert(id, course);
        });
        parts.into_iter().for_each(|fault| findings.part(fault));
        courses
    }

    /// A course. The outer `None`: there is no such course. The inner `None`: its row was passed
    /// over.
    pub(crate) fn get(&self, id: Uuid) -> Option<Option<&Course>> {
        self.0.get(&id).map(Option::as_ref)
    }
}
