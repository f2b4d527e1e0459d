//! The committer thread: keys, then one write and one sync, then everything that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::{Condvar, Mutex, RwLock};

use super::{ExecuteError, Receipt};
use crate::derived::{Cursor, Doc, DocKey, Docs};
use crate::ids::Position;
use crate::journal::{Commit, CommitLog};
use crate::seal::KeyStore;

/// How far the journal is durable, and who wants to know.
pub(super) struct Tide {
    position: Mutex<Position>,
    risen: Condvar,
    writable: AtomicBool,
    listeners: RwLock<Vec<Listener>>,
}

type Listener = Box<dyn Fn(Position) + Send + Sync>;

impl Tide {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position: Mutex::new(position),
            risen: Condvar::new(),
            writable: AtomicBool::new(true),
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

    /// For good: after a failed write or sync nobody knows what is on the disk (P2). Says whether
    /// it was open.
    fn close_for_writing(&self) -> bool {
        self.writable.swap(false, Ordering::AcqRel)
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
                // Said once: clients go on sending, and a log that grows with them may be what
                // fills the disk.
                if tide.close_for_writing() {
                    tracing::error!(
                        %reason,
                        "the journal cannot be written; no more commands are taken until a restart"
                    );
                }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tracing::span;

    use super::*;
    use crate::derived::Store;
    use crate::ids::LedgerId;
    use crate::journal::{FaultyDisk, MemoryLog};
    use crate::seal::{KeyStoreMode, KeyStoreOptions, MasterKey};
    use crate::time::Timestamp;

    /// Counts errors that are logged.
    struct Counting(Arc<AtomicUsize>);

    impl tracing::Subscriber for Counting {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::ERROR
        }

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    /// Clients go on sending after a failed write; with a line for each of them the log of a server
    /// on a full disk grew by five hundred lines a second.
    #[test]
    fn a_failed_write_is_logged_once_and_answered_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = LedgerId::from_bytes([1; 16]);
        let log = MemoryLog::new(ledger, Timestamp::from_nanos(1));
        let options = KeyStoreOptions {
            disk: Arc::new(FaultyDisk::new()),
            ledger,
            master: MasterKey::from_bytes([7; 32]),
            recovery: None,
            mode: KeyStoreMode::Create,
        };
        let keys = Arc::new(KeyStore::open(&options).unwrap());
        let store = Store::open(&dir.path().join("derived")).unwrap();
        let cursor = Cursor::start(ledger);
        let docs = Arc::new(Docs::new(store, keys.clone(), cursor.clone()));
        let tide = Tide::new(Position::ZERO);
        let (groups, committing) = crossbeam_channel::unbounded();
        let (finished, done) = crossbeam_channel::unbounded();
        let (refused, refusals) = crossbeam_channel::unbounded();
        for number in 0..3 {
            let refused = refused.clone();
            let reply = move |result: Result<Vec<Receipt>, ExecuteError>| {
                refused.send(result.unwrap_err()).unwrap();
            };
            let group = Group {
                number,
                // No log takes a commit without commands.
                commits: vec![Commit {
                    recorded_at: Timestamp::from_nanos(2),
                    commands: Vec::new(),
                    entries: Vec::new(),
                }],
                docs: Vec::new(),
                cursor: cursor.clone(),
                replies: vec![(Box::new(reply), Ok(Vec::new()))],
            };
            groups.send(group).unwrap();
        }
        drop(groups);
        let logged = Arc::new(AtomicUsize::new(0));
        tracing::subscriber::with_default(Counting(logged.clone()), || {
            run(&log, &keys, &docs, &tide, &committing, &finished);
        });
        assert_eq!(logged.load(Ordering::Relaxed), 1);
        let refusals: Vec<_> = refusals.try_iter().collect();
        assert_eq!(refusals.len(), 3);
        let unavailable = |error| matches!(error, ExecuteError::Unavailable(_));
        assert!(refusals.into_iter().all(unavailable));
        assert_eq!(done.try_iter().count(), 3);
        assert!(!tide.is_writable());
    }
}
