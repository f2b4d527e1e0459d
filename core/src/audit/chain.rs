//! The rules that every event must keep towards the events before it: order, revisions, links, back
//! pointers and keys. Every check of the journal or of a bundle uses them.

use std::collections::HashMap;

use super::fault::{Fault, FaultKind};
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{KeyId, Position, Revision, StreamId, StreamKind};
use crate::time::Timestamp;

/// How far each stream has come, while events are checked in order of position.
#[derive(Default)]
pub(crate) struct Chains {
    streams: HashMap<StreamId, StreamPlace>,
    last: Option<(Position, Timestamp)>,
    /// Where the checked part of the journal begins. Streams may have begun before it. `None` if
    /// the check begins with the first event.
    from: Option<Position>,
}

/// The last event of a stream so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamPlace {
    pub(crate) position: Position,
    pub(crate) revision: Revision,
    pub(crate) link: Hash32,
    pub(crate) key: KeyId,
}

impl Chains {
    /// Starts a check in the middle of the journal, at position `from`.
    pub(crate) fn part(from: Position) -> Self {
        Self {
            from: Some(from),
            ..Self::default()
        }
    }

    /// Every stream that had an event, with its last event.
    pub(crate) fn streams(&self) -> &HashMap<StreamId, StreamPlace> {
        &self.streams
    }

    /// Checks that an event follows the events before it.
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

    /// Does what [`Chains::check`] does, but the error says more about the break. If the event breaks its
    /// stream but not the order of all events, a caller who knows more may accept it. The stream
    /// then goes on from this event.
    pub(crate) fn follow(
        &mut self,
        position: Position,
        back: Position,
        entry: &Entry,
        link: Hash32,
    ) -> Result<(), Broken> {
        self.check_order(position, entry)?;
        let now = StreamPlace {
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
            // The stream began before this part, so there is nothing to compare with.
            return Ok(());
        }
        let start = StreamPlace {
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
                    format!(
                        "it stands after the event at position {before}, whose position is not \
                        smaller"
                    ),
                );
            }
            if entry.recorded_at <= instant {
                let what = format!(
                    "its recorded time is not later than that of the event at position {before}"
                );
                return fault(FaultKind::Time, what);
            }
        }
        self.last = Some((position, entry.recorded_at));
        Ok(())
    }
}

/// An event that does not follow the events before it.
pub(crate) struct Broken {
    pub(crate) fault: Fault,
    /// The event of the stream that it should have followed. `None` if there is no such event, or
    /// if the key is wrong as well.
    pub(crate) before: Option<StreamPlace>,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            before: None,
        }
    }
}

/// Checks that an event follows a given event of its stream.
pub(crate) fn continues(
    position: Position,
    back: Position,
    entry: &Entry,
    before: &StreamPlace,
) -> Result<(), Fault> {
    let fault = |kind, what: String| Err(Fault::new(position, kind, what));
    if entry.revision != before.revision.next() {
        let expected = before.revision.next();
        let what = format!(
            "{} continues with revision {}, not {expected}: events are missing or occur twice",
            entry.stream, entry.revision
        );
        return fault(FaultKind::Revision, what);
    }
    if entry.previous_link != before.link {
        let what = format!(
            "it does not link to the previous event of {}, at position {}",
            entry.stream, before.position
        );
        return fault(FaultKind::Link, what);
    }
    if back != before.position {
        let what = format!(
            "it points back to position {back}, not to position {}",
            before.position
        );
        return fault(FaultKind::Back, what);
    }
    Ok(())
}

/// Checks that the key has not changed: the key of a person is never replaced.
fn check_key(position: Position, entry: &Entry, before: &StreamPlace) -> Result<(), Fault> {
    let personal = matches!(entry.stream.kind, StreamKind::Person | StreamKind::Plan);
    match personal && entry.key != before.key {
        true => {
            let what = "it is sealed under another key than the earlier events of its stream";
            Err(Fault::new(position, FaultKind::Key, what))
        }
        false => Ok(()),
    }
}
