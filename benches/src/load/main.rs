//! The load driver: how fast a server is for its clients, with percentiles, on this machine.
//!
//! It starts a server of its own, as another process on a loopback port and a fresh directory, or
//! measures one that is there. What it sends is made before the clock starts, and after each
//! measurement it looks whether the ledger holds exactly what was sent.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

mod fault;
mod interrupt;
mod report;
mod run;
mod serve;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use planledger_benches::measure::machine::Machine;

use self::fault::Fault;
use self::interrupt::Interrupt;
use self::report::{Measurement, Report};
use self::run::{
    bars, batch, city, echo, follow, import, leaving, mixed, plan, replay, scale, sequence, stream,
    unary,
};
use self::target::Target;

/// As in the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How fast a planledger server is
#[derive(Debug, Parser)]
#[command(name = "load", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// Which server is measured; without any of these one is started on a fresh directory.
#[derive(Debug, Clone, Args)]
struct Place {
    /// Measure the server at this URL, in development mode; it keeps what is recorded
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["ledger", "dir"])]
    server: Option<String>,
    /// Start a server on this ledger, which keeps what is recorded
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "dir")]
    ledger: Option<PathBuf>,
    /// Make fresh directories in this one [default: the system's for temporary files]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Place {
    /// Where files are made.
    fn root(&self) -> PathBuf {
        let given = self.ledger.clone().or_else(|| self.dir.clone());
        given.unwrap_or_else(std::env::temp_dir)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Durable single commands, each answered before its client sends the next
    Unary(unary::Unary),
    /// Durable single commands over one bidirectional stream, pipelined
    Stream(stream::Stream),
    /// Durable batches
    Batch(batch::Batch),
    /// Durable batches of whole classes, as a roster brings them
    Import(import::Import),
    /// Following every event while others write, by more and more subscribers
    Follow(follow::Follow),
    /// Reading every event
    Replay(replay::Replay),
    /// Reading a plan with a long history, now and as of an instant
    Plan(plan::Plan),
    /// An owner leaves a city: what they own, handing it over, the overview; on a roster that the ledger
    /// holds, whose students get plans
    Leaving(leaving::Leaving),
    /// Calls that do nothing, on the same transport: what there is to reach on this machine
    Echo(echo::Echo),
    /// All of the above in one run
    All,
    /// All sorts of work at modest rates for a long time: whether memory and latency stay as they are
    Mixed(mixed::Mixed),
    /// A large ledger: filling, opening, rebuilding, verifying, and the memory it takes
    Scale(scale::Scale),
    /// The roster of a large city, imported by the program into a server that is the program
    City(city::City),
    /// Write the roster of a large city into a folder
    Roster(city::Roster),
    /// Everything that has a bar, in one table; takes some minutes
    Bars(bars::Bars),
    /// Durable single commands one after another, when a script says so
    #[command(hide = true)]
    Sequence(sequence::Sequence),
    /// Serve until standard input ends: what the driver starts for itself
    #[command(hide = true)]
    Serve(serve::Serve),
    /// One step of `scale`, in a process of its own
    #[command(hide = true)]
    Step(scale::Step),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Fault> {
    let runtime = || tokio::runtime::Runtime::new();
    match &cli.command {
        Command::Serve(serve) => return runtime()?.block_on(serve.run()),
        Command::Step(step) => return step.run(),
        Command::Roster(roster) => return roster.run(),
        Command::Sequence(sequence) => {
            let send = async { sequence.run(&Target::start(&cli.place).await?).await };
            return runtime()?.block_on(send);
        }
        _ => {}
    }
    let mut report = Report::new(Machine::look(&cli.place.root())?);
    if !cli.json {
        println!("{}", report.machine);
    }
    match &cli.command {
        Command::Scale(scale) => report.scale = Some(scale.run(&cli.place)?),
        Command::City(city) => report.city = Some(city.run(&cli.place, &Interrupt::listen()?)?),
        Command::Bars(bars) => report.bars = Some(bars.run(&cli.place)?),
        // Ends early, with what it has found.
        Command::Mixed(mixed) => {
            runtime()?.block_on(mixed.run(&cli.place, &mut report))?;
        }
        command => Interrupt::listen()?.run(measure(command, &cli.place, &mut report))?,
    }
    report.print(cli.json)
}

async fn measure(command: &Command, place: &Place, report: &mut Report) -> Result<(), Fault> {
    match command {
        Command::Echo(echo) => {
            report.extend(echo.run().await?);
            return Ok(());
        }
        Command::All => report.extend(echo::Echo::default().run().await?),
        _ => {}
    }
    let mut target = Target::start(place).await?;
    let measured: Vec<Measurement> = match command {
        Command::Unary(unary) => vec![unary.run(&target).await?],
        Command::Stream(stream) => vec![stream.run(&target).await?],
        Command::Batch(batch) => vec![batch.run(&target).await?],
        Command::Import(import) => vec![import.run(&target).await?],
        Command::Follow(follow) => follow.run(&target).await?,
        Command::Replay(replay) => vec![replay.run(&target).await?],
        Command::Plan(plan) => plan.run(&target).await?,
        Command::Leaving(leaving) => leaving.run(&target).await?,
        Command::All => all(&target).await?,
        // Not measured here.
        Command::Echo(_)
        | Command::Mixed(_)
        | Command::City(_)
        | Command::Roster(_)
        | Command::Bars(_)
        | Command::Scale(_)
        | Command::Sequence(_)
        | Command::Serve(_)
        | Command::Step(_) => Vec::new(),
    };
    report.extend(measured);
    report.memory = target.memory();
    report.moments = target.moments();
    report.disk = target.disk().await?;
    target.stop()
}

/// Batches first, so that replays of batches and of single commands can be told apart.
async fn all(target: &Target) -> Result<Vec<Measurement>, Fault> {
    let mut measured = vec![batch::Batch::default().run(target).await?];
    measured.push(import::Import::default().run(target).await?);
    let batches = target.position().await?;
    measured.push(replay::read(target, 0, "replay of batches").await?);
    measured.push(unary::Unary::default().run(target).await?);
    measured.push(stream::Stream::default().run(target).await?);
    measured.push(replay::read(target, batches, "replay of singles").await?);
    measured.extend(plan::Plan::default().run(target).await?);
    measured.extend(follow::Follow::default().run(target).await?);
    Ok(measured)
}
