//! A ledger in a temporary directory, with a clock that steps and randomness that is real.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{CommandId, InstitutionId, SystemId};
use planledger_core::ledger::{Envelope, Ledger, Options};
use planledger_core::seal::MasterKey;
use planledger_core::text::Name;
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

    pub(crate) fn derived(&self) -> PathBuf {
        self.path().join("derived")
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            dir: self.path().to_owned(),
            master: MasterKey::from_bytes([7; 32]),
            recovery: None,
            clock: Arc::new(Stepping(AtomicU64::new(1_800_000_000_000_000_000))),
            entropy: Arc::new(Random),
            progress: None,
        }
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(self.options()).unwrap()
    }
}

pub(crate) fn command_id(n: u64) -> CommandId {
    let mut bytes = [0x11; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    CommandId::from_bytes(bytes)
}

pub(crate) fn institution(n: u64) -> InstitutionId {
    let mut bytes = [0x22; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    InstitutionId::from_bytes(bytes)
}

/// Makes an institution have a name, from whatever it was.
pub(crate) fn put_institution(command: u64, id: u64, name: &str) -> Envelope {
    let details = InstitutionDetails {
        name: Name::new(name).unwrap(),
        code: None,
    };
    let put = InstitutionCommand::Put {
        details,
        closed: false,
    };
    Envelope::new(
        command_id(command),
        Command::Institution(institution(id), put),
    )
}

/// Everything in sled, once the ledger has settled.
pub(crate) fn dump(ledger: &Ledger) -> Vec<(Vec<u8>, Vec<u8>)> {
    ledger.settle();
    ledger.derived().dump().map(Result::unwrap).collect()
}
