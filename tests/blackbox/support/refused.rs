//! Errors, each of them held against what error.proto promises.

use std::collections::BTreeMap;
use std::time::Duration;

use planledger_proto::v1::CommandError;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::described::{documented, enum_names, resolves};

/// An error as a caller sees it. There is none that was not checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Fields at fault: path and reason.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) retry_after: Option<Duration>,
    /// Everything that was said, to look for what must not be. Ids made by chance are left out: one that has
    /// `abc` somewhere repeats nobody's `abc`.
    pub(crate) whole: String,
}

impl Refused {
    /// Takes an error apart. `message` is the one that field paths begin in.
    pub(crate) fn new(status: &Status, message: &str) -> Self {
        let details = status.check_error_details().unwrap();
        let info = details
            .error_info()
            .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "planledger.v1");
        let bad_request = details.bad_request();
        let fields = bad_request.iter().flat_map(|bad| &bad.field_violations);
        let fields: Vec<_> = fields
            .map(|field| {
                assert!(!field.description.is_empty(), "{}", field.field);
                (field.field.clone(), field.reason.clone())
            })
            .collect();
        let retry = details.retry_info();
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            message: status.message().to_owned(),
            metadata: info.metadata.clone().into_iter().collect(),
            fields,
            retry_after: retry.map(|retry| retry.retry_delay.unwrap_or_default()),
            whole: without_ids(&format!("{status:?} {details:?}")),
        }
        .checked(message)
    }

    /// The fields at fault, by path.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.fields.iter().map(|(path, _)| path.as_str()).collect()
    }

    fn checked(self, message: &str) -> Self {
        let documented = documented()
            .get(&self.reason)
            .unwrap_or_else(|| panic!("{} is not documented", self.reason));
        assert_eq!(self.code, documented.code, "{}", self.reason);
        let retryable = self.retry_after.is_some();
        assert_eq!(retryable, documented.retryable, "{}", self.reason);
        assert!(self.retry_after.is_none_or(|delay| !delay.is_zero()));
        assert!(!self.message.is_empty());
        let known = enum_names("FieldViolationReason", "FIELD_VIOLATION_REASON_");
        for (path, reason) in &self.fields {
            assert!(resolves(message, path), "{message} has no field {path}");
            assert!(*reason == self.reason || known.contains(reason), "{reason}");
        }
        let invalid = self.reason == "REQUEST_INVALID";
        assert!(!invalid || !self.fields.is_empty(), "{}", self.message);
        self
    }
}

/// The error of one command of a stream, which must say all that a status says.
pub(crate) fn command_error(error: CommandError) -> Refused {
    let whole = without_ids(&format!("{error:?}"));
    let fields = error.field_violations.into_iter();
    Refused {
        code: Code::from_i32(error.code),
        reason: error.reason,
        message: error.message,
        metadata: error.metadata.into_iter().collect(),
        fields: fields.map(|field| (field.field, field.reason)).collect(),
        retry_after: error.retry_delay.map(|delay| delay.try_into().unwrap()),
        whole,
    }
    .checked("planledger.v1.Command")
}

/// The text without its UUIDs and request ids: runs of 16 hexadecimal digits and hyphens or more. A CPR number is
/// shorter.
fn without_ids(text: &str) -> String {
    let ids = |c: char| !(c.is_ascii_hexdigit() || c == '-');
    let parts = text.split_inclusive(ids).map(|part| {
        let digits = part.trim_end_matches(ids);
        match digits.len() {
            ..16 => part,
            length => &part[length..],
        }
    });
    parts.collect()
}

#[test]
fn ids_are_left_out_and_what_a_client_sent_is_not() {
    let id = "00abc000-1234-4123-8123-010203123400";
    let said = without_ids(&format!(
        "plan {id}: '010203-1234', abc {{\"x-request-id\": \"00abc0001234ffff\"}}"
    ));
    assert_eq!(said, "plan : '010203-1234', abc {\"x-request-id\": \"\"}");
}
