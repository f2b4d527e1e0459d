//! `users.csv`: persons, and the guardians of students.

use std::collections::{BTreeSet, HashMap};

use planledger_core::domain::person::{Affiliation, Role};
use planledger_core::ids::PersonId;
use planledger_core::text::{Code, CprContext, Name, TextError, contains_cpr};

use super::super::reader::layout::{Column, Layout, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::words::{self, truth};
use super::Scope;
use super::cells::is_gone;
use super::orgs::Orgs;
use super::parents::{Parents, named_in};
use super::references::{dangling, each_row, push_passed_over, says_gone};
use super::roles::{Relationships, Roles};
use super::user_ids::user_ids;
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault, Problem};

/// One row, with what other tables say of the person.
pub(crate) struct User {
    pub(crate) id: PersonId,
    pub(crate) name: Name,
    /// The role that the person is counted under.
    pub(crate) role: Role,
    /// Every role of the person.
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) affiliations: BTreeSet<Affiliation>,
    /// Only `tobedeleted` says that somebody has left. A user who is not enabled may not log in, which
    /// is no departure; nor is a class that ended or was cancelled.
    pub(crate) departed: bool,
}

/// What must be known to read a row.
#[derive(Clone, Copy)]
pub(crate) struct Around<'i> {
    pub(crate) orgs: &'i Orgs,
    /// `None` if the format has no such table.
    pub(crate) roles: Option<&'i Roles>,
    /// `None` if the format has no such table.
    pub(crate) relationships: Option<&'i Relationships>,
    /// Whether the format has such a table, and the export does not.
    pub(crate) lacks_relationships: bool,
    pub(crate) scope: Scope,
}

impl User {
    pub(crate) fn read(row: &Row<'_>, around: Around<'_>, faults: &mut Collector) -> Option<Self> {
        let id = faults.ok(row.id(PersonId::from_uuid));
        let gone = faults.ok(is_gone(row));
        let name = faults.ok(full_name(row));
        if row.has(Column::EnabledUser) {
            faults.ok(row.required(Column::EnabledUser, truth));
        }
        let found = match around.roles {
            None => own_roles(row, around, faults),
            Some(roles) => roles_of(row, id?, roles, around, faults),
        };
        let (role, roles, affiliations) = found?;
        Some(Self {
            id: id?,
            name: name?,
            role,
            roles,
            affiliations,
            departed: gone?,
        })
    }
}

type Found = (Role, BTreeSet<Role>, BTreeSet<Affiliation>);

/// The grade that a row gives a student.
fn grade(row: &Row<'_>, faults: &mut Collector) -> Option<Option<Code>> {
    let column = match row.has(Column::Grade) {
        true => Column::Grade,
        false => Column::Grades,
    };
    faults.ok(row.optional(column, |text| Code::new_in(text, CprContext::PersonText)))
}

/// What the row itself says that the person is.
fn own_roles(row: &Row<'_>, around: Around<'_>, faults: &mut Collector) -> Option<Found> {
    let role = faults.ok(row.required(Column::Role, words::role));
    let grade = match role {
        Some(Role::Student) => grade(row, faults),
        _ => Some(None),
    };
    if row.list(Column::OrgSourcedIds).next().is_none() {
        faults.push(row.fault(FaultCode::ValueMissing, Column::OrgSourcedIds));
    }
    let orgs = around.orgs.of_user(row, around.scope, faults);
    let (role, grade) = (role?, grade?);
    let affiliations = orgs.into_iter().map(|institution| Affiliation {
        institution,
        role,
        grade: grade.clone(),
    });
    Some((role, BTreeSet::from([role]), affiliations.collect()))
}

/// What the table of roles says that the person is.
fn roles_of(
    row: &Row<'_>,
    id: PersonId,
    roles: &Roles,
    around: Around<'_>,
    faults: &mut Collector,
) -> Option<Found> {
    let Some(places) = roles.of(id) else {
        // Guardians of School Data Sync need have no role at an institution.
        let related = around.relationships.and_then(|known| known.role_of(id));
        if let Some(role) = related {
            return Some((role, BTreeSet::from([role]), BTreeSet::new()));
        }
        if around.lacks_relationships {
            faults.push(row.fault(FaultCode::RoleUnsaid, Column::SourcedId));
            return None;
        }
        let problem = Problem::new(
            FaultCode::ReferenceDangling,
            "no row of roles.csv names this user; add a row to roles.csv, or remove the user",
        );
        faults.push(row.fault(problem, Column::SourcedId));
        return None;
    };
    if places.is_partly_known {
        push_passed_over(row, Column::SourcedId, faults);
        return None;
    }
    let grade = grade(row, faults)?;
    let affiliations = places.now.iter().cloned().map(|mut place| {
        if place.role == Role::Student && place.grade.is_none() {
            place.grade.clone_from(&grade);
        }
        place
    });
    Some((places.first?, places.ever.clone(), affiliations.collect()))
}

/// Given and family name. One of them may be empty, because some people have only one name.
fn full_name(row: &Row<'_>) -> Result<Name, ImportFault> {
    let given = row.one_line(Column::GivenName);
    let family = row.one_line(Column::FamilyName);
    for (column, part) in [(Column::GivenName, &given), (Column::FamilyName, &family)] {
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
    /// The role that the person is counted under.
    pub(crate) role: Role,
    /// One bit for each role of the person.
    roles: u8,
    pub(crate) departed: bool,
    /// Whether the row can be used. If not, what the ledger has of the person is left alone.
    pub(crate) usable: bool,
    pub(super) classes: InClasses,
}

/// What the rows of enrolments say of whether somebody is in a class. What stands later here counts
/// for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InClasses {
    /// No row says that the person is in one.
    #[default]
    None,
    /// A row that was passed over may say so, or one of somebody who only looks in.
    Unsaid,
    /// A row says so.
    Some,
}

const fn bit(role: Role) -> u8 {
    1 << role as u8
}

impl KnownUser {
    /// Whether this person guards a child who names the person as agent. Whatever else somebody is,
    /// they can be a parent too; but whoever has left guards nobody.
    pub(crate) fn guards(self, id: PersonId, child: PersonId) -> bool {
        self.usable && !self.departed && id != child
    }

    /// Whether nothing is known of whether this person guards anybody.
    pub(crate) fn is_unknown(self) -> bool {
        !self.usable && !self.departed
    }

    /// Whether the row says that the person is gone, and nothing else that can be used.
    pub(crate) fn is_only_gone(self) -> bool {
        !self.usable && self.departed
    }

    /// Whether the person is a student, whatever else they are.
    pub(crate) fn is_student(self) -> bool {
        self.roles & bit(Role::Student) != 0
    }

    /// Whether one of the person's roles is such.
    pub(crate) fn is_any(self, fits: impl Fn(Role) -> bool) -> bool {
        let roles = [
            Role::Student,
            Role::Guardian,
            Role::Teacher,
            Role::Pedagogue,
            Role::Leader,
            Role::Other,
        ];
        roles
            .into_iter()
            .any(|role| self.roles & bit(role) != 0 && fits(role))
    }
}

/// Ids of persons that have ten digits. Many systems number persons so, and about one such number in
/// thirty could be a CPR number. In a column of CPR numbers, all could.
#[derive(Default)]
struct TenDigits {
    /// Those that could be CPR numbers, each with its line.
    suspects: Vec<(PersonId, u64)>,
    others: usize,
}

impl TenDigits {
    /// How many others there must be for each that could be a CPR number.
    const OTHERS: usize = 4;

    fn take(&mut self, id: PersonId, text: &str, line: u64) {
        if contains_cpr(text, CprContext::PersonText) {
            self.suspects.push((id, line));
        } else if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.others += 1;
        }
    }

    /// Those that are CPR numbers, as far as the column tells.
    fn cpr_numbers(self) -> Vec<(PersonId, u64)> {
        match self.others >= self.suspects.len() * Self::OTHERS {
            true => Vec::new(),
            false => self.suspects,
        }
    }
}

/// All persons.
#[derive(Default)]
pub(crate) struct Users {
    by_id: HashMap<PersonId, KnownUser>,
    guardianships: u64,
    passed_over: u64,
    students: u64,
    /// Whether any row says something of agents. `None` if the table does not tell that apart from
    /// having none: only those that were fetched from a service do.
    agents_given: Option<bool>,
    /// Guardians whose own rows name the children.
    parents: Parents,
    /// Whether the table need not say who may log in, and does not.
    lacks_enabled: bool,
}

impl Users {
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        around: Around<'_>,
        findings: &mut Findings,
    ) -> Self {
        let mut users = Self::default();
        let (mut ids, mut parts) = (TenDigits::default(), Vec::new());
        // A guardian may stand below the child. Such references are checked at the end.
        let mut unseen: Vec<(PersonId, Option<PersonId>, u64)> = Vec::new();
        each_row(source, layout, findings, |row, faults| {
            let user = User::read(row, around, faults);
            // A faulty id is a fault already.
            let Ok(id) = row.id(PersonId::from_uuid) else {
                users.parents.take_hidden(row);
                return;
            };
            let is_twice = users.by_id.contains_key(&id);
            if is_twice {
                faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
            }
            let known = match user.filter(|_| faults.is_empty()) {
                Some(user) => {
                    for (column, id) in user_ids(row) {
                        parts.extend(id.err().map(|error| row.fault(error, column)));
                    }
                    for (agent, child) in users.note_agents(row, &user, around) {
                        match users.get(agent) {
                            Some(known) if known.usable => users.count_agent(known, agent, child),
                            Some(_) | None => unseen.push((agent, child, row.line())),
                        }
                    }
                    KnownUser {
                        role: user.role,
                        roles: user.roles.iter().fold(0, |all, role| all | bit(*role)),
                        departed: user.departed,
                        usable: true,
                        classes: InClasses::None,
                    }
                }
                None => {
                    users.parents.take(row, id);
                    KnownUser {
                        role: Role::Other,
                        roles: 0,
                        // Nobody can tell which of two rows is right.
                        departed: says_gone(row) && !is_twice,
                        usable: false,
                        classes: InClasses::None,
                    }
                }
            };
            users.lacks_enabled =
                layout.optional.contains(&Column::EnabledUser) && !row.has(Column::EnabledUser);
            if row.has(Column::AgentsGiven) {
                let is_given = row.text(Column::AgentsGiven) == "true";
                users.agents_given = Some(is_given || users.agents_given == Some(true));
            }
            let text = row.text(Column::SourcedId);
            if known.usable {
                ids.take(id, text, row.line());
            }
            users.by_id.insert(id, known);
        });
        for (id, line) in ids.cpr_numbers() {
            if let Some(known) = users.by_id.get_mut(&id) {
                known.usable = false;
                known.departed = false;
            }
            let fault = ImportFault::new(FaultCode::CprFound, USERS.file).row(line);
            let fault = fault.field(Column::SourcedId.header());
            findings.bad(USERS.file, vec![fault], true);
        }
        parts.into_iter().for_each(|fault| findings.part(fault));
        for (agent, child, line) in unseen {
            users.check_agent(agent, child, line, around, findings);
        }
        users.settle_parents(source, layout, around.scope, findings);
        let usable = users.by_id.values().filter(|known| known.usable);
        users.students = usable.filter(|known| known.is_student()).count() as u64;
        users
    }

    /// Takes the agents of a row that can be used. Gives those that are to be counted, each with the child
    /// if it is the row of one. Those of a guardian's row are counted when all persons are known.
    fn note_agents(
        &mut self,
        row: &Row<'_>,
        user: &User,
        around: Around<'_>,
    ) -> Vec<(PersonId, Option<PersonId>)> {
        let is_student = user.roles.contains(&Role::Student);
        if !is_student && user.roles.contains(&Role::Guardian) {
            self.parents.take(row, user.id);
            return Vec::new();
        }
        if is_student && row.list(Column::AgentSourcedIds).next().is_some() {
            self.parents.note_child();
        }
        let child = is_student.then_some(user.id);
        let agents = agents(row, user.id, around).into_iter();
        agents.map(|agent| (agent, child)).collect()
    }

    fn settle_parents(
        &mut self,
        source: &mut Source,
        layout: &'static Layout,
        scope: Scope,
        findings: &mut Findings,
    ) {
        let mut parents = std::mem::take(&mut self.parents);
        if findings.has_unreadable(layout.file) {
            parents.hide_some();
        }
        let (guardianships, passed_over) = parents.settle(self, scope.is_delta, findings);
        let twice = parents.said_twice(source, layout, self);
        self.guardianships += guardianships.saturating_sub(twice);
        self.passed_over += passed_over;
        self.parents = parents;
    }

    /// Guardians whose own rows name the children.
    pub(crate) fn parents(&self) -> &Parents {
        &self.parents
    }

    /// Whether the table need not say who may log in, and does not.
    pub(super) fn lacks_enabled(&self) -> bool {
        self.lacks_enabled
    }

    fn count_agent(&mut self, known: KnownUser, agent: PersonId, child: Option<PersonId>) {
        match child.is_some_and(|child| known.guards(agent, child)) {
            true => self.guardianships += 1,
            false => self.passed_over += 1,
        }
    }

    /// Counts `agent`, whom the row on `line` names. `child` is the student of that row; `None` if it
    /// is no student's.
    fn check_agent(
        &mut self,
        agent: PersonId,
        child: Option<PersonId>,
        line: u64,
        around: Around<'_>,
        findings: &mut Findings,
    ) {
        let problem = match self.get(agent) {
            Some(known) if known.is_unknown() => FaultCode::RowPassedOver.into(),
            Some(known) => return self.count_agent(known, agent, child),
            None if around.scope.is_delta => {
                self.guardianships += u64::from(child.is_some());
                return;
            }
            None => dangling(&USERS),
        };
        let fault = ImportFault::new(problem, USERS.file).row(line);
        findings.part(fault.field(Column::AgentSourcedIds.header()));
    }

    /// A person. `None` if there is no such person.
    pub(crate) fn get(&self, id: PersonId) -> Option<KnownUser> {
        self.by_id.get(&id).copied()
    }

    /// Notes what a row of enrolments says of a person.
    pub(super) fn note_classes(&mut self, id: PersonId, found: InClasses) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.classes = known.classes.max(found);
        }
    }

    /// The ids of all persons, also of those whose rows cannot be used, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = PersonId> {
        self.by_id.keys().copied()
    }

    /// The persons of whom there is a command, in no order.
    pub(crate) fn coming(&self) -> impl Iterator<Item = PersonId> {
        let coming = self.by_id.iter().filter(|(_, known)| known.usable);
        coming.map(|(id, _)| *id)
    }

    /// All persons whose rows can be used, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = KnownUser> {
        self.by_id.values().copied().filter(|known| known.usable)
    }

    /// How many rows say of a person that they are gone, and nothing else that can be used.
    pub(crate) fn only_gone(&self) -> u64 {
        let all = self.by_id.values().copied();
        all.filter(|known| known.is_only_gone()).count() as u64
    }

    /// How many persons are students, whatever else they are.
    pub(crate) fn students(&self) -> u64 {
        self.students
    }

    /// How many guardians all students have together.
    pub(crate) fn guardianships(&self) -> u64 {
        self.guardianships
    }

    /// Whether the table comes from a service that says nothing of anybody's agents.
    pub(super) fn lacks_agents(&self) -> bool {
        self.agents_given == Some(false)
    }

    /// How many agents are no guardians: they have left, or whoever names them is no student.
    pub(crate) fn agents_passed_over(&self) -> u64 {
        self.passed_over
    }
}

/// Those whom the files name as guardians of a person, each once.
pub(crate) fn agents(row: &Row<'_>, id: PersonId, around: Around<'_>) -> BTreeSet<PersonId> {
    let related = around.relationships.and_then(|known| known.of(id));
    let mut named = named_in(row);
    named.extend(related.into_iter().flatten());
    named
}
