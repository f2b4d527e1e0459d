//! One process: the real journal, key store and kept checkpoints, over the machine's folders, worked as the
//! ledger's committer works them: keys first, then one write and one sync of the journal, then receipts.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use planledger_core::ids::{LedgerId, Position};
use planledger_core::journal::{
    CommitLog, DurableHint, OpenError, ReadError, SegmentLog, SegmentOptions, StoredEntry,
};
use planledger_core::seal::{KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey};
use planledger_core::time::{Entropy, Timestamp};
use planledger_core::tlog::{Algorithm, Kept, Signer};

use crate::bugs::Habit;
use crate::dice::Dice;
use crate::disk::{CHECKPOINTS, JOURNAL, KEYS, Machine};

pub(crate) const LEDGER: LedgerId = LedgerId::from_bytes([0x1D; 16]);
/// When everything begins: in January 2027.
pub(crate) const START: u64 = 1_800_000_000_000_000_000;
/// So small that every few commits begin a new segment.
const SEGMENT_BYTES: u64 = 6_000;

/// Randomness that follows from a number.
pub(crate) struct Seeded(Mutex<Dice>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        dice.fill(bytes);
        Ok(())
    }
}

/// A process that has come up.
pub(crate) struct Process {
    pub(crate) log: SegmentLog,
    pub(crate) keys: KeyStore,
    pub(crate) kept: Option<Kept>,
    machine: Machine,
    habit: Option<Habit>,
    /// What a program that never throws anything away from its cache has in it.
    cache: Mutex<HashMap<Position, StoredEntry>>,
}

/// What derived state says was durable: so many commits, which end at a position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hint {
    pub(crate) commits: u64,
    pub(crate) position: u64,
}

impl Process {
    /// Starts a process. The error is what it says when it does not come up.
    pub(crate) fn start(
        machine: &Machine,
        hint: Option<Hint>,
        habit: Option<Habit>,
    ) -> Result<Self, String> {
        let log = journal(machine, hint, habit)?;
        let mode = match log.tail().position {
            Position::ZERO => KeyStoreMode::Create,
            _ => KeyStoreMode::Existing,
        };
        let options = KeyStoreOptions {
            disk: Arc::new(machine.folder(KEYS)),
            ledger: LEDGER,
            master: MasterKey::from_bytes([7; 32]),
            rescue: None,
            mode,
        };
        let keys = KeyStore::open(&options).map_err(|error| error.to_string())?;
        let kept = Kept::on(Arc::new(machine.folder(CHECKPOINTS)), PathBuf::new());
        let kept = kept.map_err(|error| error.to_string())?;
        Ok(Self {
            log,
            keys,
            kept: Some(kept),
            machine: machine.clone(),
            habit,
            cache: Mutex::default(),
        })
    }

    /// Whether a fault has come to it, so that it may refuse what it should not refuse otherwise.
    pub(crate) fn is_faulted(&self) -> bool {
        self.machine.is_faulted()
    }

    /// The event at a position.
    pub(crate) fn entry(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        if self.habit != Some(Habit::CachesForEver) {
            return self.log.entry(position);
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.get(&position) {
            return Ok(Some(found.clone()));
        }
        let found = self.log.entry(position)?;
        if let Some(found) = &found {
            cache.insert(position, found.clone());
        }
        Ok(found)
    }
}

fn journal(
    machine: &Machine,
    hint: Option<Hint>,
    habit: Option<Habit>,
) -> Result<SegmentLog, String> {
    let durable = hint.map(|hint| DurableHint {
        ledger: LEDGER,
        commit: planledger_core::ids::CommitSeq::new(hint.commits),
        position: Position::new(hint.position),
    });
    let how = SegmentOptions {
        durable,
        segment_bytes: SEGMENT_BYTES,
        ..SegmentOptions::default()
    };
    let disk = || Arc::new(machine.folder(JOURNAL));
    let opened = SegmentLog::open(disk(), how);
    let opened = match (opened, habit) {
        (Err(OpenError::Damaged(damage)), Some(Habit::CutsAtDamage)) => {
            let name = format!("segment-{:08}.log", damage.segment);
            machine.truncate(JOURNAL, &name, damage.offset);
            SegmentLog::open(disk(), how)
        }
        (opened, _) => opened,
    };
    let opened = match opened {
        Err(OpenError::Empty) => {
            SegmentLog::create(disk(), LEDGER, Timestamp::from_nanos(START), how)
        }
        other => other,
    };
    opened.map_err(|error| error.to_string())
}

/// Who signs: the log with number 1, and witnesses.
pub(crate) fn signer(seed: u8) -> Result<Signer, String> {
    let name = match seed {
        1 => "simulated.example/log",
        _ => "witness.example",
    };
    Signer::new(name, Algorithm::Ed25519, [seed; 32]).map_err(|error| error.to_string())
}
