//! Requests in few words.

use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::*;

pub(crate) fn as_of(moment: Moment) -> AsOf {
    let moment = Some(moment);
    AsOf { moment }
}

pub(crate) fn as_of_position(position: u64) -> AsOf {
    as_of(Moment::Position(position))
}

/// Everything of a student's.
pub(crate) fn get_collected(
    student: &str,
    viewer: Viewer,
    at: Option<AsOf>,
) -> GetCollectedViewRequest {
    GetCollectedViewRequest {
        student_id: student.to_owned(),
        viewer: viewer.into(),
        min_position: 0,
        at,
    }
}

/// Events after a position.
pub(crate) fn read_after(after_position: u64) -> ReadEventsRequest {
    ReadEventsRequest {
        after_position,
        ..ReadEventsRequest::default()
    }
}

/// Events of a student.
pub(crate) fn events_of_student(student: &str) -> EventFilter {
    EventFilter {
        student_id: Some(student.to_owned()),
        ..EventFilter::default()
    }
}

pub(crate) fn inclusion(position: u64, min_size: u64) -> GetInclusionProofRequest {
    GetInclusionProofRequest { position, min_size }
}

pub(crate) fn consistency(from_size: u64, min_size: u64) -> GetConsistencyProofRequest {
    GetConsistencyProofRequest {
        from_size,
        min_size,
    }
}
