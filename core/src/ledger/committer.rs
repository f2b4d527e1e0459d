//! The committer thread: keys, then one write and one sync, then everything that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::{Condvar, Mutex, RwLock};

use super::{ExecuteError, Receipt};
use crate::derived::{Cursor, Doc, DocKey, Docs};
use crate::ids::Position;
use crate::journal::{Commit, CommitLog};
use crate::seal::KeyStore;
use crate::time::Timestamp;

/// How far the journal is durable, and who wants to know.
pub(super) struct Tide {
    position: Mutex<Position>,
    risen: Condvar,
    writable: AtomicBool,
    answered: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
}

type Listener = Box<dyn Fn(Position) + Send + Sync>;

impl Tide {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position: Mutex::new(position),
            risen: Condvar::new(),
            writable: AtomicBool::new(true),
            answered: AtomicU64::new(0),
            listeners: RwLock::default(),
        }
    }

    pub(super) fn position(&self) -> Position {
        *self.position.lock()
    }

    pub(super) fn wait_for(&self, position: Position, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut now = self.position.lock();
        while *now < position {
            if self.risen.wait_until(&mut now, until).timed_out() {
                return *now >= position;
            }
        }
        true
    }

    pub(super) fn subscribe(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    fn rise(&self, position: Position) {
        *self.position.lock() = position;
        self.risen.notify_all();
        for listener in self.listeners.read().iter() {
            listener(position);
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// From now on nothing is recorded at this instant or before: somebody is told what was (P4).
    pub(super) fn answer_for(&self, instant: Timestamp) {
        self.answered.fetch_max(instant.nanos(), Ordering::AcqRel);
    }

    /// The latest instant that somebody was told about.
    pub(super) fn answered(&self) -> Timestamp {
        Timestamp::from_nanos(self.answered.load(Ordering::Acquire))
    }

    /// For good: after a failed write or sync nobody knows what is on the disk (P2).
    fn close_for_writing(&self) {
        self.writable.store(false, Ordering::Release);
    }
}

pub(super) type Reply = (
    Box<dyn FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send>,
    Result<Vec<Receipt>, ExecuteError>,
);

/// Commits that become durable together.
pub(super) struct Group {
    pub(super) number: u64,
    pub(super) commits: Vec<Commit>,
    pub(super) docs: Vec<(DocKey, Doc)>,
    pub(super) cursor: Cursor,
    pub(super) replies: Vec<Reply>,
}

/// Runs until the writer is gone.
pub(super) fn run(
    log: &dyn CommitLog,
    keys: &KeyStore,
    docs: &Arc<Docs>,
    tide: &Tide,
    groups: &Receiver<Group>,
    done: &Sender<u64>,
) {
    for group in groups {
        let outcome = match group.commits.is_empty() {
            _ if !tide.is_writable() => Err("an earlier write failed".to_owned()),
            true => Ok(None),
            false => append(log, keys, &group).map(Some),
        };
        match outcome {
            Ok(appended) => {
                if let Some(cursor) = appended {
                    let position = cursor.position;
                    docs.publish(group.docs, cursor);
                    tide.rise(position);
                }
                for (reply, result) in group.replies {
                    reply(result);
                }
            }
            Err(reason) => {
                tide.close_for_writing();
                tracing::error!(%reason, "the journal cannot be written; no more commands are taken");
                for (reply, _) in group.replies {
                    reply(Err(ExecuteError::Unavailable(reason.clone())));
                }
            }
        }
        if done.send(group.number).is_err() {
            return;
        }
    }
}

/// Makes a group durable; gives the cursor with the last frame's checksum.
fn append(log: &dyn CommitLog, keys: &KeyStore, group: &Group) -> Result<Cursor, String> {
    // Keys first: an event whose key is lost is lost (P1).
    keys.sync().map_err(|error| error.to_string())?;
    let tail = log
        .append(&log.tail(), &group.commits)
        .map_err(|error| error.to_string())?;
    let mut cursor = group.cursor.clone();
    cursor.commit = tail.commit;
    cursor.checksum = tail.checksum;
    if cursor.position == tail.position {
        Ok(cursor)
    } else {
        Err(format!(
            "the journal is at {}, not at {}",
            tail.position, cursor.position
        ))
    }
}
