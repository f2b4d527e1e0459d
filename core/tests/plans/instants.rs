//! Which position an instant means, and that it means the same for ever (P4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use planledger_core::domain::Command;
use planledger_core::domain::view::{About, diff};
use planledger_core::ids::{CommitSeq, LedgerId, Position};
use planledger_core::journal::{
    AppendError, Commit, CommitLog, Frames, MemoryLog, ReadError, StoredEntry, Tail,
};
use planledger_core::ledger::Request;
use planledger_core::time::Timestamp;

use crate::place::{Place, START};
use crate::school::{PLAN, TEACHER, status};

const SECOND: u64 = 1_000_000_000;

#[test]
fn an_instant_is_the_last_position_up_to_and_including_it() {
    let mut place = Place::new();
    let mut written = Vec::new();
    for minute in 1..=3 {
        let now = START + minute * 60 * SECOND;
        place.clock.set(now);
        let receipt = place.write(&format!("minut {minute}"));
        assert_eq!(receipt.recorded_at, Timestamp::from_nanos(now));
        written.push(receipt);
    }
    for receipt in &written {
        let nanos = receipt.recorded_at.nanos();
        assert_eq!(place.at(nanos), receipt.position);
        let before = Position::new(receipt.position.get() - 1);
        assert_eq!(place.at(nanos - 1), before);
        assert_eq!(place.at(nanos + SECOND), receipt.position);
    }
    assert_eq!(place.at(0), Position::ZERO);
    assert_eq!(place.at(u64::MAX), place.ledger.position());
    let [first, _, last] = written.as_slice() else {
        panic!("three were written")
    };
    let (was, is) = (place.view_at(first.position), place.view_at(last.position));
    let changes = diff(was.as_ref(), is.as_ref());
    let [change] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(change.is.as_ref().unwrap().about(), About::Status);
}

/// A clock that is set back must not put an event before an instant that was already answered.
#[test]
fn nothing_is_recorded_at_an_instant_that_was_asked_for() {
    let mut place = Place::new();
    place.write("begynder at læse");
    let asked = START + 60 * SECOND;
    place.clock.set(asked);
    let answer = place.at(asked);
    assert_eq!(answer, place.ledger.position());
    for now in [asked, asked - 30 * SECOND, asked + 1] {
        place.clock.set(now);
        let receipt = place.write(&format!("klokken er {now}"));
        assert!(receipt.recorded_at > Timestamp::from_nanos(asked));
    }
    assert_eq!(place.at(asked), answer);
}

/// Somebody who asks for an instant far ahead must not move the ledger's time there.
#[test]
fn an_instant_that_has_not_passed_holds_nothing_up() {
    let mut place = Place::new();
    place.at(u64::MAX);
    place.clock.set(START + SECOND);
    let receipt = place.write("begynder at læse");
    assert_eq!(receipt.recorded_at, Timestamp::from_nanos(START + SECOND));
}

/// A journal whose next append waits when it is told to, and that says when it is looked into.
struct Gate {
    log: MemoryLog,
    hold: AtomicBool,
    begun: Sender<()>,
    go_on: Receiver<()>,
    looked: Sender<()>,
}

/// The other ends.
struct Keeper {
    begun: Receiver<()>,
    go_on: Sender<()>,
    looked: Receiver<()>,
}

impl Gate {
    fn new() -> (Arc<Self>, Keeper) {
        let created_at = Timestamp::from_nanos(START - 1);
        let (tell_begun, begun) = bounded(1);
        let (go_on, may_go_on) = bounded(1);
        let (tell_looked, looked) = bounded(1);
        let gate = Self {
            log: MemoryLog::new(LedgerId::from_bytes([9; 16]), created_at),
            hold: AtomicBool::new(false),
            begun: tell_begun,
            go_on: may_go_on,
            looked: tell_looked,
        };
        let keeper = Keeper {
            begun,
            go_on,
            looked,
        };
        (Arc::new(gate), keeper)
    }
}

impl CommitLog for Gate {
    fn ledger_id(&self) -> LedgerId {
        self.log.ledger_id()
    }

    fn tail(&self) -> Tail {
        self.log.tail()
    }

    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError> {
        if self.hold.swap(false, Ordering::Relaxed) {
            self.begun.send(()).unwrap();
            self.go_on.recv().unwrap();
        }
        self.log.append(expected, commits)
    }

    fn read(&self, from: Position) -> Frames {
        self.log.read(from)
    }

    fn read_commits(&self, from: CommitSeq) -> Frames {
        self.log.read_commits(from)
    }

    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail {
        self.log.follow(after, timeout)
    }

    fn entry(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        // Full is as good: somebody has looked.
        let _ = self.looked.try_send(());
        self.log.entry(position)
    }
}

/// A command has its instant from when it is decided, and is seen when it is durable. An answer
/// for an instant between must wait for it: it would be another one a moment later.
#[test]
fn an_instant_waits_for_what_was_decided_before_it() {
    let (gate, keeper) = Gate::new();
    let mut place = Place::on(gate.clone());
    place.clock.set(START + SECOND);
    gate.hold.store(true, Ordering::Relaxed);
    let envelope = place.envelope(Command::Plan(PLAN, status("begynder at læse")));
    let (reply, outcome) = bounded(1);
    let request = Request::new(TEACHER, vec![envelope], move |result| {
        reply.send(result).unwrap();
    });
    place.ledger.submit(request).unwrap();
    keeper.begun.recv().unwrap();
    place.clock.set(START + 3 * SECOND);
    let _ = keeper.looked.try_recv();
    let asked = START + 2 * SECOND;
    let ledger = place.ledger.clone();
    let asking = std::thread::spawn(move || ledger.position_at(Timestamp::from_nanos(asked)));
    keeper.looked.recv().unwrap();
    keeper.go_on.send(()).unwrap();
    let answer = asking.join().unwrap().unwrap();
    let receipts = outcome.recv().unwrap().unwrap();
    assert!(receipts[0].recorded_at < Timestamp::from_nanos(asked));
    assert_eq!(answer, receipts[0].position);
    assert_eq!(place.at(asked), answer);
}
