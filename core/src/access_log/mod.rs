//! The access log: who has read the plans of which student (P7).
//!
//! It is a journal of its own beside the ledger's, of the same format: segments of frames, entries,
//! links, a Merkle tree. What was read is sealed under the student's key. `core/DESIGN.md` says what
//! is different.
//!
//! ```text
//! read ──► queue (bounded) ──► writer thread: seal, one write and one sync for a group ──► told
//! ```
//!
//! Whoever reads hands in a record before showing what was read. In the strict way it shows nothing
//! before it is told that the record is durable. Otherwise a crash can lose the records that were
//! handed in last: those that waited for their group, and the group that was being written.

mod error;
mod heads;
mod loss;
mod notary;
pub(crate) mod query;
mod queue;
mod record;
mod removal;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

pub use self::error::{AccessLogError, OpenError};
use self::heads::{FILE as HEADS, Heads};
pub use self::loss::{LossError, settle_loss};
pub use self::notary::{AccessNotary, verifier_of};
pub use self::query::{Records, Wanted};
use self::queue::Queue;
pub use self::queue::{Told, WAITING_BYTES, WAITING_READS};
pub use self::record::{Read, Recorded, Seen, Shown};
use self::writer::Writer;
use crate::disk::Disk;
use crate::domain::ledger::Loss;
use crate::hash::{Context, first};
use crate::ids::{KeyId, LedgerId, PersonId, Position};
use crate::journal::{CommitLog, SegmentLog, SegmentOptions};
use crate::ledger::directory::os_disk;
use crate::ledger::nonces::Nonces;
use crate::ledger::threads::spawn;
use crate::ledger::{self, Ledger};
use crate::seal::KeyScope;
use crate::time::Entropy;
use crate::turns::{self, JoinHandle};

/// How long the first read of a group waits for others, unless somebody waits for the sync. What was
/// answered within this time and the time of one write can be lost in a crash.
pub const LINGER: Duration = Duration::from_millis(5);
/// The folder of the access log in a ledger's directory.
pub const FOLDER: &str = "access";

static LOG_ID: Context = Context::new("planledger v1 2026-11-29 access log id");

/// The id that the journal of a ledger's access log has. It is another one than the ledger's, so that
/// no segment of one can be taken for one of the other.
pub fn log_id(ledger: LedgerId) -> LedgerId {
    let hash = LOG_ID.hash(ledger.as_bytes());
    LedgerId::from_uuid(uuid::Builder::from_random_bytes(first(&hash)).into_uuid())
}

/// The access log of a ledger, open for writing and reading.
pub struct AccessLog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    home: Arc<dyn Disk>,
    /// Holds the lock of the directory until the thread has ended.
    ledger: Ledger,
}

/// What the thread and the readers share.
struct Shared {
    log: Arc<dyn CommitLog>,
    /// The same, if it is in segment files, of which the first can be removed.
    segments: Option<Arc<SegmentLog>>,
    /// Whoever reads holds it, so that nothing is removed meanwhile.
    removing: RwLock<()>,
    carrying_out: Mutex<()>,
    queue: Queue,
    /// What is durable.
    heads: Mutex<Heads>,
    /// What is on record as lost, oldest first.
    losses: Vec<Loss>,
}

impl AccessLog {
    /// Opens the access log in a ledger's directory, or makes one there.
    ///
    /// # Errors
    /// [`OpenError`] when it is damaged, does not belong to the ledger, or the disk fails.
    pub fn open(ledger: Ledger, dir: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        let folder = dir.join(FOLDER);
        let home: Arc<dyn Disk> = os_disk(&folder)?;
        let id = log_id(ledger.log().ledger_id());
        let kept = kept(&ledger, &*home, id);
        let options = SegmentOptions {
            durable: kept.as_ref().map(|heads| heads.hint(id)),
            removable: true,
            ..SegmentOptions::default()
        };
        let disk = os_disk(&folder.join("journal"))?;
        let log = match SegmentLog::open(disk.clone(), options) {
            Err(crate::journal::OpenError::Empty) => {
                SegmentLog::create(disk, id, ledger.now(), options)?
            }
            other => other?,
        };
        let log = Arc::new(log);
        Self::assemble(ledger, (log.clone(), Some(log)), home, entropy)
    }

    /// Opens an access log whose journal is kept by another engine. `home` keeps what is derived.
    ///
    /// # Errors
    /// [`OpenError`], as for [`AccessLog::open`].
    pub fn open_on(
        ledger: Ledger,
        log: Arc<dyn CommitLog>,
        home: Arc<dyn Disk>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        Self::assemble(ledger, (log, None), home, entropy)
    }

    fn assemble(
        ledger: Ledger,
        (log, segments): (Arc<dyn CommitLog>, Option<Arc<SegmentLog>>),
        home: Arc<dyn Disk>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let expected = log_id(ledger.log().ledger_id());
        let found = log.ledger_id();
        if found != expected {
            return Err(OpenError::Foreign { found, expected });
        }
        tell_if_lost(&ledger, log.tail().position)?;
        let losses = crate::notary::lost_reads(&ledger)?;
        let removed = match &segments {
            Some(segments) => removal::finish(&ledger, segments, &losses)?,
            None => Position::ZERO,
        };
        let kept = match kept(&ledger, &*home, found) {
            Some(kept) if kept.are_of(&*log)? => Some(kept),
            Some(_) | None => None,
        };
        let kept_at = kept.as_ref().map(|kept| kept.tail.position);
        let mut heads = kept.unwrap_or_else(Heads::empty);
        heads.catch_up(&*log)?;
        if heads.forget(removed) {
            HEADS
                .remove(&*home)
                .map_err(|source| ledger::OpenError::Io {
                    path: Path::new(FOLDER).join(HEADS.name),
                    source,
                })?;
        }
        let shared = Arc::new(Shared {
            log,
            segments,
            removing: RwLock::default(),
            carrying_out: Mutex::default(),
            queue: Queue::new(LINGER),
            heads: Mutex::new(heads),
            losses,
        });
        let writer = Writer {
            shared: shared.clone(),
            keys: ledger.keys().clone(),
            clock: ledger.clock().clone(),
            nonces: Nonces::new(entropy.clone()),
            entropy,
            home: home.clone(),
            kept_at: kept_at.unwrap_or_default(),
        };
        let thread = spawn("access-log", move || writer.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
            home,
            ledger,
        })
    }

    /// Hands in what one request has read. `told` is called once, from another thread, when it is
    /// durable or cannot become so. While the queue is full this waits, for some seconds at most.
    ///
    /// # Errors
    /// [`AccessLogError`]. Nothing of it is recorded then, and `told` is never called.
    pub fn hand_in(&self, reads: Vec<Read>, told: Option<Told>) -> Result<(), AccessLogError> {
        self.shared.queue.put(reads, told)
    }

    /// Waits until everything that was handed in before is durable.
    ///
    /// # Errors
    /// [`AccessLogError`] when that cannot be any more.
    pub fn settle(&self) -> Result<(), AccessLogError> {
        let (told, answer) = turns::bounded(1);
        let told = move |result| {
            // Sending fails only if the thread that waited is gone.
            let _ = told.send(result);
        };
        self.hand_in(Vec::new(), Some(Box::new(told)))?;
        answer.recv().unwrap_or(Err(AccessLogError::Closed))
    }

    /// The last durable record, which is the number of records.
    pub fn position(&self) -> Position {
        self.shared.log.tail().position
    }

    /// Of how many students there are records.
    pub fn students(&self) -> usize {
        self.shared.heads.lock().by_student.len()
    }

    /// Why nothing can be recorded any more; `None` while it can.
    pub fn failed(&self) -> Option<AccessLogError> {
        self.shared.queue.failed()
    }

    /// The student whose key this is, so that a page of events can be recorded without looking at every
    /// plan; `None` for a key of nobody.
    pub fn student_of(&self, key: KeyId) -> Option<PersonId> {
        match self.ledger.keys().scope_of(key)? {
            KeyScope::Person(student) => Some(student),
            KeyScope::Institution(_) | KeyScope::Ledger => None,
        }
    }
}

impl Drop for AccessLog {
    /// Records what waits, then stops the thread.
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the access log panicked");
        }
    }
}

/// Says in the log if the access log has fewer records than the ledger has on record. Reads are recorded
/// all the same: `ledger verify` reports the loss from then on.
fn tell_if_lost(ledger: &Ledger, there: Position) -> Result<(), OpenError> {
    let noted = crate::notary::noted_reads(ledger)?;
    if let Some(noted) = noted.filter(|noted| noted.records > there) {
        tracing::error!(
            records = there.get(),
            recorded = noted.records.get(),
            "records of the access log are lost: the ledger has on record that there were more"
        );
    }
    Ok(())
}

/// The heads that were kept when the access log was last closed.
fn kept(ledger: &Ledger, home: &dyn Disk, id: LedgerId) -> Option<Heads> {
    let key = ledger.keys().active(KeyScope::Ledger)?;
    Heads::load(home, id, &key)
}
