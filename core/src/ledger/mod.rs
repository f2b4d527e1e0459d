//! The ledger: the engine that decides commands, makes them durable and answers reads.
//!
//! ```text
//! execute ──► writer thread ───► committer thread ─────────────► projector thread
//!             decide,            seal, keys synced, one write and  documents to files,
//!             collect a group    one fdatasync, publish, receipts  behind everything
//! ```
//!
//! One thread decides, so every command sees all commands before it. While one group is being
//! sealed and written to disk, the next group is collected. Readers see only published documents, so nothing
//! is shown that is not durable (P2).

mod acts;
mod ahead;
mod carrying_out;
pub(crate) mod catching_up;
mod committer;
mod departures;
pub(crate) mod deriving;
pub(crate) mod directory;
mod durable;
mod earlier;
mod envelope;
mod erasing;
mod error;
mod figures;
pub(crate) mod fold;
pub(crate) mod history;
mod keys;
pub mod limits;
pub(crate) mod lost;
mod making_again;
pub(crate) mod nonces;
mod open;
mod opened_ahead;
pub(crate) mod opener;
mod origin;
mod overview;
mod own;
mod ownerless;
mod past;
mod preview;
mod query;
mod restoring;
pub(crate) mod sealer;
mod sealing;
mod still_due;
pub(crate) mod stream_fold;
#[cfg(test)]
mod tests;
pub(crate) mod threads;
pub(crate) mod waiting;
mod window;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::TrySendError;
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;

pub(crate) use self::acts::{check_acts, note_acts, noted_acts};
use self::deriving::Deriving;
use self::durable::DurableEnd;
pub use self::envelope::{Envelope, Receipt, Request};
pub use self::erasing::{Affected, Undone};
pub use self::error::{EngineFault, ErasureError, ExecuteError, OpenError, ReadError};
pub use self::figures::Figures;
pub(crate) use self::history::event;
pub use self::history::{EventFilter, Events, Found, Passed, Payload, RecordedEvent};
pub use self::keys::{keys_summary, rewrap_keys};
pub use self::open::rebuild;
pub(crate) use self::open::{RESTORING, open_restored};
pub(crate) use self::own::{OwnCommand, OwnId};
pub use self::preview::{Foreseen, ForeseenLeaver, Preview, PreviewError};
pub use self::query::Reading;
pub use self::stream_fold::StreamFold;
use self::waiting::Waiting;
pub use crate::derived::Break;
use crate::derived::{Docs, Store, StoreError};
use crate::domain::ledger::forks_stream;
use crate::domain::{Actor, Aggregate};
use crate::entry::EntryBytes;
use crate::hash::Hash32;
use crate::ids::{CommitSeq, LedgerId, Position, StreamId};
use crate::journal::CommitLog;
use crate::seal::{EventKey, KeyStore, MasterKey, RescueKey};
use crate::tally::Tally;
use crate::time::{Clock, Entropy, Timestamp};
use crate::turns::{self, JoinHandle, Sender};

/// How long a thread that writes to sled may take to end.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a read waits while derived state is made again.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How to open a ledger.
pub struct Options {
    /// The directory of the ledger; it is made if it does not exist.
    pub dir: PathBuf,
    /// The key that wraps all others.
    pub master: MasterKey,
    /// For a new ledger: the public key for which all keys are also wrapped, so that they can be
    /// restored if the master key is lost.
    pub rescue: Option<RescueKey>,
    /// Gives the instants at which events are recorded.
    pub clock: Arc<dyn Clock>,
    /// Gives the random bytes for keys, nonces and ids.
    pub entropy: Arc<dyn Entropy>,
    /// Called now and then while derived state catches up with the journal or is made again.
    pub progress: Option<Progress>,
    /// What to do if an older copy of journal or keys was put back, and text is readable again that
    /// an act on record had destroyed.
    pub undone: Undone,
}

impl Options {
    /// A ledger in `dir`, without a rescue key.
    pub fn new(
        dir: impl Into<PathBuf>,
        master: MasterKey,
        clock: impl Clock,
        entropy: impl Entropy,
    ) -> Self {
        Self {
            dir: dir.into(),
            master,
            rescue: None,
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            progress: None,
            undone: Undone::default(),
        }
    }
}

/// Called with how many events of how many have been read.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// What becomes of the commands of one request.
type Outcome = Result<Vec<Receipt>, ExecuteError>;

/// An open ledger. A clone is cheap. The ledger closes when the last clone is dropped.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn CommitLog>,
    keys: Arc<KeyStore>,
    /// The derived state in use. It is replaced when derived state is made again.
    docs: Arc<RwLock<Arc<Docs>>>,
    deriving: Arc<Deriving>,
    durable: Arc<DurableEnd>,
    clock: Arc<dyn Clock>,
    requests: Mutex<Option<Sender<Request>>>,
    waiting: Waiting,
    /// How long writes of the journal take, if it is kept in segment files.
    syncs: Option<Arc<Tally>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The commands that were lost when older states were put back.
    lost: Arc<lost::LostCommands>,
    /// What redactions left of events.
    rests: Arc<opener::Rests>,
    /// When events were recorded, of those that were asked for lately.
    instants: Cache<Position, Timestamp>,
    /// The acts that were carried out.
    acts: acts::Acts,
    /// Held while acts are carried out.
    erasing: Mutex<()>,
    /// The thread that writes to the derived state in use.
    projector: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// The lock on the directory, held while the ledger is open: only one process may open a
    /// directory.
    _lock: directory::Lock,
}

/// What a ledger is, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The id of the ledger.
    pub ledger: LedgerId,
    /// The last durable position, which is the number of events.
    pub position: Position,
    /// The last durable commit, which is the number of frames.
    pub commit: CommitSeq,
    /// How many commands have been carried out.
    pub commands: u64,
    /// Root of the RFC 6962 tree over all events.
    pub root: Hash32,
    /// The instant at which the last command was recorded.
    pub recorded_at: Timestamp,
    /// The position up to which derived state is on disk.
    pub derived: Position,
    /// How many keys the key store holds.
    pub keys: u64,
    /// Whether commands are accepted now. While the disk has no room for the next segment of the journal,
    /// none is: see [`Ledger::waits_for_room`]. After a failed write or sync of the journal no command is
    /// accepted any more (P2). While derived state is made again, commands are refused only for
    /// that time.
    pub writable: bool,
    /// How often derived state was set aside and made again since the ledger was opened. The
    /// opening itself counts too.
    pub derived_again: u64,
    /// How many events of how many have been folded in while derived state is made again; `None` at
    /// other times.
    pub deriving: Option<(u64, u64)>,
    /// How many forks of streams nobody has settled yet: see [`Ledger::breaks`].
    pub forks: u64,
}

impl Ledger {
    /// Opens the ledger in a directory, or makes one there.
    ///
    /// # Errors
    /// [`OpenError`] when, for example, another process has the ledger open, or the
    /// journal or the key store is damaged.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        open::open(options)
    }

    /// Opens a ledger whose journal is kept by another engine than segment files. Keys and derived
    /// state stay in the directory.
    ///
    /// # Errors
    /// [`OpenError`] as for [`Ledger::open`].
    pub fn open_on(options: Options, log: Arc<dyn CommitLog>) -> Result<Self, OpenError> {
        open::open_on(options, log)
    }

    /// Hands in a request without waiting. The reply is called once, from another thread, when
    /// everything that the request did is durable.
    ///
    /// # Errors
    /// [`ExecuteError::Overloaded`] when too many requests, or too many bytes of them, are waiting,
    /// [`ExecuteError::Closed`] when the ledger is closing. In both cases the reply is never
    /// called.
    pub fn submit(&self, mut request: Request) -> Result<(), ExecuteError> {
        let place = self.inner.waiting.enter(request.weight);
        request.place = Some(place.ok_or(ExecuteError::Overloaded)?);
        match &*self.inner.requests.lock() {
            Some(sender) => sender.try_send(request).map_err(|error| match error {
                TrySendError::Full(_) => ExecuteError::Overloaded,
                TrySendError::Disconnected(_) => ExecuteError::Closed,
            }),
            None => Err(ExecuteError::Closed),
        }
    }

    /// Carries out one command and waits until it is durable.
    ///
    /// # Errors
    /// [`ExecuteError`]. Nothing is recorded then, with one exception: after
    /// [`ExecuteError::WriterStopped`] nobody knows whether the command was recorded.
    pub fn execute(&self, actor: Actor, envelope: Envelope) -> Result<Receipt, ExecuteError> {
        let receipts = self.execute_batch(actor, vec![envelope])?;
        receipts.into_iter().next().ok_or(ExecuteError::Closed)
    }

    /// Carries out all of the commands or none, and waits until they are durable.
    ///
    /// # Errors
    /// As for [`Ledger::execute`]. The error names the faulty command by its place in the
    /// batch.
    pub fn execute_batch(
        &self,
        actor: Actor,
        envelopes: Vec<Envelope>,
    ) -> Result<Vec<Receipt>, ExecuteError> {
        self.answered(|reply| Request::new(actor, envelopes, reply))
    }

    /// Carries out one of the ledger's own commands and waits until it is durable.
    pub(crate) fn execute_own(
        &self,
        actor: Actor,
        command: OwnCommand,
    ) -> Result<Receipt, ExecuteError> {
        let receipts = self.answered(|reply| Request::own(actor, command, reply))?;
        receipts.into_iter().next().ok_or(ExecuteError::Closed)
    }

    /// Hands in a request and waits for the answer.
    fn answered(
        &self,
        request: impl FnOnce(Box<dyn FnOnce(Outcome) + Send>) -> Request,
    ) -> Outcome {
        let (reply, answer) = turns::bounded(1);
        self.submit(request(Box::new(move |result| {
            // Sending fails only if the thread that waited is gone.
            let _ = reply.send(result);
        })))?;
        answer.recv().unwrap_or(Err(ExecuteError::Closed))
    }

    /// The last durable position. Everything up to it can be read.
    pub fn position(&self) -> Position {
        self.inner.durable.position()
    }

    /// A position after which no system was registered, changed or revoked. Whoever remembers an answer
    /// about systems from this position or later need not ask again.
    pub fn systems_changed(&self) -> Position {
        self.inner.durable.systems()
    }

    /// Waits until a position is durable, or until the timeout. Returns whether it is durable.
    pub fn wait_for(&self, position: Position, timeout: Duration) -> bool {
        self.inner.durable.wait_for(position, timeout)
    }

    /// Calls `notify` with the new position after each group of commands. `notify` must not block.
    pub fn on_commit(&self, notify: impl Fn(Position) + Send + Sync + 'static) {
        self.inner.durable.subscribe(Box::new(notify));
    }

    /// The present instant by the ledger's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What the ledger is, and how far it has come.
    pub fn status(&self) -> Status {
        let docs = self.inner.docs();
        let cursor = docs.cursor();
        let made = &self.inner.deriving.made;
        Status {
            ledger: cursor.ledger,
            position: cursor.position,
            commit: cursor.commit,
            commands: cursor.commands,
            root: cursor.frontier.root(),
            recorded_at: cursor.recorded_at,
            derived: docs.flushed().position,
            keys: self.inner.keys.len() as u64,
            writable: self.why_not_writable().is_none(),
            derived_again: made.again(),
            deriving: made
                .progress()
                .or(docs.doubt().map(|_| (0, cursor.position.get()))),
            forks: self.unsettled().len() as u64,
        }
    }

    /// Why commands are not accepted: because of the disk, or because derived state is being made again;
    /// `None` if they are. It may pass: see [`Ledger::waits_for_room`].
    pub fn why_not_writable(&self) -> Option<String> {
        let stopped = self.inner.durable.stopped().map(str::to_owned);
        let held = stopped.or_else(|| self.inner.durable.held());
        held.or_else(|| {
            let docs = self.inner.docs();
            let why = docs.doubt()?;
            Some(format!("derived state is being rebuilt: {why}"))
        })
    }

    /// Whether the writer waits for room on the disk, and goes on by itself when there is room. Nothing was
    /// written where it waits.
    pub fn waits_for_room(&self) -> bool {
        self.inner.durable.stopped().is_none() && self.inner.durable.held().is_some()
    }

    /// Waits until derived state on disk has everything that is durable. No promise depends on this
    /// call.
    pub fn settle(&self) {
        self.inner.docs().wait_flushed();
    }

    /// The reason why derived state was last set aside and made again since the ledger was opened;
    /// `None` if it was not.
    pub fn why_derived_again(&self) -> Option<String> {
        self.inner.deriving.made.reason()
    }

    /// The events that do not follow the last event of their stream, in order of position. An
    /// earlier version of this program could continue a stream from an older state. No event is
    /// lost by that. The state of such a stream is all of its events, folded in order of position.
    pub fn breaks(&self) -> Vec<Break> {
        let breaks = self.inner.docs().store().register().breaks();
        breaks.values().copied().collect()
    }

    /// Those of [`Ledger::breaks`] that nobody has settled. If that cannot be read just now, all of
    /// them.
    fn unsettled(&self) -> Vec<Break> {
        let mut breaks = self.breaks();
        if breaks.is_empty() {
            return breaks;
        }
        let settlements = forks_stream(self.inner.log.ledger_id());
        if let Ok(Some(doc)) = self.present(settlements.into())
            && let Aggregate::Ledger(state) = &*doc.state
        {
            breaks.retain(|found| !state.settled.contains(&(found.stream, found.position)));
        }
        breaks
    }

    /// Sets derived state aside, makes it again, and waits until that is done. For errors in
    /// derived state that it cannot find by itself.
    pub(crate) fn derive_again(&self, reason: &str) -> Result<(), ReadError> {
        let before = self.generation();
        self.inner.docs().put_in_doubt(reason);
        // The writer answers this request after it has made derived state again. No event is
        // recorded before 1970, so the request has no other effect.
        self.pass(Timestamp::default())?;
        match self.generation() == before {
            true => Err(StoreError::Doubted(reason.to_owned()).into()),
            false => Ok(()),
        }
    }

    /// A number for the derived state in use. It grows when derived state is made again.
    pub(crate) fn generation(&self) -> u64 {
        self.inner.docs().store().generation()
    }

    /// The position of a stream's last event; 0 if the stream has no events.
    pub(crate) fn head_position(&self, stream: StreamId) -> Result<Position, ReadError> {
        Ok(match self.present(stream)? {
            Some(doc) => doc.head.position,
            // No event of the stream can be read any more, but they are there. The register also knows
            // of streams whose first event is not on stable storage yet.
            None => {
                let end = self.inner.docs().store().register().end_of(stream).position;
                match end <= self.position() {
                    true => end,
                    false => Position::ZERO,
                }
            }
        })
    }

    /// The entry of an event, as the journal holds it. An entry contains no text.
    ///
    /// # Errors
    /// [`ReadError`] when there is no such event, or the journal cannot be read.
    pub fn entry_bytes(&self, position: Position) -> Result<EntryBytes, ReadError> {
        Ok(history::stored(self.log(), position)?.0.entry)
    }

    /// The stream of an event.
    ///
    /// # Errors
    /// [`ReadError`] when there is no such event, or the journal cannot be read.
    pub fn entry_stream(&self, position: Position) -> Result<StreamId, ReadError> {
        Ok(history::stored(self.log(), position)?.1.stream)
    }

    /// The key that opens this one event and no other.
    pub(crate) fn event_key(
        &self,
        position: Position,
        bytes: &EntryBytes,
    ) -> Result<EventKey, ReadError> {
        let entry = sealer::read_entry(position, bytes)?;
        sealer::event_key(position, &entry, &self.inner.keys)
    }

    /// The keys of this ledger.
    pub(crate) fn keys(&self) -> &Arc<KeyStore> {
        &self.inner.keys
    }

    /// The clock of this ledger.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The journal of this ledger.
    pub(crate) fn log(&self) -> &dyn CommitLog {
        &*self.inner.log
    }

    /// Derived state on disk, so that it can be compared byte by byte with derived state that was
    /// made again (P3).
    pub fn derived(&self) -> InUse {
        InUse(self.inner.docs())
    }
}

/// Access to the derived state in use.
pub struct InUse(Arc<Docs>);

impl std::ops::Deref for InUse {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.0.store()
    }
}

impl Inner {
    fn docs(&self) -> Arc<Docs> {
        self.docs.read().clone()
    }

    /// Reads from derived state. If it turns out to be faulty, it is being made again. The read
    /// then waits a short time for the new one.
    fn derived<T>(&self, read: impl Fn(&Docs) -> Result<T, StoreError>) -> Result<T, ReadError> {
        let docs = self.docs();
        let error = match read(&docs) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let other = || Some(self.docs()).filter(|other| !Arc::ptr_eq(other, &docs));
        match self.deriving.made.wait_for(A_MOMENT, other) {
            Some(other) => Ok(read(&other)?),
            None => Err(error.into()),
        }
    }
}

impl Drop for Inner {
    /// Finishes what is waiting, then stops the threads.
    fn drop(&mut self) {
        self.deriving.stopping.store(true, Ordering::Release);
        self.durable.close();
        drop(self.requests.lock().take());
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the ledger panicked");
            }
        }
        if let Some(projector) = self.projector.lock().take()
            && !ended(&projector)
        {
            // sled may block for ever after a failed write. The thread can be left behind without
            // losing anything.
            tracing::warn!(
                "sled does not finish what it began; the next start checks what was stored"
            );
            return;
        }
        if let Err(error) = self.docs().close() {
            tracing::warn!(
                %error,
                "derived state was not stored; the next start checks what was stored"
            );
        }
    }
}

/// Waits for a thread to end, for [`PATIENCE`] at most. Returns whether it has ended.
fn ended(thread: &JoinHandle<()>) -> bool {
    let until = turns::now() + PATIENCE;
    while !thread.is_finished() {
        if turns::now() >= until {
            return false;
        }
        turns::sleep(Duration::from_millis(2));
    }
    true
}
