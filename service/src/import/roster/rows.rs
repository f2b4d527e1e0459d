//! What each table's rows say, checked by themselves. References between tables are resolved by
//! the index.

use jiff::civil::Date;
use planledger_core::domain::institution::InstitutionDetails;
use planledger_core::domain::person::Role;
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::domain::team::StaffRole;
use planledger_core::ids::{InstitutionId, PersonId, SchoolYearId, TeamId};
use planledger_core::text::{Code, Name, TextError, Title};
use uuid::Uuid;

use super::table::{Column, Layout, Row, date, word};
use crate::import::fault::{Collector, FaultCode, ImportFault};
use crate::import::names;

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident = $file:literal, $kind:literal: $($column:ident)*;)*) => {
        $($(#[$doc])* pub(super) const $name: Layout = Layout {
            file: $file,
            kind: $kind,
            columns: &[$(Column::$column),*],
        };)*

        /// The names of every file that is read.
        pub(super) const FILES: &[&str] = &[$($file),*];
    };
}

layouts! {
    /// What the export holds.
    MANIFEST = "manifest.csv", "manifest": PropertyName Value;
    /// Institutions.
    ORGS = "orgs.csv", "org": SourcedId Status Name Type Identifier;
    /// School years and their parts.
    SESSIONS = "academicSessions.csv", "academicSession":
        SourcedId Status Title Type StartDate EndDate ParentSourcedId;
    /// What classes have in common.
    COURSES = "courses.csv", "course": SourcedId Status SchoolYearSourcedId CourseCode Subjects;
    /// Teams.
    CLASSES = "classes.csv", "class":
        SourcedId Status Title CourseSourcedId ClassCode SchoolSourcedId TermSourcedIds Subjects;
    /// Persons.
    USERS = "users.csv", "user":
        SourcedId Status EnabledUser OrgSourcedIds Role GivenName FamilyName AgentSourcedIds Grades;
    /// Who is in which class.
    ENROLLMENTS = "enrollments.csv", "enrollment":
        SourcedId Status ClassSourcedId UserSourcedId Role Primary EndDate;
}

/// The id of whatever `kind` and `sourcedId` name.
pub(super) fn key(layout: &Layout, sourced_id: &str) -> Uuid {
    names::derive("oneroster", layout.kind, sourced_id)
}

/// Whether the row says that its subject is gone. Empty means active in a bulk export.
fn is_gone(row: &Row<'_>) -> Result<bool, ImportFault> {
    let status = row.optional(Column::Status, |text| {
        word(text, &[("active", false), ("tobedeleted", true)])
    })?;
    Ok(status.unwrap_or(false))
}

/// One row of `orgs.csv`. Every org is an institution, whatever its type: staff may belong to
/// the municipality as a whole.
pub(super) struct Org {
    pub(super) details: InstitutionDetails,
    pub(super) closed: bool,
}

impl Org {
    pub(super) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        const TYPES: [(&str, ()); 6] = [
            ("department", ()),
            ("school", ()),
            ("district", ()),
            ("local", ()),
            ("state", ()),
            ("national", ()),
        ];
        let closed = faults.ok(is_gone(row));
        let name = faults.ok(row.required(Column::Name, Name::new));
        let known = faults.ok(row.required(Column::Type, |text| word(text, &TYPES)));
        let code = faults.ok(row.optional(Column::Identifier, Code::new));
        known?;
        Some(Self {
            details: InstitutionDetails {
                name: name?,
                code: code?,
            },
            closed: closed?,
        })
    }
}

/// One row of `academicSessions.csv`.
pub(super) struct Session {
    /// The school year, if it is one.
    pub(super) year: Option<SchoolYear>,
    /// What it is part of.
    pub(super) parent: Option<Uuid>,
}

impl Session {
    pub(super) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        const TYPES: [(&str, bool); 4] = [
            ("schoolYear", true),
            ("semester", false),
            ("term", false),
            ("gradingPeriod", false),
        ];
        // A year that is gone is still the year that old plans name.
        faults.ok(is_gone(row))?;
        let is_year = faults.ok(row.required(Column::Type, |text| word(text, &TYPES)))?;
        let parent = match row.text(Column::ParentSourcedId) {
            "" => None,
            id => Some(key(&SESSIONS, id)),
        };
        if !is_year {
            return Some(Self { year: None, parent });
        }
        let title = faults.ok(row.required(Column::Title, Title::new));
        let first = faults.ok(row.required(Column::StartDate, date));
        let last = faults.ok(row.required(Column::EndDate, date));
        let year = SchoolYear {
            title: title?,
            first_day: first?,
            last_day: last?,
        };
        if year.last_day < year.first_day {
            faults.push(row.fault(FaultCode::DatesReversed, Column::EndDate));
            return None;
        }
        Some(Self {
            year: Some(year),
            parent: None,
        })
    }
}

/// One row of `courses.csv`.
pub(super) struct Course {
    pub(super) year: Option<Uuid>,
    pub(super) subject: Option<Name>,
    pub(super) code: Option<Code>,
}

impl Course {
    pub(super) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        faults.ok(is_gone(row))?;
        let subject = faults.ok(subject(row));
        let code = faults.ok(row.optional(Column::CourseCode, Code::new));
        Some(Self {
            year: match row.text(Column::SchoolYearSourcedId) {
                "" => None,
                id => Some(key(&SESSIONS, id)),
            },
            subject: subject?,
            code: code?,
        })
    }
}

/// All subjects that the row names, as one name.
fn subject(row: &Row<'_>) -> Result<Option<Name>, ImportFault> {
    let joined = row.list(Column::Subjects).collect::<Vec<_>>().join(", ");
    match Name::new(&joined) {
        Ok(name) => Ok(Some(name)),
        Err(TextError::Empty) => Ok(None),
        Err(error) => Err(row.fault(error.into(), Column::Subjects)),
    }
}

/// One row of `classes.csv`, by itself.
pub(super) struct Class {
    pub(super) team: TeamId,
    pub(super) title: Title,
    pub(super) subject: Option<Name>,
    pub(super) code: Option<Code>,
    pub(super) school: InstitutionId,
    pub(super) course: Uuid,
    pub(super) closed: bool,
}

impl Class {
    pub(super) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        let team = faults.ok(row.id(TeamId::from_uuid));
        let closed = faults.ok(is_gone(row));
        let title = faults.ok(row.required(Column::Title, Title::new));
        let subject = faults.ok(subject(row));
        let code = faults.ok(row.optional(Column::ClassCode, Code::new));
        let reference =
            |layout: &'static Layout| move |id: &str| Ok::<_, FaultCode>(key(layout, id));
        let school = faults.ok(row.required(Column::SchoolSourcedId, reference(&ORGS)));
        let course = faults.ok(row.required(Column::CourseSourcedId, reference(&COURSES)));
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

/// One row of `users.csv`.
pub(super) struct User {
    pub(super) id: PersonId,
    pub(super) name: Name,
    pub(super) role: Role,
    pub(super) grade: Option<Code>,
    pub(super) departed: bool,
}

impl User {
    pub(super) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
        const ROLES: [(&str, Role); 8] = [
            ("student", Role::Student),
            ("guardian", Role::Guardian),
            ("parent", Role::Guardian),
            ("relative", Role::Guardian),
            ("teacher", Role::Teacher),
            ("aide", Role::Pedagogue),
            ("administrator", Role::Leader),
            ("proctor", Role::Other),
        ];
        let id = faults.ok(row.id(PersonId::from_uuid));
        let gone = faults.ok(is_gone(row));
        let enabled = faults.ok(row.required(Column::EnabledUser, truth));
        let name = faults.ok(full_name(row));
        let role = faults.ok(row.required(Column::Role, |text| word(text, &ROLES)));
        let grade = match role {
            Some(Role::Student) => faults.ok(row.optional(Column::Grades, Code::new)),
            _ => Some(None),
        };
        if row.list(Column::OrgSourcedIds).next().is_none() {
            faults.push(row.fault(FaultCode::ValueMissing, Column::OrgSourcedIds));
        }
        Some(Self {
            id: id?,
            name: name?,
            role: role?,
            grade: grade?,
            departed: gone? || !enabled?,
        })
    }
}

fn truth(text: &str) -> Result<bool, FaultCode> {
    word(text, &[("true", true), ("false", false)])
}

/// Given and family name; one of them may be empty, because some people have one name only.
fn full_name(row: &Row<'_>) -> Result<Name, ImportFault> {
    let (given, family) = (row.text(Column::GivenName), row.text(Column::FamilyName));
    for (column, part) in [(Column::GivenName, given), (Column::FamilyName, family)] {
        match Name::new(part) {
            Ok(_) | Err(TextError::Empty) => {}
            Err(error) => return Err(row.fault(error.into(), column)),
        }
    }
    Name::new(&format!("{given} {family}")).map_err(|e| row.fault(e.into(), Column::GivenName))
}

/// One row of `enrollments.csv` that counts today.
pub(super) struct Enrollment {
    pub(super) class: Uuid,
    pub(super) person: PersonId,
    pub(super) role: EnrolledAs,
}

/// What somebody is in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EnrolledAs {
    /// A member.
    Student,
    /// On the staff; the primary one owns the team.
    Staff {
        /// As what.
        role: StaffRole,
        /// Whether this is the one who answers for the class.
        primary: bool,
    },
    /// Somebody who is neither: leaders and proctors look in.
    Neither,
}

impl EnrolledAs {
    /// Whether somebody with `role` can be this. The domain asks the same of a team.
    pub(super) const fn fits(self, role: Role) -> bool {
        match self {
            Self::Student => matches!(role, Role::Student),
            Self::Staff { .. } => role.is_staff(),
            Self::Neither => true,
        }
    }
}

/// One row of `enrollments.csv`: who, where, as what, and whether it holds on `today`. An
/// enrolment whose last day is over does not; one that begins later does, because exports are
/// taken before the school year begins.
pub(super) struct EnrollmentRow {
    pub(super) id: Uuid,
    pub(super) enrollment: Enrollment,
    pub(super) holds: bool,
}

impl EnrollmentRow {
    pub(super) fn read(row: &Row<'_>, today: Date, faults: &mut Collector) -> Option<Self> {
        const ROLES: [(&str, EnrolledAs); 5] = [
            ("student", EnrolledAs::Student),
            (
                "teacher",
                EnrolledAs::Staff {
                    role: StaffRole::Teacher,
                    primary: false,
                },
            ),
            (
                "aide",
                EnrolledAs::Staff {
                    role: StaffRole::Pedagogue,
                    primary: false,
                },
            ),
            ("administrator", EnrolledAs::Neither),
            ("proctor", EnrolledAs::Neither),
        ];
        let id = faults.ok(row.id(|id| id));
        let gone = faults.ok(is_gone(row));
        let reference =
            |layout: &'static Layout| move |id: &str| Ok::<_, FaultCode>(key(layout, id));
        let class = faults.ok(row.required(Column::ClassSourcedId, reference(&CLASSES)));
        let person = faults.ok(row.required(Column::UserSourcedId, reference(&USERS)));
        let role = faults.ok(row.required(Column::Role, |text| word(text, &ROLES)));
        let is_primary = faults.ok(row.optional(Column::Primary, truth));
        let last_day = faults.ok(row.optional(Column::EndDate, date));
        let (is_primary, last_day) = (is_primary?, last_day?);
        let role = match role? {
            EnrolledAs::Staff { role, .. } => EnrolledAs::Staff {
                role,
                primary: is_primary.unwrap_or(false) && role == StaffRole::Teacher,
            },
            other => other,
        };
        Some(Self {
            id: id?,
            enrollment: Enrollment {
                class: class?,
                person: PersonId::from_uuid(person?),
                role,
            },
            holds: !gone? && last_day.is_none_or(|last| last >= today),
        })
    }
}

/// The id of a school year.
pub(super) fn year_id(session: Uuid) -> SchoolYearId {
    SchoolYearId::from_uuid(session)
}
