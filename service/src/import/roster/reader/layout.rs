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

            /// Whether a header calls it so. OneRoster 1.0 has other names for some columns.
            pub(crate) fn is_called(self, name: &str) -> bool {
                let former = match self {
                    Self::AgentSourcedIds => "agents",
                    Self::TermSourcedIds => "termSourcedId",
                    Self::SchoolYearSourcedId => "schoolYearId",
                    Self::Grades => "grade",
                    _ => self.header(),
                };
                name.eq_ignore_ascii_case(self.header()) || name.eq_ignore_ascii_case(former)
            }

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
    AgentsGiven = "metadata.agentsGiven",
    Grades = "grades",
    ClassSourcedId = "classSourcedId",
    UserSourcedId = "userSourcedId",
    Primary = "primary",
    Username = "username",
    UserIds = "userIds",
    OrgSourcedId = "orgSourcedId",
    SessionSourcedIds = "sessionSourcedIds",
    Code = "code",
    Grade = "grade",
    RoleType = "roleType",
    IsPrimary = "isPrimary",
    RoleEndDate = "roleEndDate",
    RelationshipUserSourcedId = "relationshipUserSourcedId",
    RelationshipRole = "relationshipRole",
    ProfileType = "profileType",
    VendorId = "vendorId",
    PropertyName = "propertyName",
    Value = "value",
}

/// A file and the columns that are read of it. The header must name all of them but the optional
/// ones. A missing column is not the same as an empty one: reading it as empty would end every
/// guardianship or enrolment. Optional is only what ends nothing if it is read as empty.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The file's name.
    pub(crate) file: &'static str,
    /// The columns that are read.
    pub(crate) columns: &'static [Column],
    /// Those of them that the header need not name.
    pub(crate) optional: &'static [Column],
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
    ($($(#[$doc:meta])* $name:ident = $file:literal, $kind:literal:
        $($column:ident)*, optional $($optional:ident)*;)*) => {
        $($(#[$doc])* pub(crate) const $name: Layout = Layout {
            file: $file,
            kind: $kind,
            columns: &[$(Column::$column,)* $(Column::$optional,)*],
            optional: &[$(Column::$optional),*],
        };)*
    };
}

layouts! {
    /// What the export holds.
    MANIFEST = "manifest.csv", "manifest": PropertyName Value, optional;
    /// Institutions.
    ORGS = "orgs.csv", "org": SourcedId Status Name Type Identifier, optional;
    /// School years and their parts.
    SESSIONS = "academicSessions.csv", "academicSession":
        SourcedId Status Title Type StartDate EndDate ParentSourcedId, optional;
    /// What classes have in common.
    COURSES = "courses.csv", "course":
        SourcedId Status SchoolYearSourcedId CourseCode Subjects, optional;
    /// Teams.
    CLASSES = "classes.csv", "class":
        SourcedId Status Title CourseSourcedId ClassCode SchoolSourcedId TermSourcedIds Subjects,
        optional;
    /// Persons.
    USERS = "users.csv", "user":
        SourcedId Status OrgSourcedIds Role GivenName FamilyName AgentSourcedIds,
        optional EnabledUser Grades Username UserIds Identifier AgentsGiven;
    /// Who is in which class.
    ENROLLMENTS = "enrollments.csv", "enrollment":
        SourcedId Status ClassSourcedId UserSourcedId Role Primary, optional EndDate;

    /// Persons in OneRoster 1.2, whose roles are in a table of their own.
    USERS_1_2 = "users.csv", "user":
        SourcedId Status GivenName FamilyName AgentSourcedIds,
        optional EnabledUser Grades Username UserIds Identifier AgentsGiven;
    /// What a person is at an institution, in OneRoster 1.2.
    ROLES_1_2 = "roles.csv", "role":
        SourcedId Status UserSourcedId RoleType Role OrgSourcedId EndDate, optional;

    /// Accounts of persons in other systems, in OneRoster 1.2. The password is not read.
    PROFILES_1_2 = "userProfiles.csv", "userProfile":
        UserSourcedId, optional SourcedId Status ProfileType VendorId Username;

    /// Institutions in Microsoft's School Data Sync.
    ORGS_SDS = "orgs.csv", "org": SourcedId Name Type, optional Identifier;
    /// School years and their parts in School Data Sync.
    SESSIONS_SDS = "academicSessions.csv", "academicSession":
        SourcedId Title Type StartDate EndDate, optional ParentSourcedId;
    /// What classes have in common in School Data Sync.
    COURSES_SDS = "courses.csv", "course": SourcedId, optional SchoolYearSourcedId Code Subjects;
    /// Teams in School Data Sync.
    CLASSES_SDS = "classes.csv", "class":
        SourcedId OrgSourcedId Title, optional SessionSourcedIds CourseSourcedId Code Subjects;
    /// Persons in School Data Sync.
    USERS_SDS = "users.csv", "user": SourcedId GivenName FamilyName, optional Username;
    /// Persons in version 2 of School Data Sync, which has no table of roles.
    USERS_SDS_2 = "users.csv", "user":
        SourcedId OrgSourcedIds Role GivenName FamilyName, optional Grade;
    /// What a person is at an institution, in School Data Sync.
    ROLES_SDS = "roles.csv", "role":
        UserSourcedId OrgSourcedId Role, optional Grade IsPrimary RoleEndDate;
    /// Who is whose guardian, in School Data Sync.
    RELATIONSHIPS_SDS = "relationships.csv", "relationship":
        UserSourcedId RelationshipUserSourcedId, optional RelationshipRole;
    /// Who is in which class, in School Data Sync.
    ENROLLMENTS_SDS = "enrollments.csv", "enrollment":
        ClassSourcedId UserSourcedId Role, optional;
}

/// The names of all files that are read or looked for.
pub(crate) const FILES: &[&str] = &[
    MANIFEST.file,
    ORGS.file,
    SESSIONS.file,
    COURSES.file,
    CLASSES.file,
    USERS.file,
    ENROLLMENTS.file,
    ROLES_1_2.file,
    RELATIONSHIPS_SDS.file,
    PROFILES_1_2.file,
    SDS_1[0],
    SDS_1[1],
    SDS_1[2],
    SDS_1[3],
    SDS_1[4],
    SDS_1[5],
];

/// Files of version 1 of School Data Sync, which is not read. What it says of pupils stands in other
/// tables and other columns.
pub(crate) const SDS_1: [&str; 6] = [
    "School.csv",
    "Section.csv",
    "Student.csv",
    "Teacher.csv",
    "StudentEnrollment.csv",
    "TeacherRoster.csv",
];

/// The tables of one format.
#[derive(Debug)]
pub(crate) struct Format {
    /// What people call it.
    pub(crate) name: &'static str,
    pub(crate) orgs: &'static Layout,
    pub(crate) sessions: &'static Layout,
    pub(crate) courses: &'static Layout,
    pub(crate) classes: &'static Layout,
    pub(crate) users: &'static Layout,
    pub(crate) enrollments: &'static Layout,
    /// `None` if the table of users says what users are.
    pub(crate) roles: Option<&'static Layout>,
    /// `None` if the table of users says who guards whom.
    pub(crate) relationships: Option<&'static Layout>,
    /// `None` if the format has no table of accounts in other systems.
    pub(crate) profiles: Option<&'static Layout>,
    /// Whether it is one of School Data Sync: sessions, relationships, and classes with their enrolments
    /// need not be there, and an org may be of any type.
    pub(crate) is_sds: bool,
}

/// OneRoster 1.1 CSV.
pub(crate) const ONEROSTER_1_1: Format = Format {
    name: "OneRoster 1.1",
    orgs: &ORGS,
    sessions: &SESSIONS,
    courses: &COURSES,
    classes: &CLASSES,
    users: &USERS,
    enrollments: &ENROLLMENTS,
    roles: None,
    relationships: None,
    profiles: None,
    is_sds: false,
};

/// OneRoster 1.2 CSV.
pub(crate) const ONEROSTER_1_2: Format = Format {
    name: "OneRoster 1.2",
    users: &USERS_1_2,
    roles: Some(&ROLES_1_2),
    profiles: Some(&PROFILES_1_2),
    ..ONEROSTER_1_1
};

/// Microsoft School Data Sync, version 2.1 CSV.
pub(crate) const SDS_2_1: Format = Format {
    name: "Microsoft School Data Sync 2.1",
    orgs: &ORGS_SDS,
    sessions: &SESSIONS_SDS,
    courses: &COURSES_SDS,
    classes: &CLASSES_SDS,
    users: &USERS_SDS,
    enrollments: &ENROLLMENTS_SDS,
    roles: Some(&ROLES_SDS),
    relationships: Some(&RELATIONSHIPS_SDS),
    profiles: None,
    is_sds: true,
};

/// Microsoft School Data Sync, version 2 CSV.
pub(crate) const SDS_2: Format = Format {
    name: "Microsoft School Data Sync 2",
    users: &USERS_SDS_2,
    roles: None,
    ..SDS_2_1
};
