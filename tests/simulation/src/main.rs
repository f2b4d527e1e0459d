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
use self::disk::{Cut, Trace};
use self::ledger::{How, play_ledger};
use self::plan::{plan, sweep};
use self::run::{Played, play};
use self::shrink::{chosen, shrink};

/// What is wrong with a seed where there is a fault, which may need a whole ledger.
fn with(seed: u64, bug: Bug, is_of_ledger: bool) -> Result<(), String> {
    match is_of_ledger {
        true => {
            let order = seed;
            let how = How { seed, order, bug };
            play_ledger(&ledger::plan(seed), how, Trace::default()).2
        }
        false => play(&plan(seed), seed, bug).1,
    }
}

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
    /// Of that ledger's threads another order, which follows from this number and not from the seed
    #[arg(long, requires = "ledger")]
    order: Option<u64>,
    /// Play each seed twice, and look whether the same threads did the same on the disk
    #[arg(long, requires = "ledger")]
    twice: bool,
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
        if self.is_of_ledger() {
            command += " --ledger";
        }
        if let Some(order) = self.order {
            command += &format!(" --order {order}");
        }
        command
    }

    /// Whether the whole ledger is played: some faults need its threads.
    fn is_of_ledger(&self) -> bool {
        self.ledger || self.bug().is_ok_and(|bug| bug.slip().is_some())
    }

    /// Plays items of a whole ledger's story.
    fn ledger(
        &self,
        items: &[ledger::Item],
        seed: u64,
        trace: Trace,
    ) -> Result<(Played, Trace, Result<(), String>), String> {
        let how = How {
            seed,
            order: self.order.unwrap_or(seed),
            bug: self.bug()?,
        };
        let (played, trace, mut went) = play_ledger(items, how, trace);
        if self.twice && went.is_ok() {
            let (_, again, _) = play_ledger(items, how, Trace::default());
            if again.digest != trace.digest {
                went = Err("the same story went otherwise when it was played again".to_owned());
            }
        }
        Ok((played, trace, went))
    }

    /// Plays one seed and shows it.
    fn one(&self, seed: u64) -> Result<bool, String> {
        if self.is_of_ledger() {
            let items = self.kept(ledger::plan(seed));
            let (played, trace, went) = self.ledger(&items, seed, Trace::kept())?;
            for line in trace.lines.iter().flatten() {
                println!("  {line}");
            }
            println!("trace {:016x}, {} turns", trace.digest, played.turns);
            return Ok(said(&played, went));
        }
        let items = self.kept(plan(seed));
        let (played, went) = play(&items, seed, self.bug()?);
        Ok(said(&played, went))
    }

    /// The items that are to be played, which are shown.
    fn kept<I: Copy + std::fmt::Debug>(&self, all: Vec<I>) -> Vec<I> {
        let items = match &self.keep {
            Some(keep) => chosen(&all, keep),
            None => all,
        };
        for item in &items {
            println!("  {item:?}");
        }
        items
    }

    /// Makes a seed that fails small, and says how to play it again.
    fn failed(&self, seed: u64, wrong: &str) -> Result<(), String> {
        println!("seed {seed}: {wrong}");
        let bug = self.bug()?;
        let (all, small) = match self.is_of_ledger() {
            true => {
                let items = ledger::plan(seed);
                let fails = |items: &[_]| self.ledger(items, seed, Trace::default()).ok()?.2.err();
                (items.len(), shrink(&items, fails))
            }
            false => {
                let items = plan(seed);
                let fails = |items: &[_]| play(items, seed, bug).1.err();
                (items.len(), shrink(&items, fails))
            }
        };
        if let Some((keep, wrong)) = small {
            println!("  {} of {all} items are enough: {wrong}", keep.len());
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
            let (played, went) = match self.is_of_ledger() {
                true => {
                    let items = ledger::plan(seed);
                    let (played, _, went) = self.ledger(&items, seed, Trace::default())?;
                    (played, went)
                }
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
                // Not what is wrong without the fault as well.
                if let Err(wrong) = with(seed, *bug, bug.slip().is_some())
                    && with(seed, Bug::None, bug.slip().is_some()).is_ok()
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
         {} commits, {} events; everything compared {} times; {} turns of threads",
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
        played.turns,
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
