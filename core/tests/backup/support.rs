//! Places for backups, some of which fail, and a ledger in small segments.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use planledger_core::backup::{
    BackupError, Create, Created, Folder, Lost, Pace, Place, PutBack, Restore, Until,
};
use planledger_core::domain::Actor;
use planledger_core::ids::CommandId;
use planledger_core::journal::{OpenError, OsDisk, SegmentLog};
use planledger_core::ledger::{Ledger, Options};
use planledger_fixtures::place::{START, TempLedger, numbered, segments_of};
use planledger_fixtures::repeatable;
use planledger_fixtures::school::LEADER;
use tempfile::TempDir;

use crate::audit::school::signer;

/// A place for backups and one for their keys.
pub(super) struct Places {
    dir: TempDir,
}

impl Places {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn data(&self) -> Folder {
        Folder::new(self.dir.path().join("data"))
    }

    pub(super) fn keys(&self) -> Folder {
        Folder::new(self.dir.path().join("keys"))
    }

    /// Makes a backup, and checks it.
    pub(super) fn back_up(&self, dir: &Path) -> Created {
        let created = create(dir, &self.data(), &self.keys()).unwrap();
        let number = Some(created.manifest.number);
        let key = signer().verifier();
        let (data, keys) = (self.data(), self.keys());
        let pace = Pace::new(None);
        planledger_core::backup::check(&data, Some(&keys), number, Some(&key), pace, &|_| {})
            .unwrap();
        created
    }

    /// Puts the newest back into a directory.
    pub(super) fn put_back(&self, to: &Path, until: Until) -> PutBack {
        let (data, keys) = (self.data(), self.keys());
        restore(to, &data, &keys, until).run().unwrap()
    }
}

pub(super) fn create(
    dir: &Path,
    data: &dyn Place,
    keys: &dyn Place,
) -> Result<Created, BackupError> {
    let clock = repeatable::clock(START);
    let create = Create {
        dir,
        place: data,
        keys,
        signer: &signer(),
        with_signing_key: false,
        read_all: false,
        clock: &clock,
        watch: &|_| {},
    };
    create.run(Pace::new(None))
}

/// Each restore is recorded by a command of its own.
static RESTORES: AtomicU64 = AtomicU64::new(1);

pub(super) fn restore<'a>(
    to: &Path,
    place: &'a dyn Place,
    keys: &'a dyn Place,
    until: Until,
) -> Restore<'a> {
    Restore {
        place,
        keys,
        number: None,
        key: None,
        until,
        lost: Lost::default(),
        options: TempLedger::options_in(to),
        sent: (
            CommandId::from_bytes(numbered(0x77, RESTORES.fetch_add(1, Ordering::Relaxed))),
            Actor::Person(LEADER),
        ),
        reason: "Disken gik i stykker".parse().unwrap(),
        signing_key: None,
        watch: &|_| {},
    }
}

/// A ledger whose journal is in segments of a few kilobytes.
pub(super) fn in_small_segments(place: &TempLedger) -> Ledger {
    let options: Options = place.options();
    let disk = || Arc::new(OsDisk::new(place.path().join("journal")).unwrap());
    let how = segments_of(4 << 10);
    let log = match SegmentLog::open(disk(), how) {
        Err(OpenError::Empty) => {
            let id = planledger_core::ids::LedgerId::from_bytes([0x1D; 16]);
            SegmentLog::create(disk(), id, START, how)
        }
        opened => opened,
    };
    Ledger::open_on(options, Arc::new(log.unwrap())).unwrap()
}

/// A folder that fails after so many operations, as if the process had been killed.
pub(super) struct Failing {
    pub(super) folder: Folder,
    pub(super) left: AtomicI64,
}

impl Failing {
    pub(super) fn after(folder: Folder, operations: i64) -> Self {
        let left = AtomicI64::new(operations);
        Self { folder, left }
    }

    fn step(&self) -> io::Result<()> {
        match self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            true => Ok(()),
            false => Err(io::Error::other("the place is gone")),
        }
    }
}

impl Place for Failing {
    fn describe(&self) -> String {
        self.folder.describe()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        self.step()?;
        self.folder.list(folder)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.step()?;
        self.folder.read(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        self.folder.write(name, bytes)
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        self.folder.write_new(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?;
        self.folder.remove(name)
    }
}
