//! A journal in segment files whose writes wait, or fail, when they are told to.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use planledger_core::access_log;
use planledger_core::ids::{CommitSeq, LedgerId, Position};
use planledger_core::journal::{
    AppendError, Commit, CommitLog, Frames, OpenError, OsDisk, ReadError, SegmentLog,
    SegmentOptions, StoredEntry, Tail,
};
use planledger_core::ledger::Ledger;
use planledger_core::time::Timestamp;
use uuid::Uuid;

use super::school::School;
use super::server::{Home, Running, Setup, Strict};
use super::voice::{PATIENCE, Voice};

/// A disk that can be held up, or break.
#[derive(Clone)]
pub(crate) struct Gated(Arc<Inner>);

struct Inner {
    log: SegmentLog,
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Default)]
struct Gate {
    shut: bool,
    /// How many writes pass although it is shut.
    passing: usize,
    broken: bool,
    full: bool,
    /// Writes that stand before the gate.
    waiting: usize,
}

/// How a write passes the gate.
enum Passed {
    Through,
    /// There is no room to begin a segment.
    Full,
    /// The disk does not work.
    Broken,
}

impl Gated {
    /// The journal of a home, made if there is none.
    pub(crate) fn open(home: &Home) -> Self {
        // The master key is made before the journal.
        drop(home.options());
        let disk = || Arc::new(OsDisk::new(home.path().join("journal")).unwrap());
        let options = SegmentOptions::default();
        let log = match SegmentLog::open(disk(), options) {
            Err(OpenError::Empty) => {
                let id = LedgerId::from_uuid(Uuid::new_v4());
                SegmentLog::create(disk(), id, Timestamp::from_nanos(1), options)
            }
            other => other,
        };
        Self::over(log.unwrap())
    }

    /// The journal of the access log of a home that has a ledger, while no server has it.
    fn of_reads(home: &Home) -> Self {
        let ledger = Ledger::open(home.options()).unwrap();
        let id = access_log::log_id(ledger.status().ledger);
        let disk = Arc::new(OsDisk::new(home.path().join("access/journal")).unwrap());
        let now = Timestamp::from_nanos(1);
        let log = SegmentLog::create(disk, id, now, SegmentOptions::default());
        Self::over(log.unwrap())
    }

    fn over(log: SegmentLog) -> Self {
        Self(Arc::new(Inner {
            log,
            gate: Mutex::default(),
            moved: Condvar::new(),
        }))
    }

    /// A new ledger on such a disk, and a server that runs on it.
    pub(crate) fn start() -> (Self, Running) {
        let home = Home::new();
        let log = Self::open(&home);
        let server = Setup::on(&log).start(&home);
        (log, server)
    }

    /// A server whose access log is on such a disk, somebody who talks to it, and a plan.
    pub(crate) async fn with_reads(strict: bool) -> (Self, Running, Voice, String) {
        let home = Home::new();
        let unrecorded = Setup {
            reads: None,
            ..Setup::default()
        };
        let server = unrecorded.start(&home);
        let voice = server.voice().await;
        let (_, _, plan_id) = School::with_plan(&voice).await;
        drop(voice);
        server.stop();
        let log = Self::of_reads(&home);
        let setup = Setup {
            reads: Some(Strict(strict)),
            read_log: Some(log.clone()),
            ..Setup::default()
        };
        let server = setup.start(&home);
        let voice = server.voice().await;
        (log, server, voice, plan_id)
    }

    /// Lets no write through from now on.
    pub(crate) fn shut(&self) {
        self.turn(|gate| gate.shut = true);
    }

    /// Waits until a write stands before the gate: what is in it has been decided.
    pub(crate) fn wait_for_write(&self) {
        let gate = self.0.gate.lock().unwrap();
        let (gate, _) = self
            .0
            .moved
            .wait_timeout_while(gate, PATIENCE, |gate| gate.waiting == 0)
            .unwrap();
        assert!(gate.waiting > 0, "nothing was written in time");
    }

    /// Lets writes through again.
    pub(crate) fn let_through(&self) {
        self.turn(|gate| (gate.shut, gate.full) = (false, false));
    }

    /// Holds up no write any more. Those for which there is no room still fail.
    pub(crate) fn hold_nothing_up(&self) {
        self.turn(|gate| gate.shut = false);
    }

    /// Lets one write through, and none after it.
    pub(crate) fn let_one_through(&self) {
        self.turn(|gate| gate.passing += 1);
    }

    /// Lets no write through, because there is no room for it, until [`Gated::let_through`].
    pub(crate) fn fill(&self) {
        self.turn(|gate| (gate.shut, gate.full) = (false, true));
    }

    /// Lets every write fail.
    pub(crate) fn fail(&self) {
        self.turn(|gate| (gate.shut, gate.broken) = (false, true));
    }

    fn turn(&self, turn: impl FnOnce(&mut Gate)) {
        turn(&mut self.0.gate.lock().unwrap());
        self.0.moved.notify_all();
    }

    /// Passes the gate; says how it went.
    fn pass(&self) -> Passed {
        let mut gate = self.0.gate.lock().unwrap();
        gate.waiting += 1;
        self.0.moved.notify_all();
        let is_held = |gate: &mut Gate| gate.shut && gate.passing == 0;
        gate = self.0.moved.wait_while(gate, is_held).unwrap();
        gate.waiting -= 1;
        if gate.shut {
            gate.passing -= 1;
        }
        match (gate.broken, gate.full) {
            (true, _) => Passed::Broken,
            (false, true) => Passed::Full,
            (false, false) => Passed::Through,
        }
    }
}

impl CommitLog for Gated {
    fn ledger_id(&self) -> LedgerId {
        self.0.log.ledger_id()
    }

    fn tail(&self) -> Tail {
        self.0.log.tail()
    }

    fn append(&self, expected: &Tail, commits: &[Commit]) -> Result<Tail, AppendError> {
        let source = io::ErrorKind::StorageFull.into();
        match self.pass() {
            Passed::Through => self.0.log.append(expected, commits),
            Passed::Full => Err(AppendError::NotYet { segment: 2, source }),
            Passed::Broken => Err(AppendError::Io { segment: 1, source }),
        }
    }

    fn read(&self, from: Position) -> Frames {
        self.0.log.read(from)
    }

    fn read_commits(&self, from: CommitSeq) -> Frames {
        self.0.log.read_commits(from)
    }

    fn follow(&self, after: CommitSeq, timeout: Duration) -> Tail {
        self.0.log.follow(after, timeout)
    }

    fn entry(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        self.0.log.entry(position)
    }
}
