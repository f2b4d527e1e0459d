//! `classes.csv`: teams.

use std::collections::HashMap;

use planledger_core::ids::{InstitutionId, SchoolYearId, TeamId};
use planledger_core::text::{Code, Name, Title};
use uuid::Uuid;

use super::super::reader::layout::{COURSES, Column, Layout, ORGS, SESSIONS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::Scope;
use super::cells::{is_gone, optional_reference, reference};
use super::courses::{Course, Courses, subject};
use super::orgs::Orgs;
use super::references::{dangling, each_row, push_dangling, push_passed_over, says_gone};
use super::sessions::{PartOf, Sessions};
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault};

/// One row.
pub(crate) struct Class {
    pub(crate) title: Title,
    pub(crate) subject: Option<Name>,
    pub(crate) code: Option<Code>,
    pub(crate) school: InstitutionId,
    /// `None` if the row names none.
    pub(crate) course: Option<Uuid>,
    pub(crate) closed: bool,
}

impl Class {
    pub(crate) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        let id = faults.ok(row.id(TeamId::from_uuid));
        let closed = faults.ok(is_gone(row));
        let title = faults.ok(row.required(Column::Title, Title::new));
        let subject = faults.ok(subject(row));
        let code = faults.ok(row.optional(either(row, CODES), Code::new));
        let school = faults.ok(reference(row, either(row, SCHOOLS), &ORGS));
        id?;
        Some(Self {
            title: title?,
            subject: subject?,
            code: code?,
            school: InstitutionId::from_uuid(school?),
            course: optional_reference(row, Column::CourseSourcedId, &COURSES),
            closed: closed?,
        })
    }
}

/// What the formats call the same column.
const CODES: [Column; 2] = [Column::ClassCode, Column::Code];
const SCHOOLS: [Column; 2] = [Column::SchoolSourcedId, Column::OrgSourcedId];
const TERMS: [Column; 2] = [Column::TermSourcedIds, Column::SessionSourcedIds];

/// The column that the table has: the first, else the second.
fn either(row: &Row<'_>, [first, second]: [Column; 2]) -> Column {
    if row.has(second) { second } else { first }
}

/// The course of a class, if it names one that is there. Adds a fault if what the course says is not
/// known, and the class does not say it itself.
pub(super) fn course<'c>(
    row: &Row<'_>,
    class: &Class,
    courses: &'c Courses,
    scope: Scope,
    faults: &mut Collector,
) -> Option<&'c Course> {
    match courses.get(class.course?) {
        Some(Some(course)) => Some(course),
        Some(None) => {
            push_passed_over(row, Column::CourseSourcedId, faults);
            None
        }
        // A class need not have a course. But an export of changes says nothing of a course that it
        // does not hold, and the class would lose its subject.
        None => {
            if scope.is_delta && class.subject.is_none() {
                push_dangling(row, Column::CourseSourcedId, &COURSES, faults);
            }
            None
        }
    }
}

/// The school year of the first term of a class that has one, else of its course.
pub(super) fn school_year(
    row: &Row<'_>,
    course: Option<&Course>,
    sessions: &Sessions,
    faults: &mut Collector,
) -> Option<SchoolYearId> {
    let column = either(row, TERMS);
    let mut missing = None;
    for term in row.list(column) {
        match sessions.year_of(SESSIONS.id_of(term)) {
            Some(PartOf::Year(Some(year))) => return Some(year),
            Some(PartOf::Year(None)) => {}
            Some(PartOf::Unknown) => missing = Some(FaultCode::RowPassedOver.into()),
            None if sessions.may_be_elsewhere() => {}
            None => missing = Some(dangling(&SESSIONS)),
        }
    }
    if let Some(problem) = missing {
        faults.push(row.fault(problem, column));
        return None;
    }
    match sessions.year_of(course?.year?)? {
        PartOf::Year(year) => year,
        PartOf::Unknown => None,
    }
}

/// The fault of a term that is not exported, if the row names one and has no school year without it.
fn term_elsewhere(row: &Row<'_>, sessions: &Sessions) -> Option<ImportFault> {
    let column = either(row, TERMS);
    let mut terms = row.list(column).map(|term| SESSIONS.id_of(term));
    let is_missing = terms.any(|term| sessions.year_of(term).is_none());
    is_missing.then(|| row.fault(dangling(&SESSIONS), column))
}

/// What one class is in the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Its row can be used.
    Usable,
    /// Its row was passed over.
    PassedOver,
    /// An export of changes does not hold its row, but names it.
    Elsewhere,
}

/// All classes. Each has a number, which takes less memory than its id in every enrolment.
#[derive(Default)]
pub(crate) struct Classes {
    numbers: HashMap<TeamId, (u32, Known)>,
    /// The institutions of classes whose rows can be used, by number.
    schools: HashMap<u32, InstitutionId>,
    usable: u64,
    /// How many classes that are in use have no school year.
    without_year: u64,
    /// Classes that enrolments of an export of changes name and that it does not hold, each with the
    /// first line that names it.
    elsewhere: Vec<(TeamId, u64)>,
}

impl Classes {
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        tables: (&Orgs, &Sessions, &Courses),
        scope: Scope,
        findings: &mut Findings,
    ) -> Self {
        let (orgs, sessions, courses) = tables;
        let mut classes = Self::default();
        let (mut parts, mut terms) = (Vec::new(), Vec::new());
        each_row(source, layout, findings, |row, faults| {
            let class = Class::read(row, faults);
            let mut year = None;
            if let Some(class) = &class {
                orgs.check(class.school, row, either(row, SCHOOLS), scope, faults);
                let course = course(row, class, courses, scope, faults);
                year = school_year(row, course, sessions, faults);
            }
            // A faulty id is a fault already.
            let Ok(id) = row.id(TeamId::from_uuid) else {
                return;
            };
            if classes.numbers.contains_key(&id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let known = if faults.is_empty() {
                Known::Usable
            } else {
                Known::PassedOver
            };
            let number = classes.add(id, known);
            if let (Some(class), Known::Usable) = (&class, known) {
                classes.schools.insert(number, class.school);
            }
            let course = class.and_then(|class| class.course);
            if known == Known::Usable && course.is_some_and(|id| courses.get(id).is_none()) {
                parts.push(row.fault(dangling(&COURSES), Column::CourseSourcedId));
            }
            if known == Known::Usable && year.is_none() {
                classes.without_year += u64::from(!says_gone(row));
                terms.extend(term_elsewhere(row, sessions));
            }
        });
        terms.into_iter().for_each(|fault| findings.part(fault));
        // Without the table of courses, no class can name one that is there.
        if source.has(COURSES.file) {
            parts.into_iter().for_each(|fault| findings.part(fault));
        }
        let usable = classes.numbers.values();
        classes.usable = usable.filter(|(_, known)| *known == Known::Usable).count() as u64;
        classes
    }

    fn add(&mut self, id: TeamId, known: Known) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let entry = self.numbers.entry(id).or_insert((next, known));
        entry.1 = known;
        entry.0
    }

    /// The number of a class that an export of changes names and may not hold.
    pub(super) fn elsewhere(&mut self, id: TeamId, line: u64) -> u32 {
        self.elsewhere.push((id, line));
        self.add(id, Known::Elsewhere)
    }

    /// The number of a class, and what it is. `None` if there is no such class.
    pub(super) fn get(&self, team: TeamId) -> Option<(u32, Known)> {
        self.numbers.get(&team).copied()
    }

    /// The institution of a class, if the export says it.
    pub(super) fn school(&self, number: u32) -> Option<InstitutionId> {
        self.schools.get(&number).copied()
    }

    /// Classes that the export names and does not hold.
    pub(crate) fn all_elsewhere(&self) -> &[(TeamId, u64)] {
        &self.elsewhere
    }

    /// The ids of all classes, also of those whose rows cannot be used, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = TeamId> {
        self.numbers.keys().copied()
    }

    /// How many classes that are in use have no school year.
    pub(super) fn without_year(&self) -> u64 {
        self.without_year
    }

    /// How many classes can be used.
    pub(crate) fn count(&self) -> u64 {
        self.usable
    }
}
