//! Turns refusals of the domain's rules into errors of the API.

use std::collections::BTreeMap;

use planledger_core::domain::refusal::Category;
use planledger_core::domain::{Command, Reason, Refusal};
use planledger_core::ids::StreamId;
use tonic::Code;

use super::{Failure, field_path};

impl Failure {
    /// A rule refused a command.
    pub fn of_refusal(refusal: &Refusal, command: &Command) -> Self {
        let failure = Self::without_field(refusal);
        match refusal.field {
            None => failure,
            Some(field) => failure.at(field_path::of_command(command, field)),
        }
    }

    /// A rule refused a recovery request, or a step of it.
    pub fn of_refused_recovery_request(refusal: &Refusal) -> Self {
        let failure = Self::without_field(refusal);
        match refusal.field {
            None => failure,
            Some(field) => failure.at(field_path::of_recovery_request(field)),
        }
    }

    /// A rule refused the value in a field of a request that is not a command.
    pub fn of_refused_field(refusal: &Refusal, field: &str) -> Self {
        Self::without_field(refusal).at(field)
    }

    /// The field names something that does not exist.
    pub fn not_found(reason: Reason, field: &str, message: impl Into<String>) -> Self {
        Self::without_field(&Refusal::new(reason, message)).at(field)
    }

    /// The field names a stream that does not exist.
    pub fn no_stream(reason: Reason, field: &str, id: impl Into<StreamId>) -> Self {
        let stream = id.into();
        Self::not_found(reason, field, format!("there is no {stream}")).with("stream", stream)
    }

    /// The field names a stream that can no longer be read, because its person was erased.
    pub fn erased(field: &str, id: impl Into<StreamId>) -> Self {
        let stream = id.into();
        let message = format!("{stream} cannot be read any more: the person was erased");
        Self::not_found(Reason::PersonErased, field, message).with("stream", stream)
    }

    fn without_field(refusal: &Refusal) -> Self {
        Self {
            code: category_code(refusal.reason.category()),
            reason: refusal.reason.code(),
            message: refusal.message.clone(),
            metadata: refusal.details.iter().cloned().collect::<BTreeMap<_, _>>(),
            violations: Vec::new(),
            retry_after: None,
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
