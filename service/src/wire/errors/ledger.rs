//! Turns errors of the ledger into errors of the API.

use planledger_core::access_log::AccessLogError;
use planledger_core::ids::Position;
use planledger_core::ledger::limits::STREAMS_OF_A_PREVIEW;
use planledger_core::ledger::{Envelope, ExecuteError, PreviewError, ReadError};
use planledger_core::recovery::RunError;

use super::{Failure, ServiceReason};

impl Failure {
    /// Commands that were submitted together were not carried out.
    pub fn of_execution(error: ExecuteError, envelopes: &[Envelope]) -> Self {
        match error {
            ExecuteError::Refused { index, refusal } => match envelopes.get(index) {
                Some(envelope) => Self::of_refusal(&refusal, &envelope.command),
                None => Self::new(ServiceReason::Internal, "internal error of the server"),
            },
            ExecuteError::Conflict {
                stream,
                expected,
                actual,
                ..
            } => Self::conflict(stream, expected, actual),
            ExecuteError::IdReused { command, .. } => Self::command_id_reused(command),
            ExecuteError::IdReserved { command, .. } => Self::command_id_reserved(command),
            ExecuteError::LostInRestore { command, .. } => Self::command_lost_in_restore(command),
            ExecuteError::BatchSize(_) => {
                Self::new(ServiceReason::CommitTooLarge, error.to_string())
            }
            ExecuteError::Overloaded => Self::overloaded(),
            ExecuteError::Closed => Self::shutting_down(),
            ExecuteError::NotReady(_) => Self::restoring(),
            ExecuteError::WriterStopped(reason) => Self::writer_stopped(&reason),
            ExecuteError::Waiting(reason) => Self::writer_waits(&reason),
            ExecuteError::Fault(fault) => Self::fault(&fault),
            error => Self::new(ServiceReason::Internal, error.to_string()),
        }
    }

    /// A batch was not carried out. The failure names the wrong command, if one was wrong.
    pub fn of_batch(error: ExecuteError, envelopes: &[Envelope]) -> Self {
        let at_fault = match error {
            ExecuteError::Refused { index, .. }
            | ExecuteError::Conflict { index, .. }
            | ExecuteError::IdReused { index, .. }
            | ExecuteError::IdReserved { index, .. }
            | ExecuteError::LostInRestore { index, .. } => Some(index),
            _ => None,
        };
        let failure = Self::of_execution(error, envelopes);
        match at_fault.and_then(|index| Some((index, envelopes.get(index)?))) {
            Some((index, envelope)) => failure.in_batch(index, envelope.id),
            None => failure,
        }
    }

    /// A preview does not say what a command would do.
    pub fn of_preview(error: PreviewError, envelope: &Envelope) -> Self {
        let index = 0;
        let refused = match error {
            PreviewError::Refused(refusal) => ExecuteError::Refused { index, refusal },
            PreviewError::Conflict {
                stream,
                expected,
                actual,
            } => ExecuteError::Conflict {
                index,
                stream,
                expected,
                actual,
            },
            PreviewError::Unread(error) => return Self::of_reading(error),
            error => {
                let failure = Self::new(ServiceReason::PreviewTooLarge, error.to_string());
                return failure.with("limit", STREAMS_OF_A_PREVIEW);
            }
        };
        Self::of_execution(refused, std::slice::from_ref(envelope))
    }

    /// Stored data failed a check. The log says what is wrong; the caller learns only where.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what map_err hands over"
    )]
    pub fn of_reading(error: ReadError) -> Self {
        match error {
            // The fault was logged once, when it was found.
            ReadError::Derived(_) => return Self::restoring(),
            ReadError::Closed => return Self::shutting_down(),
            _ => {}
        }
        tracing::error!(%error, "stored data cannot be read");
        let message = "stored data failed a check; run planledger ledger verify";
        let failure = Self::new(ServiceReason::StorageDamaged, message);
        match error {
            ReadError::Seal { position, .. }
            | ReadError::KeyMissing { position, .. }
            | ReadError::Erased { position }
            | ReadError::Newer { position, .. }
            | ReadError::Malformed { position, .. } => failure.with("position", position),
            ReadError::NotThere { asked, tail } => Self::position_ahead("position", tail, asked),
            _ => failure,
        }
    }

    /// The instant in the field `field` has no position yet.
    pub fn of_instant(error: ReadError, field: &str) -> Self {
        match error {
            ReadError::NotPassed { .. } => Self::instant_ahead(&format!("{field}.instant")),
            ReadError::Unsettled(reason) => Self::writer_stopped(&reason),
            error => Self::of_reading(error),
        }
    }

    /// The position in the field `field` is beyond the end of the ledger, `tail`.
    pub fn of_position(field: &str, tail: Position, asked: Position) -> Self {
        Self::position_ahead(&format!("{field}.position"), tail, asked)
    }

    /// A read could not be recorded, so nothing is shown.
    pub fn of_access_log(error: AccessLogError) -> Self {
        match error {
            AccessLogError::Busy => Self::overloaded(),
            AccessLogError::Closed => Self::shutting_down(),
            AccessLogError::Waiting(_) => {
                let message = "the access log has no room, so plans are not shown until there is";
                Self::new(ServiceReason::AccessLogFailed, message)
            }
            _ => {
                let message = "the access log cannot be written, so plans are not shown until the \
                               server is restarted";
                Self::new(ServiceReason::AccessLogFailed, message)
            }
        }
    }

    /// This server has no access log.
    pub fn no_access_log() -> Self {
        let message = "this server keeps no access log";
        Self::new(ServiceReason::AccessLogDisabled, message)
    }

    /// A recovery could not start, or did not finish.
    pub fn of_recovery(error: RunError) -> Self {
        match error {
            RunError::Refused(refusal) => Self::of_refused_recovery_request(&refusal),
            RunError::Execute(error) => Self::of_execution(error, &[]),
            RunError::Read(error) => Self::of_reading(error),
            RunError::BrokenOff => Self::shutting_down(),
            _ => Self::internal(),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::of_reading(error)
    }
}
