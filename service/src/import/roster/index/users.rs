//! `users.csv`: persons, and the guardians of students.

use std::collections::{BTreeSet, HashMap};

use planledger_core::domain::person::Role;
use planledger_core::ids::PersonId;
use planledger_core::text::{Code, CprContext, Name, TextError};

use super::super::reader::layout::{Column, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::cells::{is_gone, truth, word};
use super::orgs::Orgs;
use super::references::{dangling, each_row, hides_ids};
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// One row.
pub(crate) struct User {
    pub(crate) id: PersonId,
    pub(crate) name: Name,
    pub(crate) role: Role,
    /// Of a student only.
    pub(crate) grade: Option<Code>,
    /// Only `tobedeleted` says that somebody has left. A user who is not enabled may not log in, which
    /// is no departure; nor is a class that ended or was cancelled.
    pub(crate) departed: bool,
}

impl User {
    pub(crate) fn read(row: &Row<'_>, faults: &mut Collector) -> Option<Self> {
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
            Some(Role::Student) => faults.ok(row.optional(Column::Grades, |text| {
                Code::new_in(text, CprContext::PersonText)
            })),
            _ => Some(None),
        };
        if row.list(Column::OrgSourcedIds).next().is_none() {
            faults.push(row.fault(FaultCode::ValueMissing, Column::OrgSourcedIds));
        }
        enabled?;
        Some(Self {
            id: id?,
            name: name?,
            role: role?,
            grade: grade?,
            departed: gone?,
        })
    }
}

/// Given and family name. One of them may be empty, because some people have only one name.
fn full_name(row: &Row<'_>) -> Result<Name, ImportFault> {
    let (given, family) = (row.text(Column::GivenName), row.text(Column::FamilyName));
    for (column, part) in [(Column::GivenName, given), (Column::FamilyName, family)] {
        match Name::new(part) {
            Ok(_) | Err(TextError::Empty) => {}
            Err(error) => return Err(row.fault(error, column)),
        }
    }
    Name::new(&format!("{given} {family}")).map_err(|error| row.fault(error, Column::GivenName))
}

/// What the first pass keeps of a person.
#[derive(Clone, Copy)]
pub(crate) struct KnownUser {
    pub(crate) role: Role,
    pub(crate) departed: bool,
}

impl KnownUser {
    /// Whether this person guards a child who names the person as agent. Whatever else somebody is,
    /// they can be a parent too; but whoever has left guards nobody.
    pub(crate) fn guards(self, id: PersonId, child: PersonId) -> bool {
        !self.departed && id != child
    }
}

/// All persons.
#[derive(Default)]
pub(crate) struct Users {
    by_id: HashMap<PersonId, KnownUser>,
    guardianships: u64,
    passed_over: u64,
}

impl Users {
    pub(super) fn read(source: &mut Source, orgs: &Orgs, faults: &mut Collector) -> Self {
        let mut users = Self::default();
        // A guardian may stand below the child. Such references are checked at the end.
        let mut unseen: Vec<(PersonId, Option<PersonId>, u64)> = Vec::new();
        each_row(source, &USERS, faults, |row, faults| {
            let user = User::read(row, faults);
            orgs.of_user(row, faults);
            let student = user.as_ref().filter(|user| user.role == Role::Student);
            let child = student.map(|student| student.id);
            for agent in agents(row) {
                if !users.count_guardian(agent, child) {
                    unseen.push((agent, child, row.line()));
                }
            }
            // The id of a faulty row is kept too. A faulty id is a fault already.
            let Ok(id) = row.id(PersonId::from_uuid) else {
                return;
            };
            let known = user.map_or((Role::Other, true), |user| (user.role, user.departed));
            let (role, departed) = known;
            let known = KnownUser { role, departed };
            if users.by_id.insert(id, known).is_some() {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
        });
        if hides_ids(faults, &USERS) {
            return users;
        }
        for (agent, child, line) in unseen {
            if !users.count_guardian(agent, child) {
                let fault = ImportFault::new(dangling(&USERS), USERS.file).row(line);
                faults.push(fault.field(Column::AgentSourcedIds.header()));
            }
        }
        users
    }

    /// Counts `agent`, whom a row names. `child` is the student of that row; `None` if it is no
    /// student's. `false` if there is no such person, or the person's row comes later.
    fn count_guardian(&mut self, agent: PersonId, child: Option<PersonId>) -> bool {
        let Some(known) = self.by_id.get(&agent) else {
            return false;
        };
        match child.is_some_and(|child| known.guards(agent, child)) {
            true => self.guardianships += 1,
            false => self.passed_over += 1,
        }
        true
    }

    /// A person. `None` if there is no such person.
    pub(crate) fn get(&self, id: PersonId) -> Option<KnownUser> {
        self.by_id.get(&id).copied()
    }

    /// All persons, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = KnownUser> {
        self.by_id.values().copied()
    }

    /// How many guardians all students have together.
    pub(crate) fn guardianships(&self) -> u64 {
        self.guardianships
    }

    /// How many agents are no guardians: they have left, or whoever names them is no student.
    pub(crate) fn agents_passed_over(&self) -> u64 {
        self.passed_over
    }
}

/// Those whom a row names as agents, each once.
pub(crate) fn agents(row: &Row<'_>) -> BTreeSet<PersonId> {
    row.list(Column::AgentSourcedIds)
        .map(|agent| PersonId::from_uuid(USERS.id_of(agent)))
        .collect()
}
