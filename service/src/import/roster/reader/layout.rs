//! The files of an export and the columns that are read of each.

use uuid::Uuid;

use crate::import::names;

macro_rules! columns {
    ($($name:ident = $header:literal,)*) => {
        /// A column that is read of some table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column {
            $(#[doc = $header] $name,)*
        }

        impl Column {
            /// How many columns there are.
            pub(crate) const COUNT: usize = [$(Self::$name),*].len();

            /// Its name in the header.
            pub(crate) const fn header(self) -> &'static str {
                match self { $(Self::$name => $header,)* }
            }
        }
    };
}

columns! {
    SourcedId = "sourcedId",
    Status = "status",
    Name = "name",
    Title = "title",
    Type = "type",
    Identifier = "identifier",
    StartDate = "startDate",
    EndDate = "endDate",
    ParentSourcedId = "parentSourcedId",
    SchoolYearSourcedId = "schoolYearSourcedId",
    CourseCode = "courseCode",
    CourseSourcedId = "courseSourcedId",
    ClassCode = "classCode",
    SchoolSourcedId = "schoolSourcedId",
    TermSourcedIds = "termSourcedIds",
    Subjects = "subjects",
    EnabledUser = "enabledUser",
    OrgSourcedIds = "orgSourcedIds",
    Role = "role",
    GivenName = "givenName",
    FamilyName = "familyName",
    AgentSourcedIds = "agentSourcedIds",
    Grades = "grades",
    ClassSourcedId = "classSourcedId",
    UserSourcedId = "userSourcedId",
    Primary = "primary",
    PropertyName = "propertyName",
    Value = "value",
}

/// A file and the columns that are read of it. The header must name all of them. A missing column
/// is not the same as an empty one: reading it as empty would end every guardianship or enrolment.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The file's name.
    pub(crate) file: &'static str,
    /// The columns that are read.
    pub(crate) columns: &'static [Column],
    /// What the standard calls the thing that one row describes. Ids are made from it.
    pub(crate) kind: &'static str,
}

impl Layout {
    /// Our id for the row that has this `sourcedId`.
    pub(crate) fn id_of(&self, sourced_id: &str) -> Uuid {
        names::derive("oneroster", self.kind, sourced_id)
    }
}

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident = $file:literal, $kind:literal: $($column:ident)*;)*) => {
        $($(#[$doc])* pub(crate) const $name: Layout = Layout {
            file: $file,
            kind: $kind,
            columns: &[$(Column::$column),*],
        };)*

        /// The names of all files that are read.
        pub(crate) const FILES: &[&str] = &[$($file),*];
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

/// The tables that every export must hold. Only the manifest may be absent.
pub(crate) const REQUIRED: [Layout; 6] = [ORGS, SESSIONS, COURSES, CLASSES, USERS, ENROLLMENTS];
