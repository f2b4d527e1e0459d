//! `enrollments.csv`: who has which place in which team.

use std::collections::HashSet;

use jiff::civil::Date;
use planledger_core::domain::person::Role;
use planledger_core::domain::team::StaffRole;
use planledger_core::ids::{PersonId, TeamId};
use uuid::Uuid;

use super::super::reader::layout::{CLASSES, Column, ENROLLMENTS, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{date, is_gone, reference, truth, word};
use super::classes::Classes;
use super::references::{each_row, push_dangling};
use super::users::Users;
use crate::import::fault::{Collector, FaultCode};

/// What somebody is in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnrolledAs {
    /// A member.
    Student,
    /// On the staff.
    Staff {
        /// The person's role in the team.
        role: StaffRole,
        /// Whether this is the teacher who answers for the class. The first such teacher owns
        /// the team.
        primary: bool,
    },
    /// Neither: a leader or proctor who looks in.
    Neither,
}

impl EnrolledAs {
    const fn staff(role: StaffRole) -> Self {
        Self::Staff {
            role,
            primary: false,
        }
    }

    /// Whether somebody with `role` can be this. The domain has the same rule for teams.
    const fn fits(self, role: Role) -> bool {
        match self {
            Self::Student => matches!(role, Role::Student),
            Self::Staff { .. } => role.is_staff(),
            Self::Neither => true,
        }
    }
}

/// One row.
struct Enrollment {
    id: Uuid,
    class: TeamId,
    person: PersonId,
    role: EnrolledAs,
    /// Whether it holds today. An enrolment whose last day is over does not hold. One that begins
    /// later does, because exports are made before the school year begins.
    holds: bool,
}

impl Enrollment {
    fn read(row: &Row<'_>, today: Date, faults: &mut Collector) -> Option<Self> {
        const ROLES: [(&str, EnrolledAs); 5] = [
            ("student", EnrolledAs::Student),
            ("teacher", EnrolledAs::staff(StaffRole::Teacher)),
            ("aide", EnrolledAs::staff(StaffRole::Pedagogue)),
            ("administrator", EnrolledAs::Neither),
            ("proctor", EnrolledAs::Neither),
        ];
        let id = faults.ok(row.id(|id| id));
        let gone = faults.ok(is_gone(row));
        let class = faults.ok(reference(row, Column::ClassSourcedId, &CLASSES));
        let person = faults.ok(reference(row, Column::UserSourcedId, &USERS));
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
            class: TeamId::from_uuid(class?),
            person: PersonId::from_uuid(person?),
            role,
            holds: !gone? && last_day.is_none_or(|last| last >= today),
        })
    }
}

/// A place in a team.
#[derive(Clone, Copy)]
pub(crate) struct ClassPlace {
    class: u32,
    pub(crate) person: PersonId,
    pub(crate) role: EnrolledAs,
}

/// All places in teams, sorted by class, then in the order of the file.
#[derive(Default)]
pub(crate) struct Places(Vec<ClassPlace>);

impl Places {
    /// Reads who is in which class.
    pub(super) fn read(
        source: &mut Source,
        classes: &Classes,
        users: &Users,
        today: Date,
        faults: &mut Collector,
    ) -> Self {
        let mut places = Vec::new();
        let mut ids = HashSet::new();
        // If users or classes are faulty, every enrolment of theirs would look faulty too.
        let complete = faults.is_empty();
        each_row(source, &ENROLLMENTS, faults, |row, faults| {
            let Some(found) = Enrollment::read(row, today, faults) else {
                return;
            };
            if !ids.insert(found.id) {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let class = classes.number(found.class);
            if class.is_none() {
                push_dangling(row, Column::ClassSourcedId, &CLASSES, faults);
            }
            let user = users.get(found.person);
            if user.is_none() {
                push_dangling(row, Column::UserSourcedId, &USERS, faults);
            }
            let (Some(class), Some(user)) = (class, user) else {
                return;
            };
            if complete && found.holds && !found.role.fits(user.role) {
                faults.push(row.fault(FaultCode::RoleMismatch, Column::Role));
            }
            // Whoever has left is in no team, whatever the row says.
            if found.holds && !user.departed && found.role != EnrolledAs::Neither {
                places.push(ClassPlace {
                    class,
                    person: found.person,
                    role: found.role,
                });
            }
        });
        // The sort is stable, so the first primary teacher of the file stays the first.
        places.sort_by_key(|place| place.class);
        Self(places)
    }

    /// The places in one class, in the order of the file.
    pub(super) fn of_class(&self, class: u32) -> &[ClassPlace] {
        let start = self.0.partition_point(|place| place.class < class);
        let end = self.0.partition_point(|place| place.class <= class);
        self.0.get(start..end).unwrap_or_default()
    }

    /// The places in all classes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ClassPlace> {
        self.0.iter()
    }
}
