//! A machine in memory: folders of files that the core reads and writes by its own trait for disks, and
//! a process that ends at any operation.
//!
//! The system keeps what is written in memory until it is synced. A power cut loses it, or keeps any part
//! of it that a file system may have written out by then. The end of a process alone loses nothing.

mod faults;
mod inode;
mod lies;
mod names;
mod ops;
mod trace;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::faults::Kind;
pub(crate) use self::faults::{Counts, Fault, Planned};
use self::inode::Inode;
pub(crate) use self::lies::Lie;
use self::names::Folder;
pub(crate) use self::trace::Trace;
use crate::dice::Dice;

/// The folders of a ledger that are simulated.
pub(crate) const JOURNAL: usize = 0;
pub(crate) const KEYS: usize = 1;
pub(crate) const CHECKPOINTS: usize = 2;

/// What a power cut leaves of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    LosesAll,
    KeepsAll,
    /// The first changes of each file and folder, the last of them in part.
    Order,
    /// Any sectors, lengths and names.
    Sectors,
}

/// The machine. A clone is the same machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    files: Vec<Inode>,
    folders: [Folder; 3],
    /// Operations of this process so far.
    operations: u64,
    faults: Vec<Planned>,
    counts: Counts,
    /// The process is dead; nothing works until the next one.
    dead: bool,
    /// Free space in bytes, if it is limited.
    space: Option<u64>,
    /// A fault has come to this process.
    faulted: bool,
    life: u64,
    lie: Option<Lie>,
    /// The last write was of nothing but zeros, or into what was there already.
    last_write: LastWrite,
    /// What was done, if it is noted.
    trace: Option<Trace>,
}

#[derive(Debug, Default, Clone, Copy)]
struct LastWrite {
    zeros: bool,
    within: bool,
}

impl Machine {
    /// An empty machine whose disk has a habit.
    pub(crate) fn new(lie: Option<Lie>) -> Self {
        let inner = Inner {
            lie,
            ..Inner::default()
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Notes from now on what is done.
    pub(crate) fn trace(&self, trace: Trace) {
        self.lock().trace = Some(trace);
    }

    /// What was noted.
    pub(crate) fn traced(&self) -> Trace {
        self.lock().trace.take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk of a folder, for the process that runs now.
    pub(crate) fn folder(&self, folder: usize) -> ops::SimFolder {
        let life = self.lock().life;
        ops::SimFolder {
            machine: self.clone(),
            folder,
            life,
        }
    }

    /// Has faults come to the process that runs now.
    pub(crate) fn plan(&self, faults: Vec<Planned>, space: Option<u64>) {
        let mut inner = self.lock();
        inner.faults = faults;
        inner.space = space;
    }

    /// Whether the process that runs now is dead.
    pub(crate) fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// Whether a fault has come to the process that runs now.
    pub(crate) fn is_faulted(&self) -> bool {
        let inner = self.lock();
        inner.faulted || inner.dead
    }

    /// Ends the process; the machine goes on.
    pub(crate) fn restart(&self) {
        let mut inner = self.lock();
        inner.counts.restarts += 1;
        inner.begin_life();
    }

    /// Cuts the power.
    pub(crate) fn cut(&self, how: Cut, dice: &mut Dice) {
        let mut inner = self.lock();
        inner.counts.cuts += 1;
        inner.files.iter_mut().for_each(|file| file.cut(how, dice));
        let folders = inner.folders.iter_mut();
        folders.for_each(|folder| folder.cut(how, dice));
        inner.begin_life();
    }

    /// What has happened so far.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Cuts a file off, as a program with a fault would do it: for seeded bugs.
    pub(crate) fn truncate(&self, folder: usize, name: &str, len: u64) {
        let mut inner = self.lock();
        let file = inner.folders.get(folder).and_then(|it| it.names.get(name));
        if let Some(number) = file.copied()
            && let Some(file) = inner.files.get_mut(number)
        {
            file.set_len(len as usize);
            file.sync();
        }
    }
}

impl Inner {
    fn note<T>(
        &mut self,
        kind: Kind,
        what: fmt::Arguments<'_>,
        came: &io::Result<T>,
        count: impl Fn(&T) -> u64,
    ) {
        if let Some(trace) = &mut self.trace {
            match came {
                Ok(came) => trace.note(format_args!("{kind:?} {what}: {}", count(came))),
                Err(error) => trace.note(format_args!("{kind:?} {what}: {error}")),
            }
        }
    }

    fn begin_life(&mut self) {
        self.life += 1;
        self.operations = 0;
        self.faults.clear();
        self.dead = false;
        self.space = None;
        self.faulted = false;
        self.last_write = LastWrite::default();
    }
}
