//! Evidence: checkpoints, and what is asked of a bundle.

use planledger_core::audit::{ExportRequest, Scope};
use planledger_core::ids::Position;
use planledger_core::tlog::SignedCheckpoint;

use super::Failure;
use super::fields::{Fields, ViolationReason};
use super::proto;
use proto::export_bundle_request::Scope as ProtoScope;

/// A checkpoint's message.
pub fn checkpoint(signed: &SignedCheckpoint) -> proto::Checkpoint {
    proto::Checkpoint {
        note: signed.note.to_string(),
        size: signed.checkpoint.size,
        root: signed.checkpoint.root.to_vec(),
    }
}

/// Reads `ExportBundle`. A range that is open at its end has position 0 there.
///
/// # Errors
/// `REQUEST_INVALID` with every field at fault.
pub fn export_request(request: &proto::ExportBundleRequest) -> Result<ExportRequest, Failure> {
    Ok(Fields::read(|fields| {
        let scope = match &request.scope {
            Some(ProtoScope::PlanId(id)) => fields.id("plan_id", id).map(Scope::Plan),
            Some(ProtoScope::StudentId(id)) => fields.id("student_id", id).map(Scope::Student),
            Some(ProtoScope::Range(range)) => fields.within("range", |fields| {
                let first = range.from > 0;
                if !first {
                    let reason = ViolationReason::OutOfRange;
                    fields.violate("from", reason, "begins at 1");
                }
                first.then_some(Scope::Range {
                    from: Position::new(range.from),
                    to: Position::new(range.to),
                })
            }),
            None => fields.missing("scope"),
        };
        let disclosure = fields.choice("disclosure", request.disclosure);
        let resume = request.resume.as_ref();
        let resume = resume.map(|at| (at.checkpoint_size, Position::new(at.after_position)));
        Some(ExportRequest {
            scope: scope?,
            disclosure: disclosure?,
            since: (request.since_size > 0).then_some(request.since_size),
            resume,
        })
    })?)
}
