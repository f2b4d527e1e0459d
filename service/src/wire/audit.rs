//! Messages about evidence: checkpoints, and requests for bundles.

use planledger_core::audit::{ExportRequest, Scope};
use planledger_core::ids::Position;
use planledger_core::tlog::SignedCheckpoint;

use super::Failure;
use super::choice::Choice;
use super::fields::{Fields, ViolationReason};
use super::proto;
use proto::export_bundle_request::Scope as ProtoScope;

/// Writes the message of a checkpoint.
pub fn checkpoint(signed: &SignedCheckpoint) -> proto::Checkpoint {
    proto::Checkpoint {
        note: signed.note.to_string(),
        size: signed.checkpoint.size,
        root: signed.checkpoint.root.to_vec(),
    }
}

/// Reads a position or a size, which is at least 1.
///
/// # Errors
/// `REQUEST_INVALID` if the number is 0.
pub fn counted(field: &str, number: u64) -> Result<Position, Failure> {
    Ok(Fields::read(|fields| {
        begins_at_1(fields, field, number).then_some(Position::new(number))
    })?)
}

fn begins_at_1(fields: &mut Fields, field: &str, number: u64) -> bool {
    if number == 0 {
        fields.violate(field, ViolationReason::OutOfRange, "must be at least 1");
    }
    number > 0
}

/// Reads the request of `ExportBundle`. A range without an end has position 0 as its end.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn export_request(request: &proto::ExportBundleRequest) -> Result<ExportRequest, Failure> {
    Ok(Fields::read(|fields| {
        let scope = match &request.scope {
            Some(ProtoScope::PlanId(id)) => fields.id("plan_id", id).map(Scope::Plan),
            Some(ProtoScope::StudentId(id)) => fields.id("student_id", id).map(Scope::Student),
            Some(ProtoScope::Range(range)) => fields.within("range", |fields| {
                let begins = begins_at_1(fields, "from", range.from);
                let ends = range.to == 0 || range.to >= range.from;
                if !ends {
                    let reason = ViolationReason::OutOfRange;
                    fields.violate("to", reason, "must not be smaller than the first position");
                }
                (begins && ends).then_some(Scope::Range {
                    from: Position::new(range.from),
                    to: Position::new(range.to),
                })
            }),
            None => fields.missing("scope"),
        };
        let disclosure = fields.choice("disclosure", request.disclosure);
        let resume = fields.optional(request.resume.as_ref(), |fields, at| {
            let within = at.after_position <= at.checkpoint_size;
            if !within {
                let field = "resume.after_position";
                let reason = ViolationReason::OutOfRange;
                fields.violate(
                    field,
                    reason,
                    "must be a position that the checkpoint covers",
                );
            }
            within.then_some((at.checkpoint_size, Position::new(at.after_position)))
        });
        Some(ExportRequest {
            scope: scope?,
            disclosure: disclosure?,
            since: (request.since_size > 0).then_some(request.since_size),
            resume: resume?,
        })
    })?)
}

/// Writes the request of `ExportBundle`, for clients.
pub fn export_message(request: &ExportRequest) -> proto::ExportBundleRequest {
    let scope = match request.scope {
        Scope::Plan(plan) => ProtoScope::PlanId(plan.to_string()),
        Scope::Student(student) => ProtoScope::StudentId(student.to_string()),
        Scope::Range { from, to } => ProtoScope::Range(proto::PositionRange {
            from: from.get(),
            to: to.get(),
        }),
    };
    let resume = request.resume;
    proto::ExportBundleRequest {
        scope: Some(scope),
        disclosure: request.disclosure.number(),
        since_size: request.since.unwrap_or(0),
        resume: resume.map(|(checkpoint_size, after)| proto::ResumeBundle {
            checkpoint_size,
            after_position: after.get(),
        }),
    }
}
