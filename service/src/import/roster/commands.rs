//! The second pass: from rows to commands.

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

use super::ImportedCommand;
use super::index::{ClassPlace, Index};
use super::rows::{CLASSES, Class, EnrolledAs, ORGS, SESSIONS, USERS, User, key};
use super::source::Source;
use super::table::{Column, Layout, Row, Table};
use crate::import::fault::{Collector, FaultCode, ImportFault};

type Item = Result<ImportedCommand, ImportFault>;

pub(super) fn school_years(index: &Index) -> impl Iterator<Item = Item> {
    index.years.iter().map(|(id, year, row)| {
        Ok(ImportedCommand {
            command: Command::SchoolYear(*id, SchoolYearCommand::Define(year.clone())),
            file: SESSIONS.file,
            row: *row,
        })
    })
}

pub(super) fn institutions(index: &Index) -> impl Iterator<Item = Item> {
    index.orgs.iter().map(|(id, org, row)| {
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
        let affiliations = index.institutions(row, faults).into_iter();
        // What the first pass found out counts: enrolments can say so too.
        let known = index.person(user.id);
        let put = PersonCommand::Put {
            name: user.name,
            affiliations: affiliations
                .map(|institution| Affiliation {
                    institution,
                    role: user.role,
                    grade: user.grade.clone(),
                })
                .collect(),
            departed: known.map_or(user.departed, |known| known.departed),
        };
        Some(Command::Person(user.id, put))
    })
}

/// One command for every student, also for those without guardians: whoever was one is no more.
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
        for agent in row.list(Column::AgentSourcedIds) {
            let guardian = PersonId::from_uuid(key(&USERS, agent));
            match index.person(guardian) {
                Some(known) if known.role == Role::Guardian => {
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
            (index.courses.get(&class.course), index.places(class.team))
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

/// Members, staff and owner. Who is both teacher and pedagogue of a class is its teacher.
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

/// The commands of a table's rows, read as they are asked for. A row whose `make` finds nothing
/// wrong and gives nothing has no command.
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
                Err((fault, _)) => return Some(Err(fault)),
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
