//! A ledger in a temporary directory, with a clock and randomness that go on across restarts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use planledger_core::ids::{CommandId, LedgerId};
use planledger_core::journal::{CommitLog, OsDisk, SegmentLog};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, Options, Receipt, Request};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::{self, START, numbered};

use crate::properties::acts::Act;

pub(crate) const LEDGER: LedgerId = LedgerId::from_bytes([0x77; 16]);
pub(crate) const CREATED: Timestamp = START;

pub(crate) struct JournalledLedger(place::TempLedger);

impl JournalledLedger {
    pub(crate) fn new() -> Self {
        Self(place::TempLedger::repeatable())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn derived(&self) -> PathBuf {
        self.0.derived()
    }

    pub(crate) fn options(&self) -> Options {
        self.0.options()
    }

    /// The ledger, and a handle of the journal under it.
    pub(crate) fn open(&self) -> (Ledger, Arc<SegmentLog>) {
        let disk = OsDisk::new(self.path().join("journal")).unwrap();
        let log = Arc::new(place::open_journal(disk, LEDGER));
        (self.open_on(log.clone()), log)
    }

    pub(crate) fn open_on(&self, log: Arc<dyn CommitLog>) -> Ledger {
        Ledger::open_on(self.options(), log).unwrap()
    }
}

/// A command id that no other call gives.
pub(crate) fn fresh_id() -> CommandId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    CommandId::from_bytes(numbered(0x99, NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Asks for one thing after the other without waiting, so that many go down in one write; then
/// waits for all answers.
pub(crate) fn run(ledger: &Ledger, acts: Vec<Act>) -> Vec<Result<Receipt, ExecuteError>> {
    let batches = acts.into_iter().map(|act| vec![act]);
    let answers = run_batches(ledger, batches.collect());
    let receipts = answers.into_iter();
    receipts
        .map(|answer| answer.map(|receipts| receipts[0].clone()))
        .collect()
}

/// The same with batches, each asked for by the first who is in it.
pub(crate) fn run_batches(
    ledger: &Ledger,
    batches: Vec<Vec<Act>>,
) -> Vec<Result<Vec<Receipt>, ExecuteError>> {
    let (reply, answers) = mpsc::channel();
    let asked = batches.len();
    for (index, batch) in batches.into_iter().enumerate() {
        let reply = reply.clone();
        let actor = batch[0].actor;
        let commands = batch.into_iter().map(|act| act.command);
        let envelopes = commands.map(|command| Envelope::new(fresh_id(), command));
        let request = Request::new(actor, envelopes.collect(), move |answer| {
            reply.send((index, answer)).unwrap();
        });
        ledger.submit(request).unwrap();
    }
    let mut answers: Vec<_> = answers.iter().take(asked).collect();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
