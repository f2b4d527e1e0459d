//! A ledger in a temporary directory, with a clock that is set by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::ledger::Options;
use planledger_core::seal::MasterKey;
use planledger_core::time::{Entropy, Timestamp};
use planledger_fixtures::place::{MASTER, StandingClock};
use planledger_fixtures::repeatable;

use crate::derived::files::{self, Files};

pub(crate) struct ClockedDir {
    dir: tempfile::TempDir,
    clock: Arc<StandingClock>,
}

impl ClockedDir {
    /// In memory where the system has a folder for that: nothing here asks what a disk keeps.
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Self {
            dir: dir.unwrap(),
            clock: Arc::default(),
        }
    }

    pub(crate) fn with(files: &Files) -> Self {
        let place = Self::new();
        files::write(place.path(), files);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn derived(&self) -> PathBuf {
        self.path().join("derived")
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.clock.set(now);
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            dir: self.path().to_owned(),
            master: MasterKey::from_bytes(MASTER),
            rescue: None,
            clock: self.clock.clone(),
            entropy: Arc::new(entropy()),
            progress: None,
            undone: planledger_core::ledger::Undone::Refuse,
        }
    }

    /// Everything in the directory.
    pub(crate) fn files(&self) -> Files {
        files::read(self.path())
    }
}

/// Other bytes each time, over all ledgers: no receipt and no answer shows them.
fn entropy() -> impl Entropy {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    |bytes: &mut [u8]| {
        repeatable::fill(CALLS.fetch_add(1, Ordering::Relaxed), bytes);
        Ok(())
    }
}
