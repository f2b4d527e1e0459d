//! `enrollments.csv`: who has which place in which team.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use planledger_core::domain::person::Role;
use planledger_core::domain::team::StaffRole;
use planledger_core::ids::{InstitutionId, PersonId, TeamId};

use super::super::reader::layout::{CLASSES, Column, Layout, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::words::{truth, word};
use super::Scope;
use super::cells::{date, is_gone, reference};
use super::classes::{Classes, Known};
use super::references::{each_row, push_dangling, push_passed_over, says_gone};
use super::users::{InClasses, User, Users};
use crate::import::fault::{Collector, FaultCode, Findings};

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
    /// Nothing any more. Only an export of changes says so; in others, whoever is not named is gone.
    Gone,
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
            Self::Neither | Self::Gone => true,
        }
    }
}

/// One row.
struct Enrollment {
    class: TeamId,
    person: PersonId,
    role: EnrolledAs,
    /// Whether it holds today. An enrolment whose last day is over does not hold. One that begins
    /// later does, because exports are made before the school year begins.
    holds: bool,
}

impl Enrollment {
    fn read(row: &Row<'_>, today: Date, faults: &mut Collector) -> Option<Self> {
        const ROLES: [(&str, EnrolledAs); 29] = [
            ("student", EnrolledAs::Student),
            ("teacher", EnrolledAs::staff(StaffRole::Teacher)),
            ("aide", EnrolledAs::staff(StaffRole::Pedagogue)),
            ("administrator", EnrolledAs::Neither),
            ("proctor", EnrolledAs::Neither),
            // Of School Data Sync.
            ("professor", EnrolledAs::staff(StaffRole::Teacher)),
            ("faculty", EnrolledAs::staff(StaffRole::Teacher)),
            ("adjunct", EnrolledAs::staff(StaffRole::Teacher)),
            ("lecturer", EnrolledAs::staff(StaffRole::Teacher)),
            ("instructor", EnrolledAs::staff(StaffRole::Teacher)),
            ("substitute", EnrolledAs::staff(StaffRole::Teacher)),
            ("teacherAssistant", EnrolledAs::staff(StaffRole::Pedagogue)),
            ("assistant", EnrolledAs::staff(StaffRole::Pedagogue)),
            ("paraprofessional", EnrolledAs::staff(StaffRole::Pedagogue)),
            ("chair", EnrolledAs::Neither),
            ("researcher", EnrolledAs::Neither),
            ("affiliate", EnrolledAs::Neither),
            ("occupationalTherapist", EnrolledAs::Neither),
            ("physicalTherapist", EnrolledAs::Neither),
            ("speechTherapist", EnrolledAs::Neither),
            ("visionTherapist", EnrolledAs::Neither),
            ("specialServices", EnrolledAs::Neither),
            ("advisor", EnrolledAs::Neither),
            ("nurse", EnrolledAs::Neither),
            ("officeStaff", EnrolledAs::Neither),
            ("itAdmin", EnrolledAs::Neither),
            ("coach", EnrolledAs::Neither),
            ("alumni", EnrolledAs::Neither),
            ("staff", EnrolledAs::Neither),
        ];
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
pub(crate) struct Places {
    places: Vec<ClassPlace>,
    /// Persons whose enrolment in a class was passed over, so that nothing is said of their place.
    unsaid: HashMap<u32, BTreeSet<PersonId>>,
    /// Whether an enrolment was passed over of which nobody knows whose it is, or in which class.
    any_unsaid: bool,
    /// The institutions that have somebody in a class.
    in_use: BTreeSet<InstitutionId>,
}

/// What the export says of one class.
#[derive(Clone, Copy)]
pub(crate) struct InClass<'i> {
    /// The places, in the order of the file.
    pub(crate) places: &'i [ClassPlace],
    /// Persons of whose place nothing is said.
    pub(crate) unsaid: Option<&'i BTreeSet<PersonId>>,
    /// Whether nothing is said of anybody who has no place here.
    pub(crate) is_part: bool,
}

impl Places {
    /// Those of an export without the table, which says nothing of anybody's place.
    pub(super) fn not_exported() -> Self {
        Self {
            any_unsaid: true,
            ..Self::default()
        }
    }

    /// Reads who is in which class.
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        classes: &mut Classes,
        users: &mut Users,
        scope: Scope,
        findings: &mut Findings,
    ) -> Self {
        let mut all = Self::default();
        // There is no larger set. A tree grows by a node, and not to twice its size at once.
        let mut ids = BTreeSet::new();
        each_row(source, layout, findings, |row, faults| {
            // School Data Sync gives enrolments no ids.
            if row.has(Column::SourcedId)
                && let Some(id) = faults.ok(row.id(|id| id.as_u128()))
                && !ids.insert(id)
            {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let found = Enrollment::read(row, scope.today, faults);
            if let Some(found) = found {
                all.take(row, &found, classes, users, scope, faults);
            }
            if !faults.is_empty() && !says_gone(row) {
                all.note_unsaid(row, classes, users);
            }
        });
        drop(ids);
        all.any_unsaid |= findings.has_unreadable(layout.file);
        // The sort is stable, so the first primary teacher of the file stays the first.
        all.places.sort_by_key(|place| place.class);
        all
    }

    fn take(
        &mut self,
        row: &Row<'_>,
        found: &Enrollment,
        classes: &mut Classes,
        users: &mut Users,
        scope: Scope,
        faults: &mut Collector,
    ) {
        let class = match classes.get(found.class) {
            Some((_, Known::PassedOver)) => {
                push_passed_over(row, Column::ClassSourcedId, faults);
                None
            }
            Some((number, Known::Usable | Known::Elsewhere)) => Some(number),
            None if scope.is_delta => Some(classes.elsewhere(found.class, row.line())),
            None => {
                push_dangling(row, Column::ClassSourcedId, &CLASSES, faults);
                None
            }
        };
        let departed = match users.get(found.person) {
            Some(known) if known.is_unknown() => {
                push_passed_over(row, Column::UserSourcedId, faults);
                return;
            }
            Some(known) => {
                let fits = known.departed || known.is_any(|role| found.role.fits(role));
                if found.holds && !fits {
                    faults.push(row.fault(FaultCode::RoleMismatch, Column::Role));
                }
                known.departed
            }
            None if scope.is_delta => false,
            None => {
                push_dangling(row, Column::UserSourcedId, &USERS, faults);
                return;
            }
        };
        let (Some(class), true) = (class, faults.is_empty()) else {
            return;
        };
        // Whoever has left is in no team, whatever the row says.
        let role = match found.holds && !departed {
            true => found.role,
            false => EnrolledAs::Gone,
        };
        let in_classes = match role {
            EnrolledAs::Student | EnrolledAs::Staff { .. } => {
                self.in_use.extend(classes.school(class));
                InClasses::Some
            }
            EnrolledAs::Neither => InClasses::Unsaid,
            EnrolledAs::Gone => InClasses::None,
        };
        users.note_classes(found.person, in_classes);
        let is_said = match role {
            EnrolledAs::Student | EnrolledAs::Staff { .. } => true,
            EnrolledAs::Neither => false,
            EnrolledAs::Gone => scope.is_delta,
        };
        if is_said {
            self.places.push(ClassPlace {
                class,
                person: found.person,
                role,
            });
        }
    }

    /// Notes whose place a row that was passed over is about.
    fn note_unsaid(&mut self, row: &Row<'_>, classes: &Classes, users: &mut Users) {
        let class = row.text(Column::ClassSourcedId);
        let person = row.text(Column::UserSourcedId);
        let id = PersonId::from_uuid(USERS.id_of(person));
        users.note_classes(id, InClasses::Unsaid);
        if class.is_empty() || person.is_empty() {
            self.any_unsaid = true;
        } else if let Some((number, _)) = classes.get(TeamId::from_uuid(CLASSES.id_of(class))) {
            self.unsaid.entry(number).or_default().insert(id);
        }
    }

    /// What the export says of one class.
    pub(super) fn of_class(&self, class: u32, scope: Scope) -> InClass<'_> {
        let start = self.places.partition_point(|place| place.class < class);
        let end = self.places.partition_point(|place| place.class <= class);
        InClass {
            places: self.places.get(start..end).unwrap_or_default(),
            unsaid: self.unsaid.get(&class),
            is_part: self.any_unsaid || scope.is_delta,
        }
    }

    /// Whether the export has a person in a class; `None` if it does not say. It says that somebody is
    /// in none only if it holds everything, if no row that was passed over may say otherwise, and if
    /// an institution where they are a student or work has somebody in a class: between two school
    /// years there may be nobody.
    pub(super) fn enrolled(&self, user: &User, users: &Users, scope: Scope) -> Option<bool> {
        match users.get(user.id)?.classes {
            InClasses::Some => Some(true),
            InClasses::Unsaid => None,
            InClasses::None => {
                let mut places = user
                    .affiliations
                    .iter()
                    .filter(|at| at.role == Role::Student || at.role.is_staff());
                let says_all = !scope.is_delta && !self.any_unsaid;
                let is_said = says_all && places.any(|at| self.in_use.contains(&at.institution));
                is_said.then_some(false)
            }
        }
    }

    /// Whether no place can end, because nobody knows which places the rows that were passed over are
    /// about.
    pub(crate) fn any_unsaid(&self) -> bool {
        self.any_unsaid
    }

    /// The places in all classes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ClassPlace> {
        self.places.iter()
    }
}
