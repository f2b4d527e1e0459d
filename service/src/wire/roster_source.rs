//! Sources of rosters.

use std::collections::BTreeMap;

use jiff::civil::Date;
use planledger_core::domain::RosterFact;
use planledger_core::domain::person::Person;
use planledger_core::domain::roster_source::{
    RosterCounts, RosterImport, RosterSource, RosterSourceCommand,
};
use planledger_core::ids::{Revision, RosterSourceId, StreamId};
use planledger_core::text::SourceName;

use super::choice::Choice;
use super::fields::Fields;
use super::instant::write_date;
use super::proto;
use super::proto::roster_source_command::Operation;
use super::roster_fact::roster_fact;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::RosterSourceCommand,
) -> Option<(RosterSourceId, RosterSourceCommand)> {
    let id = fields.id("roster_source_id", &command.roster_source_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::RegisterRosterSource(_) => "register_roster_source",
        Operation::RecordRosterImport(_) => "record_roster_import",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<RosterSourceCommand> {
    match operation {
        Operation::RegisterRosterSource(m) => {
            let name = fields.text("name", &m.name);
            Some(RosterSourceCommand::Register { name: name? })
        }
        Operation::RecordRosterImport(m) => {
            let day = fields.date("day", &m.day);
            let mode = fields.choice("mode", m.mode);
            let counts = fields.message("counts", m.counts, |_, counts| Some(read_counts(&counts)));
            Some(RosterSourceCommand::RecordImport(RosterImport {
                day: day?,
                mode: mode?,
                counts: counts?,
            }))
        }
    }
}

const fn read_counts(counts: &proto::RosterCounts) -> RosterCounts {
    RosterCounts {
        persons: counts.persons,
        teams: counts.teams,
        enrolments: counts.enrolments,
        guardianships: counts.guardianships,
    }
}

pub(super) fn write(
    id: RosterSourceId,
    command: &RosterSourceCommand,
) -> proto::RosterSourceCommand {
    let operation = match command {
        RosterSourceCommand::Register { name } => {
            Operation::RegisterRosterSource(proto::RegisterRosterSource {
                name: name.to_string(),
            })
        }
        RosterSourceCommand::RecordImport(import) => {
            Operation::RecordRosterImport(proto::RecordRosterImport {
                day: write_date(import.day),
                mode: import.mode.number(),
                counts: Some(write_counts(import.counts)),
            })
        }
    };
    proto::RosterSourceCommand {
        roster_source_id: id.to_string(),
        operation: Some(operation),
    }
}

const fn write_counts(counts: RosterCounts) -> proto::RosterCounts {
    proto::RosterCounts {
        persons: counts.persons,
        teams: counts.teams,
        enrolments: counts.enrolments,
        guardianships: counts.guardianships,
    }
}

fn write_import(import: &RosterImport) -> proto::RosterImport {
    proto::RosterImport {
        day: write_date(import.day),
        mode: import.mode.number(),
        counts: Some(write_counts(import.counts)),
    }
}

/// The sources in whose newest roster a person or team is missing.
pub(super) fn absences(absent: &BTreeMap<SourceName, Date>) -> Vec<proto::RosterAbsence> {
    let absent = absent.iter();
    let absent = absent.map(|(source, last_seen)| proto::RosterAbsence {
        source: source.to_string(),
        last_seen: write_date(*last_seen),
    });
    absent.collect()
}

/// A person or team that a source has brought. `last_seen` is the day of the last roster that had it, if
/// the newest one does not have it.
pub fn roster_member(
    source: &SourceName,
    stream: StreamId,
    last_seen: Option<Date>,
    person: Option<&Person>,
) -> proto::RosterMember {
    let not_enrolled = person.filter(|person| person.suggested_without_enrolment().is_some());
    proto::RosterMember {
        stream: stream.to_string(),
        last_seen: last_seen.map(write_date),
        enrolled_here_only: person.is_some_and(|person| person.is_enrolled_only_by(source)),
        not_enrolled_since: not_enrolled
            .and_then(|person| person.unenrolled)
            .map(write_date),
    }
}

/// A place in a team or a guardianship: of which team or child, called what, and who has it.
pub fn roster_link(
    stream: StreamId,
    name: &str,
    fact: RosterFact,
    person_name: &str,
) -> proto::RosterLink {
    proto::RosterLink {
        stream: stream.to_string(),
        name: name.to_owned(),
        fact: Some(roster_fact(fact)),
        person_name: person_name.to_owned(),
    }
}

/// A source as it is now.
pub fn roster_source(
    id: RosterSourceId,
    revision: Revision,
    source: &RosterSource,
) -> proto::RosterSource {
    proto::RosterSource {
        roster_source_id: id.to_string(),
        revision: revision.get(),
        name: source.name.to_string(),
        first: id == RosterSourceId::FIRST,
        last_import: source.last_import.as_ref().map(write_import),
        last_bulk_import: source.last_bulk.as_ref().map(write_import),
    }
}
