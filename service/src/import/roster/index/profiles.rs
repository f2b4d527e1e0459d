//! `userProfiles.csv` of OneRoster 1.2: accounts of persons in other systems. Their user names are kept,
//! so that a person can be found by them. Passwords are never read.
//!
//! Nothing else depends on this table. So a profile that names nobody or has no user name is told and
//! stops no import.

use std::collections::{BTreeSet, HashMap};

use planledger_core::domain::person::UserProfile;
use planledger_core::ids::PersonId;
use planledger_core::text::{Code, CprContext, ExternalId};
use uuid::Uuid;

use super::super::reader::layout::{Column, Layout, USERS};
use super::super::reader::row::Row;
use super::super::reader::source::Source;
use super::super::reader::table::Table;
use super::super::words::word;
use super::Scope;
use super::cells::reference;
use super::references::{each_row, push_dangling, push_passed_over};
use super::users::Users;
use crate::import::fault::{Collector, FaultCode, Findings, ImportFault, Problem};

/// What the table says of one person.
#[derive(Default)]
pub(crate) struct OfPerson {
    /// The line of the first row.
    pub(crate) line: u64,
    pub(crate) profiles: BTreeSet<UserProfile>,
    /// The ids of profiles that are deleted or not in use.
    pub(crate) gone: BTreeSet<ExternalId>,
    /// Whether a row was passed over. Then the person may have a profile that is not here.
    is_part: bool,
}

/// The accounts of all persons. Of each account, its id, its system and its user name are kept.
#[derive(Default)]
pub(crate) struct Profiles {
    by_person: HashMap<PersonId, OfPerson>,
    /// Persons of whom not every profile is known, in the order of their rows.
    in_part: Vec<PersonId>,
    /// Whether whoever has no row here has no profile.
    is_whole: bool,
    /// Whether a row was passed over of which nobody knows whose it is.
    pub(super) any_unsaid: bool,
}

impl Profiles {
    /// Whether the table has user names. Without them it says nothing, which is told once and not for
    /// each row.
    pub(super) fn can_be_read(
        source: &mut Source,
        layout: &'static Layout,
        findings: &mut Findings,
    ) -> bool {
        // What else is wrong with the header is told when the table is read.
        let table = Table::open(source, layout, &mut Collector::default());
        if table.is_none_or(|table| table.has(Column::Username)) {
            return true;
        }
        let problem = Problem::new(
            FaultCode::ColumnMissing,
            "the column is missing, so the table names no account and is not read; export it with the \
             user names",
        );
        let fault = ImportFault::new(problem, layout.file).row(1);
        findings.part(fault.field(Column::Username.header()));
        false
    }

    /// Reads the table. `is_whole` says whether it holds every profile.
    pub(super) fn read(
        source: &mut Source,
        layout: &'static Layout,
        users: &Users,
        (scope, is_whole): (Scope, bool),
        findings: &mut Findings,
    ) -> Self {
        let mut all = Self {
            is_whole,
            ..Self::default()
        };
        let mut owners = HashMap::new();
        each_row(source, layout, findings, |row, faults| {
            let in_use = faults.ok(is_in_use(row));
            if in_use == Some(false) {
                return all.take_gone(row, faults);
            }
            let person = faults.ok(reference(row, Column::UserSourcedId, &USERS));
            let person = person.map(PersonId::from_uuid);
            let found = read(row, faults);
            if let Some(person) = person {
                check_person(person, row, users, scope, faults);
                check_id(person, row, &mut owners, layout, faults);
            }
            match (person, found) {
                (None, _) => all.any_unsaid = true,
                (Some(person), Some(found)) if faults.is_empty() => {
                    all.of_mut(person, row).profiles.insert(found);
                }
                (Some(person), _) => all.of_mut(person, row).is_part = true,
            }
        });
        all.any_unsaid |= findings.has_unreadable(layout.file);
        all.settle(users);
        all
    }

    fn of_mut(&mut self, person: PersonId, row: &Row<'_>) -> &mut OfPerson {
        let of = self.by_person.entry(person).or_default();
        if of.line == 0 {
            of.line = row.line();
        }
        of
    }

    /// Takes a row that says that the account is deleted or not in use. A table with every profile
    /// does not need such a row.
    fn take_gone(&mut self, row: &Row<'_>, faults: &mut Collector) {
        let person = reference(row, Column::UserSourcedId, &USERS);
        let id = profile_id(row);
        if self.is_whole {
            faults.push(row.fault(FaultCode::NotInUse, Column::Status));
        }
        match (person, id) {
            (Ok(person), Ok(id)) => {
                let person = PersonId::from_uuid(person);
                self.of_mut(person, row).gone.insert(id);
            }
            // Nobody needs to know whose it was.
            (person, id) if !self.is_whole => {
                faults.ok(person);
                faults.ok(id);
            }
            _ => {}
        }
    }

    /// Finds out of whom not every profile is known.
    fn settle(&mut self, users: &Users) {
        let by_person = self.by_person.iter();
        let in_part = by_person.filter(|(person, of)| {
            let says = !of.profiles.is_empty() || !of.gone.is_empty();
            let known = users.get(**person);
            // What the ledger has of a person whose row is passed over is left alone.
            let may_be_said = known.is_none_or(|known| known.usable);
            says && may_be_said && (known.is_none() || !self.says_all(of))
        });
        let mut in_part: Vec<_> = in_part.map(|(person, of)| (of.line, *person)).collect();
        in_part.sort_unstable();
        self.in_part = in_part.into_iter().map(|(_, person)| person).collect();
    }

    /// Every profile of somebody whose own row is in the export. `None` if it does not say.
    pub(crate) fn all_of(&self, person: PersonId) -> Option<BTreeSet<UserProfile>> {
        match self.by_person.get(&person) {
            Some(of) => self.says_all(of).then(|| of.profiles.clone()),
            None => self.says_all(&OfPerson::default()).then(BTreeSet::new),
        }
    }

    fn says_all(&self, of: &OfPerson) -> bool {
        self.is_whole && !self.any_unsaid && !of.is_part
    }

    /// What is said of those of whom not every profile is known, in the order of their rows.
    pub(crate) fn in_part(&self) -> impl Iterator<Item = (PersonId, &OfPerson)> {
        let all = self.in_part.iter();
        all.filter_map(|person| Some((*person, self.by_person.get(person)?)))
    }

    /// How many persons these are.
    pub(crate) fn in_part_count(&self) -> u64 {
        self.in_part.len() as u64
    }
}

/// Whether the account can be used. An empty status means that it can.
fn is_in_use(row: &Row<'_>) -> Result<bool, ImportFault> {
    const WORDS: [(&str, bool); 3] = [
        ("active", true),
        ("inactive", false),
        ("tobedeleted", false),
    ];
    let status = row.optional(Column::Status, |text| word(text, &WORDS))?;
    Ok(status.unwrap_or(true))
}

fn read(row: &Row<'_>, faults: &mut Collector) -> Option<UserProfile> {
    let user_name = faults.ok(row.required(Column::Username, ExternalId::new));
    let sourced_id = faults.ok(match row.text(Column::SourcedId) {
        // Then the user name is a fault already.
        "" if user_name.is_none() => return None,
        _ => profile_id(row),
    });
    let system = match row.text(Column::VendorId) {
        "" => row.text(Column::ProfileType),
        vendor => vendor,
    };
    Some(UserProfile {
        sourced_id: sourced_id?,
        // A system whose name may not be stored is left out, as with other ids of an account.
        kind: Code::new(system).ok(),
        user_name: user_name?,
    })
}

/// The id of the profile. One without an id is known by its user name.
fn profile_id(row: &Row<'_>) -> Result<ExternalId, ImportFault> {
    let named = |text: &str| ExternalId::new_in(text, CprContext::OrganisationId);
    match row.text(Column::SourcedId) {
        "" => row.required(Column::Username, ExternalId::new),
        _ => row.required(Column::SourcedId, named),
    }
}

/// Checks whether the person can be told from others.
fn check_person(
    person: PersonId,
    row: &Row<'_>,
    users: &Users,
    scope: Scope,
    faults: &mut Collector,
) {
    match users.get(person) {
        Some(known) if known.usable => {}
        Some(_) => push_passed_over(row, Column::UserSourcedId, faults),
        // The ledger knows whom an export of changes names and does not hold.
        None if scope.is_delta => {}
        None => push_dangling(row, Column::UserSourcedId, &USERS, faults),
    }
}

/// Checks that the id is of one person's profile. A profile with several user names may have a row for
/// each.
fn check_id(
    person: PersonId,
    row: &Row<'_>,
    owners: &mut HashMap<Uuid, PersonId>,
    layout: &Layout,
    faults: &mut Collector,
) {
    let id = row.text(Column::SourcedId);
    if id.is_empty() {
        return;
    }
    if *owners.entry(layout.id_of(id)).or_insert(person) != person {
        faults.push(row.fault(FaultCode::IdDuplicated, Column::SourcedId));
    }
}
