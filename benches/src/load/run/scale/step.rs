//! One step, in a process of its own.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use planledger_benches::measure::process::Memory;
use planledger_benches::measure::usage::{Cost, Gathering};
use planledger_benches::place::{self, PlaceError};
use planledger_benches::school::School;
use planledger_core::ledger::{self, Ledger};
use planledger_core::verify::{self, Depth};
use serde::{Deserialize, Serialize};

use super::reading::{Reads, read};
use crate::fault::Fault;

/// What filling begins with; as in a real ledger, the same seed is used once.
const SEED: u64 = 1;

/// One step of `scale`, in a process of its own
#[derive(Debug, Args)]
pub(crate) struct Step {
    step: Name,
    /// Directory of the ledger
    #[arg(long)]
    on: PathBuf,
    #[arg(long, default_value_t = 0)]
    events: u64,
    #[arg(long, default_value_t = 0)]
    students: u64,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Name {
    /// Carry out commands, in batches, through the library
    Fill,
    /// Open after a clean stop
    Open,
    /// Throw derived state away and make it again
    Rebuild,
    /// Check the journal from its first byte to its last
    Verify,
    /// Read a plan with a long history, recorded last
    Plan,
}

/// What a step found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) step: Name,
    pub(crate) seconds: f64,
    pub(crate) events: u64,
    /// Resident memory at most, and at the end before the ledger is closed.
    pub(crate) peak_mib: f64,
    pub(crate) resident_mib: f64,
    /// Processor time for each event; this process is all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reads: Option<Reads>,
}

impl Name {
    /// In their order: a ledger is opened as it was left, and as it was made again.
    pub(super) const ALL: [Self; 6] = [
        Self::Fill,
        Self::Open,
        Self::Rebuild,
        Self::Open,
        Self::Verify,
        Self::Plan,
    ];
}

impl Step {
    pub(crate) fn run(&self) -> Result<(), Fault> {
        let gathering = Gathering::start(std::process::id());
        let start = Instant::now();
        // Closing it again is not part of the step.
        let mut opened = None;
        let mut reads = None;
        let events = match self.step {
            Name::Fill => self.fill(opened.insert(place::open(&self.on)?))?,
            Name::Open => {
                let ledger = opened.insert(place::open(&self.on)?);
                ledger.position().get()
            }
            Name::Rebuild => {
                let options = place::options(&self.on).map_err(PlaceError::from)?;
                let rebuilt = ledger::rebuild(options).map_err(PlaceError::from)?;
                rebuilt.position.get()
            }
            Name::Verify => {
                let options = place::options(&self.on).map_err(PlaceError::from)?;
                let found = verify::verify_dir(&options, Depth::Integrity, &|_, _, _| {})
                    .map_err(PlaceError::from)?;
                if let Some((_, fault)) = found.faults().next() {
                    return Err(Fault::Untrue(fault.to_string()));
                }
                found.events.get()
            }
            Name::Plan => {
                let ledger = opened.insert(place::open(&self.on)?);
                let found = read(ledger)?;
                reads.insert(found).reads
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let cost = gathering.end(events);
        let memory = Memory::of(std::process::id());
        let done = Done {
            step: self.step,
            seconds,
            events,
            peak_mib: memory.map(|memory| memory.peak).unwrap_or_default(),
            resident_mib: memory.map(|memory| memory.resident).unwrap_or_default(),
            cost,
            reads,
        };
        println!("{}", serde_json::to_string(&done)?);
        Ok(())
    }

    /// Carries out commands through the library until there are enough events, and waits until nothing is left
    /// to be written.
    fn fill(&self, ledger: &Ledger) -> Result<u64, Fault> {
        let school = School::new(SEED, self.students);
        let mut founded = 0;
        let founding = school.founding().inspect(|_| founded += 1);
        place::carry_out(ledger, &school, 0, founding)?;
        let left = self.events.saturating_sub(ledger.position().get());
        let begun = founded;
        let years = school.later_years(left).inspect(|_| founded += 1);
        place::carry_out(ledger, &school, begun, years)?;
        let left = self.events.saturating_sub(ledger.position().get());
        let work = (0..left).map(|number| school.work(number));
        place::carry_out(ledger, &school, founded, work)?;
        ledger.settle();
        Ok(ledger.position().get())
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.step).to_lowercase();
        if let Some(reads) = &self.reads {
            return write!(f, "{name:<8} {reads}");
        }
        write!(
            f,
            "{name:<8} {:>9.2} s {:>12.0} events/s {:>6.0} MiB at most, {:.0} at the end",
            self.seconds,
            self.events as f64 / self.seconds,
            self.peak_mib,
            self.resident_mib
        )?;
        let Some(cost) = &self.cost else {
            return Ok(());
        };
        write!(f, "; {:.2} µs of processor each", cost.micros)?;
        for (stage, micros) in &cost.stages {
            // What is next to nothing is left out.
            if *micros >= 0.05 {
                write!(f, ", {stage} {micros:.2}")?;
            }
        }
        Ok(())
    }
}
