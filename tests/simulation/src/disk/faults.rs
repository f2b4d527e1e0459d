//! What can go wrong at an operation.

use std::io;

use super::Inner;
use crate::dice::Dice;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the operation. It fits every operation.
    Kill,
    /// `EIO` on a write, sync, rename, truncation, or whatever else comes.
    Io,
    /// `ENOSPC` on what takes space: a write behind the end, a new name.
    NoSpace,
    /// `EMFILE` on what takes a file descriptor.
    NoHandles,
    /// A read or write does only a part.
    Short,
    /// `EINTR` on a read or write.
    Interrupted,
    /// A bit of what is read is another one.
    Rot,
}

/// A fault that is to come at the first operation that it fits, from a number on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) from: u64,
    pub(crate) fault: Fault,
    pub(crate) seed: u64,
}

/// What an operation is, as far as faults fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Look,
    Open,
    Create,
    Rename,
    Remove,
    SyncFolder,
    Read,
    Write,
    Extend,
    Sync,
    SetLen,
}

impl Fault {
    fn fits(self, kind: Kind) -> bool {
        use Kind::{Create, Extend, Look, Open, Read, Rename, SetLen, Sync, SyncFolder, Write};
        match self {
            Self::Kill => true,
            // The more telling ones only: otherwise most would come to reads.
            Self::Io => {
                matches!(kind, Write | Extend | Sync | SyncFolder | Rename | SetLen)
                    || matches!(kind, Create | Open | Read)
            }
            Self::NoSpace => matches!(kind, Extend | Create | Rename),
            Self::NoHandles => matches!(kind, Open | Create | Look | SyncFolder),
            Self::Short => matches!(kind, Read | Write | Extend),
            Self::Interrupted => matches!(kind, Read | Write | Extend),
            Self::Rot => kind == Read,
        }
    }

    /// The error that the system gives.
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Io | Self::Rot => 5,
            Self::NoSpace => 28,
            Self::NoHandles => 24,
            Self::Short | Self::Interrupted => 4,
            Self::Kill => 3,
        })
    }
}

/// How much has happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) operations: u64,
    /// Power cuts.
    pub(crate) cuts: u64,
    /// Processes that ended while the machine went on.
    pub(crate) restarts: u64,
    /// Processes that were killed in the middle of something.
    pub(crate) kills: u64,
    pub(crate) io: u64,
    pub(crate) no_space: u64,
    pub(crate) no_handles: u64,
    pub(crate) short: u64,
    pub(crate) interrupted: u64,
    pub(crate) rot: u64,
}

impl Counts {
    /// Adds what happened to another machine.
    pub(crate) fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.cuts += other.cuts;
        self.restarts += other.restarts;
        self.kills += other.kills;
        self.io += other.io;
        self.no_space += other.no_space;
        self.no_handles += other.no_handles;
        self.short += other.short;
        self.interrupted += other.interrupted;
        self.rot += other.rot;
    }

    /// Ends of processes, of every kind.
    pub(crate) fn crashes(&self) -> u64 {
        self.cuts + self.restarts
    }

    fn count(&mut self, fault: Fault) {
        let count = match fault {
            Fault::Kill => &mut self.kills,
            Fault::Io => &mut self.io,
            Fault::NoSpace => &mut self.no_space,
            Fault::NoHandles => &mut self.no_handles,
            Fault::Short => &mut self.short,
            Fault::Interrupted => &mut self.interrupted,
            Fault::Rot => &mut self.rot,
        };
        *count += 1;
    }
}

impl Inner {
    /// Counts an operation, and gives the fault that comes to it, with dice for what follows.
    pub(super) fn step(&mut self, kind: Kind, life: u64) -> io::Result<Option<(Fault, Dice)>> {
        if self.dead || life != self.life {
            return Err(Fault::Kill.error());
        }
        self.operations += 1;
        self.counts.operations += 1;
        let now = self.operations;
        let due = self.faults.iter();
        let due = due.map(|planned| planned.from <= now && planned.fault.fits(kind));
        let Some(at) = due.into_iter().position(|is_due| is_due) else {
            return Ok(None);
        };
        let Planned { fault, seed, .. } = self.faults.remove(at);
        self.counts.count(fault);
        if fault == Fault::Kill {
            self.dead = true;
            return Err(fault.error());
        }
        // These two are no faults of the disk: a program has to go on.
        self.faulted |= !matches!(fault, Fault::Short | Fault::Interrupted);
        Ok(Some((fault, Dice::new(seed))))
    }

    /// The same for an operation that only fails or succeeds.
    pub(super) fn plain(&mut self, kind: Kind, life: u64) -> io::Result<()> {
        match self.step(kind, life)? {
            Some((fault, _)) => Err(fault.error()),
            None => Ok(()),
        }
    }

    /// Takes space. Without limits there is always some.
    pub(super) fn take_space(&mut self, bytes: u64) -> u64 {
        let Some(space) = &mut self.space else {
            return bytes;
        };
        let got = bytes.min(*space);
        *space -= got;
        if got < bytes {
            self.counts.no_space += 1;
            self.faulted = true;
        }
        got
    }
}
