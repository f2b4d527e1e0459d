//! A ledger with a plan, and a clock that stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::plan::{Revert, WrittenContent};
use planledger_core::domain::view::{PlanView, Viewer, plan_view};
use planledger_core::domain::{Actor, Aggregate, Command};
use planledger_core::ids::{CommandId, Position};
use planledger_core::ledger::{Envelope, Ledger, Options, Reading, Receipt};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Entropy, Timestamp};

use crate::school::{PLAN, TEACHER, founding, status};

pub(crate) struct StandingClock(AtomicU64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

struct Random;

impl Entropy for Random {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        Ok(getrandom::fill(bytes)?)
    }
}

/// When everything up to the plan is recorded.
pub(crate) const START: u64 = 1_800_000_000_000_000_000;

pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) ledger: Ledger,
    commands: u64,
}

impl Place {
    /// A plan with two units in it, and nothing written.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(StandingClock(AtomicU64::new(START)));
        let ledger = Ledger::open(options(&dir, &clock)).unwrap();
        let mut place = Self {
            dir,
            clock,
            ledger,
            commands: 0,
        };
        for (actor, command) in founding() {
            place.act(actor, command);
        }
        place
    }

    pub(crate) fn envelope(&mut self, command: Command) -> Envelope {
        self.commands += 1;
        let mut id = [0x11; 16];
        id[..8].copy_from_slice(&self.commands.to_be_bytes());
        Envelope::new(CommandId::from_bytes(id), command)
    }

    pub(crate) fn act(&mut self, actor: Actor, command: Command) -> Receipt {
        let envelope = self.envelope(command);
        self.ledger.execute(actor, envelope).unwrap()
    }

    pub(crate) fn write(&mut self, words: &str) -> Receipt {
        self.act(TEACHER, Command::Plan(PLAN, status(words)))
    }

    pub(crate) fn view_at(&self, position: Position) -> Option<PlanView> {
        let read = |reading: &Reading<'_>| plan_view(reading, PLAN, Viewer::Staff);
        let (view, at) = self.ledger.read_at(position, read).unwrap();
        assert_eq!(at, position);
        view
    }

    /// What a server does for a client that asks to revert.
    pub(crate) fn revert_to(&self, to: Position) -> Revert {
        let read = |reading: &Reading<'_>| reading.stream(PLAN);
        let (found, to) = self.ledger.read_at(to, read).unwrap();
        let then = match &*found.unwrap().0 {
            Aggregate::Plan(plan) => WrittenContent::of(plan),
            other => panic!("{other:?}"),
        };
        Revert {
            to,
            then,
            reason: "den forkerte elev".parse().unwrap(),
        }
    }
}

pub(crate) fn options(dir: &tempfile::TempDir, clock: &Arc<StandingClock>) -> Options {
    Options {
        dir: dir.path().to_owned(),
        master: MasterKey::from_bytes([7; 32]),
        recovery: None,
        clock: clock.clone(),
        entropy: Arc::new(Random),
        progress: None,
    }
}
