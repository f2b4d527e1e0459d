//! Persons.

use jiff::civil::Date;
use planledger_core::domain::person::{Affiliation, Guardianship, Person, PersonCommand};
use planledger_core::ids::{PersonId, Revision};
use planledger_core::text::CprContext;

use super::choice::Choice;
use super::evidence::{read_evidence, write_evidence};
use super::fields::Fields;
use super::instant::write_date;
use super::proto;
use super::proto::person_command::Operation;
use super::roster_fact::person_fact;
use super::roster_record::{read_profile, read_record, write_profile, write_record};
use super::roster_source::absences;
use super::scalar::string;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::PersonCommand,
) -> Option<(PersonId, PersonCommand)> {
    let id = fields.id("person_id", &command.person_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::RegisterPerson(_) => "register_person",
        Operation::RenamePerson(_) => "rename_person",
        Operation::SetAffiliation(_) => "set_affiliation",
        Operation::EndAffiliation(_) => "end_affiliation",
        Operation::SetGuardianship(_) => "set_guardianship",
        Operation::EndGuardianship(_) => "end_guardianship",
        Operation::DepartPerson(_) => "depart_person",
        Operation::ReturnPerson(_) => "return_person",
        Operation::PutPerson(_) => "put_person",
        Operation::PutGuardians(_) => "put_guardians",
        Operation::NotePersonAbsence(_) => "note_person_absence",
        Operation::PutSomeGuardians(_) => "put_some_guardians",
        Operation::DecideSuggestion(_) => "decide_suggestion",
        Operation::PutSomeProfiles(_) => "put_some_profiles",
        Operation::PutPersonGone(_) => "put_person_gone",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<PersonCommand> {
    match operation {
        Operation::RegisterPerson(m) => {
            let name = fields.text("name", &m.name);
            Some(PersonCommand::Register { name: name? })
        }
        Operation::RenamePerson(m) => {
            let name = fields.text("name", &m.name);
            Some(PersonCommand::Rename { name: name? })
        }
        Operation::SetAffiliation(m) => fields
            .message("affiliation", m.affiliation, read_affiliation)
            .map(PersonCommand::SetAffiliation),
        Operation::EndAffiliation(m) => {
            let institution = fields.id("institution_id", &m.institution_id);
            let role = fields.choice("role", m.role);
            Some(PersonCommand::EndAffiliation {
                institution: institution?,
                role: role?,
            })
        }
        Operation::SetGuardianship(m) => fields
            .message("guardianship", m.guardianship, read_guardianship)
            .map(PersonCommand::SetGuardianship),
        Operation::EndGuardianship(m) => {
            let guardian = fields.id("guardian_id", &m.guardian_id);
            let last_day = fields.date("last_day", &m.last_day);
            Some(PersonCommand::EndGuardianship {
                guardian: guardian?,
                last_day: last_day?,
            })
        }
        Operation::DepartPerson(m) => {
            let on = fields.optional_date("last_day", m.last_day.as_deref());
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PersonCommand::Depart {
                on: on?,
                reason: reason?,
            })
        }
        Operation::ReturnPerson(_) => Some(PersonCommand::Return),
        Operation::PutPerson(m) => {
            let name = fields.text("name", &m.name);
            let affiliations = fields.set("affiliations", m.affiliations, read_affiliation);
            let record = fields.optional(m.record, |fields, record| {
                fields.within("record", |fields| read_record(fields, record))
            });
            Some(PersonCommand::Put {
                name: name?,
                affiliations: affiliations?,
                departed: m.departed,
                record: record?,
            })
        }
        Operation::PutGuardians(m) => {
            let guardians = fields.set("guardians", m.guardians, read_guardianship);
            let last_day = fields.date("last_day_of_others", &m.last_day_of_others);
            Some(PersonCommand::PutGuardians {
                guardians: guardians?,
                last_day_of_others: last_day?,
            })
        }
        Operation::NotePersonAbsence(m) => {
            let source = fields.text("source", &m.source);
            let last_seen = fields.date("last_seen", &m.last_seen);
            Some(PersonCommand::NoteAbsence {
                source: source?,
                last_seen: last_seen?,
            })
        }
        Operation::PutPersonGone(m) => {
            let source = fields.text("source", &m.source);
            Some(PersonCommand::PutGone { source: source? })
        }
        Operation::PutSomeGuardians(m) => {
            let guardians = fields.set("guardians", m.guardians, read_guardianship);
            let unsaid = fields.ids("unsaid_ids", &m.unsaid_ids);
            let ended = fields.ids("ended_ids", &m.ended_ids);
            let last_day = fields.date("last_day_of_others", &m.last_day_of_others);
            Some(PersonCommand::PutSomeGuardians {
                guardians: guardians?,
                unsaid: unsaid?,
                others_unsaid: m.others_unsaid,
                ended: ended?,
                last_day_of_others: last_day?,
            })
        }
        Operation::PutSomeProfiles(m) => {
            let source = fields.text("source", &m.source);
            let profiles = fields.set("profiles", m.profiles, read_profile);
            let gone = fields.in_context(CprContext::OrganisationId, |fields| {
                fields.texts("gone_sourced_ids", &m.gone_sourced_ids)
            });
            Some(PersonCommand::PutSomeProfiles {
                source: source?,
                profiles: profiles?,
                gone: gone?.into_iter().collect(),
            })
        }
        Operation::DecideSuggestion(m) => {
            let evidence = fields.message("evidence", m.evidence, read_evidence);
            let last_day = fields.optional_date("last_day", m.last_day.as_deref());
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(PersonCommand::DecideSuggestion {
                evidence: evidence?,
                confirmed: m.confirmed,
                last_day: last_day?,
                reason: reason?,
            })
        }
    }
}

fn read_affiliation(fields: &mut Fields, affiliation: proto::Affiliation) -> Option<Affiliation> {
    let institution = fields.id("institution_id", &affiliation.institution_id);
    let role = fields.choice("role", affiliation.role);
    // A grade is a code, but of a person.
    let grade = fields.in_context(CprContext::PersonText, |fields| {
        fields.optional_text("grade", affiliation.grade.as_deref())
    });
    Some(Affiliation {
        institution: institution?,
        role: role?,
        grade: grade?,
    })
}

fn read_guardianship(
    fields: &mut Fields,
    guardianship: proto::Guardianship,
) -> Option<Guardianship> {
    let guardian = fields.id("guardian_id", &guardianship.guardian_id);
    let last_day = fields.optional_date("last_day", guardianship.last_day.as_deref());
    Some(Guardianship {
        guardian: guardian?,
        last_day: last_day?,
    })
}

pub(super) fn write(id: PersonId, command: &PersonCommand) -> proto::PersonCommand {
    let operation = match command {
        PersonCommand::Register { name } => Operation::RegisterPerson(proto::RegisterPerson {
            name: name.to_string(),
        }),
        PersonCommand::Rename { name } => Operation::RenamePerson(proto::RenamePerson {
            name: name.to_string(),
        }),
        PersonCommand::SetAffiliation(affiliation) => {
            Operation::SetAffiliation(proto::SetAffiliation {
                affiliation: Some(write_affiliation(affiliation)),
            })
        }
        PersonCommand::EndAffiliation { institution, role } => {
            Operation::EndAffiliation(proto::EndAffiliation {
                institution_id: institution.to_string(),
                role: role.number(),
            })
        }
        PersonCommand::SetGuardianship(guardianship) => {
            Operation::SetGuardianship(proto::SetGuardianship {
                guardianship: Some(write_guardianship(guardianship)),
            })
        }
        PersonCommand::EndGuardianship { guardian, last_day } => {
            Operation::EndGuardianship(proto::EndGuardianship {
                guardian_id: guardian.to_string(),
                last_day: write_date(*last_day),
            })
        }
        PersonCommand::Depart { on, reason } => Operation::DepartPerson(proto::DepartPerson {
            last_day: on.map(write_date),
            reason: string(reason.as_ref()),
        }),
        PersonCommand::Return => Operation::ReturnPerson(proto::ReturnPerson {}),
        PersonCommand::Put {
            name,
            affiliations,
            departed,
            record,
        } => Operation::PutPerson(proto::PutPerson {
            name: name.to_string(),
            affiliations: affiliations.iter().map(write_affiliation).collect(),
            departed: *departed,
            record: record.as_ref().map(write_record),
        }),
        PersonCommand::NoteAbsence { source, last_seen } => {
            Operation::NotePersonAbsence(proto::NotePersonAbsence {
                source: source.to_string(),
                last_seen: write_date(*last_seen),
            })
        }
        PersonCommand::PutGone { source } => Operation::PutPersonGone(proto::PutPersonGone {
            source: source.to_string(),
        }),
        PersonCommand::PutGuardians {
            guardians,
            last_day_of_others,
        } => Operation::PutGuardians(proto::PutGuardians {
            guardians: guardians.iter().map(write_guardianship).collect(),
            last_day_of_others: write_date(*last_day_of_others),
        }),
        PersonCommand::PutSomeGuardians {
            guardians,
            unsaid,
            others_unsaid,
            ended,
            last_day_of_others,
        } => Operation::PutSomeGuardians(proto::PutSomeGuardians {
            guardians: guardians.iter().map(write_guardianship).collect(),
            unsaid_ids: unsaid.iter().map(ToString::to_string).collect(),
            last_day_of_others: write_date(*last_day_of_others),
            others_unsaid: *others_unsaid,
            ended_ids: ended.iter().map(ToString::to_string).collect(),
        }),
        PersonCommand::PutSomeProfiles {
            source,
            profiles,
            gone,
        } => Operation::PutSomeProfiles(proto::PutSomeProfiles {
            source: source.to_string(),
            profiles: profiles.iter().map(write_profile).collect(),
            gone_sourced_ids: gone.iter().map(ToString::to_string).collect(),
        }),
        PersonCommand::DecideSuggestion {
            evidence,
            confirmed,
            last_day,
            reason,
        } => Operation::DecideSuggestion(proto::DecideSuggestion {
            evidence: Some(write_evidence(evidence)),
            confirmed: *confirmed,
            last_day: last_day.map(write_date),
            reason: string(reason.as_ref()),
        }),
    };
    proto::PersonCommand {
        person_id: id.to_string(),
        operation: Some(operation),
    }
}

fn write_affiliation(affiliation: &Affiliation) -> proto::Affiliation {
    proto::Affiliation {
        institution_id: affiliation.institution.to_string(),
        role: affiliation.role.number(),
        grade: string(affiliation.grade.as_ref()),
    }
}

fn write_guardianship(guardianship: &Guardianship) -> proto::Guardianship {
    proto::Guardianship {
        guardian_id: guardianship.guardian.to_string(),
        last_day: guardianship.last_day.map(write_date),
    }
}

/// A child of a guardian. The guardian role ends on the last day, if there is one.
pub fn child(id: PersonId, last_day: Option<Date>) -> proto::Child {
    proto::Child {
        child_id: id.to_string(),
        last_day: last_day.map(write_date),
    }
}

/// A person as it is on a day.
pub fn person(id: PersonId, revision: Revision, person: &Person, day: Date) -> proto::Person {
    let guardians = person.guardians.iter().map(|(guardian, last_day)| {
        write_guardianship(&Guardianship {
            guardian: *guardian,
            last_day: *last_day,
        })
    });
    let departure = person.departed.as_ref();
    let departure = departure.filter(|departure| departure.is_over_on(day));
    proto::Person {
        person_id: id.to_string(),
        revision: revision.get(),
        name: person.name.to_string(),
        affiliations: person.affiliations.iter().map(write_affiliation).collect(),
        guardians: guardians.collect(),
        departure: departure.map(|departure| proto::Departure {
            last_day: departure.on.map(write_date),
            reason: string(departure.reason.as_ref()),
        }),
        leaving_on: person.leaving_on(day).map(write_date),
        decided_by_hand: person
            .decided_by_hand()
            .into_iter()
            .map(person_fact)
            .collect(),
        records: person
            .records
            .values()
            .map(|record| write_record(record))
            .collect(),
        absences: absences(&person.absent),
    }
}
