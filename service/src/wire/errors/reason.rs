//! The reasons that the service has besides those of the domain.

use std::time::Duration;

use tonic::Code;

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
    /// A key cannot be made.
    KeysUnavailable = "KEYS_UNAVAILABLE", Unavailable, Some(LATER);
    /// The system gives no randomness.
    RandomnessUnavailable = "RANDOMNESS_UNAVAILABLE", Unavailable, Some(LATER);
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
