//! The rules that every event must keep towards the events before it: order, revisions, links, back
//! pointers and keys. Every check of the journal, of a bundle or of a log's entries uses them.

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
            Ok(()) => Ok(keeps_key(position, entry, place.key)?),
            Err(fault) => {
                let keeps = |place: &StreamPlace| keeps_key(position, entry, place.key).is_ok();
                let before = before.filter(keeps);
                Err(Broken { fault, before })
            }
        }
    }

    fn check_order(&mut self, position: Position, entry: &Entry) -> Result<(), Fault> {
        is_in_order(position, entry.recorded_at, self.last)?;
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

/// Checks that an event stands after the event before it, and was recorded later. `before` is the
/// position and the recorded time of that one, `None` if there is none.
pub(crate) fn is_in_order(
    position: Position,
    recorded_at: Timestamp,
    before: Option<(Position, Timestamp)>,
) -> Result<(), Fault> {
    let fault = |kind, what: String| Err(Fault::new(position, kind, what));
    let Some((before, instant)) = before else {
        return Ok(());
    };
    if position <= before {
        let what = format!(
            "it stands after the event at position {before}, whose position is not smaller"
        );
        return fault(FaultKind::Order, what);
    }
    if recorded_at <= instant {
        let what =
            format!("its recorded time is not later than that of the event at position {before}");
        return fault(FaultKind::Time, what);
    }
    Ok(())
}

/// Checks that an event follows a given event of its stream, and points back to it.
pub(crate) fn continues(
    position: Position,
    back: Position,
    entry: &Entry,
    before: &StreamPlace,
) -> Result<(), Fault> {
    follows(position, entry, before.revision, &before.link)?;
    if back != before.position {
        let what = format!(
            "it points back to position {back}, not to position {}",
            before.position
        );
        return Err(Fault::new(position, FaultKind::Back, what));
    }
    Ok(())
}

/// Checks that an event follows the event of its stream that has this revision and link. The first
/// event of a stream follows revision 0 with a link of zeros.
pub(crate) fn follows(
    position: Position,
    entry: &Entry,
    revision: Revision,
    link: &Hash32,
) -> Result<(), Fault> {
    let fault = |kind, what: String| Err(Fault::new(position, kind, what));
    if entry.revision != revision.next() {
        let expected = revision.next();
        let what = format!(
            "{} continues with revision {}, not {expected}: events are missing or occur twice",
            entry.stream, entry.revision
        );
        return fault(FaultKind::Revision, what);
    }
    if entry.previous_link != *link {
        let what = format!(
            "it does not link to the previous event of {}, revision {revision}",
            entry.stream
        );
        return fault(FaultKind::Link, what);
    }
    Ok(())
}

/// Checks that an event has the key of the earlier events of its stream: the key of a person is never
/// replaced.
pub(crate) fn keeps_key(position: Position, entry: &Entry, key: KeyId) -> Result<(), Fault> {
    let personal = matches!(entry.stream.kind, StreamKind::Person | StreamKind::Plan);
    match personal && entry.key != key {
        true => {
            let what = "it is sealed under another key than the earlier events of its stream";
            Err(Fault::new(position, FaultKind::Key, what))
        }
        false => Ok(()),
    }
}
