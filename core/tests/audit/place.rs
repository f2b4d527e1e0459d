//! A ledger in a temporary directory, with a clock that steps and randomness that is real.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::Actor;
use planledger_core::ids::{CommandId, SystemId};
use planledger_core::ledger::{Ledger, Options};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Entropy, Timestamp};

/// A clock that goes one microsecond further each time it is asked.
pub(crate) struct Stepping(AtomicU64);

impl Clock for Stepping {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

pub(crate) struct Random;

impl Entropy for Random {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        Ok(getrandom::fill(bytes)?)
    }
}

pub(crate) const SYSTEM: Actor = Actor::System(SystemId::from_bytes([0xAA; 16]));

pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn options_in(dir: &Path) -> Options {
        Options {
            dir: dir.to_owned(),
            master: MasterKey::from_bytes([7; 32]),
            recovery: None,
            clock: Arc::new(Stepping(AtomicU64::new(1_800_000_000_000_000_000))),
            entropy: Arc::new(Random),
            progress: None,
        }
    }

    pub(crate) fn open(&self) -> Ledger {
        Self::open_in(self.path())
    }

    pub(crate) fn open_in(dir: &Path) -> Ledger {
        Ledger::open(Self::options_in(dir)).unwrap()
    }
}

pub(crate) fn command_id(n: u64) -> CommandId {
    let mut bytes = [0x11; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    CommandId::from_bytes(bytes)
}
