//! An error as callers see it: gRPC code, reason, metadata, fields, and whether to retry.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use planledger_core::ids::{CommandId, Position, Revision, StreamId};
use planledger_core::ledger::EngineFault;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::reason::ServiceReason;
use crate::wire::fields::{BadRequest, Violation};
use crate::wire::proto;

/// `ErrorInfo.domain` of every error.
pub const DOMAIN: &str = "planledger.v1";

/// Why a call or command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// gRPC code.
    pub code: Code,
    /// The reason, for programs: the code of a [`ServiceReason`] or of a domain reason.
    pub reason: &'static str,
    /// The message for people. It never holds names or text from the request.
    pub message: String,
    /// Ids and numbers that a program may need.
    pub metadata: BTreeMap<&'static str, String>,
    /// The wrong fields of the request.
    pub violations: Vec<Violation>,
    /// How long to wait before the same request may succeed. `None` if it cannot succeed later.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure with this reason and sentence.
    pub fn new(reason: ServiceReason, message: impl Into<String>) -> Self {
        Self {
            code: reason.grpc(),
            reason: reason.code(),
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_after: reason.retry_after(),
        }
    }

    /// Adds an id or number.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.metadata.insert(name, value.to_string());
        self
    }

    /// Names a wrong field. The field's reason is the failure's own reason.
    #[must_use]
    pub(in crate::wire) fn at(mut self, field: impl Into<String>) -> Self {
        self.violations.push(Violation {
            field: field.into(),
            reason: self.reason,
            description: self.message.clone(),
        });
        self
    }

    /// The caller may not do this. The failure is the same whether or not what was asked for exists.
    pub fn access_denied() -> Self {
        let message = "this actor is not allowed to do this";
        Self::new(ServiceReason::AccessDenied, message)
    }

    /// The right with which a stream of events began has ended. `resume` is how far the client has
    /// come.
    pub fn right_ended(resume: Position) -> Self {
        let message = "the right to read these events has ended";
        Self::new(ServiceReason::AccessDenied, message).with("resume_position", resume)
    }

    /// The stream is not at the expected revision.
    pub fn conflict(stream: StreamId, expected: Revision, actual: Revision) -> Self {
        let message = format!(
            "{stream} is at revision {actual}, not at {expected}; read it again before you change \
            it"
        );
        Self::new(ServiceReason::RevisionConflict, message)
            .with("stream", stream)
            .with("expected", expected)
            .with("actual", actual)
    }

    /// The id was used for a command with other content.
    pub fn command_id_reused(id: CommandId) -> Self {
        let message = "the command id was already used for a command with other content; use a new \
                       id";
        Self::new(ServiceReason::CommandIdReused, message)
            .with("command_id", id)
            .at("command_id")
    }

    /// `min_position` was not reached in time; `position` is where the ledger is.
    pub fn position_not_reached(position: Position, min_position: Position) -> Self {
        let message = format!(
            "the server has reached position {position}, but not yet {min_position}; try again"
        );
        Self::new(ServiceReason::PositionNotReached, message)
            .with("position", position)
            .with("min_position", min_position)
    }

    /// The field asks for a position beyond the end of the ledger, `position`.
    pub fn position_ahead(field: &str, position: Position, requested: Position) -> Self {
        let message = format!(
            "position {requested} does not exist yet; the ledger ends at position {position}"
        );
        Self::new(ServiceReason::PositionAhead, message)
            .with("position", position)
            .with("requested", requested)
            .at(field)
    }

    /// The field asks for an instant that has not passed.
    pub fn instant_ahead(field: &str) -> Self {
        Self::new(
            ServiceReason::InstantAhead,
            "the instant lies in the future; ask for an instant that has passed",
        )
        .at(field)
    }

    /// Nothing was done, because the server has too much to do.
    pub fn overloaded() -> Self {
        Self::new(
            ServiceReason::Overloaded,
            "the server has too much to do, and nothing was recorded; try again later",
        )
    }

    /// The proof of who asked for a stream has ended. `resume_position` is the position to go on
    /// from, if the stream has one.
    pub fn token_expired(resume_position: Option<u64>) -> Self {
        let message = "the token or certificate has expired; get a new one and ask again";
        let failure = Self::new(ServiceReason::TokenExpired, message);
        match resume_position {
            Some(position) => failure.with("resume_position", position),
            None => failure,
        }
    }

    /// The request names another person or system as the one for whom the caller acts than the
    /// caller's token or metadata does.
    pub fn on_behalf_of_another() -> Self {
        let message = "the request names somebody on whose behalf the caller does not act; leave the \
                       field out";
        Self::new(ServiceReason::OnBehalfOfAnother, message).at("on_behalf_of")
    }

    /// The server is stopping.
    pub fn shutting_down() -> Self {
        Self::new(
            ServiceReason::ShuttingDown,
            "the server is stopping; try again when it runs again",
        )
    }

    /// A write to disk failed, and the server refuses commands until it is restarted (P2: the
    /// server never gives a receipt on a guess).
    pub fn writer_stopped(why: &str) -> Self {
        let message = format!(
            "a write to disk failed ({why}); commands are refused until the server is restarted"
        );
        Self::new(ServiceReason::WriterStopped, message)
    }

    /// A fault in the ledger prevented a command. The fault was logged, and nothing was recorded.
    /// Other commands may succeed.
    pub fn fault(fault: &EngineFault) -> Self {
        match fault {
            EngineFault::Journal(_) => Self::new(
                ServiceReason::StorageDamaged,
                "the journal cannot be read; run planledger ledger verify",
            ),
            EngineFault::Keys(_) => Self::new(
                ServiceReason::KeysUnavailable,
                "the key for this text cannot be made, so nothing was recorded; the server's log \
                says why",
            ),
            EngineFault::Randomness(_) => Self::new(
                ServiceReason::RandomnessUnavailable,
                "the operating system of the server gives no random bytes, so nothing was recorded",
            ),
            _ => Self::new(
                ServiceReason::Internal,
                "internal error of the server; its log says more",
            ),
        }
    }

    /// Derived state is faulty, and the server is building it again from the journal. Nothing was
    /// done (P2: the server decides and answers nothing from doubtful state).
    pub fn restoring() -> Self {
        Self::new(
            ServiceReason::DerivedStateRestoring,
            "derived state is being rebuilt from the journal, so nothing was recorded; try again \
            later",
        )
    }

    /// A panic ended the request. The log describes the panic.
    pub fn internal() -> Self {
        tracing::error!("a request was ended by a panic");
        Self::new(
            ServiceReason::Internal,
            "internal error of the server; its log says more",
        )
    }

    /// The failure of one command of a batch.
    #[must_use]
    pub fn in_batch(mut self, index: usize, id: CommandId) -> Self {
        for violation in &mut self.violations {
            violation.field = format!("commands[{index}].{}", violation.field);
        }
        self.with("command_index", index).with("command_id", id)
    }

    /// The failure as the error in a response of a command stream.
    pub fn command_error(self) -> proto::CommandError {
        let metadata = self.metadata.into_iter();
        let violations = self.violations.into_iter();
        proto::CommandError {
            code: self.code.into(),
            reason: self.reason.to_owned(),
            message: self.message,
            metadata: metadata.map(|(k, v)| (k.to_owned(), v)).collect(),
            field_violations: violations
                .map(|violation| proto::FieldViolation {
                    field: violation.field,
                    reason: violation.reason.to_owned(),
                    description: violation.description,
                })
                .collect(),
            retry_delay: self.retry_after.and_then(|delay| delay.try_into().ok()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<BadRequest> for Failure {
    fn from(bad: BadRequest) -> Self {
        let message = bad.to_string();
        Self {
            violations: bad.violations,
            ..Self::new(ServiceReason::RequestInvalid, message)
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let metadata: Vec<_> = failure
            .metadata
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let mut details = ErrorDetails::with_error_info(
            failure.reason,
            DOMAIN,
            metadata
                .into_iter()
                .collect::<std::collections::HashMap<_, _>>(),
        );
        if !failure.violations.is_empty() {
            let fields = failure.violations.into_iter();
            let fields: Vec<_> = fields
                .map(|violation| FieldViolation {
                    field: violation.field,
                    description: violation.description,
                    reason: violation.reason.to_owned(),
                    localized_message: None,
                })
                .collect();
            details.set_bad_request(fields);
        }
        if failure.retry_after.is_some() {
            details.set_retry_info(failure.retry_after);
        }
        Status::with_error_details(failure.code, failure.message, details)
    }
}
