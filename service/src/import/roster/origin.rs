//! Where a roster comes from: the name of its source, and the ids that follow from it.

use std::collections::BTreeSet;

use csv::StringRecord;
use planledger_core::domain::Command;
use planledger_core::domain::person::{PersonCommand, RosterRecord, UserProfile};
use planledger_core::domain::team::TeamCommand;
use planledger_core::ids::{InstitutionId, PersonId, RosterSourceId, SchoolYearId, TeamId};
use planledger_core::text::{CprContext, ExternalId, SourceName};
use uuid::Uuid;

use super::index::user_ids::user_ids;
use super::reader::layout::{Column, MANIFEST};
use super::reader::row::Row;
use super::reader::source::Source;
use super::reader::table::Table;
use super::words::truth;
use crate::import::fault::{Collector, ImportFault};
use crate::import::names;

/// A source, and how ids are made of its rows.
///
/// The rows of the first source of a ledger have the ids that rows had before sources had names. In
/// every other source, each of these ids is the name of a version 5 UUID in the namespace of the
/// source's own id. So no two sources ever make the same id of different rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name.
    pub name: SourceName,
    /// The id under which the source is registered.
    pub id: RosterSourceId,
}

impl Origin {
    pub(super) fn of(&self, unnamed: Uuid) -> Uuid {
        match self.id {
            RosterSourceId::FIRST => unnamed,
            id => names::version_5(id.uuid(), [unnamed.as_bytes()]),
        }
    }

    /// The id of the person whom the source calls so.
    pub fn person(&self, sourced_id: &str) -> PersonId {
        PersonId::from_uuid(self.of(super::person_id(sourced_id).uuid()))
    }

    /// The command with this source's ids in place of those without a name.
    pub(super) fn named(&self, command: Command) -> Command {
        if self.id == RosterSourceId::FIRST {
            return command;
        }
        let institution = |id: InstitutionId| InstitutionId::from_uuid(self.of(id.uuid()));
        let year = |id: SchoolYearId| SchoolYearId::from_uuid(self.of(id.uuid()));
        let person = |id: PersonId| PersonId::from_uuid(self.of(id.uuid()));
        let team = |id: TeamId| TeamId::from_uuid(self.of(id.uuid()));
        match command {
            Command::Institution(id, command) => Command::Institution(institution(id), command),
            Command::SchoolYear(id, command) => Command::SchoolYear(year(id), command),
            Command::Person(id, command) => {
                let command = person_command(command, &institution, &person);
                Command::Person(person(id), command)
            }
            Command::Team(id, command) => {
                let command = team_command(command, &institution, &year, &person);
                Command::Team(team(id), command)
            }
            // A roster brings nothing else.
            other @ (Command::YearPlan(..)
            | Command::Plan(..)
            | Command::Catalogue(..)
            | Command::Ledger(..)
            | Command::Recovery(..)
            | Command::RosterSource(..)
            | Command::System(..)
            | Command::Grants(..)
            | Command::Erasure(..)) => other,
        }
    }

    /// What a row says of the person's account, and the export of whether the person is in a class and of
    /// accounts in other systems. An id that may not be stored is left out; the check has said so.
    pub(super) fn record(
        &self,
        row: &Row<'_>,
        enrolled: Option<bool>,
        profiles: Option<BTreeSet<UserProfile>>,
    ) -> Option<RosterRecord> {
        let sourced_id = row.text(Column::SourcedId);
        let enabled = row.text(Column::EnabledUser);
        let ids = user_ids(row).filter_map(|(_, id)| id.ok());
        Some(RosterRecord {
            source: self.name.clone(),
            sourced_id: ExternalId::new_in(sourced_id, CprContext::OrganisationId).ok()?,
            user_ids: ids.collect::<BTreeSet<_>>().into(),
            enabled: truth(enabled).unwrap_or(true),
            enrolled,
            profiles: profiles.map(Into::into),
        })
    }
}

fn person_command(
    command: PersonCommand,
    institution: &impl Fn(InstitutionId) -> InstitutionId,
    person: &impl Fn(PersonId) -> PersonId,
) -> PersonCommand {
    match command {
        PersonCommand::Put {
            name,
            affiliations,
            departed,
            record,
        } => {
            let affiliations = affiliations.into_iter().map(|mut at| {
                at.institution = institution(at.institution);
                at
            });
            PersonCommand::Put {
                name,
                affiliations: affiliations.collect(),
                departed,
                record,
            }
        }
        PersonCommand::PutGuardians {
            guardians,
            last_day_of_others,
        } => {
            let guardians = guardians.into_iter().map(|mut set| {
                set.guardian = person(set.guardian);
                set
            });
            PersonCommand::PutGuardians {
                guardians: guardians.collect(),
                last_day_of_others,
            }
        }
        PersonCommand::PutSomeGuardians {
            guardians,
            unsaid,
            others_unsaid,
            ended,
            last_day_of_others,
        } => {
            let guardians = guardians.into_iter().map(|mut set| {
                set.guardian = person(set.guardian);
                set
            });
            PersonCommand::PutSomeGuardians {
                guardians: guardians.collect(),
                unsaid: unsaid.into_iter().map(person).collect(),
                others_unsaid,
                ended: ended.into_iter().map(person).collect(),
                last_day_of_others,
            }
        }
        // It names nobody else.
        other @ (PersonCommand::PutSomeProfiles { .. } | PersonCommand::PutGone { .. }) => other,
        // A roster brings nothing else.
        other @ (PersonCommand::Register { .. }
        | PersonCommand::Rename { .. }
        | PersonCommand::SetAffiliation(_)
        | PersonCommand::EndAffiliation { .. }
        | PersonCommand::SetGuardianship(_)
        | PersonCommand::EndGuardianship { .. }
        | PersonCommand::Depart { .. }
        | PersonCommand::Return
        | PersonCommand::NoteAbsence { .. }
        | PersonCommand::DecideSuggestion { .. }) => other,
    }
}

fn team_command(
    command: TeamCommand,
    institution: &impl Fn(InstitutionId) -> InstitutionId,
    year: &impl Fn(SchoolYearId) -> SchoolYearId,
    person: &impl Fn(PersonId) -> PersonId,
) -> TeamCommand {
    match command {
        TeamCommand::Put {
            mut details,
            members,
            staff,
            owner,
            closed,
            source,
        } => {
            details.institution = institution(details.institution);
            details.school_year = details.school_year.map(year);
            let staff = staff.into_iter().map(|(id, role)| (person(id), role));
            TeamCommand::Put {
                details,
                members: members.into_iter().map(person).collect(),
                staff: staff.collect(),
                owner: owner.map(person),
                closed,
                source,
            }
        }
        TeamCommand::PutPart {
            details,
            members,
            staff,
            gone,
            unsaid,
            owner,
            closed,
            source,
        } => TeamCommand::PutPart {
            details: details.map(|mut details| {
                details.institution = institution(details.institution);
                details.school_year = details.school_year.map(year);
                details
            }),
            members: members.into_iter().map(person).collect(),
            staff: staff
                .into_iter()
                .map(|(id, role)| (person(id), role))
                .collect(),
            gone: gone.into_iter().map(person).collect(),
            unsaid: unsaid.map(|unsaid| unsaid.into_iter().map(person).collect()),
            owner: owner.map(person),
            closed,
            source,
        },
        // A roster brings nothing else.
        other @ (TeamCommand::Create { .. }
        | TeamCommand::Revise(_)
        | TeamCommand::AddMember { .. }
        | TeamCommand::RemoveMember { .. }
        | TeamCommand::AddStaff { .. }
        | TeamCommand::RemoveStaff { .. }
        | TeamCommand::Close { .. }
        | TeamCommand::Reopen
        | TeamCommand::Delete { .. }
        | TeamCommand::Undelete
        | TeamCommand::TransferOwnership { .. }
        | TeamCommand::HandOver { .. }
        | TeamCommand::HandBack { .. }
        | TeamCommand::Move { .. }
        | TeamCommand::MoveBack { .. }
        | TeamCommand::NoteAbsence { .. }) => other,
    }
}

/// The name that the manifest gives the system that the export comes from. `None` if it gives none.
pub(super) fn system_code(source: &mut Source) -> Result<Option<SourceName>, ImportFault> {
    if !source.has(MANIFEST.file) {
        return Ok(None);
    }
    let Some(mut table) = Table::open(source, &MANIFEST, &mut Collector::default()) else {
        return Ok(None);
    };
    let mut record = StringRecord::new();
    while let Some(Ok(row)) = table.next_row(&mut record) {
        if row
            .text(Column::PropertyName)
            .eq_ignore_ascii_case("source.systemCode")
        {
            return row.optional(Column::Value, SourceName::new);
        }
    }
    Ok(None)
}
