//! The checkpoints that a monitor has cosigned and shows to others.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use planledger_core::tlog::SignedCheckpoint;

/// How many checkpoints are shown beside the newest. A server asks for the cosignature of the one that it
/// has just made.
const RECENT: usize = 256;

/// The newest checkpoints that were cosigned, by size.
pub(super) struct Shown {
    origin: String,
    recent: Mutex<BTreeMap<u64, SignedCheckpoint>>,
}

impl Shown {
    pub(super) fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            recent: Mutex::default(),
        }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    fn recent(&self) -> MutexGuard<'_, BTreeMap<u64, SignedCheckpoint>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a checkpoint from now on.
    pub(super) fn add(&self, signed: SignedCheckpoint) {
        let mut recent = self.recent();
        recent.insert(signed.checkpoint.size, signed);
        while recent.len() > RECENT {
            recent.pop_first();
        }
    }

    pub(super) fn newest(&self) -> Option<String> {
        let recent = self.recent();
        let (_, signed) = recent.last_key_value()?;
        Some(signed.note.to_string())
    }

    pub(super) fn of_size(&self, size: u64) -> Option<String> {
        let recent = self.recent();
        Some(recent.get(&size)?.note.to_string())
    }

    /// The checkpoint of this size that was cosigned.
    pub(super) fn cosigned(&self, size: u64) -> Option<SignedCheckpoint> {
        self.recent().get(&size).cloned()
    }
}
