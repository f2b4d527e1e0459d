//! `roles.csv` and `relationships.csv`: what persons are at which institution, and who guards whom.
//! OneRoster 1.1 says both in `users.csv`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_core::domain::person::{Affiliation, Role};
use planledger_core::ids::{InstitutionId, PersonId};
use planledger_core::text::{Code, CprContext};

use super::super::reader::layout::{Column, Layout, ORGS, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::words::{role, truth, word};
use super::Scope;
use super::cells::{date, is_gone, reference};
use super::orgs::Orgs;
use super::references::each_row;
use crate::import::fault::{Collector, Findings, ImportFault};

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
pub(crate) struct Roles {
    by_person: HashMap<PersonId, Places>,
    /// The lines of rows that were passed over, in order.
    passed_over: Vec<u64>,
}

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
            roles.take(row, orgs, scope, faults);
            if !faults.is_empty() {
                roles.passed_over.push(row.line());
            }
        });
        roles
    }

    fn take(&mut self, row: &Row<'_>, orgs: &Orgs, scope: Scope, faults: &mut Collector) {
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
            // It could be one more role of anybody who has others.
            if gone != Some(true) {
                faults.set_about_anybody();
            }
            return;
        };
        let places = self.by_person.entry(person).or_default();
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
    }

    /// The lines of rows that were passed over, in order.
    pub(super) fn passed_over(&self) -> &[u64] {
        &self.passed_over
    }

    /// What a person is. `None` if no row names the person.
    pub(super) fn of(&self, person: PersonId) -> Option<&Places> {
        self.by_person.get(&person)
    }
}

fn is_primary(row: &Row<'_>) -> Result<bool, ImportFault> {
    if row.has(Column::IsPrimary) {
        return Ok(row.optional(Column::IsPrimary, truth)?.unwrap_or(false));
    }
    let kinds = [("primary", true), ("secondary", false)];
    let kind = row.optional(Column::RoleType, |text| word(text, &kinds))?;
    Ok(kind.unwrap_or(false))
}

/// Whether a row of relationships says that somebody guards the child. School Data Sync has words for
/// others who have to do with it: an aide or a doctor is told nothing of a child because of this. A table
/// without the column says of everybody whom it names that they guard the child.
fn guards(row: &Row<'_>) -> Result<bool, ImportFault> {
    const WORDS: [(&str, bool); 8] = [
        ("parent", true),
        ("guardian", true),
        ("relative", true),
        ("aide", false),
        ("doctor", false),
        ("administrator", false),
        ("child", false),
        ("other", false),
    ];
    match row.has(Column::RelationshipRole) {
        true => row.required(Column::RelationshipRole, |text| word(text, &WORDS)),
        false => Ok(true),
    }
}

/// Who guards whom, by child.
#[derive(Debug, Default)]
pub(crate) struct Relationships {
    by_child: BTreeMap<PersonId, BTreeSet<PersonId>>,
    guardians: BTreeSet<PersonId>,
    /// Persons who have to do with a child and, as far as the export says, do not guard it.
    others: BTreeSet<PersonId>,
    /// How many rows name somebody who guards nobody.
    guarding_nobody: u64,
    /// Persons of whom an export does not say whether they guard the child.
    left: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Persons who, as it says, do not guard the child.
    denied: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Children of whom it does not say who else guards them.
    all_left: BTreeSet<PersonId>,
    /// Persons whom the export names, whether or not they guard anybody.
    named: BTreeSet<PersonId>,
    /// The lines of rows that were passed over, in order.
    passed_over: Vec<u64>,
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
        let (mut found, mut unclear) = (Self::default(), Vec::new());
        each_row(source, layout, findings, |row, faults| {
            let child = faults.ok(reference(row, Column::UserSourcedId, &USERS));
            let other = faults.ok(reference(row, Column::RelationshipUserSourcedId, &USERS));
            match (
                child.map(PersonId::from_uuid),
                other.map(PersonId::from_uuid),
            ) {
                (None, _) => faults.set_about_anybody(),
                (Some(child), Some(other)) => unclear.extend(found.take(row, child, other).err()),
                // Whoever it is goes on to guard the child.
                (Some(child), None) => found.leave_all(child),
            }
            if !faults.is_empty() {
                found.passed_over.push(row.line());
            }
        });
        unclear.into_iter().for_each(|fault| findings.part(fault));
        found
    }

    /// The lines of rows that were passed over, in order.
    pub(super) fn passed_over(&self) -> &[u64] {
        &self.passed_over
    }

    /// Takes a row that says what somebody is to a child. If nobody can tell whether that is a guardian,
    /// it is left open.
    fn take(&mut self, row: &Row<'_>, child: PersonId, other: PersonId) -> Result<(), ImportFault> {
        match guards(row) {
            Ok(true) => self.add(child, other),
            Ok(false) => {
                self.others.insert(other);
                self.guarding_nobody += 1;
            }
            Err(fault) => {
                self.others.insert(other);
                self.leave(child, other);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// How many rows name somebody who guards nobody.
    pub(crate) fn guarding_nobody(&self) -> u64 {
        self.guarding_nobody
    }

    /// Those who guard a child.
    pub(super) fn of(&self, child: PersonId) -> Option<&BTreeSet<PersonId>> {
        self.by_child.get(&child)
    }

    /// What somebody is who is named here and nowhere else. `None` for whoever is not named here.
    pub(super) fn role_of(&self, person: PersonId) -> Option<Role> {
        if self.guardians.contains(&person) {
            return Some(Role::Guardian);
        }
        self.others.contains(&person).then_some(Role::Other)
    }
}
