//! A ledger that is sent the history, compared with the reference at every step.

use std::fmt::Debug;
use std::sync::mpsc;
use std::time::Duration;

use planledger_core::ledger::{
    ExecuteError, Ledger, OpenError, ReadError, Receipt, Request, rebuild,
};
use planledger_core::verify::{Depth, PartName, Verification, verify_dir};

use crate::derived::answers::{Answer, Question};
use crate::derived::case::Care;
use crate::derived::place::ClockedDir;
use crate::derived::reference::{Outcome, Point, Reference};
use crate::derived::running::Patch;
use crate::derived::tally::{Fault, Report};
use planledger_fixtures::dice::Dice;

/// How often what failed in a way that may pass is asked again, longer and longer after, before the
/// ledger is opened again.
const TRIES: u32 = 6;
/// How often it is opened again for that.
const OPENINGS: u64 = 3;

/// There is no use in going on; the report says why.
pub(crate) struct Stop;

pub(crate) struct Session<'a> {
    reference: &'a Reference,
    care: Care,
    pub(crate) place: ClockedDir,
    ledger: Option<Ledger>,
    pub(crate) report: Report,
    /// Steps up to here may have been carried out, though nobody was told.
    perhaps: usize,
    may_have_lost_end: bool,
    patches: Vec<Patch>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(reference: &'a Reference, care: Care) -> Self {
        Self {
            reference,
            care,
            place: ClockedDir::new(),
            ledger: None,
            report: Report::default(),
            perhaps: 0,
            may_have_lost_end: false,
            patches: Vec::new(),
        }
    }

    /// Derived state knows of more than the journal: not to open it may be right.
    pub(crate) fn may_have_lost_end(&mut self) {
        self.may_have_lost_end = true;
    }

    /// Steps up to here may have been carried out, though nobody was told.
    pub(crate) fn perhaps(&mut self, steps: usize) {
        self.perhaps = steps;
    }

    pub(crate) fn open(&mut self) -> Result<(), Stop> {
        match Ledger::open(self.place.options()) {
            Ok(ledger) => {
                self.ledger = Some(ledger);
                Ok(())
            }
            Err(OpenError::Journal(_)) if self.may_have_lost_end => {
                self.report.lost_end = true;
                Err(Stop)
            }
            Err(error) => {
                self.report.fault(Fault::RefusedStart, error);
                Err(Stop)
            }
        }
    }

    pub(crate) fn put_back_when_closed(&mut self, patches: Vec<Patch>) {
        self.patches = patches;
    }

    pub(crate) fn close(&mut self) {
        self.ledger = None;
        for patch in std::mem::take(&mut self.patches) {
            patch.undo();
        }
        let aside = self.place.path().join("derived.set-aside");
        if aside.exists() {
            self.report.set_aside += 1;
        }
    }

    pub(crate) fn reopen(&mut self) -> Result<(), Stop> {
        self.close();
        self.open()
    }

    /// Goes on as if the process had been killed: with what is in the directory while it is open.
    pub(crate) fn kill(&mut self) -> Result<(), Stop> {
        let copy = ClockedDir::with(&self.place.files());
        self.close();
        self.place = copy;
        self.open()
    }

    fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    /// Sends what was sent before again. Everything must have the same receipt.
    pub(crate) fn send_again(&mut self, steps: usize, dice: &mut Dice) -> Result<(), Stop> {
        let granted = (0..steps).filter(|step| self.reference.outcomes[*step].is_ok());
        let mut granted: Vec<_> = granted
            .filter(|_| dice.once_in(self.care.again_one_in))
            .collect();
        let without_waiting = dice.once_in(2);
        if dice.once_in(3) {
            granted.reverse();
        }
        let answers = match without_waiting {
            true => self.submit(&granted),
            false => Vec::new(),
        };
        let mut answers = answers.into_iter();
        for step in granted {
            let outcome = match answers.next() {
                Some(Err(error)) if may_pass(&error) => self.send(step)?.0,
                Some(outcome) => outcome,
                None => self.send(step)?.0,
            };
            self.compare_again(step, outcome);
        }
        self.go_on()
    }

    /// Sends steps without waiting for each.
    fn submit(&mut self, steps: &[usize]) -> Vec<Outcome> {
        let mut waiting = Vec::new();
        for step in steps {
            let step = &self.reference.steps[*step];
            let (reply, answer) = mpsc::channel();
            let refused = reply.clone();
            let request = Request::new(step.actor, step.envelopes.clone(), move |outcome| {
                // Nobody waits any more when the case has been given up.
                let _ = reply.send(outcome);
            });
            if let Err(error) = self.ledger().submit(request) {
                refused.send(Err(error)).unwrap();
            }
            waiting.push(answer);
        }
        let answers = waiting.into_iter().map(|answer| answer.recv());
        answers
            .map(|answer| answer.unwrap_or(Err(ExecuteError::Closed)))
            .collect()
    }

    /// Sends a step until it is carried out or finally not. Says whether it was sent more than once.
    fn send(&mut self, number: usize) -> Result<(Outcome, bool), Stop> {
        let step = &self.reference.steps[number];
        self.place.set(step.at);
        let openings = self.report.reopened + OPENINGS;
        let mut more_than_once = false;
        loop {
            for tries in 0..TRIES {
                let envelopes = step.envelopes.clone();
                match self.ledger().execute_batch(step.actor, envelopes) {
                    Err(error) if may_pass(&error) => {
                        more_than_once = true;
                        self.put_off(tries);
                        if tries + 1 == TRIES && self.report.reopened == openings {
                            self.report
                                .fault(Fault::NotTaken, format!("step {number}: {error}"));
                            return Err(Stop);
                        }
                    }
                    outcome => return Ok((outcome, more_than_once)),
                }
            }
            self.report.reopened += 1;
            self.reopen()?;
        }
    }

    fn put_off(&mut self, tries: u32) {
        self.report.put_off += 1;
        std::thread::sleep(Duration::from_millis(5 << tries));
    }

    fn compare_again(&mut self, step: usize, outcome: Outcome) {
        let expected = self.reference.outcomes[step].as_ref();
        let Ok(expected) = expected else { return };
        match outcome {
            Ok(receipts) => {
                for (receipt, first) in receipts.iter().zip(expected) {
                    let replayed = Receipt {
                        replayed: true,
                        kept: Vec::new(),
                        dropped: Vec::new(),
                        ..first.clone()
                    };
                    if !receipt.replayed {
                        let what = differ(step, receipt, &replayed);
                        self.report.fault(Fault::SecondExecution, what);
                    } else {
                        self.compare(step, receipt, &replayed);
                    }
                }
                if receipts.len() != expected.len() {
                    self.report
                        .fault(Fault::WrongReceipt, differ(step, &receipts, expected));
                }
            }
            Err(error) => self
                .report
                .fault(Fault::WrongRefusal, format!("step {step} again: {error}")),
        }
    }

    fn compare(&mut self, step: usize, receipt: &Receipt, expected: &Receipt) {
        if receipt == expected {
            return;
        }
        let fault = match receipt.revision == expected.revision {
            true => Fault::WrongReceipt,
            false => Fault::WrongRevision,
        };
        self.report.fault(fault, differ(step, receipt, expected));
    }

    /// Carries out what comes next in the history.
    pub(crate) fn step(&mut self, number: usize) -> Result<(), Stop> {
        let (outcome, more_than_once) = self.send(number)?;
        self.check(number, outcome, more_than_once || number < self.perhaps)
    }

    fn check(&mut self, number: usize, outcome: Outcome, may_be_there: bool) -> Result<(), Stop> {
        let expected = &self.reference.outcomes[number];
        match (outcome, expected) {
            (Ok(receipts), Ok(expected)) if receipts.len() == expected.len() => {
                for (receipt, expected) in receipts.iter().zip(expected) {
                    let replayed = may_be_there && receipt.replayed;
                    let expected = Receipt {
                        replayed,
                        kept: match replayed {
                            true => Vec::new(),
                            false => expected.kept.clone(),
                        },
                        dropped: match replayed {
                            true => Vec::new(),
                            false => expected.dropped.clone(),
                        },
                        ..expected.clone()
                    };
                    self.compare(number, receipt, &expected);
                }
            }
            (Err(error), Err(expected)) if error == *expected => {}
            // A refusal is recorded nowhere, so this one is given anew, and what follows it may be
            // there already: a write that was torn off whole.
            (Err(error), Err(expected))
                if number + 1 < self.perhaps && is_overtaken(&error, expected) => {}
            (Ok(receipts), expected) => self
                .report
                .fault(Fault::WrongReceipt, differ(number, &receipts, expected)),
            (Err(error), expected) => self
                .report
                .fault(Fault::WrongRefusal, differ(number, &error, expected)),
        }
        self.go_on()
    }

    /// What is wrong with answers only has no consequences of its own: more may be found.
    /// Carries out what comes next if that is possible now, and says whether it was.
    pub(crate) fn try_step(&mut self, number: usize) -> Result<bool, Stop> {
        let step = &self.reference.steps[number];
        self.place.set(step.at);
        match self
            .ledger()
            .execute_batch(step.actor, step.envelopes.clone())
        {
            Err(error) if may_pass(&error) => {
                self.report.put_off += 1;
                Ok(false)
            }
            outcome => {
                self.check(number, outcome, false)?;
                Ok(true)
            }
        }
    }

    /// Carries out what may have been carried out just now.
    pub(crate) fn step_again(&mut self, number: usize) -> Result<(), Stop> {
        let (outcome, _) = self.send(number)?;
        self.check(number, outcome, true)
    }

    fn go_on(&self) -> Result<(), Stop> {
        let mut faults = self.report.faults.keys();
        match faults.all(|fault| *fault == Fault::WrongAnswer) {
            true => Ok(()),
            false => Err(Stop),
        }
    }

    /// Asks everything there is to ask at a point, in any order.
    pub(crate) fn read_all(&mut self, point: &Point, dice: &mut Dice) -> Result<(), Stop> {
        let questions = &self.reference.questions;
        let first = dice.below(questions.len());
        for number in 0..questions.len() {
            let number = (number + first) % questions.len();
            if !dice.once_in(self.care.asked_one_in) {
                continue;
            }
            self.read(&questions[number], None, &point.answers[number])?;
        }
        let status = self.ledger().status();
        if status.position != point.position {
            let what = format!("at {}, not at {}", status.position, point.position);
            self.report.fault(Fault::WrongAnswer, what);
        }
        self.go_on()
    }

    /// Asks how things were at an earlier point.
    pub(crate) fn read_past(&mut self, point: &Point, dice: &mut Dice) -> Result<(), Stop> {
        for (question, expected) in self.reference.questions.iter().zip(&point.answers) {
            if question.has_a_past() && dice.once_in(self.care.asked_one_in) {
                self.read(question, Some(point), expected)?;
            }
        }
        self.go_on()
    }

    fn read(
        &mut self,
        question: &Question,
        past: Option<&Point>,
        expected: &Answer,
    ) -> Result<(), Stop> {
        let at = past.map(|point| point.position);
        let answer = self.ask(|ledger| question.ask(ledger, at), question)?;
        if answer != *expected {
            let what = format!("{question:?} at {at:?}: {answer:?}, not {expected:?}");
            self.report.fault(Fault::WrongAnswer, what);
        }
        Ok(())
    }

    fn ask<T>(
        &mut self,
        ask: impl Fn(&Ledger) -> Result<T, ReadError>,
        what: &dyn Debug,
    ) -> Result<T, Stop> {
        let openings = self.report.reopened + OPENINGS;
        loop {
            for tries in 0..TRIES {
                match ask(self.ledger()) {
                    Ok(found) => return Ok(found),
                    Err(error) => {
                        self.put_off(tries);
                        if tries + 1 == TRIES && self.report.reopened == openings {
                            self.report
                                .fault(Fault::NoAnswer, format!("{what:?}: {error}"));
                            return Err(Stop);
                        }
                    }
                }
            }
            self.report.reopened += 1;
            self.reopen()?;
        }
    }

    /// Reads the directory from the first byte to the last, once it is closed. A document that is
    /// wrong and that nobody has asked for since is found here first; made again, it has to be right.
    pub(crate) fn verify(&mut self, damaged: bool) {
        self.close();
        let Some(found) = self.verified() else { return };
        let only_derived = |found: &Verification| {
            let mut faults = found.faults().peekable();
            faults.peek().is_some() && faults.all(|(part, _)| part == PartName::Derived)
        };
        if !(damaged && only_derived(&found)) {
            self.sound(&found);
            return;
        }
        self.report.found_late = true;
        match rebuild(self.place.options()) {
            Ok(_) => {
                if let Some(found) = self.verified() {
                    self.sound(&found);
                }
            }
            Err(error) => self.report.fault(Fault::RefusedStart, error),
        }
    }

    fn verified(&mut self) -> Option<Verification> {
        match verify_dir(&self.place.options(), Depth::Full, &|_, _, _| {}) {
            Ok(found) => Some(found),
            Err(error) => {
                self.report.fault(Fault::UnsoundJournal, error);
                None
            }
        }
    }

    fn sound(&mut self, found: &Verification) {
        for (part, fault) in found.faults() {
            let which = match part {
                PartName::Derived => Fault::UnsoundDerived,
                PartName::Journal
                | PartName::Checkpoints
                | PartName::Heads
                | PartName::Indexes
                | PartName::Contents
                | PartName::Tiles
                | PartName::AccessLog
                | PartName::AccessCheckpoints
                | PartName::Origin => Fault::UnsoundJournal,
            };
            self.report
                .fault(which, format!("{}: {}", part.name(), fault.what));
        }
    }
}

fn may_pass(error: &ExecuteError) -> bool {
    matches!(
        error,
        ExecuteError::WriterStopped(_) | ExecuteError::Overloaded | ExecuteError::Closed
    )
}

fn differ(step: usize, found: &impl Debug, expected: &impl Debug) -> String {
    format!("step {step}: {found:?}, not {expected:?}")
}

/// Whether both are refusals for an unexpected revision of the same stream, which has gone further.
fn is_overtaken(error: &ExecuteError, before: &ExecuteError) -> bool {
    let (
        ExecuteError::Conflict {
            stream,
            expected,
            actual,
            ..
        },
        ExecuteError::Conflict {
            stream: same,
            expected: the_same,
            actual: earlier,
            ..
        },
    ) = (error, before)
    else {
        return false;
    };
    stream == same && expected == the_same && actual > earlier
}
