//! An error as callers see it: gRPC code, reason, metadata, fields, and whether to retry.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use planledger_core::ids::{CommandId, Position, Revision, StreamId};
use planledger_core::ledger::EngineFault;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::counted;
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

    /// The right to the bundle ended while it was sent.
    pub fn export_right_ended() -> Self {
        let message = "the right to export this bundle has ended";
        Self::new(ServiceReason::AccessDenied, message)
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

    /// Only the ledger itself gives such an id, to commands of its own.
    pub fn command_id_reserved(id: CommandId) -> Self {
        let message = "the command id is one that only the ledger gives to its own commands; use a UUID of \
                       version 4 or 7";
        Self::new(ServiceReason::CommandIdReserved, message)
            .with("command_id", id)
            .at("command_id")
    }

    /// The command had a receipt that was lost when an older state of the ledger was put back.
    pub fn command_lost_in_restore(id: CommandId) -> Self {
        let message = "the command was carried out and receipted, and is lost since an older state of the \
                       ledger was put back from a backup; look at how things are now, and send what is \
                       still wanted under a new id";
        Self::new(ServiceReason::CommandLostInRestore, message)
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

    /// The caller asks more often than it may; the next request may come after this time.
    pub fn rate_limited(wait: Duration) -> Self {
        let message = "you ask more often than you may; wait as long as the answer says";
        Self {
            retry_after: Some(wait.max(Duration::from_millis(1))),
            ..Self::new(ServiceReason::RateLimited, message)
        }
    }

    /// The caller has as many requests that are not answered as it may: `limit`.
    pub fn too_many_requests(limit: usize) -> Self {
        let message = format!(
            "you have {limit} requests already that are not answered, or whose answers you have not read; \
             read the answers, or send commands in a stream or in batches"
        );
        Self::new(ServiceReason::RateLimited, message).with("limit", limit)
    }

    /// As many commands of the caller as may wait for the disk: `limit`. Nothing was recorded of this
    /// one.
    pub fn too_many_commands(limit: u32) -> Self {
        let message = format!(
            "{limit} commands of yours wait for the disk already, and nothing of this one was recorded; \
             wait for their receipts"
        );
        Self::new(ServiceReason::RateLimited, message).with("limit", limit)
    }

    /// A caller, a connection or the server has as many streams as it may: `limit`.
    pub fn too_many_streams(of: &'static str, limit: usize) -> Self {
        let message = format!(
            "there are {limit} streams of this {of} already; end some of them, or follow more with \
             one stream"
        );
        Self::new(ServiceReason::TooManyStreams, message)
            .with("of", of)
            .with("limit", limit)
    }

    /// The client does not read what a stream has for it.
    pub fn slow_reader() -> Self {
        let message = "the stream ends because its client did not read it; ask again from where you \
                       are";
        Self::new(ServiceReason::SlowReader, message)
    }

    /// A failure of a stream of events. If its client was slow, it says from where to go on:
    /// from where it came to, or else from where it began.
    #[must_use]
    pub fn after(self, began: u64, came_to: Option<u64>) -> Self {
        match self.reason == ServiceReason::SlowReader.code() {
            true => self.with("resume_position", came_to.unwrap_or(began)),
            false => self,
        }
    }

    /// The body of a request took too long to arrive. Nothing was done.
    pub fn body_too_slow() -> Self {
        let message = "the request took too long to arrive; nothing was done";
        Self::new(ServiceReason::BodyTooSlow, message)
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

    /// The disk has no room for the journal. The server goes on by itself when there is room; until then
    /// it is open whether the command will be recorded (P2).
    pub fn writer_waits(why: &str) -> Self {
        let message = format!(
            "the disk has no room ({why}); commands are accepted again when there is room. Whether this one \
             will be recorded is open: send it again with the same id"
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
        counted::count(self.reason);
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

/// Most bytes of an error in the headers of an answer, which are all that clients accept.
const ERROR_BYTES: usize = 8 << 10;
/// The entry of the metadata that counts the wrong fields that are not named.
const LEFT_OUT: &str = "violations_left_out";
/// Most bytes of the message for people.
const MESSAGE_BYTES: usize = 1_000;
/// What each entry and each field needs beside its texts, generously.
const BESIDE: usize = 16;
/// What the status has beside them: type URLs, the domain, names of headers.
const FRAME: usize = 512;

impl Failure {
    /// The failure with so few wrong fields, and so short a message, that its headers are no longer
    /// than [`ERROR_BYTES`].
    fn within_headers(mut self) -> Self {
        shorten(&mut self.message, MESSAGE_BYTES);
        for value in self.metadata.values_mut() {
            shorten(value, MESSAGE_BYTES);
        }
        // The message stands in a header of its own too, where other characters than ASCII's need
        // three for each byte.
        let printable = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b'%';
        let message = self.message.bytes();
        let header: usize = message
            .map(|byte| if printable(&byte) { 1 } else { 3 })
            .sum();
        let metadata = self.metadata.iter();
        let metadata: usize = metadata.map(|(k, v)| k.len() + v.len() + BESIDE).sum();
        // Four characters stand for three bytes.
        let room = (ERROR_BYTES - FRAME).saturating_sub(header) / 4 * 3;
        let mut room = room.saturating_sub(self.message.len() + metadata);
        let all = self.violations.len();
        let mut kept = 0;
        for violation in &self.violations {
            let texts = [&violation.field, violation.reason, &violation.description];
            let length = texts.map(str::len).iter().sum::<usize>() + BESIDE;
            let Some(left) = room.checked_sub(length) else {
                break;
            };
            room = left;
            kept += 1;
        }
        self.violations.truncate(kept);
        if kept < all {
            let left_out = self.metadata.entry(LEFT_OUT).or_default();
            *left_out = (left_out.parse().unwrap_or(0) + all - kept).to_string();
        }
        self
    }
}

/// Cuts a text to a number of bytes, between two characters.
fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
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
        let failure = Self::new(ServiceReason::RequestInvalid, bad.to_string());
        let failure = match bad.more {
            0 => failure,
            more => failure.with(LEFT_OUT, more),
        };
        Self {
            violations: bad.violations,
            ..failure
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        counted::count(failure.reason);
        let failure = failure.within_headers();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of an error's headers.
    fn headers(status: &Status) -> usize {
        let mut headers = tonic::codegen::http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        let lengths = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32);
        lengths.sum()
    }

    fn violations(count: usize, field: &str) -> Vec<Violation> {
        let violation = Violation {
            field: field.to_owned(),
            reason: "TOO_LONG",
            description: "has 301 characters, but at most 300 are allowed".to_owned(),
        };
        vec![violation; count]
    }

    #[test]
    fn an_error_is_never_longer_than_clients_accept() {
        for (count, message, field) in [
            (
                50,
                "short".to_owned(),
                "team.put_roster.staff[10].role".to_owned(),
            ),
            (50, "æ".repeat(5_000), "é".repeat(300)),
            (1, "%".repeat(5_000), "f".repeat(9_000)),
        ] {
            let failure = Failure {
                violations: violations(count, &field),
                ..Failure::new(ServiceReason::RequestInvalid, message)
            };
            let status = Status::from(failure.with("stream", "s".repeat(3_000)));
            assert!(headers(&status) <= ERROR_BYTES, "{}", headers(&status));
            let details = status.get_error_details();
            let shown = details
                .bad_request()
                .map_or(0, |bad| bad.field_violations.len());
            let left_out = details.error_info().unwrap().metadata.get(LEFT_OUT);
            let left_out = left_out.map_or(0, |count| count.parse().unwrap());
            assert_eq!(shown + left_out, count);
        }
    }

    #[test]
    fn a_usual_error_loses_nothing() {
        let failure = Failure {
            violations: violations(20, "plan.record_evaluation.assessment.level"),
            ..Failure::new(ServiceReason::RequestInvalid, "the request is not valid")
        };
        let status = Status::from(failure);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations.len(), 20);
        assert!(
            !details
                .error_info()
                .unwrap()
                .metadata
                .contains_key(LEFT_OUT)
        );
    }
}
