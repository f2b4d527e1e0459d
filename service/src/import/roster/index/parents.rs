//! Guardians whose own rows name the children.
//!
//! OneRoster calls agents "users to which this user has a relationship" and does not fix the direction:
//! some systems write the parents into the row of the child, others the children into the rows of the
//! parents. Both say the same guardianship. Only a row of somebody who is a guardian and no student says
//! it about others, and only of students.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use planledger_core::ids::PersonId;

use super::super::reader::layout::{Column, Layout, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::references::dangling;
use super::users::{KnownUser, Users};
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault};

/// Those whom the row itself names as agents, each once.
pub(super) fn named_in(row: &Row<'_>) -> BTreeSet<PersonId> {
    row.list(Column::AgentSourcedIds)
        .map(|agent| PersonId::from_uuid(USERS.id_of(agent)))
        .collect()
}

/// Which rows of guardians name whom.
#[derive(Default)]
pub(crate) struct Parents {
    /// By the person who is named: those whose rows name them, each with its line.
    by_named: BTreeMap<PersonId, BTreeMap<PersonId, u64>>,
    /// Whom rows name of which nobody knows whose they are.
    hidden: BTreeSet<PersonId>,
    /// Whether such a row names somebody, or nothing of a row can be read.
    hides_some: bool,
    /// Whether the row of a student names its guardians.
    children_say: bool,
    /// Whether the row of a guardian names a student, also if nobody guards anybody because of it.
    parents_say: bool,
}

/// What becomes of what a row says.
enum Fate {
    /// It makes a guardian.
    Guards,
    /// It leaves open whether somebody guards the child, because the row was passed over.
    Open,
    /// Nobody guards anybody because of it.
    Nothing,
    /// Whoever is named is not there, or was passed over.
    Fault(FaultCode),
}

impl Parents {
    /// Takes a row of a guardian, or one that was passed over and may be of one.
    pub(super) fn take(&mut self, row: &Row<'_>, of: PersonId) {
        for named in named_in(row) {
            let of_named = self.by_named.entry(named).or_default();
            of_named.entry(of).or_insert(row.line());
        }
    }

    /// Takes a row of which nobody knows whose it is.
    pub(super) fn take_hidden(&mut self, row: &Row<'_>) {
        self.hidden.extend(named_in(row));
        self.hides_some |= !self.hidden.is_empty();
    }

    /// Says that the table has rows of which nothing can be read.
    pub(super) fn hide_some(&mut self) {
        self.hides_some = true;
    }

    /// Says that the row of a student names guardians.
    pub(super) fn note_child(&mut self) {
        self.children_say = true;
    }

    /// Whether nothing is said of whoever is not named as a guardian of a student: the guardians say it,
    /// and one of them cannot be read; or the export holds changes only, and the row of the student
    /// `names` nobody. Then the guardians who are not in it may name the student.
    pub(crate) fn leaves_others(&self, is_delta: bool, names: bool) -> bool {
        self.parents_say && (self.hides_some || (is_delta && !names))
    }

    /// Those whose rows name a child, each once.
    pub(crate) fn of(&self, child: PersonId) -> impl Iterator<Item = PersonId> {
        let of_child = self.by_named.get(&child);
        of_child.into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// Those who are named and are not in the export, with the guardians who name them and the first of
    /// their lines.
    pub(crate) fn elsewhere<'p>(
        &'p self,
        users: &'p Users,
    ) -> impl Iterator<Item = (PersonId, Vec<PersonId>, u64)> + 'p {
        let absent = self.by_named.iter();
        let absent = absent.filter(move |(named, _)| users.get(**named).is_none());
        absent.map(|(named, by)| {
            let line = by.values().min().copied().unwrap_or_default();
            (*named, by.keys().copied().collect(), line)
        })
    }

    /// Keeps what says something of a guardianship, once all persons are known. Gives how many
    /// guardianships there are, and how many that are none were passed over.
    pub(super) fn settle(
        &mut self,
        users: &Users,
        is_delta: bool,
        findings: &mut Findings,
    ) -> (u64, u64) {
        let (mut guardianships, mut passed_over) = (0, 0);
        let mut faults = Vec::new();
        self.parents_say = self.say(users, is_delta);
        self.by_named.retain(|named, by| {
            by.retain(|of, line| match fate(users, *named, *of, is_delta) {
                Fate::Guards => {
                    guardianships += 1;
                    true
                }
                Fate::Open => true,
                Fate::Nothing => {
                    // A row that was passed over is told as such.
                    let is_used = users.get(*of).is_some_and(|known| known.usable);
                    passed_over += u64::from(is_used);
                    false
                }
                Fate::Fault(code) => {
                    faults.push((*line, code));
                    false
                }
            });
            !by.is_empty()
        });
        faults.sort_unstable();
        for (line, code) in faults {
            let problem = match code {
                FaultCode::ReferenceDangling => dangling(&USERS),
                code => code.into(),
            };
            let fault = ImportFault::new(problem, USERS.file).row(line);
            findings.part(fault.field(Column::AgentSourcedIds.header()));
        }
        (guardianships, passed_over)
    }

    /// Whether a row of a guardian, or one that nobody can read, names a student.
    fn say(&self, users: &Users, is_delta: bool) -> bool {
        let is_student = |named: &PersonId| {
            let known = users.get(*named);
            known.is_some_and(|known| known.usable && known.is_student())
        };
        let may_be = |named: &PersonId| match users.get(*named) {
            Some(known) => !known.usable,
            None => is_delta,
        };
        // A row that was passed over may be that of a child.
        let is_guardians =
            |(of, _): (&PersonId, &u64)| users.get(*of).is_some_and(|known| known.usable);
        let mut named = self.by_named.iter();
        named.any(|(named, by)| is_student(named) || (may_be(named) && by.iter().any(is_guardians)))
            || self.hidden.iter().any(is_student)
    }

    /// How many guardianships the rows of the children say as well. This takes a pass over the table,
    /// which only an export costs in which guardians name children.
    pub(super) fn said_twice(
        &self,
        source: &mut Source,
        layout: &'static Layout,
        users: &Users,
    ) -> u64 {
        if self.by_named.is_empty() || !self.children_say {
            return 0;
        }
        // What is wrong with the table is told already.
        let Some(mut table) = Table::open(source, layout, &mut Collector::default()) else {
            return 0;
        };
        let (mut twice, mut record) = (0, StringRecord::new());
        while let Some(next) = table.next_row(&mut record) {
            let row = match next {
                Ok(row) => row,
                Err(unreadable) if unreadable.ends_table => return twice,
                Err(_) => continue,
            };
            let Ok(child) = row.id(PersonId::from_uuid) else {
                continue;
            };
            let is_child = users
                .get(child)
                .is_some_and(|known| known.usable && known.is_student());
            let by = self.by_named.get(&child).filter(|_| is_child);
            let named = by.map(|by| {
                let named = named_in(&row).into_iter();
                named.filter(move |of| by.contains_key(of) && guards(users, *of, child))
            });
            twice += named.into_iter().flatten().count() as u64;
        }
        twice
    }
}

fn guards(users: &Users, of: PersonId, child: PersonId) -> bool {
    users.get(of).is_some_and(|known| known.guards(of, child))
}

fn fate(users: &Users, named: PersonId, of: PersonId, is_delta: bool) -> Fate {
    let is_open = users.get(of).is_some_and(KnownUser::is_unknown);
    match users.get(named) {
        Some(known) if known.usable && known.is_student() => match guards(users, of, named) {
            true => Fate::Guards,
            false if is_open => Fate::Open,
            false => Fate::Nothing,
        },
        Some(known) if known.is_unknown() && !is_open => Fate::Fault(FaultCode::RowPassedOver),
        Some(_) => Fate::Nothing,
        // The ledger knows whom an export of changes names and does not hold.
        None if is_delta && guards(users, of, named) => Fate::Guards,
        None if is_delta || is_open => Fate::Nothing,
        None => Fate::Fault(FaultCode::ReferenceDangling),
    }
}
