//! The ledger to which nothing happens, and copies of it along the way.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use planledger_core::domain::Aggregate;
use planledger_core::ids::{Position, Revision, StreamId};
use planledger_core::ledger::{ExecuteError, Ledger, Receipt};

use crate::derived::answers::{Answer, Question, questions};
use crate::derived::documents::{self, Stores};
use crate::derived::files::{self, Files};
use crate::derived::history::{Expects, History, Size, Step, tell};
use crate::derived::place::ClockedDir;

/// What came of a step.
pub(crate) type Outcome = Result<Vec<Receipt>, ExecuteError>;

/// What every read has to say after so many steps.
pub(crate) struct Point {
    pub(crate) steps: usize,
    pub(crate) position: Position,
    pub(crate) answers: Vec<Answer>,
}

/// A copy of the directory. Journal and keys are whole and hold everything up to the point.
pub(crate) struct Version {
    pub(crate) point: usize,
    /// Everything outside derived state.
    pub(crate) truth: Files,
    pub(crate) derived: Files,
    /// Derived state while it was made again from nothing.
    pub(crate) rebuilding: Vec<Files>,
    /// What the stores in derived state hold.
    pub(crate) stores: Stores,
}

pub(crate) struct Reference {
    pub(crate) steps: Vec<Step>,
    pub(crate) outcomes: Vec<Outcome>,
    /// How long the journal's file was after each step.
    journal: Vec<usize>,
    pub(crate) questions: Vec<Question>,
    pub(crate) points: Vec<Point>,
    /// In the order in which they were taken.
    pub(crate) versions: Vec<Version>,
    /// The whole directory at the end.
    last: Files,
}

/// The journal's one segment: no history here fills another.
const SEGMENT: &str = "journal/segment-00000001.log";

/// How often copies are taken, in bursts of steps.
#[derive(Clone, Copy)]
pub(crate) struct Copies {
    pub(crate) every: usize,
    /// Every so many copies it is closed; every other one waits for sled to have written.
    pub(crate) close: usize,
    pub(crate) wait: usize,
}

impl Reference {
    pub(crate) fn run(size: Size, copies: Copies) -> Self {
        let History { steps, cast } = tell(size);
        let place = ClockedDir::new();
        let mut reference = Self {
            steps,
            outcomes: Vec::new(),
            journal: Vec::new(),
            questions: questions(&cast),
            points: Vec::new(),
            versions: Vec::new(),
            last: Files::new(),
        };
        let bursts = bursts(&reference.steps);
        let last = bursts.len() - 1;
        place.set(reference.steps[0].at);
        let mut ledger = Ledger::open(place.options()).unwrap();
        for (number, burst) in bursts.into_iter().enumerate() {
            for step in burst {
                reference.step(&place, &ledger, step);
            }
            // Each part reaches sled by itself, so that there is much that can be lost.
            ledger.settle();
            if (number + 1) % copies.every == 0 || number == last {
                ledger = reference.copy(&place, ledger, copies);
            }
        }
        ledger.settle();
        drop(ledger);
        reference.last = place.files();
        reference.make_again();
        for version in &mut reference.versions {
            version.stores = documents::read(&version.derived);
        }
        reference
    }

    fn step(&mut self, place: &ClockedDir, ledger: &Ledger, number: usize) {
        let step = &mut self.steps[number];
        place.set(step.at);
        if step.expects != Expects::Nothing {
            let stream = step.envelopes[0].command.stream();
            let there = revision(ledger, stream).get();
            let expected = match step.expects {
                Expects::Wrong => there + 3,
                Expects::Right | Expects::Nothing => there,
            };
            step.envelopes[0].expected_revision = Some(Revision::new(expected));
        }
        let outcome = ledger.execute_batch(step.actor, step.envelopes.clone());
        match &outcome {
            Ok(receipts) => assert!(receipts.iter().all(|receipt| !receipt.replayed)),
            Err(ExecuteError::Refused { .. } | ExecuteError::Conflict { .. }) => {}
            Err(error) => panic!("nothing happens to this ledger: {error}"),
        }
        self.outcomes.push(outcome);
        let length = std::fs::metadata(place.path().join(SEGMENT)).unwrap().len();
        self.journal.push(length as usize);
    }

    /// Asks everything, and copies the directory as it is, when sled has written, and when the
    /// ledger is closed.
    fn copy(&mut self, place: &ClockedDir, ledger: Ledger, copies: Copies) -> Ledger {
        let answers = self.questions.iter();
        let answers = answers.map(|question| question.ask(&ledger, None).unwrap());
        self.points.push(Point {
            steps: self.outcomes.len(),
            position: ledger.position(),
            answers: answers.collect(),
        });
        let number = self.points.len();
        self.keep(place);
        ledger.settle();
        if number.is_multiple_of(copies.wait) {
            wait_for_change(place);
            self.keep(place);
        }
        if !number.is_multiple_of(copies.close) {
            return ledger;
        }
        drop(ledger);
        self.keep(place);
        Ledger::open(place.options()).unwrap()
    }

    fn keep(&mut self, place: &ClockedDir) {
        let (derived, truth) = files::split(&place.files(), "derived");
        self.versions.push(Version {
            point: self.points.len() - 1,
            truth,
            derived,
            rebuilding: Vec::new(),
            stores: Stores::new(),
        });
    }

    /// Opens some of the copies without derived state and looks at what is there before it is done.
    fn make_again(&mut self) {
        let from = self.versions.len() / 3;
        for version in self.versions[from..].iter_mut().step_by(5) {
            let place = ClockedDir::with(&version.truth);
            let options = place.options();
            let (done, opened) = mpsc::channel();
            std::thread::spawn(move || done.send(Ledger::open(options).unwrap()).unwrap());
            loop {
                let (derived, _) = files::split(&place.files(), "derived");
                if version.rebuilding.last() != Some(&derived) {
                    version.rebuilding.push(derived);
                }
                if opened.try_recv().is_ok() {
                    break;
                }
            }
        }
    }

    pub(crate) fn point(&self, version: &Version) -> &Point {
        &self.points[version.point]
    }

    /// The next write to the journal after so many steps: of which step, to which file, and what.
    pub(crate) fn next_write(&self, steps: usize) -> Option<(usize, PathBuf, Vec<u8>)> {
        let before = *self.journal.get(steps.checked_sub(1)?)?;
        let mut later = self.journal.iter().enumerate().skip(steps);
        let (step, after) = later.find(|(_, after)| **after > before)?;
        let path = PathBuf::from(SEGMENT);
        let bytes = self.last[&path][before..*after].to_vec();
        Some((step, path, bytes))
    }
}

fn revision(ledger: &Ledger, stream: StreamId) -> Revision {
    let (found, _): (Option<(Arc<Aggregate>, Revision)>, _) =
        ledger.read(|reading| reading.stream(stream)).unwrap();
    found.map(|(_, revision)| revision).unwrap_or_default()
}

/// Steps at the same instant belong together.
pub(crate) fn bursts(steps: &[Step]) -> Vec<Range<usize>> {
    let mut from = 0;
    let chunks = steps.chunk_by(|one, other| one.at == other.at);
    let ranges = chunks.map(|chunk| {
        let range = from..from + chunk.len();
        from = range.end;
        range
    });
    ranges.collect()
}

/// Waits until something below `derived/` is another than it was: sled writes once a second.
fn wait_for_change(place: &ClockedDir) {
    let before = files::read(&place.derived());
    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until && files::read(&place.derived()) == before {
        std::thread::sleep(Duration::from_millis(20));
    }
}
