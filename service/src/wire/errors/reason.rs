//! The service's own reasons for errors, besides those of the domain.

use std::time::Duration;

use tonic::Code;

/// When to try again after a refusal for load: soon, because the queue is short.
const SOON: Duration = Duration::from_millis(200);
/// When to try again if a restart is needed: a restart takes seconds.
const LATER: Duration = Duration::from_secs(2);

macro_rules! service_reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $grpc:ident, $retry:expr;)*) => {
        /// One of the service's own reasons. `error.proto` says for each reason what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ServiceReason {
            $($(#[$doc])* $name,)*
        }

        impl ServiceReason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code of this reason, as callers see it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The gRPC code of this reason.
            pub const fn grpc(self) -> Code {
                match self { $(Self::$name => Code::$grpc,)* }
            }

            /// After how long the same request may succeed; `None` if it cannot succeed later.
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
    /// Only the ledger itself gives such a command id.
    CommandIdReserved = "COMMAND_ID_RESERVED", InvalidArgument, None;
    /// The command had a receipt that was lost when an older state of the ledger was put back.
    CommandLostInRestore = "COMMAND_LOST_IN_RESTORE", FailedPrecondition, None;
    /// The events do not fit into one commit.
    CommitTooLarge = "COMMIT_TOO_LARGE", InvalidArgument, None;
    /// This server did not make the page token, or somebody changed it.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", InvalidArgument, None;
    /// The page token belongs to another method or filter.
    PageTokenMismatch = "PAGE_TOKEN_MISMATCH", InvalidArgument, None;
    /// The stream is not at the expected revision.
    RevisionConflict = "REVISION_CONFLICT", Aborted, None;
    /// The request names a position beyond the end of the ledger.
    PositionAhead = "POSITION_AHEAD", OutOfRange, None;
    /// The request names an instant that has not passed.
    InstantAhead = "INSTANT_AHEAD", OutOfRange, None;
    /// The minimum position was not reached in time.
    PositionNotReached = "POSITION_NOT_REACHED", Unavailable, Some(SOON);
    /// The server has too much to do.
    Overloaded = "OVERLOADED", ResourceExhausted, Some(SOON);
    /// The caller asks more often than it may.
    RateLimited = "RATE_LIMITED", ResourceExhausted, Some(SOON);
    /// There are as many streams as there may be.
    TooManyStreams = "TOO_MANY_STREAMS", ResourceExhausted, Some(LATER);
    /// The client does not read what a stream has for it.
    SlowReader = "SLOW_READER", ResourceExhausted, Some(LATER);
    /// The body of a request took too long to arrive.
    BodyTooSlow = "BODY_TOO_SLOW", Unavailable, Some(LATER);
    /// The commands of a preview would change more than a preview remembers.
    PreviewTooLarge = "PREVIEW_TOO_LARGE", ResourceExhausted, None;
    /// The server is stopping.
    ShuttingDown = "SHUTTING_DOWN", Unavailable, Some(LATER);
    /// A write to disk failed. The server takes no commands until a restart.
    WriterStopped = "WRITER_STOPPED", Unavailable, Some(LATER);
    /// The server is building derived state again.
    DerivedStateRestoring = "DERIVED_STATE_RESTORING", Unavailable, Some(LATER);
    /// The server cannot make a key.
    KeysUnavailable = "KEYS_UNAVAILABLE", Unavailable, Some(LATER);
    /// The operating system gives no randomness.
    RandomnessUnavailable = "RANDOMNESS_UNAVAILABLE", Unavailable, Some(LATER);
    /// The request does not say who acts.
    ActorMissing = "ACTOR_MISSING", Unauthenticated, None;
    /// The server does not accept what the request says about who acts.
    ActorInvalid = "ACTOR_INVALID", Unauthenticated, None;
    /// The request shows neither a token nor a certificate.
    TokenMissing = "TOKEN_MISSING", Unauthenticated, None;
    /// The token cannot be read, is not signed as it must be, or is for another audience.
    TokenInvalid = "TOKEN_INVALID", Unauthenticated, None;
    /// The token or certificate has expired.
    TokenExpired = "TOKEN_EXPIRED", Unauthenticated, None;
    /// The token is not valid yet.
    TokenNotYetValid = "TOKEN_NOT_YET_VALID", Unauthenticated, None;
    /// The server does not know the issuer of the token.
    IssuerUnknown = "ISSUER_UNKNOWN", Unauthenticated, None;
    /// The keys of the issuer cannot be had at present.
    IssuerUnavailable = "ISSUER_UNAVAILABLE", Unavailable, Some(LATER);
    /// Token or certificate belong to no system that may act.
    SystemUnknown = "SYSTEM_UNKNOWN", Unauthenticated, None;
    /// The token names no person of the ledger.
    PersonUnknown = "PERSON_UNKNOWN", Unauthenticated, None;
    /// For whom a system acts cannot be told.
    OnBehalfOfInvalid = "ON_BEHALF_OF_INVALID", Unauthenticated, None;
    /// The caller may not name in a header for whom it acts.
    OnBehalfOfDenied = "ON_BEHALF_OF_DENIED", PermissionDenied, None;
    /// The request names another person than the one for whom the caller acts.
    OnBehalfOfAnother = "ON_BEHALF_OF_ANOTHER", PermissionDenied, None;
    /// What the request is for cannot be told.
    PurposeInvalid = "PURPOSE_INVALID", InvalidArgument, None;
    /// The actor may not do this.
    AccessDenied = "ACCESS_DENIED", PermissionDenied, None;
    /// There is no such checkpoint.
    CheckpointNotFound = "CHECKPOINT_NOT_FOUND", NotFound, None;
    /// This server makes no checkpoints.
    NotaryDisabled = "NOTARY_DISABLED", Unimplemented, None;
    /// Stored data failed a check.
    StorageDamaged = "STORAGE_DAMAGED", DataLoss, None;
    /// Reads of plans cannot be recorded, so plans are not shown until a restart.
    AccessLogFailed = "ACCESS_LOG_FAILED", Unavailable, Some(LATER);
    /// This server has no access log.
    AccessLogDisabled = "ACCESS_LOG_DISABLED", Unimplemented, None;
    /// A fault of the server.
    Internal = "INTERNAL", Internal, None;
}
