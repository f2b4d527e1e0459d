//! The second pass: turns rows into commands.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use csv::StringRecord;
use jiff::civil::Date;
use planledger_core::domain::Command;
use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Affiliation, Guardianship, PersonCommand, Role};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::ids::PersonId;

use super::index::Index;
use super::index::classes::Class;
use super::index::enrollments::{ClassPlace, EnrolledAs};
use super::index::users::{User, agents};
use super::reader::layout::{CLASSES, Column, Layout, ORGS, SESSIONS, USERS};
use super::reader::row::Row;
use super::reader::source::Source;
use super::reader::table::Table;
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// A command and the row that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCommand {
    /// The command.
    pub command: Command,
    /// The file that holds the row.
    pub file: &'static str,
    /// The line on which the row begins, from 1.
    pub row: u64,
}

type Item = Result<ImportedCommand, ImportFault>;

pub(super) fn school_years(index: &Index) -> impl Iterator<Item = Item> {
    index.sessions.years().iter().map(|(id, year, row)| {
        Ok(ImportedCommand {
            command: Command::SchoolYear(*id, SchoolYearCommand::Define(year.clone())),
            file: SESSIONS.file,
            row: *row,
        })
    })
}

pub(super) fn institutions(index: &Index) -> impl Iterator<Item = Item> {
    index.orgs.rows().iter().map(|(id, org, row)| {
        let put = InstitutionCommand::Put {
            details: org.details.clone(),
            closed: org.closed,
        };
        Ok(ImportedCommand {
            command: Command::Institution(*id, put),
            file: ORGS.file,
            row: *row,
        })
    })
}

pub(super) fn persons<'r>(
    source: &'r mut Source,
    index: &'r Index,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, &USERS, |row, faults| {
        let user = User::read(row, faults)?;
        let affiliations = index.orgs.of_user(row, faults).into_iter();
        let put = PersonCommand::Put {
            name: user.name,
            affiliations: affiliations
                .map(|institution| Affiliation {
                    institution,
                    role: user.role,
                    grade: user.grade.clone(),
                })
                .collect(),
            departed: user.departed,
        };
        Some(Command::Person(user.id, put))
    })
}

/// One command for every student, also for a student without guardians: those who were guardians
/// before are no longer.
pub(super) fn guardians<'r>(
    source: &'r mut Source,
    index: &'r Index,
    today: Date,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, &USERS, move |row, faults| {
        let user = User::read(row, faults)?;
        if user.role != Role::Student {
            return None;
        }
        let mut guardians = BTreeSet::new();
        for guardian in agents(row) {
            match index.person(guardian) {
                Some(known) if known.guards(guardian, user.id) => {
                    guardians.insert(Guardianship {
                        guardian,
                        last_day: None,
                    });
                }
                Some(_) => {}
                None => faults.push(row.fault(FaultCode::FileChanged, Column::AgentSourcedIds)),
            }
        }
        let put = PersonCommand::PutGuardians {
            guardians,
            last_day_of_others: today,
        };
        Some(Command::Person(user.id, put))
    })
}

pub(super) fn teams<'r>(
    source: &'r mut Source,
    index: &'r Index,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, &CLASSES, |row, faults| {
        let class = Class::read(row, faults)?;
        let school_year = index.school_year(row, &class, faults);
        let (Some(course), Some(places)) =
            (index.courses.get(class.course), index.places_in(class.team))
        else {
            faults.push(row.fault(FaultCode::FileChanged, Column::SourcedId));
            return None;
        };
        let (members, staff, owner) = seats(places);
        let put = TeamCommand::Put {
            details: TeamDetails {
                institution: class.school,
                school_year,
                title: class.title,
                subject: class.subject.or_else(|| course.subject.clone()),
                code: class.code.or_else(|| course.code.clone()),
            },
            members,
            staff,
            owner,
            closed: class.closed,
        };
        Some(Command::Team(class.team, put))
    })
}

type Seats = (
    BTreeSet<PersonId>,
    BTreeMap<PersonId, StaffRole>,
    Option<PersonId>,
);

/// Members, staff and owner. A person who is both teacher and pedagogue of a class is its teacher.
fn seats(places: &[ClassPlace]) -> Seats {
    let (mut members, mut staff, mut owner) = Seats::default();
    for place in places {
        match place.role {
            EnrolledAs::Student => {
                members.insert(place.person);
            }
            EnrolledAs::Staff { role, primary } => {
                let seat = staff.entry(place.person).or_insert(role);
                *seat = (*seat).min(role);
                if primary && owner.is_none() {
                    owner = Some(place.person);
                }
            }
            EnrolledAs::Neither => {}
        }
    }
    (members, staff, owner)
}

/// The commands of a table's rows. Each row is read when its command is asked for. A row has no
/// command if `make` gives none and adds no fault.
fn stream<'s>(
    source: &'s mut Source,
    layout: &'static Layout,
    mut make: impl FnMut(&Row<'_>, &mut Collector) -> Option<Command> + 's,
) -> impl Iterator<Item = Item> + 's {
    let mut opening = Collector::default();
    let mut table = Table::open(source, layout, &mut opening);
    let mut failure = opening.into_first();
    let mut record = StringRecord::new();
    iter::from_fn(move || {
        if let Some(fault) = failure.take() {
            return Some(Err(fault));
        }
        loop {
            let row = match table.as_mut()?.next_row(&mut record)? {
                Ok(row) => row,
                Err(unreadable) => return Some(Err(unreadable.fault)),
            };
            let mut faults = Collector::default();
            let command = make(&row, &mut faults);
            if let Some(fault) = faults.into_first() {
                return Some(Err(fault));
            }
            if let Some(command) = command {
                return Some(Ok(ImportedCommand {
                    command,
                    file: layout.file,
                    row: row.line(),
                }));
            }
        }
    })
}
