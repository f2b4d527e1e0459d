//! Who looks at something, and as of when.

use planledger_core::domain::view::Viewer;
use planledger_core::ids::Position;
use planledger_core::time::Timestamp;

use crate::wire::fields::{Fields, ViolationReason};
use crate::wire::instant::read_timestamp;
use crate::wire::proto;

/// A moment in the history of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Just after the event at this position.
    Position(Position),
    /// Just after the last event up to and including this instant.
    Instant(Timestamp),
}

impl AsOf {
    /// The day in Copenhagen of an instant. A position has the day of its event.
    pub fn day(self) -> Option<jiff::civil::Date> {
        match self {
            Self::Position(_) => None,
            Self::Instant(instant) => Some(instant.day_in_denmark()),
        }
    }
}

/// A request to view one thing, such as a plan or all plans of a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<Id> {
    /// The id of what to view, such as a plan or student.
    pub id: Id,
    /// The viewer: staff, the student, guardians or others.
    pub viewer: Viewer,
    /// The past moment to show; the present if `None`.
    pub at: Option<AsOf>,
}

pub(super) fn read_view<Id>(
    fields: &mut Fields,
    id: Option<Id>,
    viewer: i32,
    at: Option<proto::AsOf>,
) -> Option<View<Id>> {
    let viewer = fields.choice("viewer", viewer);
    let at = fields.optional(at, |fields, at| {
        fields.within("at", |fields| read_as_of(fields, at))
    });
    Some(View {
        id: id?,
        viewer: viewer?,
        at: at?,
    })
}

pub(in crate::wire) fn read_as_of(fields: &mut Fields, at: proto::AsOf) -> Option<AsOf> {
    match at.moment {
        Some(proto::as_of::Moment::Position(position)) => {
            Some(AsOf::Position(Position::new(position)))
        }
        Some(proto::as_of::Moment::Instant(instant)) => {
            let instant = read_timestamp(instant);
            if instant.is_none() {
                fields.violate(
                    "instant",
                    ViolationReason::OutOfRange,
                    "must be an instant from 1970 to 2554",
                );
            }
            instant.map(AsOf::Instant)
        }
        None => fields.missing("moment"),
    }
}
