//! The second pass: turns rows into commands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use csv::StringRecord;
use jiff::civil::Date;
use planledger_core::domain::Command;
use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Guardianship, PersonCommand, Role};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::ids::{PersonId, TeamId};

use super::index::Index;
use super::index::classes::Class;
use super::index::enrollments::{ClassPlace, EnrolledAs, InClass};
use super::index::profiles::Profiles;
use super::index::users::{KnownUser, User, agents};
use super::origin::Origin;
use super::reader::layout::{Column, Layout, ORGS, PROFILES_1_2, SESSIONS, USERS};
use super::reader::row::Row;
use super::reader::source::Source;
use super::reader::table::Table;
use crate::import::fault::{Collector, FaultCode, ImportFault};

/// A command and the row that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCommand {
    /// The command.
    pub command: Command,
    /// The file that holds the row, or of an export in XML the element.
    pub file: Cow<'static, str>,
    /// The line on which the row or element begins, from 1.
    pub row: u64,
}

pub(super) type Item = Result<ImportedCommand, ImportFault>;

pub(super) fn school_years(index: &Index) -> impl Iterator<Item = Item> {
    index.sessions.years().iter().map(|(id, year, row)| {
        Ok(ImportedCommand {
            command: Command::SchoolYear(*id, SchoolYearCommand::Put(year.clone())),
            file: SESSIONS.file.into(),
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
            file: ORGS.file.into(),
            row: *row,
        })
    })
}

pub(super) fn persons<'r>(
    source: &'r mut Source,
    index: &'r Index,
    origin: Option<&'r Origin>,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, index.format.users, move |row, faults| {
        let id = row.id(PersonId::from_uuid).ok()?;
        if index.person(id).is_some_and(KnownUser::is_only_gone) {
            let source = origin?.name.clone();
            return Some(Command::Person(id, PersonCommand::PutGone { source }));
        }
        let user = usable_user(row, index, faults)?;
        let enrolled = index.enrolled(&user);
        let profiles = index.profiles_of(user.id);
        let put = PersonCommand::Put {
            name: user.name,
            affiliations: user.affiliations,
            departed: user.departed,
            record: origin.and_then(|origin| origin.record(row, enrolled, profiles)),
        };
        Some(Command::Person(user.id, put))
    })
}

/// Accounts in other systems of those of whom the export does not hold every one. Without a source
/// nothing is said of accounts.
pub(super) fn profiles<'r>(
    index: &'r Index,
    origin: Option<&'r Origin>,
) -> impl Iterator<Item = Item> + 'r {
    let all = index.profiles.iter().flat_map(Profiles::in_part);
    all.filter_map(move |(person, of)| {
        let put = PersonCommand::PutSomeProfiles {
            source: origin?.name.clone(),
            profiles: of.profiles.clone(),
            gone: of.gone.clone(),
        };
        Some(Ok(ImportedCommand {
            command: Command::Person(person, put),
            file: PROFILES_1_2.file.into(),
            row: of.line,
        }))
    })
}

/// The person of a row, unless the row was passed over. What the ledger has of that person is left
/// alone.
fn usable_user(row: &Row<'_>, index: &Index, faults: &mut Collector) -> Option<User> {
    let id = row.id(PersonId::from_uuid).ok()?;
    match index.person(id) {
        Some(known) if known.usable => User::read(row, index.around(), faults),
        Some(_) => None,
        None => {
            faults.push(row.fault(FaultCode::FileChanged, Column::SourcedId));
            None
        }
    }
}

/// One command for every student, also for a student without guardians: those who were guardians
/// before are no longer. None for a student of whom nothing at all is said of who guards them.
pub(super) fn guardians<'r>(
    source: &'r mut Source,
    index: &'r Index,
    today: Date,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, index.format.users, move |row, faults| {
        let user = usable_user(row, index, faults)?;
        if !user.roles.contains(&Role::Student) {
            return None;
        }
        let (mut guardians, mut unsaid) = (BTreeSet::new(), BTreeSet::new());
        let parents = index.users.parents();
        let mut named = agents(row, user.id, index.around());
        let names = !named.is_empty();
        named.extend(parents.of(user.id));
        for guardian in named {
            let guards = match index.person(guardian) {
                Some(known) if known.is_unknown() => None,
                Some(known) => Some(known.guards(guardian, user.id)),
                // The ledger knows whom an export of changes names and does not hold.
                None => index.scope.is_delta.then_some(true),
            };
            match guards {
                Some(true) => {
                    guardians.insert(Guardianship {
                        guardian,
                        last_day: None,
                    });
                }
                Some(false) => {}
                // A row that was passed over ends nothing.
                None => {
                    unsaid.insert(guardian);
                }
            }
        }
        unsaid.extend(index.guardians_left(user.id));
        for guards in &guardians {
            unsaid.remove(&guards.guardian);
        }
        let is_left = index.leaves_others(user.id);
        let others_unsaid = is_left || parents.leaves_others(index.scope.is_delta, names);
        let ended: BTreeSet<_> = match others_unsaid {
            true => index.guardians_ended(user.id).collect(),
            false => BTreeSet::new(),
        };
        if is_left && guardians.is_empty() && ended.is_empty() {
            return None;
        }
        let put = match !others_unsaid && unsaid.is_empty() {
            true => PersonCommand::PutGuardians {
                guardians,
                last_day_of_others: today,
            },
            false => PersonCommand::PutSomeGuardians {
                guardians,
                unsaid,
                others_unsaid,
                ended,
                last_day_of_others: today,
            },
        };
        Some(Command::Person(user.id, put))
    })
}

/// What rows of guardians in an export of changes say of children whose own rows it does not hold. Nothing
/// is said of who else guards them.
pub(super) fn guardians_elsewhere(index: &Index, today: Date) -> impl Iterator<Item = Item> + '_ {
    let children = index.users.parents().elsewhere(&index.users);
    children.map(move |(child, guardians, row)| {
        let guardians = guardians.into_iter().map(|guardian| Guardianship {
            guardian,
            last_day: None,
        });
        let put = PersonCommand::PutSomeGuardians {
            guardians: guardians.collect(),
            unsaid: BTreeSet::new(),
            others_unsaid: true,
            ended: BTreeSet::new(),
            last_day_of_others: today,
        };
        Ok(ImportedCommand {
            command: Command::Person(child, put),
            file: USERS.file.into(),
            row,
        })
    })
}

pub(super) fn teams<'r>(
    source: &'r mut Source,
    index: &'r Index,
    origin: Option<&'r Origin>,
) -> impl Iterator<Item = Item> + 'r {
    stream(source, index.format.classes, move |row, faults| {
        let id = row.id(TeamId::from_uuid).ok()?;
        let Some(places) = index.places_in(id) else {
            faults.push(row.fault(FaultCode::FileChanged, Column::SourcedId));
            return None;
        };
        let (places, class) = (places?, Class::read(row, faults)?);
        let (school_year, course) = index.of_class(row, &class, faults);
        let details = TeamDetails {
            institution: class.school,
            school_year,
            title: class.title,
            subject: class
                .subject
                .or_else(|| course.and_then(|course| course.subject.clone())),
            code: class
                .code
                .or_else(|| course.and_then(|course| course.code.clone())),
        };
        Some(Command::Team(
            id,
            put_team(Some((details, class.closed)), places, origin),
        ))
    })
}

/// The places of an export of changes in teams whose own rows it does not hold.
pub(super) fn teams_elsewhere<'r>(
    index: &'r Index,
    origin: Option<&'r Origin>,
) -> impl Iterator<Item = Item> + 'r {
    let classes = index.classes.all_elsewhere().iter();
    classes.filter_map(move |(id, row)| {
        let places = index.places_in(*id)??;
        Some(Ok(ImportedCommand {
            command: Command::Team(*id, put_team(None, places, origin)),
            file: index.format.enrollments.file.into(),
            row: *row,
        }))
    })
}

/// Says of a team what the export says, and nothing of those of whom rows were passed over.
fn put_team(
    about: Option<(TeamDetails, bool)>,
    places: InClass<'_>,
    origin: Option<&Origin>,
) -> TeamCommand {
    // A team whose own row is not in the export was not seen in it.
    let source = about.as_ref().and(origin).map(|origin| origin.name.clone());
    let (members, staff, owner) = seats(places.places);
    match about {
        Some((details, closed)) if !places.is_part && places.unsaid.is_none() => TeamCommand::Put {
            details,
            members,
            staff,
            owner,
            closed,
            source,
        },
        about => {
            let gone = places.places.iter();
            let gone = gone.filter(|place| place.role == EnrolledAs::Gone);
            let unsaid = places.unsaid.cloned().unwrap_or_default();
            let (details, closed) = about.unzip();
            TeamCommand::PutPart {
                details,
                members,
                staff,
                gone: gone.map(|place| place.person).collect(),
                unsaid: (!places.is_part).then_some(unsaid),
                owner,
                closed,
                source,
            }
        }
    }
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
            EnrolledAs::Neither | EnrolledAs::Gone => {}
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
    // Some tables need not be there.
    let mut table = match source.has(layout.file) {
        true => Table::open(source, layout, &mut opening),
        false => None,
    };
    let mut failure = opening.into_first();
    let mut record = StringRecord::new();
    iter::from_fn(move || {
        if let Some(fault) = failure.take() {
            return Some(Err(fault));
        }
        loop {
            let row = match table.as_mut()?.next_row(&mut record)? {
                Ok(row) => row,
                // The first pass has passed over it.
                Err(unreadable) if !unreadable.ends_table => continue,
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
                    file: layout.file.into(),
                    row: row.line(),
                }));
            }
        }
    })
}
