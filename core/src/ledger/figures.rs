//! Figures of a running ledger, for whoever watches it. The committer counts without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Ledger;
use super::committer::Reply;
use crate::journal::Commit;
use crate::tally::{Tallied, Tally};

/// The steps in which groups are counted, in commands.
const GROUPS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];

/// What was counted since the ledger was opened, and what waits now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Receipts of commands that were carried out.
    pub receipts: u64,
    /// Receipts that were given again, for commands that had been carried out before.
    pub repeated: u64,
    /// How many commands the groups had that were written and synced together.
    pub groups: Tallied,
    /// How long the writes of the journal took, each with its sync, in nanoseconds. `None` if the
    /// journal is not kept in segment files.
    pub syncs: Option<Tallied>,
    /// How many requests wait for the writer.
    pub waiting: u64,
    /// How many bytes they have together.
    pub waiting_bytes: u64,
}

/// What the committer counts.
pub(super) struct Counted {
    receipts: AtomicU64,
    repeated: AtomicU64,
    groups: Tally,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            receipts: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            groups: Tally::new(GROUPS),
        }
    }
}

impl Counted {
    /// A group is on stable storage.
    pub(super) fn group(&self, commits: &[Commit]) {
        let commands: usize = commits.iter().map(|commit| commit.commands.len()).sum();
        self.groups.note(commands as u64);
    }

    /// These replies are sent.
    pub(super) fn replies(&self, replies: &[Reply]) {
        let given = replies
            .iter()
            .filter_map(|(_, result)| result.as_ref().ok());
        let (mut all, mut repeated) = (0, 0);
        for receipt in given.flatten() {
            all += 1;
            repeated += u64::from(receipt.replayed);
        }
        self.receipts.fetch_add(all - repeated, Ordering::Relaxed);
        self.repeated.fetch_add(repeated, Ordering::Relaxed);
    }
}

impl Ledger {
    /// What was counted since the ledger was opened, and what waits now.
    pub fn figures(&self) -> Figures {
        let counted = &self.inner.durable.counted;
        let requests = self.inner.requests.lock();
        let waiting = requests.as_ref().map_or(0, |requests| requests.len());
        drop(requests);
        Figures {
            receipts: counted.receipts.load(Ordering::Relaxed),
            repeated: counted.repeated.load(Ordering::Relaxed),
            groups: counted.groups.read(),
            syncs: self.inner.syncs.as_ref().map(|syncs| syncs.read()),
            waiting: waiting as u64,
            waiting_bytes: self.inner.waiting.bytes() as u64,
        }
    }
}
