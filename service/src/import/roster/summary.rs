//! How much a roster holds.

use planledger_core::domain::person::Role;

use super::index::Index;
use super::index::enrollments::EnrolledAs;
use crate::import::fault::{PassedOver, PassedOverKind};

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
    /// Agents who are no guardians: they have left, or whoever names them is no student. And contact
    /// persons who do not have custody.
    pub agents_passed_over: u64,
    /// Teams.
    pub teams: u64,
    /// Places of students in teams.
    pub memberships: u64,
    /// Places of teachers and pedagogues in teams.
    pub staff: u64,
    /// Rows that say that what they describe is gone, and that could not be used otherwise.
    pub gone_passed_over: u64,
    /// Bad rows, which were passed over.
    pub bad_passed_over: u64,
    /// Single values that were passed over in rows that are used.
    pub values_passed_over: u64,
    /// Commands that [`Roster::commands`](crate::import::Roster::commands) gives.
    pub commands: u64,
}

impl RosterSummary {
    /// Rows, values and agents that are passed over.
    pub fn passed_over(&self) -> u64 {
        self.gone_passed_over
            + self.bad_passed_over
            + self.values_passed_over
            + self.agents_passed_over
    }

    /// Persons of every role.
    pub fn persons(&self) -> u64 {
        self.students
            + self.guardians
            + self.teachers
            + self.pedagogues
            + self.leaders
            + self.others
    }

    pub(super) fn of(index: &Index, passed_over: &[PassedOver]) -> Self {
        let mut summary = Self {
            school_years: index.sessions.years().len() as u64,
            institutions: index.orgs.rows().len() as u64,
            guardianships: index.users.guardianships(),
            agents_passed_over: index.users.agents_passed_over(),
            teams: index.classes.count(),
            ..Self::default()
        };
        summary.count_passed_over(passed_over);
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
                EnrolledAs::Neither | EnrolledAs::Gone => {}
            }
        }
        summary.commands = summary.school_years
            + summary.institutions
            + summary.persons()
            + index.users.students()
            + summary.teams
            + index.classes.all_elsewhere().len() as u64;
        summary
    }

    /// Counts rows, not faults: a row may have several, which stand beside each other.
    fn count_passed_over(&mut self, passed_over: &[PassedOver]) {
        let mut last = None;
        for passed in passed_over {
            let place = (passed.kind, &passed.fault.file, passed.fault.row);
            let is_new = last.replace(place) != Some(place);
            match passed.kind {
                PassedOverKind::Gone => self.gone_passed_over += u64::from(is_new),
                PassedOverKind::Bad => self.bad_passed_over += u64::from(is_new),
                PassedOverKind::Part => self.values_passed_over += 1,
            }
        }
    }
}
