//! planledger and its peers under the same load, in turn, on one machine: a table with ratios.
//!
//! `benches/peers/run` installs the peers and starts this.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

mod fault;
mod proof;
mod ratios;
mod report;
mod system;
mod turn;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Args, Parser, Subcommand, ValueEnum};
use planledger_benches::measure::machine::Machine;
use serde::de::DeserializeOwned;

use self::fault::Fault;
use self::proof::{Proof, prove};
use self::ratios::Ratios;
use self::report::{How, Place, Report, Turn};
use self::system::{Core, MessageDb, Places, Planledger, System, Tephra, UmaDb};
use self::turn::{Load, Numbers, Shown};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// planledger and its peers under the same load
#[derive(Debug, Parser)]
#[command(name = "peers")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Compare all of them
    Compare(Compare),
    /// One part of a comparison in process, in a process of its own
    #[command(hide = true)]
    Inside(Inside),
}

#[derive(Debug, Args)]
struct Compare {
    /// The program `planledger`
    #[arg(long)]
    planledger: PathBuf,
    /// The program `umadb`
    #[arg(long)]
    umadb: PathBuf,
    /// The directory `database` of message-db
    #[arg(long)]
    message_db: PathBuf,
    /// The directory of PostgreSQL's programs
    #[arg(long)]
    postgres: PathBuf,
    /// A directory for everything that is written
    #[arg(long)]
    dir: PathBuf,
    /// What is compared, in which version
    #[arg(long = "version-of", value_name = "NAME VERSION")]
    versions: Vec<String>,
    /// Today
    #[arg(long)]
    date: String,
    /// Seconds for each load
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often each system has its turn
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Store the ratios in this file
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    store: Option<PathBuf>,
    /// Compare the ratios with those in this file, and fail if one is more than a fifth worse
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Inside {
    system: Library,
    part: Part,
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    seconds: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Library {
    Core,
    Tephra,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Write,
    Read,
    Prove,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Fault> {
    let runtime = tokio::runtime::Runtime::new()?;
    // On this thread: a server ends with the thread that has started it.
    runtime.block_on(async {
        match cli.command {
            Task::Compare(compare) => compare.run().await,
            Task::Inside(inside) => inside.run().await,
        }
    })
}

impl Compare {
    async fn run(self) -> Result<ExitCode, Fault> {
        // What is stored is read first: a run that cannot be checked is not made.
        let stored = self.check.as_deref().map(Ratios::load).transpose()?;
        let machine = Machine::look(&self.dir)?;
        let about = machine.to_string();
        if !self.json {
            println!("{about}");
        }
        let durable = self.durable().await?;
        if let Some(proof) = durable.iter().find(|proof| !proof.holds()) {
            return Err(Fault::Untrue(format!(
                "answers came before the disk had it: {proof}"
            )));
        }
        let mut turns = Vec::new();
        for nth in 0..self.turns {
            self.turn(nth, &mut turns).await?;
        }
        let how = How {
            date: self.date.clone(),
            versions: self.versions.clone(),
            seconds: self.seconds,
            turns: self.turns,
        };
        let report = Report::new(how, machine, durable, &turns);
        report.print(self.json)?;
        let now = report.ratios();
        if let Some(file) = &self.store {
            let (date, seconds, turns) = (self.date.clone(), self.seconds, self.turns);
            let ratios = Ratios {
                date,
                machine: about,
                seconds,
                turns,
                ratios: now,
            };
            ratios.store(file)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(stored) = stored else {
            return Ok(ExitCode::SUCCESS);
        };
        let lost = stored.lost(&now);
        eprintln!("stored {} on {}", stored.date, stored.machine);
        for line in &lost {
            eprintln!("WORSE {line}");
        }
        match lost.is_empty() {
            true => {
                eprintln!("no ratio is more than a fifth worse than stored");
                Ok(ExitCode::SUCCESS)
            }
            false => Ok(ExitCode::FAILURE),
        }
    }

    fn places(&self, dir: &Path) -> Places {
        Places {
            planledger: self.planledger.clone(),
            umadb: self.umadb.clone(),
            message_db: self.message_db.clone(),
            postgres: self.postgres.clone(),
            dir: dir.to_owned(),
        }
    }

    /// Nothing where there is no strace.
    async fn durable(&self) -> Result<Vec<Proof>, Fault> {
        if Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            return Ok(Vec::new());
        }
        eprintln!("looking whether answers are durable");
        let places = self.places(&self.dir);
        let mut proofs = vec![
            prove::<Planledger>(&places).await?,
            prove::<UmaDb>(&places).await?,
            prove::<MessageDb>(&places).await?,
        ];
        for library in [Library::Core, Library::Tephra] {
            let dir = tempfile::tempdir_in(&self.dir)?;
            proofs.push(self.part(library, Part::Prove, dir.path())?);
        }
        Ok(proofs)
    }

    /// Every system once, in an order that turns round.
    async fn turn(&self, nth: usize, turns: &mut Vec<Turn>) -> Result<(), Fault> {
        let mut order = [0, 1, 2, 3, 4];
        if nth % 2 == 1 {
            order.reverse();
        }
        for which in order {
            let turn = match which {
                0 => self.server::<Planledger>().await?,
                1 => self.server::<UmaDb>().await?,
                2 => self.server::<MessageDb>().await?,
                3 => self.library(Library::Core, Core::NAME)?,
                _ => self.library(Library::Tephra, Tephra::NAME)?,
            };
            eprintln!("turn {} of {}: {}", nth + 1, self.turns, turn.system);
            turns.push(turn);
        }
        Ok(())
    }

    async fn server<S: System>(&self) -> Result<Turn, Fault> {
        let system = S::start(&self.places(&self.dir)).await?;
        let mut shown = written(&system, self.seconds).await?;
        shown.push(turn::replay(&system).await?);
        system.stop().await?;
        Ok(Turn {
            place: Place::Servers,
            system: S::NAME,
            shown,
        })
    }

    fn library(&self, library: Library, system: &'static str) -> Result<Turn, Fault> {
        let dir = tempfile::tempdir_in(&self.dir)?;
        let mut shown: Vec<Shown> = self.part(library, Part::Write, dir.path())?;
        shown.push(self.part(library, Part::Read, dir.path())?);
        Ok(Turn {
            place: Place::InProcess,
            system,
            shown,
        })
    }

    /// A part of a comparison in process. The process ends with this one.
    fn part<T: DeserializeOwned>(
        &self,
        library: Library,
        part: Part,
        dir: &Path,
    ) -> Result<T, Fault> {
        let name = |value: Option<clap::builder::PossibleValue>| {
            value
                .map(|value| value.get_name().to_owned())
                .unwrap_or_default()
        };
        let output = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(std::env::current_exe()?)
            .arg("inside")
            .args([
                name(library.to_possible_value()),
                name(part.to_possible_value()),
            ])
            .arg("--dir")
            .arg(dir)
            .args(["--seconds", &self.seconds.to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout)?),
            false => Err(Fault::Untrue(format!(
                "{library:?} ended with {}",
                output.status
            ))),
        }
    }
}

impl Inside {
    async fn run(self) -> Result<ExitCode, Fault> {
        match self.system {
            Library::Core => self.with::<Core>().await,
            Library::Tephra => self.with::<Tephra>().await,
        }
    }

    async fn with<S: System>(self) -> Result<ExitCode, Fault> {
        let none = PathBuf::new();
        let places = Places {
            planledger: none.clone(),
            umadb: none.clone(),
            message_db: none.clone(),
            postgres: none,
            dir: self.dir,
        };
        let said = match self.part {
            Part::Prove => serde_json::to_string(&prove::<S>(&places).await?)?,
            Part::Write => {
                let system = S::start(&places).await?;
                let shown = written(&system, self.seconds).await?;
                system.stop().await?;
                serde_json::to_string(&shown)?
            }
            Part::Read => {
                let system = S::start(&places).await?;
                let shown = turn::replay(&system).await?;
                system.stop().await?;
                serde_json::to_string(&shown)?
            }
        };
        println!("{said}");
        Ok(ExitCode::SUCCESS)
    }
}

/// Everything that writes.
async fn written<S: System>(system: &S, seconds: f64) -> Result<Vec<Shown>, Fault> {
    let mut numbers = Numbers::default();
    let mut shown = Vec::new();
    for load in Load::WRITING {
        shown.push(turn::write(system, load, seconds, &mut numbers).await?);
    }
    Ok(shown)
}
