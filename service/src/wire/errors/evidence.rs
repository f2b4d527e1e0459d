//! Turns errors about evidence into errors of the API.

use planledger_core::audit::ExportError;
use planledger_core::domain::Reason;
use planledger_core::ids::{PersonId, PlanId, Position, StreamKind};
use planledger_core::notary::NotaryError;

use super::{Failure, ServiceReason};

impl Failure {
    /// This server makes no checkpoints.
    pub fn no_notary() -> Self {
        let message = "this server makes no checkpoints";
        Self::new(ServiceReason::NotaryDisabled, message)
    }

    /// The notary could not answer.
    pub fn of_notary(error: NotaryError) -> Self {
        match error {
            NotaryError::NoCheckpoint { size } => {
                let message = match size {
                    0 => "there is no checkpoint yet".to_owned(),
                    size => format!("there is no checkpoint of at least {size} events yet"),
                };
                Self::new(ServiceReason::CheckpointNotFound, message).with("size", size)
            }
            error if error.is_passing() => Self::restoring(),
            NotaryError::Execute(error) => Self::of_execution(error, &[]),
            NotaryError::Read(error) => Self::of_reading(error),
            error => damaged(&error),
        }
    }

    /// A bundle could not be written.
    pub fn of_export(error: ExportError) -> Self {
        match error {
            ExportError::NotFound(stream) => match stream.kind {
                StreamKind::Person => {
                    let id = PersonId::from_uuid(stream.id);
                    Self::no_stream(Reason::PersonNotFound, "student_id", id)
                }
                _ => {
                    let id = PlanId::from_uuid(stream.id);
                    Self::no_stream(Reason::PlanNotFound, "plan_id", id)
                }
            },
            ExportError::Range { from, to, size } => {
                let size = Position::new(size);
                match from > size {
                    true => Self::position_ahead("range.from", size, from),
                    false => Self::position_ahead("range.to", size, to),
                }
            }
            ExportError::Since { since, size } => {
                Self::position_ahead("since_size", Position::new(size), Position::new(since))
            }
            ExportError::Resume(size) => {
                let message = format!("there is no checkpoint of exactly {size} events");
                Self::new(ServiceReason::CheckpointNotFound, message).with("size", size)
            }
            ExportError::Destroyed(position) => {
                let message = format!(
                    "the text at position {position} was destroyed after the checkpoint of this \
                     bundle was made; export again from the beginning"
                );
                Self::new(ServiceReason::CheckpointNotFound, message).with("position", position)
            }
            ExportError::Notary(error) => Self::of_notary(error),
            ExportError::Read(error) => Self::of_reading(error),
            error => damaged(&error),
        }
    }
}

fn damaged(error: &dyn std::error::Error) -> Failure {
    tracing::error!(%error, "evidence cannot be given, because stored data failed a check");
    let message = "stored data failed a check; run planledger ledger verify";
    Failure::new(ServiceReason::StorageDamaged, message)
}
