//! A ledger with a plan, and a clock that stands.

use planledger_core::domain::plan::{Revert, WrittenContent};
use planledger_core::domain::view::{PlanView, Viewer, plan_view};
use planledger_core::domain::{Actor, Aggregate, Command};
use planledger_core::ids::Position;
use planledger_core::ledger::{Envelope, Ledger, Reading, Receipt};
use planledger_fixtures::place::{self, START, StandingClock, command_id};

use crate::plans::school::{PLAN, TEACHER, founding, status};

pub(crate) struct LedgerWithPlan {
    pub(crate) place: place::TempLedger,
    pub(crate) ledger: Ledger,
    commands: u64,
}

impl LedgerWithPlan {
    /// A plan with two units in it, and nothing written.
    pub(crate) fn new() -> Self {
        let place = place::TempLedger::with_clock(StandingClock::at(START));
        let ledger = place.open();
        let mut place = Self {
            place,
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
        Envelope::new(command_id(self.commands), command)
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
