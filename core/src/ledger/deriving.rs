//! Gets derived state ready. Derived state on disk is used if it can be trusted; otherwise it is
//! made again from the journal (P3).

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::catching_up::catch_up;
use super::ended;
use super::fold::Fold;
use super::opener::{Opener, Rests};
use super::threads::spawn;
use super::window::Window;
use super::{OpenError, Progress, ReadError};
use crate::derived::{CommandEntry, Cursor, Doc, DocKey, Docs, Generations, Store, StoreError};
use crate::ids::{CommitSeq, Position};
use crate::journal::{CommitLog, Tail};
use crate::seal::{KeyStore, KeyStoreError};
use crate::turns::{self, Condvar, JoinHandle, Sender};

/// What derived state is made from, and where it is kept.
pub(super) struct Deriving {
    pub(super) log: Arc<dyn CommitLog>,
    pub(super) keys: Arc<KeyStore>,
    pub(super) rests: Arc<Rests>,
    pub(super) generations: Generations,
    pub(super) progress: Option<Progress>,
    /// Is sent a signal when derived state in use turns out to be wrong.
    pub(super) alarm: Sender<()>,
    pub(super) made: Made,
    /// Set when the ledger is closed. The making of derived state then stops early.
    pub(super) stopping: AtomicBool,
}

/// What the ledger reports about its derived state.
#[derive(Default)]
pub(super) struct Made {
    /// How often derived state was set aside and made again since the ledger was opened. The
    /// opening itself counts too.
    again: AtomicU64,
    /// The reason for the last time that derived state was made again.
    reason: Mutex<Option<String>>,
    /// How many events are folded in while derived state is made; 0 of 0 when none is being made.
    done: AtomicU64,
    all: AtomicU64,
    /// Counts how often new derived state has replaced the one in use.
    replaced: Mutex<u64>,
    put_in_place: Condvar,
}

impl Made {
    pub(super) fn again(&self) -> u64 {
        self.again.load(Ordering::Acquire)
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.reason.lock().clone()
    }

    /// How many events of how many have been folded in; `None` when no derived state is being made.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        let (done, all) = (&self.done, &self.all);
        let (done, all) = (done.load(Ordering::Acquire), all.load(Ordering::Acquire));
        (all > 0).then_some((done, all))
    }

    /// Notes that new derived state is in use now.
    pub(super) fn replaced(&self) {
        *self.replaced.lock() += 1;
        self.put_in_place.notify_all();
    }

    /// Waits until `found` returns something, or until the timeout. `found` is called again each
    /// time new derived state is put into use.
    pub(super) fn wait_for<T>(
        &self,
        timeout: Duration,
        found: impl Fn() -> Option<T>,
    ) -> Option<T> {
        let until = turns::now() + timeout;
        let mut replaced = self.replaced.lock();
        loop {
            if let Some(found) = found() {
                return Some(found);
            }
            if self
                .put_in_place
                .wait_until(&mut replaced, until)
                .timed_out()
            {
                return found();
            }
        }
    }

    fn report_progress(&self, done: u64, all: u64) {
        self.done.store(done, Ordering::Release);
        self.all.store(all, Ordering::Release);
    }
}

/// Derived state that has taken in the whole journal.
pub(super) struct Derived {
    pub(super) docs: Arc<Docs>,
    pub(super) fold: Fold,
    pub(super) window: Window,
    pub(super) projector: JoinHandle<()>,
}

impl Deriving {
    /// Gives derived state that has taken in the whole journal. What is on disk is completed from
    /// the journal, or made again if it cannot be trusted. Faulty derived state never keeps the
    /// ledger from starting.
    ///
    /// # Errors
    /// [`OpenError`] when the journal or the key store cannot be used, or when the
    /// operating system does not let derived state be written.
    pub(super) fn open(&self) -> Result<Derived, OpenError> {
        let found = self.stored().and_then(|found| {
            let found = found.map(|(store, cursor)| self.derive(store, cursor));
            found.transpose()
        });
        match found {
            Ok(Some(derived)) => {
                let kept = derived.docs.store().generation();
                if let Err(error) = self.generations.set_aside(Some(kept)) {
                    tracing::warn!(%error, "an older derived state could not be set aside");
                }
                Ok(derived)
            }
            Ok(None) => self.anew_or_again(None),
            Err(error) => match error.of_derived() {
                Some(reason) => self.anew_or_again(Some(&reason)),
                None => Err(error),
            },
        }
    }

    /// Makes derived state from the journal. After a failure it tries a second time, because the
    /// cause may have passed.
    fn anew_or_again(&self, reason: Option<&str>) -> Result<Derived, OpenError> {
        match self.anew(reason) {
            Err(error) if error.of_derived().is_some() => {
                tracing::warn!(
                    %error,
                    "derived state could not be built; the server tries once more"
                );
                self.anew(reason)
            }
            made => made,
        }
    }

    /// The derived state on disk, if it belongs to this journal; `None` if there is none.
    fn stored(&self) -> Result<Option<(Store, Cursor)>, OpenError> {
        let Some(stored) = self.generations.stored()? else {
            return Ok(None);
        };
        let register = stored.register();
        if register.ledger() != self.log.ledger_id() {
            return Err(StoreError::Foreign.into());
        }
        if let Some(newest) = register.newest() {
            if !belongs(newest, &*self.log)? {
                return Err(StoreError::Foreign.into());
            }
            // The keys are checked before anything is changed. With the right key store all of the
            // derived state may still be usable.
            self.keys.holds(&register.keys_needed())?;
        }
        let (store, cursor) = stored.open()?;
        let cursor = cursor.unwrap_or_else(|| start(&*self.log));
        match belongs(&cursor, &*self.log)? {
            true => Ok(Some((store, cursor))),
            false => Err(StoreError::Foreign.into()),
        }
    }

    /// Makes derived state from the journal. Earlier derived state is set aside, except the one
    /// that is still being read.
    ///
    /// # Errors
    /// [`OpenError`] when it cannot be made.
    pub(super) fn anew(&self, reason: Option<&str>) -> Result<Derived, OpenError> {
        if let Some(reason) = reason {
            tracing::warn!(reason, "derived state is being rebuilt from the journal");
            *self.made.reason.lock() = Some(reason.to_owned());
        }
        let store = self.generations.begin(self.log.ledger_id())?;
        let generation = store.generation();
        let made = match self.derive(store, start(&*self.log)) {
            // The next attempt may need the disk space of this one. If the journal needs a newer
            // version of the program, the derived state that the newer version made stays the
            // newest.
            Err(error) if error.of_derived().is_some() || error.is_of_newer() => {
                if let Err(error) = self.generations.remove(generation) {
                    tracing::warn!(%error, "the remains of an unfinished rebuild cannot be removed");
                }
                return Err(error);
            }
            made => made?,
        };
        if reason.is_some() {
            self.made.again.fetch_add(1, Ordering::AcqRel);
        }
        match self.generations.set_aside(Some(generation)) {
            Ok(Some(aside)) => tracing::warn!(
                reason,
                aside = %aside.display(),
                "derived state could not be used; it is set aside and rebuilt from the journal"
            ),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "derived state could not be set aside"),
        }
        Ok(made)
    }

    /// Completes a store from the journal.
    fn derive(&self, store: Store, cursor: Cursor) -> Result<Derived, OpenError> {
        let alarm = self.alarm.clone();
        let docs = Docs::new(store, self.keys.clone(), cursor.clone(), move || {
            // A full channel means that the receiver has a signal waiting already.
            let _ = alarm.try_send(());
        });
        let docs = Arc::new(docs);
        let projector = spawn("projector", {
            let docs = docs.clone();
            move || project(&docs)
        })?;
        let mut fold = Fold::new(docs.clone(), cursor);
        let progress = |done, all| {
            self.made.report_progress(done, all);
            let progress = self.progress.iter();
            progress.for_each(|progress| progress(done, all));
            !self.stopping.load(Ordering::Acquire)
        };
        let tail = self.log.tail();
        let opener = Opener {
            log: &*self.log,
            keys: &self.keys,
            rests: &self.rests,
            up_to_damage: false,
        };
        let made = catch_up(&opener, &docs, &mut fold, &tail, &progress);
        let made = made.and_then(|()| load_window(&fold));
        self.made.report_progress(0, 0);
        match made {
            Ok(window) => Ok(Derived {
                docs,
                fold,
                window,
                projector,
            }),
            Err(error) => {
                docs.stop();
                // If the work was only stopped, what it has done so far can be used at the next
                // start.
                if ended(&projector) && docs.doubt().is_none() {
                    let _ = docs.close();
                }
                Err(match error {
                    OpenError::Read(ReadError::KeyMissing { position, key }) => {
                        KeyStoreError::Lacks { key, position }.into()
                    }
                    error => error,
                })
            }
        }
    }
}

/// The cursor before the first event.
pub(crate) fn start(log: &dyn CommitLog) -> Cursor {
    Cursor {
        recorded_at: log.tail().recorded_at,
        ..Cursor::start(log.ledger_id())
    }
}

/// Whether derived state comes from this journal. It does if the journal holds the frame that the
/// cursor names.
pub(crate) fn belongs(cursor: &Cursor, log: &dyn CommitLog) -> Result<bool, OpenError> {
    if cursor.ledger != log.ledger_id() || cursor.commit > log.tail().commit {
        return Ok(false);
    }
    if cursor.commit == CommitSeq::ZERO {
        return Ok(cursor.position == Position::ZERO);
    }
    match log
        .read_commits(cursor.commit)
        .next()
        .transpose()
        .map_err(ReadError::from)?
    {
        Some(frame) => {
            let tail = Tail::at(&frame);
            Ok((tail.commit, tail.position, tail.checksum)
                == (cursor.commit, cursor.position, cursor.checksum))
        }
        None => Ok(false),
    }
}

/// The projector thread writes documents to sled after they have been published. It ends when it is
/// told to, or when sled does not accept a write.
pub(crate) fn project(docs: &Docs) {
    while matches!(docs.flush_next(), Ok(true)) {}
}

/// Loads the ids of the last commands, so that a command that is sent again is recognised after a
/// restart too (P2).
fn load_window(fold: &Fold) -> Result<Window, OpenError> {
    let first = fold.cursor.commands.saturating_sub(2 * Window::LENGTH);
    let mut window = Window::with_room(fold.cursor.commands - first);
    let mut chunk = first / CommandEntry::PER_DOC;
    while chunk * CommandEntry::PER_DOC < fold.cursor.commands {
        if let Doc::Commands(list) = fold.get(&DocKey::Commands(chunk))? {
            for (offset, entry) in (0..).zip(list.iter()) {
                window.insert(entry.id, chunk * CommandEntry::PER_DOC + offset);
            }
            window.forget();
        }
        chunk += 1;
    }
    Ok(window)
}

/// Removes all derived state in a directory.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn throw_away(derived: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(derived) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
