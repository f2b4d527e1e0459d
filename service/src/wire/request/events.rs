//! Requests about events.

use planledger_core::domain::EventType;
use planledger_core::ledger::EventFilter;

use crate::wire::errors::Failure;
use crate::wire::fields::{Fields, ViolationReason};
use crate::wire::proto;

/// Most streams that an event filter may name.
const MAX_STREAMS: usize = 1_000;
/// Most event types that an event filter may name.
const MAX_TYPES: usize = 100;

/// Reads the filter of `ReadEvents` and `FollowEvents`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn event_filter(filter: Option<proto::EventFilter>) -> Result<EventFilter, Failure> {
    let Some(filter) = filter else {
        return Ok(EventFilter::default());
    };
    Ok(Fields::read(|fields| {
        fields.within("filter", |fields| read_event_filter(fields, filter))
    })?)
}

fn read_event_filter(fields: &mut Fields, filter: proto::EventFilter) -> Option<EventFilter> {
    let few = fields.at_most("streams", filter.streams.len(), MAX_STREAMS);
    let streams = few.and_then(|()| {
        fields.list("streams", filter.streams, |fields, stream| {
            fields.id("", &stream)
        })
    });
    let few = fields.at_most("types", filter.types.len(), MAX_TYPES);
    let types = few.and_then(|()| {
        fields.list("types", filter.types, |fields, name| {
            let known = EventType::from_name(&name);
            if known.is_none() {
                let description = "is an event type that this server does not know";
                fields.violate("", ViolationReason::UnknownEnum, description);
            }
            known.map(|event_type| event_type.code)
        })
    });
    let student = fields.optional_id("student_id", filter.student_id.as_deref());
    Some(EventFilter {
        streams: streams?,
        types: types?,
        student: student?,
    })
}
