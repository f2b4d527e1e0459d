//! The command envelope.

use std::collections::BTreeSet;

use planledger_core::domain::Command;
use planledger_core::domain::person::Evidence;
use planledger_core::ids::{CommandId, Revision};
use planledger_core::ledger::{Envelope, Foreseen, ForeseenLeaver, Receipt};
use uuid::Uuid;

use super::actor::{read_actor, write_actor};
use super::fields::{BadRequest, Fields, ViolationReason};
use super::instant::timestamp;
use super::proto;
use super::proto::command::Command as Aggregate;
use super::roster_fact::roster_fact;
use super::{
    catalogue, erasure, grants, institution, person, plan, roster_source, school_year, system,
    team, year_plan,
};

/// Most commands in a batch.
const MAX_BATCH: usize = planledger_core::ledger::limits::COMMANDS_OF_A_COMMIT;

/// Reads a command.
///
/// # Errors
/// [`BadRequest`] with every wrong field. Paths begin inside the command.
pub fn command(request: proto::Command) -> Result<Envelope, BadRequest> {
    Fields::read(|fields| read(fields, request))
}

/// Reads the commands of a batch.
///
/// # Errors
/// [`BadRequest`] with every wrong field of all commands. Paths begin with `commands[i]`. Also when
/// there are no commands, more than 1,000, or two with the same id.
pub fn batch(request: proto::ExecuteBatchRequest) -> Result<Vec<Envelope>, BadRequest> {
    Fields::read(|fields| {
        let number = request.commands.len();
        if number == 0 {
            return fields.missing("commands");
        }
        if number > MAX_BATCH {
            let description = format!("has {number} commands, but at most {MAX_BATCH} are allowed");
            fields.violate("commands", ViolationReason::OutOfRange, description);
            return None;
        }
        let mut ids = BTreeSet::new();
        fields.list("commands", request.commands, |fields, command| {
            let envelope = read(fields, command)?;
            if !ids.insert(envelope.id) {
                fields.violate(
                    "command_id",
                    ViolationReason::Duplicate,
                    "is also the id of an earlier command of the batch; give each command its own \
                    id",
                );
            }
            Some(envelope)
        })
    })
}

fn read(fields: &mut Fields, request: proto::Command) -> Option<Envelope> {
    let id = fields.id("command_id", &request.command_id);
    let on_behalf_of = fields.optional(request.on_behalf_of, |fields, actor| {
        fields.within("on_behalf_of", |fields| read_actor(fields, actor))
    });
    let command = match request.command {
        Some(command) => fields.within(aggregate(&command), |fields| read_command(fields, command)),
        None => fields.missing("command"),
    };
    Some(Envelope {
        id: id?,
        expected_revision: request.expected_revision.map(Revision::new),
        on_behalf_of: on_behalf_of?,
        discard_if_unchanged: request.discard_if_unchanged,
        // Found out when it is known who sends it.
        unseen: BTreeSet::new(),
        command: command?,
    })
}

fn read_command(fields: &mut Fields, command: Aggregate) -> Option<Command> {
    match command {
        Aggregate::Institution(m) => {
            institution::read(fields, m).map(|(id, c)| Command::Institution(id, c))
        }
        Aggregate::SchoolYear(m) => {
            school_year::read(fields, m).map(|(id, c)| Command::SchoolYear(id, c))
        }
        Aggregate::Person(m) => person::read(fields, m).map(|(id, c)| Command::Person(id, c)),
        Aggregate::Team(m) => team::read(fields, m).map(|(id, c)| Command::Team(id, c)),
        Aggregate::YearPlan(m) => {
            year_plan::read(fields, m).map(|(id, c)| Command::YearPlan(id, c))
        }
        Aggregate::Plan(m) => plan::read(fields, m).map(|(id, c)| Command::Plan(id, c)),
        Aggregate::Catalogue(m) => {
            catalogue::read(fields, m).map(|(id, c)| Command::Catalogue(id, c))
        }
        Aggregate::RosterSource(m) => {
            roster_source::read(fields, m).map(|(id, c)| Command::RosterSource(id, c))
        }
        Aggregate::System(m) => system::read(fields, m).map(|(id, c)| Command::System(id, c)),
        Aggregate::Grants(m) => grants::read(fields, m).map(|(id, c)| Command::Grants(id, c)),
        Aggregate::Erasure(m) => erasure::read(fields, m).map(|(id, c)| Command::Erasure(id, c)),
    }
}

/// The name of the field that holds an aggregate's command.
const fn aggregate(command: &Aggregate) -> &'static str {
    match command {
        Aggregate::Institution(_) => "institution",
        Aggregate::SchoolYear(_) => "school_year",
        Aggregate::Person(_) => "person",
        Aggregate::Team(_) => "team",
        Aggregate::YearPlan(_) => "year_plan",
        Aggregate::Plan(_) => "plan",
        Aggregate::Catalogue(_) => "catalogue",
        Aggregate::RosterSource(_) => "roster_source",
        Aggregate::System(_) => "system",
        Aggregate::Grants(_) => "grants",
        Aggregate::Erasure(_) => "erasure",
    }
}

/// The names of the two fields that hold a command, such as `plan` in the envelope and `open_plan`
/// in the plan's message. `None` for a command that has no message.
pub(super) fn message_names(command: &Command) -> Option<(&'static str, &'static str)> {
    let message = write(command)?;
    let operation = match &message {
        Aggregate::Institution(m) => m.operation.as_ref().map(institution::operation),
        Aggregate::SchoolYear(m) => m.operation.as_ref().map(school_year::operation),
        Aggregate::Person(m) => m.operation.as_ref().map(person::operation),
        Aggregate::Team(m) => m.operation.as_ref().map(team::operation),
        Aggregate::YearPlan(m) => m.operation.as_ref().map(year_plan::operation),
        Aggregate::Plan(m) => m.operation.as_ref().map(plan::operation),
        Aggregate::Catalogue(m) => m.operation.as_ref().map(catalogue::operation),
        Aggregate::RosterSource(m) => m.operation.as_ref().map(roster_source::operation),
        Aggregate::System(m) => m.operation.as_ref().map(system::operation),
        Aggregate::Grants(m) => m.operation.as_ref().map(grants::operation),
        Aggregate::Erasure(m) => m.operation.as_ref().map(erasure::operation),
    };
    Some((aggregate(&message), operation?))
}

/// Writes the message of a command, for clients. For a command that clients may not send, the
/// message has no aggregate, so that a server refuses it.
pub fn message(envelope: &Envelope) -> proto::Command {
    proto::Command {
        command_id: envelope.id.to_string(),
        expected_revision: envelope.expected_revision.map(Revision::get),
        on_behalf_of: envelope.on_behalf_of.map(write_actor),
        discard_if_unchanged: envelope.discard_if_unchanged,
        command: write(&envelope.command),
    }
}

/// Writes the request of `Execute`, for clients.
pub fn execute_message(envelope: &Envelope) -> proto::ExecuteRequest {
    proto::ExecuteRequest {
        command: Some(message(envelope)),
    }
}

/// Writes the message of a command with a new id. The command records nothing if the state is
/// already as it asks, so a second message of the same command changes nothing.
pub fn unless_unchanged(command: Command) -> proto::Command {
    let id = CommandId::from_uuid(Uuid::new_v4());
    let mut envelope = Envelope::new(id, command);
    envelope.discard_if_unchanged = true;
    message(&envelope)
}

/// Writes the message of a receipt.
pub fn receipt(receipt: Receipt) -> proto::Receipt {
    proto::Receipt {
        command_id: receipt.command.to_string(),
        stream: receipt.stream.to_string(),
        position: receipt.position.get(),
        revision: receipt.revision.get(),
        recorded_at: Some(timestamp(receipt.recorded_at)),
        event_count: receipt.events,
        replayed: receipt.replayed,
        unchanged: receipt.events == 0,
        kept: receipt.kept.into_iter().map(roster_fact).collect(),
        dropped: receipt.dropped.into_iter().map(roster_fact).collect(),
    }
}

/// Writes the message of what a command would do.
pub fn preview(foreseen: Foreseen) -> proto::Preview {
    let types = foreseen.events.iter();
    proto::Preview {
        stream: foreseen.stream.to_string(),
        event_types: types.map(|event| event.name.to_owned()).collect(),
        creates: foreseen.creates,
        renames: foreseen.renames,
        link_count: foreseen.links,
        kept: foreseen.kept.into_iter().map(roster_fact).collect(),
        dropped: foreseen.dropped.into_iter().map(roster_fact).collect(),
    }
}

/// Most persons of one kind of evidence that an answer of a preview names. All of them are counted.
const MOST_SUGGESTED: usize = 1_000;

/// Writes who would look as if they had left.
pub fn suggestions_preview(found: &[ForeseenLeaver]) -> proto::SuggestionsPreview {
    let mut shown = proto::SuggestionsPreview {
        no_place_left: Some(proto::SuggestedPersons::default()),
        owner_elsewhere: Some(proto::SuggestedPersons::default()),
    };
    for leaver in found {
        let part = match leaver.evidence {
            Evidence::NoPlaceLeft { .. } => &mut shown.no_place_left,
            Evidence::OwnerElsewhere { .. } => &mut shown.owner_elsewhere,
            // A preview looks for no other evidence.
            Evidence::AbsentFromRoster { .. } | Evidence::NoEnrolmentLeft { .. } => continue,
        };
        let part = part.get_or_insert_default();
        part.count += 1;
        if part.first.len() < MOST_SUGGESTED {
            part.first.push(proto::SuggestedPerson {
                person_id: leaver.person.to_string(),
                name: leaver.name.to_string(),
                institution_id: leaver.institution.to_string(),
            });
        }
    }
    shown
}

/// Writes the message of a batch, for clients.
pub fn batch_message(envelopes: &[Envelope]) -> proto::ExecuteBatchRequest {
    proto::ExecuteBatchRequest {
        commands: envelopes.iter().map(message).collect(),
    }
}

/// Writes a command. `None` for commands that only the server itself gives.
fn write(command: &Command) -> Option<Aggregate> {
    Some(match command {
        Command::Institution(id, c) => Aggregate::Institution(institution::write(*id, c)?),
        Command::SchoolYear(id, c) => Aggregate::SchoolYear(school_year::write(*id, c)),
        Command::Person(id, c) => Aggregate::Person(person::write(*id, c)),
        Command::Team(id, c) => Aggregate::Team(team::write(*id, c)?),
        Command::YearPlan(id, c) => Aggregate::YearPlan(year_plan::write(*id, c)?),
        Command::Plan(id, c) => Aggregate::Plan(plan::write(*id, c)?),
        Command::Catalogue(id, c) => Aggregate::Catalogue(catalogue::write(*id, c)),
        Command::RosterSource(id, c) => Aggregate::RosterSource(roster_source::write(*id, c)),
        Command::System(id, c) => Aggregate::System(system::write(*id, c)),
        Command::Grants(_, c) => Aggregate::Grants(grants::write(c)?),
        Command::Erasure(_, c) => Aggregate::Erasure(erasure::write(c)?),
        Command::Ledger(..) | Command::Recovery(..) => return None,
    })
}
