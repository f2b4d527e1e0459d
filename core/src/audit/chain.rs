//! The rules that hold from event to event, whoever checks them: order, revisions, links, back
//! pointers, keys.

use std::collections::HashMap;

use super::fault::{Fault, FaultKind};
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{KeyId, Position, Revision, StreamId, StreamKind};
use crate::time::Timestamp;

/// Where streams are while events are checked in order of position.
#[derive(Default)]
pub(crate) struct Chains {
    streams: HashMap<StreamId, Place>,
    last: Option<(Position, Timestamp)>,
    /// The first position of a part of the journal: streams may have begun before it.
    from: Option<Position>,
}

/// Where a stream is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) position: Position,
    pub(crate) revision: Revision,
    pub(crate) link: Hash32,
    pub(crate) key: KeyId,
}

impl Chains {
    /// For a part of the journal that begins at a position.
    pub(crate) fn part(from: Position) -> Self {
        Self {
            from: Some(from),
            ..Self::default()
        }
    }

    /// The streams that were seen.
    pub(crate) fn streams(&self) -> &HashMap<StreamId, Place> {
        &self.streams
    }

    /// Checks that an event follows what was before it.
    pub(crate) fn check(
        &mut self,
        position: Position,
        back: Position,
        entry: &Entry,
        link: Hash32,
    ) -> Result<(), Fault> {
        let followed = self.follow(position, back, entry, link);
        followed.map_err(|broken| broken.fault)
    }

    /// The same. What breaks off a stream, but not the order of all events, may be accepted by who
    /// knows more; the stream goes on from it.
    pub(crate) fn follow(
        &mut self,
        position: Position,
        back: Position,
        entry: &Entry,
        link: Hash32,
    ) -> Result<(), Broken> {
        self.check_order(position, entry)?;
        let now = Place {
            position,
            revision: entry.revision,
            link,
            key: entry.key,
        };
        let before = self.streams.insert(entry.stream, now);
        if before.is_none()
            && self
                .from
                .is_some_and(|from| back != Position::ZERO && back < from)
        {
            // Its beginning is not in this part.
            return Ok(());
        }
        let start = Place {
            position: Position::ZERO,
            revision: Revision::ZERO,
            link: [0; 32],
            key: entry.key,
        };
        let place = before.unwrap_or(start);
        match continues(position, back, entry, &place) {
            Ok(()) => Ok(check_key(position, entry, &place)?),
            Err(fault) => {
                let before = before.filter(|place| check_key(position, entry, place).is_ok());
                Err(Broken { fault, before })
            }
        }
    }

    fn check_order(&mut self, position: Position, entry: &Entry) -> Result<(), Fault> {
        let fault = |kind, what: String| Err(Fault::new(position, kind, what));
        if let Some((before, instant)) = self.last {
            if position <= before {
                return fault(
                    FaultKind::Order,
                    format!("it comes after position {before}"),
                );
            }
            if entry.recorded_at <= instant {
                let what = format!("it is not recorded later than the event at {before}");
                return fault(FaultKind::Time, what);
            }
        }
        self.last = Some((position, entry.recorded_at));
        Ok(())
    }
}

/// An event that does not follow what was before it.
pub(crate) struct Broken {
    pub(crate) fault: Fault,
    /// The event of its stream that it should have followed, if that is all that is wrong.
    pub(crate) before: Option<Place>,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            before: None,
        }
    }
}

/// Checks that an event goes on from one of its stream.
pub(crate) fn continues(
    position: Position,
    back: Position,
    entry: &Entry,
    before: &Place,
) -> Result<(), Fault> {
    let fault = |kind, what: String| Err(Fault::new(position, kind, what));
    if entry.revision != before.revision.next() {
        let expected = before.revision.next();
        let what = format!(
            "{} goes on with revision {}, not {expected}: events are missing or doubled",
            entry.stream, entry.revision
        );
        return fault(FaultKind::Revision, what);
    }
    if entry.previous_link != before.link {
        let what = format!(
            "it does not link to the event of {} at {}",
            entry.stream, before.position
        );
        return fault(FaultKind::Link, what);
    }
    if back != before.position {
        let what = format!("it points back to {back}, not to {}", before.position);
        return fault(FaultKind::Back, what);
    }
    Ok(())
}

/// A person's key is never replaced.
fn check_key(position: Position, entry: &Entry, before: &Place) -> Result<(), Fault> {
    let personal = matches!(entry.stream.kind, StreamKind::Person | StreamKind::Plan);
    match personal && entry.key != before.key {
        true => {
            let what = "it is sealed under another key than the stream's events before it";
            Err(Fault::new(position, FaultKind::Key, what))
        }
        false => Ok(()),
    }
}
