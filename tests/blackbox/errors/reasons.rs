//! The reasons in the code are the reasons in error.proto, both ways.

use std::collections::BTreeMap;

use planledger::wire::ViolationReason;
use planledger::wire::errors::ServiceReason;
use planledger_core::domain::Reason;
use planledger_core::domain::refusal::Category;
use tonic::Code;

use crate::support::{Documented, documented, enum_names};

fn grpc(category: Category) -> Code {
    match category {
        Category::InvalidArgument => Code::InvalidArgument,
        Category::NotFound => Code::NotFound,
        Category::AlreadyExists => Code::AlreadyExists,
        Category::FailedPrecondition => Code::FailedPrecondition,
        Category::PermissionDenied => Code::PermissionDenied,
    }
}

#[test]
fn every_reason_is_documented_with_its_code_and_every_documented_reason_is_there() {
    let of_the_domain = Reason::ALL.iter().map(|reason| {
        let said = Documented {
            code: grpc(reason.category()),
            retryable: false,
        };
        (reason.code().to_owned(), said)
    });
    let of_the_service = ServiceReason::ALL.iter().map(|reason| {
        let said = Documented {
            code: reason.grpc(),
            retryable: reason.retry_after().is_some(),
        };
        (reason.code().to_owned(), said)
    });
    let all: BTreeMap<_, _> = of_the_domain.chain(of_the_service).collect();
    assert_eq!(all.len(), Reason::ALL.len() + ServiceReason::ALL.len());
    assert_eq!(all, *documented());
}

#[test]
fn every_reason_of_a_field_violation_is_documented_and_every_documented_one_is_there() {
    let codes = ViolationReason::ALL.map(|reason| reason.code().to_owned());
    let names = enum_names("FieldViolationReason", "FIELD_VIOLATION_REASON_");
    assert_eq!(names, codes);
}
