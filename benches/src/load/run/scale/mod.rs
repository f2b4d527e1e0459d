//! A large ledger: how long it takes to fill, open, rebuild and verify, how long a plan of it takes to read, and
//! what memory and disk it needs. Each step is a process of its own, so that none has the memory of another.

mod growth;
mod reading;
mod step;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::{Args, ValueEnum};
use serde::Serialize;

pub(crate) use self::growth::Growth;
pub(crate) use self::step::{Done, Name, Step};
use crate::Place;
use crate::fault::Fault;
use crate::interrupt::Interrupt;

const MIB: f64 = 1024.0 * 1024.0;
/// Events for each student in a ledger that is small: the roster and the plans are a quarter of them.
const FEWEST: u64 = 20;

#[derive(Debug, Clone, Args)]
pub(crate) struct Scale {
    /// Events to fill the ledger with
    #[arg(long, default_value_t = 2_000_000)]
    pub(crate) events: u64,
    /// Students, with a plan each; in smaller ledgers one for each 20 events
    #[arg(long, default_value_t = 50_000)]
    pub(crate) students: u64,
    /// Fill one ledger after the other to these numbers of events, and print a table
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "EVENTS,...",
        conflicts_with = "events"
    )]
    growth: Vec<u64>,
}

/// What all steps found.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) steps: Vec<Done>,
    /// Bytes of the journal.
    pub(crate) journal: u64,
    /// Bytes of derived state when the ledger had been filled; none if it was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) derived_filled: Option<u64>,
    /// Bytes of derived state that was made again.
    pub(crate) derived: u64,
}

/// What a run of `scale` gives.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Found {
    /// Of one ledger.
    One(Figures),
    /// Of one after the other.
    Growth(Growth),
}

impl Scale {
    pub(crate) fn run(&self, place: &Place) -> Result<Found, Fault> {
        let interrupt = Interrupt::listen()?;
        if self.growth.is_empty() {
            return Ok(Found::One(self.one(place, &interrupt)?));
        }
        if place.ledger.is_some() {
            return Err(Fault::Untrue("--growth makes its own ledgers".to_owned()));
        }
        let mut growth = Growth::default();
        for events in &self.growth {
            let scale = Self {
                events: *events,
                growth: Vec::new(),
                ..*self
            };
            eprintln!("{events} events");
            growth.add(scale.one(place, &interrupt)?, scale.students());
        }
        Ok(Found::Growth(growth))
    }

    /// A ledger of so many events.
    pub(crate) fn of(events: u64, students: u64) -> Self {
        Self {
            events,
            students,
            growth: Vec::new(),
        }
    }

    /// Students of a ledger of this size.
    fn students(&self) -> u64 {
        self.students.min(self.events / FEWEST).max(1)
    }

    /// All steps, one after the other.
    pub(crate) fn one(&self, place: &Place, interrupt: &Interrupt) -> Result<Figures, Fault> {
        let fresh;
        let dir: &Path = match &place.ledger {
            Some(dir) => dir,
            None => {
                fs::create_dir_all(place.root())?;
                fresh = tempfile::tempdir_in(place.root())?;
                fresh.path()
            }
        };
        let mut figures = Figures {
            steps: Vec::new(),
            journal: 0,
            derived_filled: None,
            derived: 0,
        };
        for step in Name::ALL {
            match step {
                // A ledger that is there already is not filled again, and gets no plan of ours.
                Name::Fill if dir.join("journal").is_dir() => continue,
                Name::Plan if place.ledger.is_some() => continue,
                // It records some events of its own.
                Name::Plan => figures.weigh(dir)?,
                Name::Fill | Name::Open | Name::Rebuild | Name::Verify => {}
            }
            let done = self.step(step, dir, interrupt)?;
            eprintln!("{done}");
            figures.steps.push(done);
            if step == Name::Fill {
                figures.derived_filled = Some(size(&dir.join("derived"))?);
            }
        }
        if place.ledger.is_some() {
            figures.weigh(dir)?;
        }
        Ok(figures)
    }

    fn step(&self, step: Name, dir: &Path, interrupt: &Interrupt) -> Result<Done, Fault> {
        let name = step.to_possible_value();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("step")
            .args(name.as_ref().map(|name| name.get_name()))
            .arg("--on")
            .arg(dir)
            .args(["--events", &self.events.to_string()])
            .args(["--students", &self.students().to_string()]);
        let output = interrupt.output(&mut command)?;
        if !output.status.success() {
            return Err(Fault::Untrue(format!(
                "{step:?} ended with {}",
                output.status
            )));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Figures {
    /// What it takes of the disk.
    fn weigh(&mut self, dir: &Path) -> Result<(), Fault> {
        self.journal = size(&dir.join("journal"))?;
        self.derived = size(&dir.join("derived"))?;
        Ok(())
    }

    /// The first step of a name.
    pub(crate) fn of(&self, name: Name) -> Option<&Done> {
        self.steps.iter().find(|done| done.step == name)
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

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        let mib = |bytes: u64| bytes as f64 / MIB;
        write!(f, "journal {:.0} MiB, derived state", mib(self.journal))?;
        if let Some(filled) = self.derived_filled {
            write!(f, " {:.0} MiB after filling,", mib(filled))?;
        }
        write!(f, " {:.0} MiB made again", mib(self.derived))
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(figures) => figures.fmt(f),
            Self::Growth(growth) => growth.fmt(f),
        }
    }
}
