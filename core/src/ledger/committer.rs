//! The committer thread. It seals each group of commits, syncs the keys, writes and syncs the journal once,
//! publishes the documents and sends the receipts.

use std::sync::Arc;

use super::durable::DurableEnd;
use super::sealing::{Decided, Links, Sealed};
use super::waiting::{LONGEST_WAIT, SHORTEST_WAIT};
use super::{ExecuteError, Receipt};
use crate::derived::{Cursor, Doc, DocKey, Docs, Unsound};
use crate::journal::{AppendError, CommitLog};
use crate::seal::KeyStore;
use crate::turns::{Receiver, Sender};

pub(super) type Reply = (
    Box<dyn FnOnce(Result<Vec<Receipt>, ExecuteError>) + Send>,
    Result<Vec<Receipt>, ExecuteError>,
);

/// Commits that are written and synced together.
pub(super) struct Group {
    pub(super) number: u64,
    /// The derived state in which the group's documents are published.
    pub(super) shelf: Arc<Docs>,
    pub(super) commits: Vec<Decided>,
    pub(super) docs: Vec<(DocKey, Doc)>,
    pub(super) cursor: Cursor,
    pub(super) replies: Vec<Reply>,
}

/// What happened to a group.
pub(super) enum Done {
    /// The group is finished: it is durable and published, or had nothing to write, or the journal
    /// can no longer be written. The number names the group.
    With(u64),
    /// The group was not written, because its entries do not continue the journal. The commands
    /// were decided on a wrong state.
    Unsound(String),
    /// The group waits for room on the disk. It is not finished.
    Held,
}

/// Why a group is not written to the journal.
enum Refused {
    Unsound(Unsound),
    Failed(String),
}

/// Commits groups until the writer thread is gone.
pub(super) fn run(
    log: &dyn CommitLog,
    keys: &KeyStore,
    durable: &DurableEnd,
    groups: &Receiver<Group>,
    done: &Sender<Done>,
) {
    let mut links = Links::from(log.tail().position.next());
    while let Ok(mut group) = groups.recv() {
        let outcome = match durable.stopped() {
            Some(reason) => Err(Refused::Failed(reason.to_owned())),
            None if group.commits.is_empty() => Ok(None),
            None => append(log, keys, durable, &mut group, &mut links, done).map(Some),
        };
        let came_of_it = match outcome {
            Ok(appended) => {
                if let Some(cursor) = appended {
                    let position = cursor.position;
                    durable.note(&group.docs, position);
                    group.shelf.publish(group.docs, cursor);
                    durable.rise(position);
                }
                durable.counted.replies(&group.replies);
                for (reply, result) in group.replies {
                    reply(result);
                }
                Done::With(group.number)
            }
            Err(Refused::Unsound(unsound)) => {
                let reason = unsound.to_string();
                tracing::error!(
                    %reason,
                    "the commits do not continue the journal, so they are not written"
                );
                for (reply, _) in group.replies {
                    reply(Err(ExecuteError::NotReady(reason.clone())));
                }
                Done::Unsound(reason)
            }
            Err(Refused::Failed(reason)) => {
                // This is logged only once. Clients go on sending commands, and a log that grows
                // with them may be what fills the disk.
                if durable.stop(&reason) {
                    tracing::error!(
                        %reason,
                        "the journal cannot be written; commands are refused until the server is \
                        restarted"
                    );
                }
                for (reply, _) in group.replies {
                    reply(Err(ExecuteError::WriterStopped(reason.clone())));
                }
                Done::With(group.number)
            }
        };
        if done.send(came_of_it).is_err() {
            return;
        }
    }
}

/// Makes a group durable. Returns the cursor with the checksum of the last frame.
fn append(
    log: &dyn CommitLog,
    keys: &KeyStore,
    durable: &DurableEnd,
    group: &mut Group,
    links: &mut Links,
    done: &Sender<Done>,
) -> Result<Cursor, Refused> {
    let failed = |error: &dyn std::fmt::Display| Refused::Failed(error.to_string());
    // Keys are stored first: an event whose key is lost is lost itself (P1).
    keys.sync().map_err(|error| failed(&error))?;
    let tail = log.tail();
    let first = tail.position.next();
    let decided = std::mem::take(&mut group.commits);
    let sealed = Sealed::new(decided, first, links);
    let sealed =
        sealed.map_err(|(position, error)| Refused::Unsound(Unsound::Unsealed(position, error)))?;
    // Each entry must continue what the journal itself holds, however the command was decided.
    // Otherwise none of the group is written.
    let entries = sealed.commits.iter().flat_map(|commit| &commit.entries);
    let register = group.shelf.store().register();
    register
        .extend(first, entries, keys)
        .map_err(Refused::Unsound)?;
    let mut pause = SHORTEST_WAIT;
    let tail = loop {
        match log.append(&tail, &sealed.commits) {
            // Nothing was written, so the same may be tried until there is room.
            Err(error @ AppendError::NotYet { .. }) => {
                hold(durable, group, done, &error.to_string());
                if durable.pause(pause) {
                    return Err(failed(&error));
                }
                pause = (2 * pause).min(LONGEST_WAIT);
            }
            Err(error) => return Err(failed(&error)),
            Ok(tail) => break tail,
        }
    };
    if durable.let_on() {
        tracing::info!("there is room for the journal again; commands are accepted");
    }
    durable.counted.group(&sealed.commits);
    let mut cursor = group.cursor.clone();
    let frontier = group.shelf.cursor().frontier.clone();
    sealed.complete(&mut group.docs, &mut cursor, frontier);
    *links = sealed.links;
    cursor.commit = tail.commit;
    cursor.checksum = tail.checksum;
    if cursor.position == tail.position {
        Ok(cursor)
    } else {
        Err(Refused::Failed(format!(
            "the journal ends at {}, not at {}",
            tail.position, cursor.position
        )))
    }
}

/// Tells everybody that the group waits for room. Its commands stay decided, and are written before
/// anything else; those who sent them need not wait for that.
fn hold(durable: &DurableEnd, group: &mut Group, done: &Sender<Done>, reason: &str) {
    if !durable.hold(reason) {
        return;
    }
    // This is logged only once, because the log may be on the same disk.
    tracing::error!(
        %reason,
        "the journal has no room for its next segment; commands are refused until there is room"
    );
    // It fails only if the writer is gone.
    let _ = done.send(Done::Held);
    for (reply, _) in group.replies.drain(..) {
        reply(Err(ExecuteError::Waiting(reason.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span;

    use super::*;
    use crate::derived::testing;
    use crate::ids::{LedgerId, Position};
    use crate::journal::{FaultyDisk, MemoryLog};
    use crate::seal::{KeyStoreMode, KeyStoreOptions, MasterKey};
    use crate::time::Timestamp;
    use crate::turns::unbounded;

    /// Counts the errors that are logged.
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

    /// Clients go on sending after a failed write. With a line for each command, the log of a
    /// server on a full disk grew by five hundred lines a second.
    #[test]
    fn a_failed_write_is_logged_once_and_answered_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = LedgerId::from_bytes([1; 16]);
        let log = MemoryLog::new(ledger, Timestamp::from_nanos(1));
        let options = KeyStoreOptions {
            disk: Arc::new(FaultyDisk::new()),
            ledger,
            master: MasterKey::from_bytes([7; 32]),
            rescue: None,
            mode: KeyStoreMode::Create,
        };
        let keys = Arc::new(KeyStore::open(&options).unwrap());
        let store = testing::store(dir.path(), &options.master, ledger).unwrap();
        let cursor = Cursor::start(ledger);
        let docs = Arc::new(Docs::new(store, keys.clone(), cursor.clone(), || {}));
        let durable = DurableEnd::new(Position::ZERO);
        let (groups, committing) = unbounded();
        let (finished, done) = unbounded();
        let (refused, refusals) = crossbeam_channel::unbounded();
        for number in 0..3 {
            let refused = refused.clone();
            let reply = move |result: Result<Vec<Receipt>, ExecuteError>| {
                refused.send(result.unwrap_err()).unwrap();
            };
            let group = Group {
                number,
                shelf: docs.clone(),
                // A log accepts no commit without commands.
                commits: vec![Decided {
                    recorded_at: Timestamp::from_nanos(2),
                    commands: Vec::new(),
                    events: Vec::new(),
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
            run(&log, &keys, &durable, &committing, &finished);
        });
        assert_eq!(logged.load(Ordering::Relaxed), 1);
        let refusals: Vec<_> = refusals.try_iter().collect();
        assert_eq!(refusals.len(), 3);
        let stopped = |error| matches!(error, ExecuteError::WriterStopped(_));
        assert!(refusals.into_iter().all(stopped));
        assert_eq!(std::iter::from_fn(|| done.try_recv().ok()).count(), 3);
        assert!(durable.stopped().is_some());
    }
}
