//! The simulation: the core over a machine in memory that fails in every way that a disk may fail, dies at
//! any operation, and comes up again; and beside it a checker that knows what was receipted.
//!
//! Everything follows from one number. A seed that fails is made small, and the command that plays it again
//! is printed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

mod bugs;
mod dice;
mod disk;
mod ledger;
mod model;
mod plan;
mod process;
mod run;
mod school;
mod shrink;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use self::bugs::{ALL, Bug};
use self::disk::Cut;
use self::ledger::play_ledger;
use self::plan::{plan, sweep};
use self::run::{Played, play};
use self::shrink::{chosen, shrink};

/// Plays the core through crashes and faults, each seed another story
#[derive(Debug, Parser)]
#[command(name = "simulate", version)]
struct Cli {
    /// How many seeds to play
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play this one seed and say what happens
    #[arg(long)]
    seed: Option<u64>,
    /// Of that seed only these items, as a failure prints them
    #[arg(long, value_delimiter = ',', requires = "seed")]
    keep: Option<Vec<usize>>,
    /// Play until so many seconds are over
    #[arg(long)]
    seconds: Option<u64>,
    /// Put a fault in: see --bugs
    #[arg(long)]
    bug: Option<String>,
    /// Put each fault in, and look whether it is found: by the seed that showed it before, or by one of --seeds
    #[arg(long)]
    bugs: bool,
    /// Kill one process at each of its operations in turn, with every kind of power cut
    #[arg(long)]
    sweep: bool,
    /// Play the whole ledger with its derived state, not only journal, keys and checkpoints
    #[arg(long)]
    ledger: bool,
}

impl Cli {
    fn bug(&self) -> Result<Bug, String> {
        match &self.bug {
            None => Ok(Bug::None),
            Some(name) => Bug::named(name).ok_or_else(|| format!("there is no bug {name}")),
        }
    }

    fn again(&self, seed: u64, keep: Option<&[usize]>) -> String {
        let mut command = format!("cargo run --release -p planledger-simulation -- --seed {seed}");
        if let Some(keep) = keep {
            let keep: Vec<_> = keep.iter().map(usize::to_string).collect();
            command += &format!(" --keep {}", keep.join(","));
        }
        if let Some(bug) = &self.bug {
            command += &format!(" --bug {bug}");
        }
        if self.ledger {
            command += " --ledger";
        }
        command
    }

    /// Plays one seed and shows it.
    fn one(&self, seed: u64) -> Result<bool, String> {
        if self.ledger {
            let (played, went) = play_ledger(seed);
            return Ok(said(&played, went));
        }
        let all = plan(seed);
        let items = match &self.keep {
            Some(keep) => chosen(&all, keep),
            None => all,
        };
        for item in &items {
            println!("  {item:?}");
        }
        let (played, went) = play(&items, seed, self.bug()?);
        Ok(said(&played, went))
    }

    /// Makes a seed that fails small, and says how to play it again.
    fn failed(&self, seed: u64, wrong: &str) -> Result<(), String> {
        println!("seed {seed}: {wrong}");
        if self.ledger {
            println!("  {}", self.again(seed, None));
            return Ok(());
        }
        let items = plan(seed);
        if let Some((keep, wrong)) = shrink(&items, seed, self.bug()?) {
            println!(
                "  {} of {} items are enough: {wrong}",
                keep.len(),
                items.len()
            );
            println!("  {}", self.again(seed, Some(&keep)));
        }
        Ok(())
    }

    /// Plays seed after seed.
    fn many(&self) -> Result<bool, String> {
        let bug = self.bug()?;
        let begun = Instant::now();
        let until = self.seconds.map(|it| begun + Duration::from_secs(it));
        let (mut all, mut failures, mut seeds) = (Played::default(), 0, 0);
        for seed in self.from.. {
            let is_over = match until {
                Some(until) => Instant::now() >= until,
                None => seeds == self.seeds,
            };
            if is_over || failures == 10 {
                break;
            }
            let (played, went) = match self.ledger {
                true => play_ledger(seed),
                false => play(&plan(seed), seed, bug),
            };
            all.add(&played);
            seeds += 1;
            if let Err(wrong) = went {
                failures += 1;
                self.failed(seed, &wrong)?;
            }
        }
        let took = begun.elapsed();
        println!(
            "{seeds} seeds from {} in {:.1} s: {failures} failed",
            self.from,
            took.as_secs_f64()
        );
        println!("{}", told(&all));
        Ok(failures == 0)
    }

    /// Puts each fault in.
    fn all_bugs(&self) -> Result<bool, String> {
        let mut missed = 0;
        for (name, bug, known, what) in ALL {
            let seeds = std::iter::once(*known).chain(self.from..self.from + self.seeds);
            let mut found = None;
            for seed in seeds {
                let items = plan(seed);
                // Not what is wrong without the fault as well.
                if let Err(wrong) = play(&items, seed, *bug).1
                    && play(&items, seed, Bug::None).1.is_ok()
                {
                    found = Some((seed, wrong));
                    break;
                }
            }
            match found {
                Some((seed, wrong)) => println!("{name}: seed {seed}: {wrong} ({what})"),
                None => {
                    missed += 1;
                    println!("{name}: NOT FOUND ({what})");
                }
            }
        }
        println!("{} faults put in, {missed} not found", ALL.len());
        Ok(missed == 0)
    }

    /// Kills one process at each of its operations.
    fn every_operation(&self) -> Result<bool, String> {
        let bug = self.bug()?;
        let (mut all, mut failures, mut operations) = (Played::default(), 0, 0);
        for operation in 0.. {
            let mut kills = 0;
            for cut in [Cut::LosesAll, Cut::KeepsAll, Cut::Order, Cut::Sectors] {
                let (played, went) = play(&sweep(operation, cut), 1, bug);
                kills += played.counts.kills;
                all.add(&played);
                if let Err(wrong) = went {
                    failures += 1;
                    println!("killed at operation {operation}, {cut:?}: {wrong}");
                }
            }
            if kills == 0 {
                break;
            }
            operations += 1;
        }
        println!("killed at each of {operations} operations: {failures} failed");
        println!("{}", told(&all));
        Ok(failures == 0)
    }
}

fn said(played: &Played, went: Result<(), String>) -> bool {
    println!("{}", told(played));
    match &went {
        Ok(()) => println!("nothing is wrong"),
        Err(wrong) => println!("wrong: {wrong}"),
    }
    went.is_ok()
}

fn told(played: &Played) -> String {
    let counts = &played.counts;
    format!(
        "  {} crashes: {} power cuts, {} ends of a process; {} of them by a kill at an operation\n  \
         {} operations; EIO {}, ENOSPC {}, EMFILE {}, short {}, EINTR {}, bits {}\n  \
         {} commits, {} events; everything compared {} times",
        counts.crashes(),
        counts.cuts,
        counts.restarts,
        counts.kills,
        counts.operations,
        counts.io,
        counts.no_space,
        counts.no_handles,
        counts.short,
        counts.interrupted,
        counts.rot,
        played.commits,
        played.events,
        played.checks,
    )
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // What a fault does to a process that panics is told by the checker.
    std::panic::set_hook(Box::new(|_| {}));
    let ran = match (cli.seed, cli.bugs, cli.sweep) {
        (Some(seed), _, _) => cli.one(seed),
        (None, true, _) => cli.all_bugs(),
        (None, false, true) => cli.every_operation(),
        (None, false, false) => cli.many(),
    };
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}
