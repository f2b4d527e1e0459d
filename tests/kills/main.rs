//! The kill test: a real server under load is killed (SIGKILL) at random moments, thousands of times,
//! started again, and held to everything that it had promised before.
//!
//! The witness is this process. It keeps what was sent and what was answered, and the server never sees
//! that. Several clients work at once, each in its own way: single commands, commands over a stream,
//! batches, recoveries, imports, checkpoints, exports, redactions. Some kills come while the server
//! starts.
//!
//! Everything is random from one number, but when a kill comes among the threads of a server is not:
//! a failure is told with its number, and its ledger can be kept.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

mod ask;
mod check;
mod clients;
#[path = "../dice.rs"]
mod dice;
mod others;
mod server;
mod whole;
mod witness;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;

use self::clients::Kind;
use self::dice::Dice;
use self::server::{Program, Server};
use self::witness::{Findings, Witness};

/// Kills a server under load, again and again, and looks whether anything is lost
#[derive(Debug, Parser)]
#[command(name = "kills", version)]
struct Cli {
    /// How often the server is killed
    #[arg(long, default_value_t = 100)]
    times: u64,
    /// What the work and the moments follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kills that one ledger survives before everything in it is read and another one begins
    #[arg(long, default_value_t = 100)]
    ledger: u64,
    /// The program that serves [default: planledger, beside this one]
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where ledgers are made [default: the folder for temporary files]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Longest time under load before a kill, in milliseconds
    #[arg(long, default_value_t = 250)]
    longest: u64,
    /// A folder for ledgers in which something was found
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Why a run was given up. What a server lost is not among it: that is a finding.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Connect(#[from] planledger::client::ConnectError),
    #[error(transparent)]
    Text(#[from] planledger_core::text::TextError),
    #[error("the server does not start: {0}")]
    Start(String),
    #[error("the server is gone: {0}")]
    Gone(String),
    #[error("the witness is at fault: {0}")]
    Own(String),
}

/// A ledger, and what is known of it.
struct Place {
    dir: tempfile::TempDir,
    witness: Arc<Mutex<Witness>>,
}

struct Kills<'a> {
    cli: &'a Cli,
    program: Program,
    rosters: others::Rosters,
    dice: Dice,
    found: Findings,
    starts: Vec<Duration>,
    in_start: u64,
    ledgers: u64,
    /// Rounds in which a client did not notice that the server was gone.
    left_behind: u64,
}

impl Kills<'_> {
    async fn new_place(&mut self) -> Result<Place, Fault> {
        self.ledgers += 1;
        let dir = match &self.cli.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        let seed = self.cli.seed.wrapping_mul(1_000_003) + self.ledgers;
        let witness = Arc::new(Mutex::new(Witness::new(seed)));
        let place = Place { dir, witness };
        let server = self.start(place.dir.path())?;
        clients::found(&server, &place.witness).await?;
        server.kill()?;
        Ok(place)
    }

    fn start(&mut self, dir: &Path) -> Result<Server, Fault> {
        let begun = Instant::now();
        let server = self.program.serve(dir)?;
        self.starts.push(begun.elapsed());
        Ok(server)
    }

    /// Starts the server, holds it to the last round, puts it under load and kills it.
    async fn once(&mut self, place: &Place) -> Result<(), Fault> {
        let ledger = place.dir.path();
        if self.dice.below(8) == 0 {
            self.in_start += 1;
            let after = Duration::from_millis(1 + self.dice.below(60));
            return Ok(self.program.serve_and_kill(ledger, after)?);
        }
        let server = self.start(ledger)?;
        check::last_round(&server, &place.witness, &mut self.found).await?;
        let beside = match self.dice.below(8) {
            0 => Some(Kind::Import),
            1 => Some(Kind::Export),
            _ => None,
        };
        // These two take longer, and some of them are to come to their end.
        let longest = self.cli.longest * if beside.is_some() { 6 } else { 1 };
        let after = Duration::from_millis(5 + self.dice.below(longest));
        let load = clients::load(
            &server,
            &place.witness,
            &self.rosters,
            &mut self.dice,
            beside,
        );
        tokio::time::sleep(after).await;
        self.found.unanswered(&place.witness);
        server.kill()?;
        self.left_behind += u64::from(load.ended().await?);
        Ok(())
    }

    /// Reads everything in a ledger that nobody works with.
    async fn whole(&mut self, place: &Place) -> Result<(), Fault> {
        let server = self.start(place.dir.path())?;
        check::last_round(&server, &place.witness, &mut self.found).await?;
        whole::check(&server, &place.witness, &self.rosters, &mut self.found).await?;
        if !server.stop()? {
            self.found
                .wrong("the server did not stop when it was told to".to_owned());
        }
        if let Some(said) = self.program.verify(place.dir.path())? {
            self.found.unsound(said);
        }
        if let Some(said) = self.program.verify_bundle(&place.witness)? {
            self.found.unsound(said);
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<(), Fault> {
        let begun = Instant::now();
        let mut place = self.new_place().await?;
        for kill in 1..=self.cli.times {
            let before = self.found.bad();
            let last = kill == self.cli.times;
            let mut is_over = kill.is_multiple_of(self.cli.ledger.max(1)) || last;
            let mut went = self.once(&place).await;
            if is_over && went.is_ok() {
                went = self.whole(&place).await;
            }
            match went {
                // Nothing more can be done with this ledger.
                Err(Fault::Start(said)) => {
                    self.found.unsound(format!("a start is refused: {said}"));
                    is_over = true;
                }
                Err(Fault::Gone(said)) => {
                    self.found.wrong(format!(
                        "the server is gone although nobody killed it: {said}"
                    ));
                    is_over = true;
                }
                other => other?,
            }
            if self.found.bad() > before {
                println!("kill {kill} (ledger {}): {}", self.ledgers, self.found);
                self.keep(&place, kill)?;
            }
            if is_over {
                self.found.take_in(&place.witness);
                println!(
                    "{kill} kills, {} s: {}",
                    begun.elapsed().as_secs(),
                    self.found
                );
                if !last {
                    place = self.new_place().await?;
                }
            }
        }
        Ok(())
    }

    fn keep(&self, place: &Place, kill: u64) -> Result<(), Fault> {
        let Some(keep) = &self.cli.keep else {
            return Ok(());
        };
        let to = keep.join(format!("kill-{kill}"));
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(place.dir.path())
            .arg(&to)
            .status()?;
        match copied.success() {
            true => Ok(()),
            false => Err(Fault::Own(format!("{} was not kept", to.display()))),
        }
    }

    fn report(&mut self) {
        self.starts.sort();
        let at = |part: usize| {
            let index = (self.starts.len() * part / 100).min(self.starts.len().saturating_sub(1));
            self.starts.get(index).map_or(0, Duration::as_millis)
        };
        let (cli, found) = (self.cli, &self.found);
        println!();
        println!(
            "seed {}: {} kills, {} of them while it started; {} ledgers; start, ms: median {}, p99 {}",
            cli.seed,
            cli.times,
            self.in_start,
            self.ledgers,
            at(50),
            at(99)
        );
        println!("{}", found.table());
        println!("clients that did not notice a kill: {}", self.left_behind);
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(3);
        }
    };
    let ran = runtime.block_on(async {
        let program = Program::find(cli.program.as_deref())?;
        let mut kills = Kills {
            rosters: others::Rosters::new(&program)?,
            program,
            dice: Dice::new(cli.seed),
            found: Findings::default(),
            starts: Vec::new(),
            in_start: 0,
            ledgers: 0,
            left_behind: 0,
            cli: &cli,
        };
        let ran = kills.run().await;
        kills.report();
        ran.map(|()| kills.found.bad() == 0)
    });
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::from(3)
        }
    }
}
