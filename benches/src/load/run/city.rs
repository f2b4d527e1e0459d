//! The roster of a large city, imported by the program itself into a server that is the program too: how long it
//! takes, and what it takes.

use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use planledger_benches::city::{self, Rows};
use planledger_benches::measure::process::Memory;
use planledger_benches::measure::space::held;
use planledger_benches::measure::usage::Usage;
use serde::Serialize;

use crate::Place;
use crate::fault::Fault;
use crate::interrupt::Interrupt;
use crate::report::print_stages;

const MIB: f64 = 1024.0 * 1024.0;
/// How long the server may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Args)]
pub(crate) struct City {
    /// Schools
    #[arg(long, default_value_t = 73)]
    schools: u64,
    /// Pupils
    #[arg(long, default_value_t = 38_000)]
    pupils: u64,
    /// The program `planledger` [default: the one beside this one]
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
}

/// Write the roster of a city into a folder, as OneRoster CSV files
#[derive(Debug, Args)]
pub(crate) struct Roster {
    /// The folder, which is made
    folder: PathBuf,
    /// Schools
    #[arg(long, default_value_t = 73)]
    schools: u64,
    /// Pupils
    #[arg(long, default_value_t = 38_000)]
    pupils: u64,
}

/// One import.
#[derive(Debug, Serialize)]
pub(crate) struct Import {
    pub(crate) seconds: f64,
    /// Processor time of the server, in seconds.
    pub(crate) server_cpu: f64,
    /// Of the server until now, in MiB.
    pub(crate) peak_mib: f64,
    pub(crate) resident_mib: f64,
    /// Bytes of the ledger afterwards.
    pub(crate) journal: u64,
    pub(crate) derived: u64,
}

/// What an import on an empty ledger took, and the same again.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    city: String,
    pub(crate) first: Import,
    pub(crate) again: Import,
    /// Processor time of the server for each user of the roster by stage, in microseconds, of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<planledger_benches::measure::usage::Cost>,
}

impl Roster {
    pub(crate) fn run(&self) -> Result<(), Fault> {
        let city = city::City {
            schools: self.schools,
            pupils: self.pupils,
        };
        println!(
            "{}",
            told(self.schools, self.pupils, city.write(&self.folder)?)
        );
        Ok(())
    }
}

fn told(schools: u64, pupils: u64, rows: Rows) -> String {
    format!(
        "{schools} schools, {pupils} pupils: {} users, {} classes, {} enrollments",
        rows.users, rows.classes, rows.enrollments
    )
}

impl City {
    pub(crate) fn run(&self, place: &Place, interrupt: &Interrupt) -> Result<Figures, Fault> {
        std::fs::create_dir_all(place.root())?;
        let dir = tempfile::tempdir_in(place.root())?;
        let (roster, ledger) = (dir.path().join("roster"), dir.path().join("ledger"));
        let (schools, pupils) = (self.schools, self.pupils);
        let rows = city::City { schools, pupils }.write(&roster)?;
        let program = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("planledger"),
        };
        let server = Program::serve(&program, &ledger, dir.path())?;
        let before = Usage::of(server.process.id());
        let import = || server.import(&program, &roster, &ledger, interrupt);
        let first = import()?;
        let used = Usage::of(server.process.id()).zip(before);
        let cost = used.map(|(now, before)| now.since(&before, rows.users));
        Ok(Figures {
            city: told(schools, pupils, rows),
            first,
            again: import()?,
            cost,
        })
    }
}

/// A server that is the program.
struct Program {
    process: Child,
    url: String,
}

impl Program {
    fn serve(program: &Path, ledger: &Path, dir: &Path) -> Result<Self, Fault> {
        let said = dir.join("said");
        let mut command = Command::new(program);
        command
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"])
            .arg(ledger)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            // The signals are for the driver.
            .process_group(0);
        let started = command.spawn();
        let process = started.map_err(|error| {
            let told = format!(
                "{}: {error}; build it first, or name it with --program",
                program.display()
            );
            Fault::Start(told)
        })?;
        let mut server = Self {
            process,
            url: String::new(),
        };
        let start = Instant::now();
        while start.elapsed() < PATIENCE && server.process.try_wait()?.is_none() {
            let text = std::fs::read_to_string(&said)?;
            let after = text.split_once("listening on ").map(|(_, after)| after);
            // A line that is not whole may end within the address.
            if let Some((url, _)) = after.and_then(|after| after.split_once('\n')) {
                server.url = url.trim().to_owned();
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let said = std::fs::read_to_string(&said)?;
        Err(Fault::Start(said.trim().to_owned()))
    }

    fn import(
        &self,
        program: &Path,
        roster: &Path,
        ledger: &Path,
        interrupt: &Interrupt,
    ) -> Result<Import, Fault> {
        let used = || Usage::of(self.process.id()).map(|usage| usage.all());
        let before = used().unwrap_or_default();
        let start = Instant::now();
        let mut command = Command::new(program);
        command
            .args(["import", "roster"])
            .arg(roster)
            .args(["--server", &self.url]);
        let status = interrupt.status(&mut command)?;
        let seconds = start.elapsed().as_secs_f64();
        if !status.success() {
            return Err(Fault::Untrue(format!("the import ended with {status}")));
        }
        let memory = Memory::of(self.process.id());
        Ok(Import {
            seconds,
            server_cpu: used()
                .unwrap_or_default()
                .saturating_sub(before)
                .as_secs_f64(),
            peak_mib: memory.map(|memory| memory.peak).unwrap_or_default(),
            resident_mib: memory.map(|memory| memory.resident).unwrap_or_default(),
            journal: held(&ledger.join("journal"))?,
            derived: held(&ledger.join("derived"))?,
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What it wrote is removed: it need not stop in order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / MIB;
        write!(
            f,
            "{:.2} s, {:.2} s of the server's processor, {:.0} MiB at most, {:.0} afterwards; journal {:.0} MiB, \
             derived state {:.0} MiB",
            self.seconds,
            self.server_cpu,
            self.peak_mib,
            self.resident_mib,
            mib(self.journal),
            mib(self.derived)
        )
    }
}

impl Figures {
    pub(crate) fn print(&self) {
        println!("{}", self.city);
        println!("import:         {}", self.first);
        println!("the same again: {}", self.again);
        if let Some(cost) = &self.cost {
            print_stages(&[("for each user", &cost.stages)]);
        }
    }
}
