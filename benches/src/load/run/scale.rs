//! A large ledger: how long it takes to fill, open, rebuild and verify, and what memory it needs.
//! Each step is a process of its own, so that none has the memory of another.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::{Args, ValueEnum};
use planledger_benches::measure::process::Memory;
use planledger_benches::place::{self, PlaceError};
use planledger_benches::school::School;
use planledger_core::ledger;
use planledger_core::verify::{self, Depth};
use serde::{Deserialize, Serialize};

use crate::Place;
use crate::fault::Fault;

const MIB: f64 = 1024.0 * 1024.0;
/// What filling begins with; as in a real ledger, the same seed is used once.
const SEED: u64 = 1;

#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// Events to fill the ledger with
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = 50_000)]
    students: u64,
}

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
}

/// What a step found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    step: Name,
    seconds: f64,
    events: u64,
    peak_mib: f64,
}

/// What all steps found.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    steps: Vec<Done>,
    journal_mib: f64,
    derived_mib: f64,
}

impl Scale {
    pub(crate) fn run(&self, place: &Place) -> Result<Figures, Fault> {
        let fresh;
        let dir: &Path = match &place.ledger {
            Some(dir) => dir,
            None => {
                fresh = tempfile::tempdir_in(place.root())?;
                fresh.path()
            }
        };
        let mut steps = Vec::new();
        for step in [
            Name::Fill,
            Name::Open,
            Name::Rebuild,
            Name::Open,
            Name::Verify,
        ] {
            // A ledger that is there already is not filled again.
            if step == Name::Fill && dir.join("journal").is_dir() {
                continue;
            }
            let done = self.step(step, dir)?;
            eprintln!("{done}");
            steps.push(done);
        }
        Ok(Figures {
            steps,
            journal_mib: size(&dir.join("journal"))? as f64 / MIB,
            derived_mib: size(&dir.join("derived"))? as f64 / MIB,
        })
    }

    fn step(&self, step: Name, dir: &Path) -> Result<Done, Fault> {
        let name = step.to_possible_value();
        let output = Command::new(std::env::current_exe()?)
            .arg("step")
            .args(name.as_ref().map(|name| name.get_name()))
            .arg("--on")
            .arg(dir)
            .args(["--events", &self.events.to_string()])
            .args(["--students", &self.students.to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(Fault::Untrue(format!(
                "{step:?} ended with {}",
                output.status
            )));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Step {
    pub(crate) fn run(&self) -> Result<(), Fault> {
        let start = Instant::now();
        let mut opened = None;
        let events = match self.step {
            Name::Fill => self.fill()?,
            Name::Open => {
                // Closing it again is not part of the step.
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
        };
        let seconds = start.elapsed().as_secs_f64();
        let memory = Memory::of(std::process::id());
        let done = Done {
            step: self.step,
            seconds,
            events,
            peak_mib: memory.map(|memory| memory.peak).unwrap_or_default(),
        };
        println!("{}", serde_json::to_string(&done)?);
        Ok(())
    }

    /// Carries out commands through the library until there are enough events.
    fn fill(&self) -> Result<u64, Fault> {
        let ledger = place::open(&self.on)?;
        let school = School::new(SEED, self.students);
        let foundation = school.foundation()?;
        let founded = foundation.len() as u64;
        place::carry_out(&ledger, &school, 0, foundation.into_iter().map(Ok))?;
        let left = self.events.saturating_sub(ledger.position().get());
        let work = (0..left).map(|number| school.work(number));
        place::carry_out(&ledger, &school, founded, work)?;
        ledger.settle();
        Ok(ledger.position().get())
    }
}

fn size(dir: &Path) -> Result<u64, Fault> {
    let mut bytes = 0;
    for item in fs::read_dir(dir)? {
        let item = item?;
        let about = item.metadata()?;
        bytes += match about.is_dir() {
            true => size(&item.path())?,
            false => about.len(),
        };
    }
    Ok(bytes)
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<8} {:>9.2} s {:>12.0} events/s {:>6.0} MiB at most",
            format!("{:?}", self.step).to_lowercase(),
            self.seconds,
            self.events as f64 / self.seconds,
            self.peak_mib
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(
            f,
            "journal {:.0} MiB, derived state {:.0} MiB",
            self.journal_mib, self.derived_mib
        )
    }
}
