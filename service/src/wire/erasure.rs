//! Redactions and erasures.

use planledger_core::domain::erasure::{
    Done, Erasure, ErasureCommand, EventPlace, Phase, RetentionTerm, Target,
};
use planledger_core::ids::{ErasureId, Position, Revision};
use planledger_core::ledger::Affected;

use super::actor::write_actor;
use super::choice::Choice as _;
use super::fields::{Fields, ViolationReason};
use super::instant::timestamp;
use super::proto;
use super::proto::erasure_command::Operation;
use super::proto::erasure_target::Target as Wire;
use super::retention::read_keep;
use super::scalar::string;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::ErasureCommand,
) -> Option<(ErasureId, ErasureCommand)> {
    let target = fields.message("target", command.target, read_target);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, |fields, operation| {
        read_operation(fields, operation, target)
    });
    Some((ErasureId::of(target?), operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::RequestErasure(_) => "request_erasure",
        Operation::ApproveErasure(_) => "approve_erasure",
        Operation::WithdrawErasure(_) => "withdraw_erasure",
    }
}

fn read_operation(
    fields: &mut Fields,
    operation: Operation,
    target: Option<Target>,
) -> Option<ErasureCommand> {
    match operation {
        Operation::RequestErasure(m) => {
            let basis = fields.text("basis", &m.basis);
            let reason = fields.text("reason", &m.reason);
            let retention = fields.optional(m.retention, |fields, term| {
                fields.within("retention", |fields| read_term(fields, &term))
            });
            Some(ErasureCommand::Request {
                target: target?,
                basis: basis?,
                reason: reason?,
                retention: retention?,
            })
        }
        Operation::ApproveErasure(m) => fields
            .optional_text("reason", m.reason.as_deref())
            .map(|reason| ErasureCommand::Approve { reason }),
        Operation::WithdrawErasure(m) => fields
            .optional_text("reason", m.reason.as_deref())
            .map(|reason| ErasureCommand::Withdraw { reason }),
    }
}

fn read_term(fields: &mut Fields, term: &proto::RetentionTerm) -> Option<RetentionTerm> {
    let start = fields.choice("start", term.start);
    let keep = read_keep(fields, &term.keep);
    Some(RetentionTerm {
        start: start?,
        keep: keep?,
    })
}

fn write_term(term: RetentionTerm) -> proto::RetentionTerm {
    proto::RetentionTerm {
        start: term.start.number(),
        keep: term.keep.to_string(),
    }
}

fn read_target(fields: &mut Fields, target: proto::ErasureTarget) -> Option<Target> {
    match target.target {
        Some(Wire::PersonId(id)) => fields.id("person_id", &id).map(Target::Person),
        Some(Wire::ReadsBefore(day)) => {
            let before = fields.date("reads_before", &day)?;
            Some(Target::Reads { before })
        }
        Some(Wire::Event(place)) => fields.within("event", |fields| read_place(fields, &place)),
        None => fields.missing("target"),
    }
}

fn read_place(fields: &mut Fields, place: &proto::EventPlace) -> Option<Target> {
    let stream = fields.id("stream", &place.stream);
    for (name, number) in [("position", place.position), ("revision", place.revision)] {
        if number == 0 {
            fields.violate(name, ViolationReason::OutOfRange, "counts from 1");
        }
    }
    Some(Target::Event(EventPlace {
        position: Position::new(place.position),
        stream: stream?,
        revision: Revision::new(place.revision),
    }))
}

/// Writes a command of which the target is known. `None` for those that clients may not send, and
/// for those that do not hold their target.
pub(super) fn write(command: &ErasureCommand) -> Option<proto::ErasureCommand> {
    match command {
        ErasureCommand::Request { target, .. } => Some(erasure_message(*target, command)?),
        // The names of its fields are asked for too, and they do not depend on the target.
        ErasureCommand::Approve { .. } | ErasureCommand::Withdraw { .. } => {
            Some(proto::ErasureCommand {
                target: None,
                operation: Some(write_operation(command)?),
            })
        }
        ErasureCommand::SettleReads(_)
        | ErasureCommand::SettleText(_)
        | ErasureCommand::CarryOut { .. }
        | ErasureCommand::ApplyAgain(_) => None,
    }
}

/// Writes a command on a target, for clients. `None` for commands that they may not send.
fn erasure_message(target: Target, command: &ErasureCommand) -> Option<proto::ErasureCommand> {
    Some(proto::ErasureCommand {
        target: Some(write_target(target)),
        operation: Some(write_operation(command)?),
    })
}

fn write_operation(command: &ErasureCommand) -> Option<Operation> {
    Some(match command {
        ErasureCommand::Request {
            basis,
            reason,
            retention,
            ..
        } => Operation::RequestErasure(proto::RequestErasure {
            basis: basis.to_string(),
            reason: reason.to_string(),
            retention: retention.map(write_term),
        }),
        ErasureCommand::Approve { reason } => Operation::ApproveErasure(proto::ApproveErasure {
            reason: string(reason.as_ref()),
        }),
        ErasureCommand::Withdraw { reason } => Operation::WithdrawErasure(proto::WithdrawErasure {
            reason: string(reason.as_ref()),
        }),
        ErasureCommand::SettleReads(_)
        | ErasureCommand::SettleText(_)
        | ErasureCommand::CarryOut { .. }
        | ErasureCommand::ApplyAgain(_) => return None,
    })
}

fn write_target(target: Target) -> proto::ErasureTarget {
    let target = match target {
        Target::Person(person) => Wire::PersonId(person.to_string()),
        Target::Reads { before } => Wire::ReadsBefore(before.to_string()),
        Target::Event(place) => Wire::Event(proto::EventPlace {
            position: place.position.get(),
            stream: place.stream.to_string(),
            revision: place.revision.get(),
        }),
    };
    proto::ErasureTarget {
        target: Some(target),
    }
}

fn write_step(done: &Done) -> proto::ErasureStep {
    proto::ErasureStep {
        actor: Some(write_actor(done.by)),
        on_behalf_of: done.on_behalf_of.map(write_actor),
        at: Some(timestamp(done.at)),
    }
}

/// A redaction or erasure as it is now, and what it would make unreadable.
pub fn erasure(
    id: ErasureId,
    revision: Revision,
    erasure: &Erasure,
    affected: Option<Affected>,
) -> proto::Erasure {
    let of_reads = matches!(erasure.target, Target::Reads { .. });
    let (state, withdrawn, carried_out_at) = match &erasure.phase {
        Phase::Requested => (proto::ErasureState::Requested, None, None),
        Phase::Approved(_) => (proto::ErasureState::Approved, None, None),
        Phase::Withdrawn(by) => (proto::ErasureState::Withdrawn, Some(by), None),
        Phase::CarriedOut { at, .. } => (proto::ErasureState::CarriedOut, None, Some(*at)),
    };
    proto::Erasure {
        erasure_id: id.to_string(),
        revision: revision.get(),
        target: Some(write_target(erasure.target)),
        basis: erasure.basis.to_string(),
        reason: erasure.reason.to_string(),
        state: state.into(),
        requested: Some(write_step(&erasure.requested)),
        approved: erasure.approval().map(write_step),
        withdrawn: withdrawn.map(write_step),
        carried_out_at: carried_out_at.map(timestamp),
        read_count: match erasure.reads {
            Some(reads) => Some(reads.records),
            None => of_reads.then_some(affected).flatten().map(|it| it.reads),
        },
        removed_until: (erasure.reads)
            .filter(|reads| reads.through > Position::ZERO)
            .map(|reads| timestamp(reads.until)),
        event_count: affected.map(|affected| affected.events),
        plan_count: affected.map(|affected| affected.plans),
        retention: erasure.retention.map(write_term),
    }
}
