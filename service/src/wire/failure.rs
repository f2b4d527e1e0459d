//! Errors as callers see them: gRPC code, reason, metadata, fields, and whether to retry. The one
//! place that turns an error of the library into one of the API.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use planledger_core::domain::refusal::Category;
use planledger_core::domain::{Command, Reason, Refusal};
use planledger_core::ids::{CommandId, Position, Revision, StreamId};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::command::root;
use super::fields::{BadRequest, Violation};
use super::proto;

/// `ErrorInfo.domain` of every error.
pub const DOMAIN: &str = "planledger.v1";

/// When to try again what was shed: soon, the queue is short.
const SOON: Duration = Duration::from_millis(200);
/// When to try again what needs another process: a restart takes seconds.
const LATER: Duration = Duration::from_secs(2);

macro_rules! service_reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $grpc:ident, $retry:expr;)*) => {
        /// A reason that the service has, besides those of the domain. `error.proto` says of each
        /// what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ServiceReason {
            $($(#[$doc])* $name,)*
        }

        impl ServiceReason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its code, as callers see it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Its gRPC code.
            pub const fn grpc(self) -> Code {
                match self { $(Self::$name => Code::$grpc,)* }
            }

            /// After how long the same request may succeed; `None` if it is final.
            pub const fn retry_after(self) -> Option<Duration> {
                match self { $(Self::$name => $retry,)* }
            }
        }
    };
}

service_reasons! {
    /// Fields are missing or wrong.
    RequestInvalid = "REQUEST_INVALID", InvalidArgument, None;
    /// The command id belongs to a command with other content.
    CommandIdReused = "COMMAND_ID_REUSED", InvalidArgument, None;
    /// The events do not fit into one commit.
    CommitTooLarge = "COMMIT_TOO_LARGE", InvalidArgument, None;
    /// The page token was not made here, or was changed.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", InvalidArgument, None;
    /// The page token belongs to another method or filter.
    PageTokenMismatch = "PAGE_TOKEN_MISMATCH", InvalidArgument, None;
    /// The stream is not at the expected revision.
    RevisionConflict = "REVISION_CONFLICT", Aborted, None;
    /// A position beyond the end of the ledger.
    PositionAhead = "POSITION_AHEAD", OutOfRange, None;
    /// An instant that has not passed.
    InstantAhead = "INSTANT_AHEAD", OutOfRange, None;
    /// The minimum position was not reached in time.
    PositionNotReached = "POSITION_NOT_REACHED", Unavailable, Some(SOON);
    /// More to do than may be taken on.
    Overloaded = "OVERLOADED", ResourceExhausted, Some(SOON);
    /// The server is stopping.
    ShuttingDown = "SHUTTING_DOWN", Unavailable, Some(LATER);
    /// A write failed; no commands until a restart.
    WriterStopped = "WRITER_STOPPED", Unavailable, Some(LATER);
    /// Derived state is being made again.
    DerivedStateRestoring = "DERIVED_STATE_RESTORING", Unavailable, Some(LATER);
    /// The request does not say who acts.
    ActorMissing = "ACTOR_MISSING", Unauthenticated, None;
    /// What says who acts is not accepted.
    ActorInvalid = "ACTOR_INVALID", Unauthenticated, None;
    /// The actor may not.
    AccessDenied = "ACCESS_DENIED", PermissionDenied, None;
    /// There is no such checkpoint.
    CheckpointNotFound = "CHECKPOINT_NOT_FOUND", NotFound, None;
    /// No checkpoints are made here.
    NotaryDisabled = "NOTARY_DISABLED", Unimplemented, None;
    /// What is stored does not check out.
    StorageDamaged = "STORAGE_DAMAGED", DataLoss, None;
    /// A fault of the server.
    Internal = "INTERNAL", Internal, None;
}

/// Why a call or command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// gRPC code.
    pub code: Code,
    /// Reason, for programs: a [`ServiceReason`]'s or a domain reason's code.
    pub reason: &'static str,
    /// For people. Never holds names or text that was sent.
    pub message: String,
    /// Ids and numbers that a program may need.
    pub metadata: BTreeMap<&'static str, String>,
    /// Fields at fault.
    pub violations: Vec<Violation>,
    /// Set exactly when the same request may succeed later.
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

    /// Names a field at fault, whose reason is the failure's own.
    #[must_use]
    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.violations.push(Violation {
            field: field.into(),
            reason: self.reason,
            description: self.message.clone(),
        });
        self
    }

    /// A rule refused a command. A field that the refusal names is a path inside of the aggregate's
    /// command (`plan_id`, `record_evaluation.assessment.level`); that of a command without a
    /// message, one inside of the request of its own method.
    pub fn refused(refusal: &Refusal, command: &Command) -> Self {
        Self::refused_within(refusal, root(command))
    }

    /// A rule speaks against what is inside of the field `outer` of the request, or against the request
    /// itself.
    pub fn refused_within(refusal: &Refusal, outer: Option<&str>) -> Self {
        let failure = Self {
            code: category_code(refusal.reason.category()),
            reason: refusal.reason.code(),
            message: refusal.message.clone(),
            metadata: refusal.details.iter().cloned().collect(),
            violations: Vec::new(),
            retry_after: None,
        };
        match (refusal.field, outer) {
            (None, _) => failure,
            (Some(field), Some(outer)) => failure.at(format!("{outer}.{field}")),
            (Some(field), None) => failure.at(field),
        }
    }

    /// What the field names is not there.
    pub fn not_found(reason: Reason, field: &str, message: impl Into<String>) -> Self {
        Self {
            code: category_code(reason.category()),
            reason: reason.code(),
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_after: None,
        }
        .at(field)
    }

    /// The stream is not at the expected revision.
    pub fn conflict(stream: StreamId, expected: Revision, actual: Revision) -> Self {
        let message = format!("{stream} is at revision {actual}, not at {expected}");
        Self::new(ServiceReason::RevisionConflict, message)
            .with("stream", stream)
            .with("expected", expected)
            .with("actual", actual)
    }

    /// The id was used for a command with other content.
    pub fn command_id_reused(id: CommandId) -> Self {
        let message = "the command id belongs to a command with other content";
        Self::new(ServiceReason::CommandIdReused, message)
            .with("command_id", id)
            .at("command_id")
    }

    /// `min_position` was not reached in time; `position` is where the ledger is.
    pub fn position_not_reached(position: Position, min_position: Position) -> Self {
        let message = format!("position {min_position} is not reached, only {position}");
        Self::new(ServiceReason::PositionNotReached, message)
            .with("position", position)
            .with("min_position", min_position)
    }

    /// The field asks for a position beyond the end of the ledger, `position`.
    pub fn position_ahead(field: &str, position: Position, requested: Position) -> Self {
        let message = format!("position {requested} is beyond the end of the ledger, {position}");
        Self::new(ServiceReason::PositionAhead, message)
            .with("position", position)
            .with("requested", requested)
            .at(field)
    }

    /// The field asks for an instant that has not passed.
    pub fn instant_ahead(field: &str) -> Self {
        Self::new(
            ServiceReason::InstantAhead,
            "the instant has not passed yet",
        )
        .at(field)
    }

    /// Nothing was done, because there is too much to do.
    pub fn overloaded() -> Self {
        Self::new(
            ServiceReason::Overloaded,
            "the server has more to do than it takes on; nothing was recorded",
        )
    }

    /// The server is stopping.
    pub fn shutting_down() -> Self {
        Self::new(ServiceReason::ShuttingDown, "the server is stopping")
    }

    /// A write to disk failed and commands are refused until a restart (P2: a receipt is never
    /// given on a guess).
    pub fn writer_stopped() -> Self {
        Self::new(
            ServiceReason::WriterStopped,
            "a write to disk failed; commands are refused until the server is restarted",
        )
    }

    /// Derived state turned out to be faulty and is being made again from the journal; nothing was
    /// done (P2: nothing is decided or answered on what is in doubt).
    pub fn restoring() -> Self {
        Self::new(
            ServiceReason::DerivedStateRestoring,
            "derived state is being made again from the journal; nothing was recorded",
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

    /// The failure as a response of a command stream says it.
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

const fn category_code(category: Category) -> Code {
    match category {
        Category::InvalidArgument => Code::InvalidArgument,
        Category::NotFound => Code::NotFound,
        Category::AlreadyExists => Code::AlreadyExists,
        Category::FailedPrecondition => Code::FailedPrecondition,
        Category::PermissionDenied => Code::PermissionDenied,
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
