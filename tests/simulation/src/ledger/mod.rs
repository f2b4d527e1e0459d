//! The whole ledger over a simulated journal: decisions, sealing, derived state, receipts, reads.
//!
//! The journal is on the machine in memory. Keys and derived state are in a real folder. Keys lose nothing
//! there; what becomes of derived state is chosen at each crash: it stays as a clean stop leaves it, or it
//! is as it was at some earlier moment of this or an earlier process, copied file by file while it was
//! written, or it is gone. The journal, the clock, all randomness and the order of threads follow from the seed:
//! those of the ledger and those of its clients take turns.

mod folder;
mod known;
mod plan;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use planledger_core::journal::{OpenError, SegmentLog, SegmentOptions};
use planledger_core::ledger::{Ledger, Options};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Timestamp};
use planledger_core::turns::{self, take_turns};

use self::folder::{copy, remove, spoil};
use self::known::Known;
use self::plan::Deed;
pub(crate) use self::plan::{Item, plan};
use crate::bugs::Bug;
use crate::dice::Dice;
use crate::disk::{Cut, JOURNAL, Machine, Trace};
use crate::model::Wrong;
use crate::plan::{Life, lives};
use crate::process::{LEDGER, START, Seeded};
use crate::run::Played;
use crate::school::foundation;

const SEGMENT_BYTES: u64 = 8_000;
const MINUTE: u64 = 60_000_000_000;

/// A clock that shows what it was set to.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.fetch_add(1_000_000, Ordering::Relaxed))
    }
}

enum Stop {
    Ended,
    Wrong(Wrong),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

struct Story {
    machine: Machine,
    place: PathBuf,
    /// A copy of derived state as it was at an earlier moment, beside it.
    copy: PathBuf,
    clock: Arc<SetClock>,
    entropy: Arc<Seeded>,
    known: Known,
    checks: u64,
}

/// How a story is played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// What keys and nonces are made of.
    pub(crate) seed: u64,
    /// What the order of threads follows from.
    pub(crate) order: u64,
    pub(crate) bug: Bug,
}

/// Plays a plan, and gives what was done on the disk as well. The error says what is wrong.
pub(crate) fn play_ledger(
    items: &[Item],
    how: How,
    trace: Trace,
) -> (Played, Trace, Result<(), Wrong>) {
    let shared = Path::new("/dev/shm");
    let dir = match shared.is_dir() {
        true => tempfile::tempdir_in(shared),
        false => tempfile::tempdir(),
    };
    let dir = match dir {
        Ok(dir) => dir,
        Err(error) => return (Played::default(), trace, Err(format!("no folder: {error}"))),
    };
    let machine = Machine::new(how.bug.lie());
    machine.trace(trace);
    let mut story = Story {
        machine: machine.clone(),
        place: dir.path().join("ledger"),
        copy: dir.path().join("copy"),
        clock: Arc::new(SetClock(AtomicU64::new(START))),
        entropy: Arc::new(Seeded::new(how.seed)),
        known: Known::new(&machine),
        checks: 0,
    };
    let items = items.to_vec();
    let (order, went) = take_turns(how.order, how.bug.slip(), move || {
        let went = story.all(&items);
        (story.checks, went)
    });
    let (checks, went) = match went {
        Ok(_) if !order.panicked.is_empty() => {
            let threads = order.panicked.join(", ");
            (0, Err(format!("threads panicked: {threads}")))
        }
        Ok(came) => came,
        Err(fault) => (0, Err(fault.to_string())),
    };
    let mut trace = machine.traced();
    trace.note(format_args!("{order:?}"));
    let played = Played {
        counts: machine.counts(),
        checks,
        turns: order.turns,
        ..Played::default()
    };
    (played, trace, went)
}

impl Story {
    fn all(&mut self, items: &[Item]) -> Result<(), Wrong> {
        for life in lives(items) {
            let ((), seed) = life.end.unwrap_or(((), 1));
            self.life(life, Dice::new(seed))?;
        }
        let opened = self.open();
        let held = opened.and_then(|ledger| self.holds(&ledger, &mut Dice::new(2)));
        match held {
            Ok(()) => Ok(()),
            Err(Stop::Wrong(wrong)) => Err(wrong),
            Err(Stop::Ended) => Err("a sound machine does not come up".to_owned()),
        }
    }

    fn life(&mut self, life: Life<Deed, ()>, mut dice: Dice) -> Result<(), Wrong> {
        self.machine.plan(life.faults, life.space);
        let lived = self.open().and_then(|ledger| {
            // Not everything is in memory yet.
            if dice.once_in(6) {
                self.spoil(&mut dice)?;
            }
            let mut lived = self.begin(&ledger, &mut dice);
            for (deed, seed) in life.acts {
                if lived.is_ok() {
                    lived = self.does(&ledger, deed, Dice::new(seed));
                }
            }
            // As a kill leaves it: before anything is stored on the way out.
            if dice.once_in(2) {
                let (from, to) = self.copies();
                keep_copy(&from, &to, &mut dice)?;
            }
            lived
        });
        if let Err(Stop::Wrong(wrong)) = lived {
            return Err(wrong);
        }
        let ended = self.end(&mut dice);
        ended.map_err(|error| format!("the folder: {error}"))
    }

    /// The process ends, and with it what was not stored.
    fn end(&mut self, dice: &mut Dice) -> io::Result<()> {
        let derived = self.place.join("derived");
        match dice.below(6) {
            0 => remove(&derived)?,
            1..4 if self.copy.is_dir() => {
                remove(&derived)?;
                copy(&self.copy, &derived, dice)?;
            }
            _ => {}
        }
        match dice.below(8) {
            0 => self.machine.cut(Cut::LosesAll, dice),
            1 => self.machine.cut(Cut::KeepsAll, dice),
            2 => self.machine.cut(Cut::Order, dice),
            3..6 => self.machine.cut(Cut::Sectors, dice),
            _ => self.machine.restart(),
        }
        Ok(())
    }

    /// Derived state, and where a copy of it is kept.
    fn copies(&self) -> (PathBuf, PathBuf) {
        (self.place.join("derived"), self.copy.clone())
    }

    fn open(&mut self) -> Result<Ledger, Stop> {
        let how = SegmentOptions {
            segment_bytes: SEGMENT_BYTES,
            ..SegmentOptions::default()
        };
        let disk = || Arc::new(self.machine.folder(JOURNAL));
        let log = match SegmentLog::open(disk(), how) {
            Err(OpenError::Empty) => {
                SegmentLog::create(disk(), LEDGER, Timestamp::from_nanos(START), how)
            }
            opened => opened,
        };
        let failed = |what, error| self.known.failed(what, error);
        let log = log.map_err(|error| failed("the journal does not open", error.to_string()))?;
        let options = Options {
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            ..Options::new(
                &self.place,
                MasterKey::from_bytes([7; 32]),
                || Timestamp::from_nanos(START),
                no_bytes,
            )
        };
        let opened = Ledger::open_on(options, Arc::new(log));
        opened.map_err(|error| failed("the ledger does not open", error.to_string()))
    }

    fn holds(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        self.known.holds(ledger, dice)?;
        self.checks += 1;
        Ok(())
    }

    fn begin(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        self.holds(ledger, dice)?;
        if self.known.is_new() {
            let commands = foundation().map_err(|error| error.to_string())?;
            let written = commands.iter().map(|_| None).collect();
            self.known.ask(ledger, commands, written, dice)?;
        }
        Ok(())
    }

    fn does(&mut self, ledger: &Ledger, deed: Deed, mut dice: Dice) -> Result<(), Stop> {
        match deed {
            Deed::Ask => self.known.ask_something(ledger, &mut dice)?,
            Deed::Together => self.together(ledger, &mut dice)?,
            Deed::Read => self.known.reads(ledger, &mut dice)?,
            Deed::Settle => ledger.settle(),
            Deed::Copy => {
                let (from, to) = self.copies();
                keep_copy(&from, &to, &mut dice)?;
            }
            Deed::Spoil => self.spoil(&mut dice)?,
            Deed::Rest => turns::sleep(Duration::from_millis(dice.below(2_000))),
            Deed::Jump => self.jump(&mut dice),
        }
        Ok(())
    }

    fn spoil(&self, dice: &mut Dice) -> Result<(), Wrong> {
        let spoilt = spoil(&self.place.join("derived"), dice);
        spoilt.map_err(|error| format!("the folder: {error}"))
    }

    fn jump(&mut self, dice: &mut Dice) {
        let far = dice.below(60 * 24 * 400) * MINUTE;
        match dice.once_in(2) {
            true => self.clock.0.fetch_add(far, Ordering::Relaxed),
            false => self.clock.0.fetch_sub(far, Ordering::Relaxed),
        };
    }

    /// Several clients work at once, and perhaps derived state is copied meanwhile. What they know afterwards is
    /// known.
    fn together(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        let mut clients = Vec::new();
        if dice.once_in(3) {
            let ((from, to), mut dice) = (self.copies(), Dice::new(dice.roll()));
            let known = Known::new(&self.machine);
            let copies = move || (known, keep_copy(&from, &to, &mut dice).map_err(Stop::Wrong));
            let begun = turns::spawn("copying", copies);
            clients.push(begun.map_err(|error| error.to_string())?);
        }
        for nth in 0..2 + dice.below(3) {
            let (ledger, dice) = (ledger.clone(), Dice::new(dice.roll()));
            let known = Known::new(&self.machine);
            let client = move || client(known, &ledger, dice);
            let begun = turns::spawn(&format!("client-{nth}"), client);
            clients.push(begun.map_err(|error| error.to_string())?);
        }
        let mut all = Ok(());
        for client in clients {
            let Ok((known, went)) = client.join() else {
                return Err("a client panicked".to_owned().into());
            };
            self.known.learn(known);
            all = match (all, went) {
                (Err(Stop::Wrong(wrong)), _) | (_, Err(Stop::Wrong(wrong))) => {
                    Err(Stop::Wrong(wrong))
                }
                (Err(Stop::Ended), _) | (_, Err(Stop::Ended)) => Err(Stop::Ended),
                (Ok(()), Ok(())) => Ok(()),
            };
        }
        all
    }
}

fn keep_copy(from: &Path, to: &Path, dice: &mut Dice) -> Result<(), Wrong> {
    let kept = remove(to).and_then(|()| copy(from, to, dice));
    kept.map_err(|error| format!("the folder: {error}"))
}

/// What a client does: it asks, looks, and does so again.
fn client(mut known: Known, ledger: &Ledger, mut dice: Dice) -> (Known, Result<(), Stop>) {
    let mut went = Ok(());
    for _ in 0..1 + dice.below(4) {
        if went.is_ok() {
            went = match dice.below(8) {
                0..3 => known.ask_something(ledger, &mut dice),
                3 => {
                    ledger.settle();
                    Ok(())
                }
                _ => known.look(ledger, &mut dice),
            };
        }
    }
    (known, went)
}

/// Stands for randomness until the story's own takes its place.
fn no_bytes(_: &mut [u8]) -> io::Result<()> {
    Ok(())
}
