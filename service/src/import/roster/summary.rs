//! How much a roster holds.

use planledger_core::domain::person::Role;

use super::index::Index;
use super::index::enrollments::EnrolledAs;

/// How much a roster holds. The closed and the departed are counted too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RosterSummary {
    /// School years.
    pub school_years: u64,
    /// Institutions.
    pub institutions: u64,
    /// Students.
    pub students: u64,
    /// Guardians.
    pub guardians: u64,
    /// Teachers.
    pub teachers: u64,
    /// Pedagogues.
    pub pedagogues: u64,
    /// Leaders.
    pub leaders: u64,
    /// Persons of any other role.
    pub others: u64,
    /// Persons who have left, whatever their role. They are counted under their role too.
    pub departed: u64,
    /// Guardians of students, counted once for each child.
    pub guardianships: u64,
    /// Agents who are no guardians: they have left, or whoever names them is no student.
    pub agents_passed_over: u64,
    /// Teams.
    pub teams: u64,
    /// Places of students in teams.
    pub memberships: u64,
    /// Places of teachers and pedagogues in teams.
    pub staff: u64,
    /// Commands that [`Roster::commands`](crate::import::Roster::commands) gives.
    pub commands: u64,
}

impl RosterSummary {
    /// Persons of every role.
    pub fn persons(&self) -> u64 {
        self.students
            + self.guardians
            + self.teachers
            + self.pedagogues
            + self.leaders
            + self.others
    }

    pub(super) fn of(index: &Index) -> Self {
        let mut summary = Self {
            school_years: index.sessions.years().len() as u64,
            institutions: index.orgs.rows().len() as u64,
            guardianships: index.users.guardianships(),
            agents_passed_over: index.users.agents_passed_over(),
            teams: index.classes.count() as u64,
            ..Self::default()
        };
        for person in index.users.iter() {
            summary.departed += u64::from(person.departed);
            *match person.role {
                Role::Student => &mut summary.students,
                Role::Guardian => &mut summary.guardians,
                Role::Teacher => &mut summary.teachers,
                Role::Pedagogue => &mut summary.pedagogues,
                Role::Leader => &mut summary.leaders,
                Role::Other => &mut summary.others,
            } += 1;
        }
        for place in index.places.iter() {
            match place.role {
                EnrolledAs::Student => summary.memberships += 1,
                EnrolledAs::Staff { .. } => summary.staff += 1,
                EnrolledAs::Neither => {}
            }
        }
        summary.commands = summary.school_years
            + summary.institutions
            + summary.persons()
            + summary.students
            + summary.teams;
        summary
    }
}
