//! Reads the journal and opens its events on a thread of its own, ahead of whoever folds them. To check,
//! decrypt and parse an event takes longer than to fold it. The events come in the order of the journal.

use std::thread;

use super::opener::Opener;
use super::sealer::read_entry;
use super::stream_fold::Record;
use super::{OpenError, ReadError};
use crate::domain::Event;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, Position};
use crate::journal::{CommandRecord, Frame, Tail};
use crate::time::Timestamp;
use crate::turns::{self, Receiver, Sender, bounded};

/// How many events are handed over together at least, unless the journal ends: so many that waking the
/// other thread costs little.
const TOGETHER: usize = 256;
/// How often so many may wait to be folded, or one frame of more. This bounds memory.
const WAITING: usize = 2;

/// A frame of the journal whose events are opened.
pub(super) struct OpenedFrame {
    /// When its commit was recorded.
    pub(super) recorded_at: Timestamp,
    /// Where the journal ends after it.
    pub(super) tail: Tail,
    pub(super) commands: Vec<CommandRecord>,
    /// The events of all its commands, in order.
    pub(super) events: Vec<OpenedEvent>,
}

/// An event of the journal.
pub(super) struct OpenedEvent {
    pub(super) position: Position,
    pub(super) entry: Entry,
    /// `None` if nothing of it can be read.
    pub(super) event: Option<Event>,
    pub(super) link: Hash32,
    /// The position of the stream's event before it, as the entry's record says.
    pub(super) back: Position,
    pub(super) leaf: Hash32,
}

type Frames = Result<Vec<OpenedFrame>, OpenError>;

/// Gives the frames from `from` up to `to`, one after the other, to `take`.
///
/// # Errors
/// The first error in the order of the journal: of reading, of opening, or of `take`.
pub(super) fn for_each_frame(
    opener: &Opener<'_>,
    from: CommitSeq,
    to: CommitSeq,
    mut take: impl FnMut(OpenedFrame) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    thread::scope(|scope| {
        let (sender, receiver): (Sender<Frames>, Receiver<Frames>) = bounded(WAITING);
        let open = move || open_all(opener, from, to, &sender);
        let opened = turns::spawn_scoped(scope, "ledger-opener", open);
        let _end = opened.map_err(|source| OpenError::Io {
            path: "opener".into(),
            source,
        })?;
        // When this returns early, the receiver is dropped, and the other thread ends by that.
        for frames in receiver.each() {
            for frame in frames? {
                take(frame)?;
            }
        }
        Ok(())
    })
}

fn open_all(opener: &Opener<'_>, from: CommitSeq, to: CommitSeq, sender: &Sender<Frames>) {
    let mut frames = Vec::new();
    let mut events = 0;
    for frame in opener.log.read_commits_sealed(from) {
        let opened = frame
            .map_err(|error| ReadError::from(error).into())
            .and_then(|frame| open(opener, &frame));
        let is_last = match opened {
            Ok(frame) => {
                events += frame.events.len().max(1);
                let is_last = frame.tail.commit >= to;
                frames.push(frame);
                is_last
            }
            Err(error) => {
                // What comes before it is folded first, as if all were done by one thread.
                let _ = sender.send(Ok(frames));
                let _ = sender.send(Err(error));
                return;
            }
        };
        if events >= TOGETHER || is_last {
            events = 0;
            // Sending fails when nobody wants more.
            if sender.send(Ok(std::mem::take(&mut frames))).is_err() || is_last {
                return;
            }
        }
    }
    let _ = sender.send(Ok(frames));
}

fn open(opener: &Opener<'_>, frame: &Frame) -> Result<OpenedFrame, OpenError> {
    let events = frame.entries().map(|record| {
        let entry = read_entry(record.position, record.entry)?;
        let of_journal = Record {
            position: record.position,
            entry: &entry,
            bytes: record.entry,
            sealed: Some(record.sealed),
        };
        let (event, link) = opener.event(&of_journal)?;
        Ok(OpenedEvent {
            position: record.position,
            entry,
            event,
            link,
            back: record.back,
            leaf: *record.leaf,
        })
    });
    let events: Result<_, ReadError> = events.collect();
    Ok(OpenedFrame {
        recorded_at: frame.header().recorded_at,
        tail: Tail::at(frame),
        commands: frame.commands().collect(),
        events: events?,
    })
}
