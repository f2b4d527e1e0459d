//! The first pass: reads every table to its end, checks each row and every reference, and keeps
//! what the second pass needs. Names and other texts of persons are not kept; what is kept of a
//! person is an id and four bytes, of an enrolment two ids.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use planledger_core::domain::person::Role;
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::ids::{InstitutionId, PersonId, SchoolYearId, TeamId};
use uuid::Uuid;

use super::rows::{
    self, CLASSES, COURSES, Class, Course, ENROLLMENTS, EnrolledAs, EnrollmentRow, MANIFEST, ORGS,
    Org, SESSIONS, Session, USERS, User,
};
use super::source::Source;
use super::table::{Column, Layout, Row, Table};
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// What is known of a person in the second pass.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) role: Role,
    pub(super) departed: bool,
    /// On the staff of a class.
    teaches: bool,
    /// No longer on the staff of a class whose school year is not over.
    taught: bool,
}

impl Known {
    fn new(role: Role, departed: bool) -> Self {
        Self {
            role,
            departed,
            teaches: false,
            taught: false,
        }
    }
}

/// A place in a team.
#[derive(Clone, Copy)]
pub(super) struct ClassPlace {
    class: u32,
    pub(super) person: PersonId,
    pub(super) role: EnrolledAs,
}

/// Everything but the texts of persons and classes.
pub(super) struct Index {
    today: Date,
    /// In the order of the file, with the line.
    pub(super) orgs: Vec<(InstitutionId, Org, u64)>,
    /// In the order of the file, with the line.
    pub(super) years: Vec<(SchoolYearId, SchoolYear, u64)>,
    org_ids: HashSet<InstitutionId>,
    /// The school year of each session.
    sessions: HashMap<Uuid, Option<SchoolYearId>>,
    pub(super) courses: HashMap<Uuid, Course>,
    classes: HashMap<TeamId, u32>,
    /// By class: whether its school year is not over, or it has none.
    going_on: Vec<bool>,
    users: HashMap<PersonId, Known>,
    /// By class, then in the order of the file.
    places: Vec<ClassPlace>,
    /// Guardianships that hold.
    pub(super) guardianships: u64,
}

impl Index {
    /// Reads and checks everything.
    pub(super) fn build(source: &mut Source, today: Date, faults: &mut Collector) -> Self {
        let mut index = Self {
            today,
            orgs: Vec::new(),
            years: Vec::new(),
            org_ids: HashSet::new(),
            sessions: HashMap::new(),
            courses: HashMap::new(),
            classes: HashMap::new(),
            going_on: Vec::new(),
            users: HashMap::new(),
            places: Vec::new(),
            guardianships: 0,
        };
        check_manifest(source, faults);
        // All files that are missing are named at once.
        let required = [ORGS, SESSIONS, COURSES, CLASSES, USERS, ENROLLMENTS];
        for layout in required.iter().filter(|layout| !source.has(layout.file)) {
            faults.push(ImportFault::new(FaultCode::FileMissing, layout.file));
        }
        if !faults.is_empty() {
            return index;
        }
        index.read_orgs(source, faults);
        index.read_sessions(source, faults);
        index.read_courses(source, faults);
        index.read_classes(source, faults);
        index.read_users(source, faults);
        index.read_enrollments(source, faults);
        index
    }

    /// A reference to a row of `to` that is not there. Not told while some ids of `to` could not
    /// be read: that fault is told already, and every reference would repeat it.
    fn dangling(row: &Row<'_>, column: Column, to: &Layout, faults: &mut Collector) {
        if !hides_ids(faults, to) {
            faults.push(row.fault(FaultCode::ReferenceDangling, column));
        }
    }

    fn read_orgs(&mut self, source: &mut Source, faults: &mut Collector) {
        each(source, &ORGS, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(InstitutionId::from_uuid)) else {
                return;
            };
            if !self.org_ids.insert(id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            if let Some(org) = Org::read(row, faults) {
                self.orgs.push((id, org, row.line()));
            }
        });
    }

    fn read_sessions(&mut self, source: &mut Source, faults: &mut Collector) {
        let mut sessions: HashMap<Uuid, (Option<Uuid>, ImportFault)> = HashMap::new();
        let mut order = Vec::new();
        each(source, &SESSIONS, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(|id| id)) else {
                return;
            };
            // An id is known even if its row is faulty, so that one fault is not told twice.
            let session = Session::read(row, faults);
            let parent = session.as_ref().and_then(|session| session.parent);
            let here = row.fault(FaultCode::ReferenceDangling, Column::ParentSourcedId);
            if sessions.insert(id, (parent, here)).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            order.push(id);
            if let Some(year) = session.and_then(|session| session.year) {
                self.years.push((rows::year_id(id), year, row.line()));
            }
        });
        if hides_ids(faults, &SESSIONS) {
            return;
        }
        let years: HashSet<SchoolYearId> = self.years.iter().map(|(id, _, _)| *id).collect();
        for id in order {
            let year = faults.ok(year_of(id, &sessions, &years)).flatten();
            self.sessions.insert(id, year);
        }
    }

    fn read_courses(&mut self, source: &mut Source, faults: &mut Collector) {
        each(source, &COURSES, faults, |row, faults| {
            let Some(id) = faults.ok(row.id(|id| id)) else {
                return;
            };
            let course = Course::read(row, faults).unwrap_or(Course {
                year: None,
                subject: None,
                code: None,
            });
            if course
                .year
                .is_some_and(|year| !self.sessions.contains_key(&year))
            {
                Self::dangling(row, Column::SchoolYearSourcedId, &SESSIONS, faults);
            }
            if self.courses.insert(id, course).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
        });
    }

    fn read_classes(&mut self, source: &mut Source, faults: &mut Collector) {
        each(source, &CLASSES, faults, |row, faults| {
            let mut year = None;
            if let Some(class) = Class::read(row, faults) {
                self.check_class(row, &class, faults);
                year = self.school_year(row, &class, faults);
            }
            let Ok(id) = row.id(TeamId::from_uuid) else {
                return;
            };
            let number = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
            if self.classes.insert(id, number).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            // In the order of the numbers: an id that is there twice is a fault that ends it.
            let year = self.years.iter().find(|(id, _, _)| Some(*id) == year);
            let going_on = year.is_none_or(|(_, year, _)| year.last_day >= self.today);
            self.going_on.push(going_on);
        });
    }

    fn check_class(&self, row: &Row<'_>, class: &Class, faults: &mut Collector) {
        if !self.org_ids.contains(&class.school) {
            Self::dangling(row, Column::SchoolSourcedId, &ORGS, faults);
        }
        if !self.courses.contains_key(&class.course) {
            Self::dangling(row, Column::CourseSourcedId, &COURSES, faults);
        }
    }

    /// The school year of the first term that has one, else of the course.
    pub(super) fn school_year(
        &self,
        row: &Row<'_>,
        class: &Class,
        faults: &mut Collector,
    ) -> Option<SchoolYearId> {
        let mut year = None;
        for term in row.list(Column::TermSourcedIds) {
            match self.sessions.get(&rows::key(&SESSIONS, term)) {
                Some(of_term) => year = year.or(*of_term),
                None => Self::dangling(row, Column::TermSourcedIds, &SESSIONS, faults),
            }
        }
        year.or_else(|| {
            let session = self.courses.get(&class.course)?.year?;
            *self.sessions.get(&session)?
        })
    }

    fn read_users(&mut self, source: &mut Source, faults: &mut Collector) {
        // Guardians may stand below their children.
        let mut unseen: Vec<(PersonId, bool, u64)> = Vec::new();
        let to_users = |line| {
            ImportFault::new(FaultCode::ReferenceDangling, USERS.file)
                .row(line)
                .field(Column::AgentSourcedIds.header())
        };
        each(source, &USERS, faults, |row, faults| {
            let user = User::read(row, faults);
            self.institutions(row, faults);
            let is_student = user.as_ref().is_some_and(|user| user.role == Role::Student);
            let agents = row.list(Column::AgentSourcedIds);
            let agents: BTreeSet<PersonId> = agents
                .map(|agent| PersonId::from_uuid(rows::key(&USERS, agent)))
                .collect();
            for agent in agents {
                match self.users.get(&agent) {
                    Some(known) => {
                        self.guardianships += u64::from(is_student && known.role == Role::Guardian);
                    }
                    None => unseen.push((agent, is_student, row.line())),
                }
            }
            let Ok(id) = row.id(PersonId::from_uuid) else {
                return;
            };
            let known = user.map_or(Known::new(Role::Other, true), |user| {
                Known::new(user.role, user.departed)
            });
            if self.users.insert(id, known).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
        });
        if hides_ids(faults, &USERS) {
            return;
        }
        for (agent, is_student, line) in unseen {
            match self.users.get(&agent) {
                Some(known) => {
                    self.guardianships += u64::from(is_student && known.role == Role::Guardian);
                }
                None => faults.push(to_users(line)),
            }
        }
    }

    /// The institutions that a user belongs to.
    pub(super) fn institutions(&self, row: &Row<'_>, faults: &mut Collector) -> Vec<InstitutionId> {
        let mut found = Vec::new();
        for org in row.list(Column::OrgSourcedIds) {
            let org = InstitutionId::from_uuid(rows::key(&ORGS, org));
            if self.org_ids.contains(&org) {
                found.push(org);
            } else {
                Self::dangling(row, Column::OrgSourcedIds, &ORGS, faults);
            }
        }
        found
    }

    fn read_enrollments(&mut self, source: &mut Source, faults: &mut Collector) {
        let mut ids = HashSet::new();
        let today = self.today;
        // Faulty users and classes would make every enrolment of theirs look faulty too.
        let complete = faults.is_empty();
        each(source, &ENROLLMENTS, faults, |row, faults| {
            let Some(found) = EnrollmentRow::read(row, today, faults) else {
                return;
            };
            if !ids.insert(found.id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let enrollment = found.enrollment;
            let class = self.classes.get(&TeamId::from_uuid(enrollment.class));
            if class.is_none() {
                Self::dangling(row, Column::ClassSourcedId, &CLASSES, faults);
            }
            let user = self.users.get_mut(&enrollment.person);
            if user.is_none() {
                Self::dangling(row, Column::UserSourcedId, &USERS, faults);
            }
            let (Some(class), Some(user)) = (class, user) else {
                return;
            };
            if complete && found.holds && !enrollment.role.fits(user.role) {
                faults.push(row.fault(FaultCode::RoleMismatch, Column::Role));
            }
            if let EnrolledAs::Staff { .. } = enrollment.role {
                let going_on = self.going_on.get(*class as usize);
                user.teaches |= found.holds;
                user.taught |= !found.holds && going_on == Some(&true);
            }
            // Who has left is in no team, whatever the row says.
            if found.holds && !user.departed && enrollment.role != EnrolledAs::Neither {
                self.places.push(ClassPlace {
                    class: *class,
                    person: enrollment.person,
                    role: enrollment.role,
                });
            }
        });
        // Stable, so that the first primary teacher of the file stays the first.
        self.places.sort_by_key(|place| place.class);
        // At the end of a school year every enrolment ends, and nobody leaves.
        for user in self.users.values_mut() {
            let of_classes = matches!(user.role, Role::Teacher | Role::Pedagogue);
            user.departed |= of_classes && user.taught && !user.teaches;
        }
    }

    /// The places in a team, in the order of the file; `None` if there is no such class.
    pub(super) fn places(&self, team: TeamId) -> Option<&[ClassPlace]> {
        let class = *self.classes.get(&team)?;
        let start = self.places.partition_point(|place| place.class < class);
        let end = self.places.partition_point(|place| place.class <= class);
        self.places.get(start..end)
    }

    /// What is known of a person.
    pub(super) fn person(&self, id: PersonId) -> Option<Known> {
        self.users.get(&id).copied()
    }

    /// Every person's role and presence.
    pub(super) fn persons(&self) -> impl Iterator<Item = Known> {
        self.users.values().copied()
    }

    /// Every place in every team.
    pub(super) fn all_places(&self) -> &[ClassPlace] {
        &self.places
    }

    /// How many classes there are.
    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }
}

/// Gives every row to `take`.
fn each(
    source: &mut Source,
    layout: &'static Layout,
    faults: &mut Collector,
    take: impl FnMut(&Row<'_>, &mut Collector),
) {
    if !faults.is_full()
        && let Some(table) = Table::open(source, layout, faults)
    {
        table.each(faults, take);
    }
}

/// Whether some ids of a table could not be read.
fn hides_ids(faults: &Collector, table: &Layout) -> bool {
    faults
        .iter()
        .any(|fault| fault.file == table.file && hides_id(fault))
}

/// Whether a fault keeps the id of its row, or of all rows, from being known.
fn hides_id(fault: &ImportFault) -> bool {
    match fault.code {
        FaultCode::ValueMissing
        | FaultCode::TextTooLong
        | FaultCode::TextControlCharacter
        | FaultCode::CprFound => fault.field.as_deref() == Some(Column::SourcedId.header()),
        FaultCode::FileUnreadable
        | FaultCode::FileTooLarge
        | FaultCode::ArchiveInvalid
        | FaultCode::HeaderMissing
        | FaultCode::ColumnMissing
        | FaultCode::ColumnDuplicated
        | FaultCode::FieldCountWrong
        | FaultCode::RowTooLong
        | FaultCode::Utf8Invalid => true,
        _ => false,
    }
}

/// Climbs from a session to the school year that it is part of.
fn year_of(
    start: Uuid,
    sessions: &HashMap<Uuid, (Option<Uuid>, ImportFault)>,
    years: &HashSet<SchoolYearId>,
) -> Result<Option<SchoolYearId>, ImportFault> {
    let mut at = start;
    // No chain of distinct sessions is longer than there are sessions.
    for _ in 0..=sessions.len() {
        let year = rows::year_id(at);
        if years.contains(&year) {
            return Ok(Some(year));
        }
        match sessions.get(&at) {
            Some((Some(parent), fault)) if !sessions.contains_key(parent) => {
                return if at == start {
                    Err(fault.clone())
                } else {
                    Ok(None)
                };
            }
            Some((Some(parent), _)) => at = *parent,
            Some((None, _)) | None => return Ok(None),
        }
    }
    let code = FaultCode::ReferenceCycle;
    let fault = ImportFault::new(code, SESSIONS.file).field(Column::ParentSourcedId.header());
    Err(
        match sessions.get(&start).and_then(|(_, fault)| fault.row) {
            Some(row) => fault.row(row),
            None => fault,
        },
    )
}

/// Refuses exports of another version or that hold changes only. There may be no manifest.
fn check_manifest(source: &mut Source, faults: &mut Collector) {
    if !source.has(MANIFEST.file) {
        return;
    }
    each(source, &MANIFEST, faults, |row, faults| {
        let (name, value) = (row.text(Column::PropertyName), row.text(Column::Value));
        if name == "oneroster.version" && value != "1.1" {
            faults.push(row.fault(FaultCode::VersionUnsupported, Column::Value));
        }
        let required = [ORGS, SESSIONS, COURSES, CLASSES, USERS, ENROLLMENTS];
        let listed = name.strip_prefix("file.").unwrap_or_default();
        if !required
            .iter()
            .any(|layout| layout.file.strip_suffix(".csv") == Some(listed))
        {
            return;
        }
        let code = match value {
            "bulk" => return,
            "delta" => FaultCode::DeltaUnsupported,
            "absent" => FaultCode::FileMissing,
            _ => FaultCode::ValueUnknown,
        };
        faults.push(row.fault(code, Column::Value));
    });
}
