//! `roles.csv` and `relationships.csv`: what persons are at which institution, and who guards whom.
//! OneRoster 1.1 says both in `users.csv`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_core::domain::person::{Affiliation, Role};
use planledger_core::ids::{InstitutionId, PersonId};
use planledger_core::text::{Code, CprContext};

use super::super::reader::layout::{Column, Layout, ORGS, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::Scope;
use super::cells::{date, is_gone, reference, truth, word};
use super::orgs::Orgs;
use super::references::each_row;
use crate::import::fault::{Findings, Problem};

/// What somebody is in the standards' words. A prefix `ext:` or a word that is not here is bad.
pub(super) fn role(text: &str) -> Result<Role, Problem> {
    const ROLES: [(&str, Role); 22] = [
        ("student", Role::Student),
        ("guardian", Role::Guardian),
        ("parent", Role::Guardian),
        ("relative", Role::Guardian),
        ("teacher", Role::Teacher),
        ("aide", Role::Pedagogue),
        ("administrator", Role::Leader),
        ("proctor", Role::Other),
        // Of OneRoster 1.2.
        ("counselor", Role::Other),
        ("principal", Role::Leader),
        ("districtAdministrator", Role::Leader),
        ("siteAdministrator", Role::Leader),
        ("systemAdministrator", Role::Other),
        // Of School Data Sync.
        ("professor", Role::Teacher),
        ("faculty", Role::Teacher),
        ("adjunct", Role::Teacher),
        ("lecturer", Role::Teacher),
        ("teacherAssistant", Role::Pedagogue),
        ("paraprofessional", Role::Pedagogue),
        ("viceprincipal", Role::Leader),
        ("staff", Role::Other),
        ("other", Role::Other),
    ];
    word(text, &ROLES)
}

/// What one person is.
#[derive(Default)]
pub(crate) struct Places {
    /// Today, with the primary one first.
    pub(crate) now: Vec<Affiliation>,
    /// Every role that a row names, ended ones too.
    pub(crate) ever: BTreeSet<Role>,
    /// The role that the person is counted under.
    pub(crate) first: Option<Role>,
    /// Whether a row of the person was passed over.
    pub(crate) is_partly_known: bool,
}

/// The rows of `roles.csv`, by person.
#[derive(Default)]
pub(crate) struct Roles(HashMap<PersonId, Places>);

impl Roles {
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        orgs: &Orgs,
        scope: Scope,
        findings: &mut Findings,
    ) -> Self {
        let mut roles = Self::default();
        each_row(source, layout, findings, |row, faults| {
            let person = faults.ok(reference(row, Column::UserSourcedId, &USERS));
            let gone = faults.ok(is_gone(row));
            let role = faults.ok(row.required(Column::Role, role));
            let org = faults.ok(reference(row, Column::OrgSourcedId, &ORGS));
            let is_primary = is_primary(row);
            let is_primary = faults.ok(is_primary);
            let grade = faults.ok(row.optional(Column::Grade, |text| {
                Code::new_in(text, CprContext::PersonText)
            }));
            let last = match row.has(Column::RoleEndDate) {
                true => row.optional(Column::RoleEndDate, date),
                false => row.optional(Column::EndDate, date),
            };
            let last = faults.ok(last);
            if let Some(org) = org {
                let org = InstitutionId::from_uuid(org);
                orgs.check(org, row, Column::OrgSourcedId, scope, faults);
            }
            let Some(person) = person.map(PersonId::from_uuid) else {
                return;
            };
            let places = roles.0.entry(person).or_default();
            if !faults.is_empty() {
                // A row that says that it is gone takes nothing from the others.
                places.is_partly_known |= gone != Some(true);
                return;
            }
            let (Some(gone), Some(role), Some(org)) = (gone, role, org) else {
                return;
            };
            places.ever.insert(role);
            let is_first = is_primary == Some(true) && !gone;
            if places.first.is_none() || is_first {
                places.first = Some(role);
            }
            let has_ended = last.flatten().is_some_and(|last| last < scope.today);
            if !gone && !has_ended {
                places.now.push(Affiliation {
                    institution: InstitutionId::from_uuid(org),
                    role,
                    grade: grade.flatten().filter(|_| role == Role::Student),
                });
            }
        });
        roles
    }

    /// What a person is. `None` if no row names the person.
    pub(super) fn of(&self, person: PersonId) -> Option<&Places> {
        self.0.get(&person)
    }
}

fn is_primary(row: &Row<'_>) -> Result<bool, crate::import::fault::ImportFault> {
    if row.has(Column::IsPrimary) {
        return Ok(row.optional(Column::IsPrimary, truth)?.unwrap_or(false));
    }
    let kinds = [("primary", true), ("secondary", false)];
    let kind = row.optional(Column::RoleType, |text| word(text, &kinds))?;
    Ok(kind.unwrap_or(false))
}

/// Who guards whom, by child.
#[derive(Debug, Default)]
pub(crate) struct Relationships {
    by_child: BTreeMap<PersonId, BTreeSet<PersonId>>,
    guardians: BTreeSet<PersonId>,
    /// Persons of whom an export does not say whether they guard the child.
    left: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Persons who, as it says, do not guard the child.
    denied: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Children of whom it does not say who else guards them.
    all_left: BTreeSet<PersonId>,
    /// Persons whom the export names, whether or not they guard anybody.
    named: BTreeSet<PersonId>,
}

impl Relationships {
    /// Makes somebody a guardian.
    pub(crate) fn add(&mut self, child: PersonId, guardian: PersonId) {
        self.by_child.entry(child).or_default().insert(guardian);
        self.guardians.insert(guardian);
    }

    /// Says that the export names somebody.
    pub(crate) fn name(&mut self, person: PersonId) {
        self.named.insert(person);
    }

    /// Leaves open whether somebody guards a child, unless it is said elsewhere.
    pub(crate) fn leave(&mut self, child: PersonId, person: PersonId) {
        self.left.entry(child).or_default().insert(person);
    }

    /// Leaves open who else guards a child.
    pub(crate) fn leave_all(&mut self, child: PersonId) {
        self.all_left.insert(child);
    }

    /// Says that somebody does not guard a child. If it is said elsewhere that they do, it is left open,
    /// and the answer is `true`.
    pub(crate) fn deny(&mut self, child: PersonId, guardian: PersonId) -> bool {
        let guards = self.by_child.get_mut(&child);
        let was_one = guards.is_some_and(|guards| guards.remove(&guardian));
        match was_one {
            true => self.leave(child, guardian),
            false => {
                self.denied.entry(child).or_default().insert(guardian);
            }
        }
        was_one
    }

    /// Those who do not guard a child, as far as it is not left open.
    pub(crate) fn ended_of(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        let left = self.left.get(&child);
        let denied = self.denied.get(&child).into_iter().flatten();
        let is_left = move |person: &PersonId| left.is_some_and(|left| left.contains(person));
        denied.copied().filter(move |person| !is_left(person))
    }

    /// Persons of whom nobody can tell whether they guard a child.
    pub(crate) fn left_of(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        self.left.get(&child).into_iter().flatten().copied()
    }

    /// Persons whom the export names beside its tables.
    pub(crate) fn named(&self) -> impl Iterator<Item = PersonId> {
        self.named.iter().copied()
    }

    /// Children of whom nobody can tell who else guards them.
    pub(crate) fn all_left(&self) -> &BTreeSet<PersonId> {
        &self.all_left
    }

    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        findings: &mut Findings,
    ) -> Self {
        let mut found = Self::default();
        each_row(source, layout, findings, |row, faults| {
            let child = faults.ok(reference(row, Column::UserSourcedId, &USERS));
            let other = faults.ok(reference(row, Column::RelationshipUserSourcedId, &USERS));
            let (Some(child), Some(other)) = (child, other) else {
                return;
            };
            let (child, other) = (PersonId::from_uuid(child), PersonId::from_uuid(other));
            found.add(child, other);
        });
        found
    }

    /// Those who guard a child.
    pub(super) fn of(&self, child: PersonId) -> Option<&BTreeSet<PersonId>> {
        self.by_child.get(&child)
    }

    /// Whether somebody is named as guardian.
    pub(super) fn names(&self, guardian: PersonId) -> bool {
        self.guardians.contains(&guardian)
    }
}
